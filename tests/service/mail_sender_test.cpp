// SPDX-License-Identifier: Apache-2.0
//
// Mail handed to an MTA that misbehaves in every way that decides whether a mail may be sent again.
// The end-to-end tests send through the real Postfix.

#include "service/reporting/mail_sender.hpp"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <map>
#include <string>
#include <thread>

#include "service/milter/listening_socket.hpp"

namespace countersign::service {
namespace {

using testing::HasSubstr;

/// An MTA that answers by script and keeps what it was told, for one connection.
class ScriptedMta {
 public:
  /// answers   replies by the beginning of the command; "." is the end of the message, "(none)" is
  ///           for the greeting. An empty reply closes the connection.
  explicit ScriptedMta(std::map<std::string, std::string> answers)
      : answers_(std::move(answers)),
        sockets_(open_listening_sockets(
            {.family = config::SocketSpec::Family::inet, .host = "127.0.0.1"}, {})),
        thread_([this] { serve(); }) {}

  [[nodiscard]] SmtpServer server() const {
    sockaddr_in address{};
    socklen_t length = sizeof address;
    ::getsockname(sockets_.at(0).descriptor(), reinterpret_cast<sockaddr*>(&address), &length);
    return {.host = "127.0.0.1",
            .port = ntohs(address.sin_port),
            .helo_name = "mx.example",
            .tls = SmtpTls::none,
            .patience = std::chrono::seconds{20}};
  }

  /// Everything that was received; waits for the end of the connection.
  [[nodiscard]] std::string received() {
    if (thread_.joinable()) thread_.join();
    return received_;
  }

 private:
  [[nodiscard]] std::string reply_to(const std::string& line) const {
    for (const auto& [beginning, reply] : answers_)
      if (line.starts_with(beginning)) return reply;
    return "250 ok";
  }

  void serve() {
    pollfd wait{.fd = sockets_.at(0).descriptor(), .events = POLLIN};
    if (::poll(&wait, 1, 20'000) != 1) return;
    const int peer = ::accept(sockets_.at(0).descriptor(), nullptr, nullptr);
    const auto say = [peer](std::string line) {
      line += "\r\n";
      static_cast<void>(::send(peer, line.data(), line.size(), MSG_NOSIGNAL));
    };
    const auto greeting = answers_.find("(none)");
    say(greeting == answers_.end() ? "220 mta.example" : greeting->second);
    std::string line;
    bool in_data = false;
    for (char c = 0; ::recv(peer, &c, 1, 0) == 1;) {
      received_ += c;
      if (c != '\n') {
        line += c;
        continue;
      }
      if (line.ends_with('\r')) line.pop_back();
      const std::string said = std::exchange(line, {});
      if (in_data && said != ".") {
        if (said.starts_with("CLOSE")) break;
        continue;
      }
      const std::string reply = reply_to(said);
      in_data = said.starts_with("DATA") && reply.starts_with("354");
      if (reply.empty()) break;
      say(reply);
    }
    ::close(peer);
  }

  std::map<std::string, std::string> answers_;
  std::vector<ListeningSocket> sockets_;
  std::string received_;
  std::jthread thread_;
};

std::map<std::string, std::string> with(std::string command, std::string reply) {
  std::map<std::string, std::string> answers{{"DATA", "354 go on"}};
  answers[std::move(command)] = std::move(reply);
  return answers;
}

OutgoingMail mail(std::string text = "Subject: x\r\n\r\nhello\r\n") {
  return {.mail_from = "", .rcpt_to = {"a@b.example"}, .octets = std::move(text)};
}

DeliveryResult send_to(const ScriptedMta& mta, const OutgoingMail& what = mail()) {
  return SmtpSender(mta.server()).send(what);
}

TEST(MailSender, HandsAMailOver) {
  ScriptedMta mta(with(".", "250 2.0.0 queued as 4711"));
  const DeliveryResult result = send_to(mta, mail("Subject: x\r\n\r\n.dot\r\n..\r\nend\r\n"));
  EXPECT_EQ(result.delivery, Delivery::accepted) << result.text;
  EXPECT_EQ(result.text, "250 2.0.0 queued as 4711");
  const std::string received = mta.received();
  EXPECT_THAT(received, HasSubstr("EHLO mx.example\r\n"));
  EXPECT_THAT(received, HasSubstr("MAIL FROM:<>"));
  EXPECT_THAT(received, HasSubstr("RCPT TO:<a@b.example>\r\n"));
  // Dots are doubled: the message must not end early. RFC 5321 §4.5.2
  EXPECT_THAT(received, HasSubstr("Subject: x\r\n\r\n..dot\r\n...\r\nend\r\n.\r\n"));
}

TEST(MailSender, TellsForGoodFromForNow) {
  for (const char* command : {"RCPT", "DATA", "."}) {
    ScriptedMta refuses(with(command, "550 5.1.1 go away"));
    const DeliveryResult refused = send_to(refuses);
    EXPECT_EQ(refused.delivery, Delivery::refused) << command << ": " << refused.text;
    EXPECT_EQ(refused.text, "550 5.1.1 go away") << command;
  }
  for (const char* command : {"(none)", "MAIL", "RCPT", "DATA", "."}) {
    ScriptedMta defers(with(command, "451 4.3.0 later"));
    const DeliveryResult deferred = send_to(defers);
    EXPECT_EQ(deferred.delivery, Delivery::deferred) << command << ": " << deferred.text;
  }
}

TEST(MailSender, WhatIsRefusedToUsIsNotRefusedByTheRecipient) {
  for (const char* command : {"(none)", "MAIL"}) {
    ScriptedMta mta(with(command, "554 5.7.1 not from you"));
    const DeliveryResult result = send_to(mta);
    EXPECT_EQ(result.delivery, Delivery::deferred) << command << ": " << result.text;
    EXPECT_EQ(result.text, "554 5.7.1 not from you") << command;
  }
  std::map<std::string, std::string> answers = with("AUTH", "535 5.7.8 wrong password");
  answers["EHLO"] = "250-mta.example\r\n250 AUTH PLAIN";
  const ScriptedMta mta(answers);
  SmtpServer server = mta.server();
  server.user = "reports";
  server.password = "wrong";
  const DeliveryResult result = SmtpSender(server).send(mail());
  EXPECT_EQ(result.delivery, Delivery::deferred) << result.text;
  EXPECT_EQ(result.text, "535 5.7.8 wrong password");
}

TEST(MailSender, DoesNotKnowWhereTheAnswerToTheWholeMessageIsMissing) {
  ScriptedMta mta(with(".", ""));
  const DeliveryResult result = send_to(mta);
  EXPECT_EQ(result.delivery, Delivery::uncertain) << result.text;
}

TEST(MailSender, IsCertainThatAnIncompleteMessageWasNotTaken) {
  for (const char* command : {"MAIL", "RCPT", "DATA"}) {
    ScriptedMta mta(with(command, ""));
    EXPECT_EQ(send_to(mta).delivery, Delivery::deferred) << command;
  }
  ScriptedMta mta(with("x", "x"));
  std::string text = "Subject: x\r\n\r\nCLOSE\r\n";
  for (int i = 0; i < 400'000; ++i) text += "a line of a long report that is never read\r\n";
  EXPECT_EQ(send_to(mta, mail(text)).delivery, Delivery::deferred);
}

TEST(MailSender, DefersWhenNobodyAnswers) {
  SmtpServer nobody;
  {
    const ScriptedMta mta({});
    nobody = mta.server();
    static_cast<void>(send_to(mta));
  }
  const DeliveryResult result = SmtpSender(nobody).send(mail());
  EXPECT_EQ(result.delivery, Delivery::deferred);
  EXPECT_NE(result.text, "");
}

TEST(MailSender, DefersWhereTlsIsRequiredAndNotOffered) {
  const ScriptedMta mta(with(".", "250 ok"));
  SmtpServer server = mta.server();
  server.tls = SmtpTls::required;
  EXPECT_EQ(SmtpSender(server).send(mail()).delivery, Delivery::deferred);
}

TEST(MailSender, S50NoAddressCanEndItsCommand) {
  for (const char* address : {"a@b.example>\r\nRCPT TO:<c@d.example", "a@b.example\n",
                              "a b@c.example", "<a@b.example>", "", "\x80@b.example"}) {
    OutgoingMail hostile = mail();
    hostile.rcpt_to = {"good@b.example", address};
    EXPECT_EQ(SmtpSender({}).send(hostile).delivery, Delivery::refused) << address;
  }
  OutgoingMail hostile = mail();
  hostile.mail_from = "a@b.example>\r\nDATA";
  EXPECT_EQ(SmtpSender({}).send(hostile).delivery, Delivery::refused);
}

}  // namespace
}  // namespace countersign::service
