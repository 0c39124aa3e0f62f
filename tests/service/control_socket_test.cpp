// SPDX-License-Identifier: Apache-2.0
//
// The control socket as it is on a machine: real sockets, several who ask, and some who do not mean
// well.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "service/control/client.hpp"
#include "service/control/server.hpp"
#include "service/milter/listening_socket.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/folder.hpp"
#include "tests/support/log_file.hpp"
#include "tests/support/mta_connection.hpp"

namespace countersign::service {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;
using test::eventually;
using testing::HasSubstr;

/// A daemon that answers "echo" with what it was told, and "large" with four megabytes.
class Served {
 public:
  explicit Served(ControlLimits limits = {})
      : sockets_(open_listening_sockets({.path = path()}, {.mode = 0600})),
        server_(sockets_.front().descriptor(), requests(), file_.log(), limits) {}

  [[nodiscard]] std::string path() const { return folder_ / "control.sock"; }
  [[nodiscard]] Descriptor connect() const { return test::connect_to_file(path()).value(); }
  [[nodiscard]] const test::LogFile& log() const { return file_; }
  [[nodiscard]] bool still_answers() const {
    const auto answer = ask_daemon(path(), {{"ask", "echo"}, {"text", "still"}});
    return answer && answer->at("text") == "still";
  }

 private:
  static ControlRequests requests() {
    ControlRequests requests;
    requests.add("echo", [](const json::object& request) { return json::object(request); });
    requests.add("large", [](const json::object&) {
      return json::object{{"text", std::string(4'000'000, 'x')}};
    });
    return requests;
  }

  test::Folder folder_;
  test::LogFile file_;
  std::vector<ListeningSocket> sockets_;
  ControlServer server_;
};

void send(const Descriptor& socket, std::string_view octets) {
  ASSERT_EQ(::send(socket.get(), octets.data(), octets.size(), MSG_NOSIGNAL),
            static_cast<ssize_t>(octets.size()));
}

/// All that comes until the daemon closes.
std::string receive_all(const Descriptor& socket) {
  const timeval patience{.tv_sec = 20, .tv_usec = 0};
  ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  std::string all;
  char chunk[4'096];
  for (ssize_t got = 1; got > 0;) {
    got = ::recv(socket.get(), chunk, sizeof chunk, 0);
    if (got > 0) all.append(chunk, static_cast<std::size_t>(got));
  }
  return all;
}

TEST(ControlSocket, IsForItsOwnerAlone) {
  const Served served;
  struct stat file{};
  ASSERT_EQ(::lstat(served.path().c_str(), &file), 0);
  EXPECT_TRUE(S_ISSOCK(file.st_mode));
  EXPECT_EQ(file.st_mode & 0777U, 0600U);
}

TEST(ControlSocket, AnswersALineWithALineAndCloses) {
  const Served served;
  for (const char* request : {"{\"ask\":\"echo\",\"text\":\"\xc3\xbc\"}\n",
                              "{\"ask\":\"echo\",\"text\":\"\xc3\xbc\"}\nmore"}) {
    const Descriptor socket = served.connect();
    send(socket, request);
    EXPECT_EQ(receive_all(socket), "{\"ask\":\"echo\",\"text\":\"\\u00fc\"}\n");
  }
  const Descriptor unended = served.connect();
  send(unended, R"({"ask":"echo"})");
  ::shutdown(unended.get(), SHUT_WR);
  EXPECT_EQ(receive_all(unended), "{\"ask\":\"echo\"}\n");
}

TEST(ControlSocket, TakesARequestInPieces) {
  const Served served;
  const Descriptor socket = served.connect();
  for (const char c : std::string_view("{\"ask\":\"echo\"}\n")) send(socket, {&c, 1});
  EXPECT_EQ(receive_all(socket), "{\"ask\":\"echo\"}\n");
}

TEST(ControlSocket, RefusesWhatIsNoRequestAndGoesOn) {
  const Served served;
  const Descriptor garbled = served.connect();
  send(garbled, "\x16\x03\x01\n");
  EXPECT_THAT(receive_all(garbled), HasSubstr("bad_request"));
  const Descriptor endless = served.connect();
  send(endless, std::string(control_request_octets_max, 'x'));
  EXPECT_THAT(receive_all(endless), HasSubstr("too_long"));
  {
    const Descriptor gone = served.connect();
  }
  {
    const Descriptor gone_inside = served.connect();
    send(gone_inside, "{\"ask\"");
  }
  {
    const Descriptor gone_before_the_answer = served.connect();
    send(gone_before_the_answer, "{\"ask\":\"large\"}\n");
  }
  EXPECT_TRUE(served.still_answers());
}

TEST(ControlSocket, WaitsForNobodyForLong) {
  const Served served({.sessions = 2, .request = 1s, .answer = 100ms});
  const Descriptor silent = served.connect();
  const Descriptor greedy = served.connect();
  send(greedy, "{\"ask\":\"large\"}\n");
  EXPECT_TRUE(served.still_answers()) << "both sessions were taken";
  EXPECT_THAT(receive_all(silent), HasSubstr("too_slow"));
  EXPECT_TRUE(eventually([&greedy] {
    pollfd polled{.fd = greedy.get(), .events = 0, .revents = 0};
    return ::poll(&polled, 1, 0) > 0 && (polled.revents & POLLHUP) != 0;
  }));
  EXPECT_LT(receive_all(greedy).size(), 4'000'000U) << "what the kernel held, and no more";
}

TEST(ControlSocket, LetsMoreThanItsSessionsWait) {
  const Served served({.sessions = 2});
  std::vector<std::jthread> clients;
  std::atomic<int> answered = 0;
  for (int i = 0; i < 20; ++i)
    clients.emplace_back([&] { answered += served.still_answers() ? 1 : 0; });
  clients.clear();
  EXPECT_EQ(answered, 20);
}

TEST(ControlSocket, EndsWithItsSessions) {
  Descriptor open;
  {
    const Served served;
    open = served.connect();
    EXPECT_TRUE(served.still_answers());
  }
  EXPECT_EQ(receive_all(open), "");
}

// --- those who ask -------------------------------------------------------------------------------

TEST(AskDaemon, TakesLargeAnswers) {
  const Served served;
  const auto answer = ask_daemon(served.path(), {{"ask", "large"}});
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->at("text").as_string().size(), 4'000'000U);
}

TEST(AskDaemon, SaysWhatTheDaemonSays) {
  const Served served;
  const auto answer = ask_daemon(served.path(), {{"ask", "unknown"}});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ControlFailureCode::refused);
  EXPECT_THAT(answer.error().message, HasSubstr("it knows: echo, large"));
}

TEST(AskDaemon, SaysWhatToDoWhereNoneIs) {
  const test::Folder folder;
  auto answer = ask_daemon(folder / "control.sock", {});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ControlFailureCode::no_daemon);
  EXPECT_THAT(answer.error().message, HasSubstr("--socket"));
  answer = ask_daemon("/" + std::string(200, 'x'), {});
  EXPECT_EQ(answer.error().code, ControlFailureCode::no_daemon);
}

TEST(AskDaemon, DoesNotWaitForever) {
  const test::Folder folder;
  const auto sockets = open_listening_sockets({.path = folder / "deaf"}, {});
  const auto answer = ask_daemon(folder / "deaf", {{"ask", "echo"}}, 50ms);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ControlFailureCode::no_answer);
}

TEST(AskDaemon, TakesNoOtherProgramForADaemon) {
  const test::Folder folder;
  const auto sockets = open_listening_sockets({.path = folder / "other"}, {});
  for (const std::string_view says : {"220 mail.example ESMTP\n", "[]\n", "", "{\"half\":"}) {
    std::jthread other([&] {
      Descriptor socket;
      EXPECT_TRUE(eventually([&] {
        socket = Descriptor(::accept(sockets.front().descriptor(), nullptr, nullptr));
        return static_cast<bool>(socket);
      }));
      send(socket, says);
    });
    const auto answer = ask_daemon(folder / "other", {{"ask", "echo"}}, 10s);
    ASSERT_FALSE(answer) << says;
    EXPECT_EQ(answer.error().code, ControlFailureCode::no_answer) << says;
  }
}

}  // namespace
}  // namespace countersign::service
