// SPDX-License-Identifier: Apache-2.0
//
// Listening sockets: whose file is replaced and whose is not, who owns it, and a remedy for each
// that cannot be had.

#include "service/milter/listening_socket.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netdb.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "tests/support/child_process.hpp"
#include "tests/support/folder.hpp"
#include "tests/support/mta_connection.hpp"

namespace countersign::service {
namespace {

using Family = config::SocketSpec::Family;
using test::Folder;
using test::start_error;
using testing::HasSubstr;

config::SocketSpec unix_spec(const std::string& path) {
  return {.family = Family::unix, .path = path};
}

config::SocketSpec inet_spec(std::uint16_t port, const std::string& host = "127.0.0.1") {
  return {.family = Family::inet, .port = port, .host = host};
}

std::vector<ListeningSocket> open(const config::SocketSpec& spec, SocketOwner owner = {}) {
  return open_listening_sockets(spec, owner);
}

/// The sentence with which a socket cannot be had; the exit code is always the same.
std::string refusal(const config::SocketSpec& spec) {
  const auto [code, sentence] = start_error([&] { static_cast<void>(open(spec)); });
  EXPECT_EQ(code, EX_UNAVAILABLE) << sentence;
  EXPECT_THAT(sentence, HasSubstr(to_string(spec)));
  return sentence;
}

std::uint16_t port_of(const ListeningSocket& socket) {
  sockaddr_in address{};
  socklen_t length = sizeof address;
  ::getsockname(socket.descriptor(), reinterpret_cast<sockaddr*>(&address), &length);
  return ntohs(address.sin_port);
}

struct stat status_of(const std::string& path) {
  struct stat file{};
  ::lstat(path.c_str(), &file);
  return file;
}

/// Sets the umask for as long as it lives.
class Umask {
 public:
  explicit Umask(mode_t bits) : old_(::umask(bits)) {}
  ~Umask() { ::umask(old_); }
  Umask(const Umask&) = delete;
  Umask& operator=(const Umask&) = delete;

 private:
  mode_t old_;
};

TEST(UnixSocket, IsOpenToNoMoreThanItsMode) {
  const Folder folder;
  const Umask open_to_all(0);
  const auto all = open(unix_spec(folder / "all"));
  EXPECT_EQ(status_of(folder / "all").st_mode & 0777U, 0777U);
  const auto own =
      open(unix_spec(folder / "own"), {.uid = ::getuid(), .gid = ::getgid(), .mode = 0600});
  EXPECT_EQ(status_of(folder / "own").st_mode & 0777U, 0600U);
  EXPECT_TRUE(test::connect_to_file(folder / "own"));
}

TEST(UnixSocket, LivesAsLongAsItsFile) {
  const Folder folder;
  const std::string path = folder / "milter";
  {
    const auto sockets = open(unix_spec(path));
    ASSERT_EQ(sockets.size(), 1U);
    EXPECT_TRUE(test::connect_to_file(path));
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(UnixSocket, ReplacesTheFileOfADaemonThatIsGone) {
  const Folder folder;
  const std::string path = folder / "milter";
  test::ChildProcess killed([&] {
    const auto sockets = open(unix_spec(path));
    return ::raise(SIGKILL);
  });
  EXPECT_EQ(killed.exit_code(), 128 + SIGKILL);
  ASSERT_TRUE(std::filesystem::exists(path));
  const auto sockets = open(unix_spec(path));
  EXPECT_TRUE(test::connect_to_file(path));
}

TEST(UnixSocket, LeavesALivingDaemonAlone) {
  const Folder folder;
  const std::string path = folder / "milter";
  const auto living = open(unix_spec(path));
  EXPECT_THAT(refusal(unix_spec(path)), HasSubstr("another program answers there"));
  EXPECT_TRUE(test::connect_to_file(path));
}

TEST(UnixSocket, LeavesADaemonAloneThatIsTooBusyToAnswer) {
  const Folder folder;
  const std::string path = folder / "milter";
  const auto living = open(unix_spec(path));
  ::listen(living.front().descriptor(), 0);
  const auto fills_the_queue = test::connect_to_file(path);
  EXPECT_THAT(refusal(unix_spec(path)), HasSubstr("another program answers there"));
}

TEST(UnixSocket, ReplacesNothingButSockets) {
  const Folder folder;
  const std::string path = folder / "milter";
  std::ofstream(path) << "precious";
  EXPECT_THAT(refusal(unix_spec(path)), HasSubstr("no socket"));
  EXPECT_EQ(std::filesystem::file_size(path), 8U);
  std::filesystem::create_symlink(path, folder / "link");
  EXPECT_THAT(refusal(unix_spec(folder / "link")), HasSubstr("no socket"));
}

TEST(UnixSocket, SaysWhatToDoAboutItsPath) {
  const Folder folder;
  EXPECT_THAT(refusal(unix_spec(folder / "missing/milter")), HasSubstr("make the directory"));
  const std::string too_long = folder / std::string(108, 'x');
  EXPECT_THAT(refusal(unix_spec(too_long)), HasSubstr("longer than 107 octets"));
  const std::size_t room = 107 - (folder / "").size();
  EXPECT_EQ(open(unix_spec(folder / std::string(room, 'x'))).size(), 1U);
}

TEST(UnixSocket, HasTheModeThatTheUmaskLeaves) {
  const Folder folder;
  for (const mode_t bits : {0U, 0002U, 0007U, 0077U}) {
    const Umask umask(bits);
    const auto sockets = open(unix_spec(folder / "milter"));
    EXPECT_EQ(status_of(folder / "milter").st_mode & 0777, 0777 & ~bits);
  }
}

TEST(UnixSocket, BelongsToTheMailUserAndToASetGidDirectorysGroup) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root gives files away";
  const Folder folder;
  const auto sockets = open(unix_spec(folder / "milter"), {.uid = 1234, .gid = 2345});
  EXPECT_EQ(status_of(folder / "milter").st_uid, 1234U);
  EXPECT_EQ(status_of(folder / "milter").st_gid, 2345U);

  const std::string directory = folder / "shared";
  std::filesystem::create_directory(directory);
  ASSERT_EQ(::chown(directory.c_str(), 1234, 3456), 0);
  ASSERT_EQ(::chmod(directory.c_str(), 02750), 0);
  const auto shared = open(unix_spec(directory + "/milter"), {.uid = 1234, .gid = 2345});
  EXPECT_EQ(status_of(directory + "/milter").st_uid, 1234U);
  EXPECT_EQ(status_of(directory + "/milter").st_gid, 3456U) << "Postfix's group stays";
}

TEST(UnixSocket, RemovesItsFileOnlyInTheProcessThatMadeIt) {
  const Folder folder;
  const std::string path = folder / "milter";
  auto sockets = open(unix_spec(path));
  test::ChildProcess child([&] {
    sockets.clear();
    return 0;
  });
  EXPECT_EQ(child.exit_code(), 0);
  EXPECT_TRUE(test::connect_to_file(path));
}

TEST(UnixSocket, LeavesTheFileOfItsSuccessorAlone) {
  const Folder folder;
  const std::string path = folder / "milter";
  auto old = open(unix_spec(path));
  std::filesystem::remove(path);
  const auto successor = open(unix_spec(path));
  old.front().close();
  EXPECT_EQ(old.front().descriptor(), -1);
  EXPECT_TRUE(test::connect_to_file(path));
}

TEST(InetSocket, SaysThatThePortIsBusy) {
  const auto first = open(inet_spec(0));
  EXPECT_THAT(refusal(inet_spec(port_of(first.front()))), HasSubstr("the port is busy"));
}

TEST(InetSocket, TakesThePortOfADaemonThatJustEnded) {
  std::uint16_t port = 0;
  test::Descriptor peer;
  {
    const auto first = open(inet_spec(0));
    port = port_of(first.front());
    peer = test::connect_to(first.front().descriptor());
    const Descriptor accepted(::accept(first.front().descriptor(), nullptr, nullptr));
    EXPECT_TRUE(accepted);
  }
  EXPECT_EQ(open(inet_spec(port)).size(), 1U);
}

TEST(InetSocket, ListensOnceOnEachAddressOfAName) {
  const auto sockets = open(inet_spec(0, "localhost"));
  EXPECT_GE(sockets.size(), 1U);
  const auto again = open(inet_spec(port_of(sockets.front()), "127.0.0.2"));
  EXPECT_EQ(again.size(), 1U);
}

TEST(InetSocket, SaysThatANameIsUnknown) {
  EXPECT_THAT(refusal(inet_spec(0, "no.such.host.invalid")), HasSubstr(": "));
  EXPECT_THAT(refusal(inet_spec(0, "192.0.2.1")), HasSubstr("Cannot assign"));
}

TEST(InetSocket, LeavesThePortOfTheOtherFamilyFree) {
  std::vector<ListeningSocket> six;
  try {
    six = open({.family = Family::inet6});
  } catch (const StartError&) {
    GTEST_SKIP() << "this machine has no IPv6";
  }
  const auto four = open(inet_spec(port_of(six.front()), ""));
  EXPECT_EQ(four.size(), 1U);
}

}  // namespace
}  // namespace countersign::service
