// SPDX-License-Identifier: Apache-2.0
//
// Policy connections over a real socket: requests in pieces and in a row, other recipients of a
// message, peers that are slow, silent or speak something else, DNS that is late or throws.

#include "service/policy/connection.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include "tests/support/fake_resolver.hpp"
#include "tests/support/log_file.hpp"

namespace countersign::service {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using testing::HasSubstr;
using testing::StartsWith;

std::string request_of(std::string_view sender, std::string_view instance = "1.2.3",
                       std::string_view recipient = "carol@example.net") {
  std::string text = "request=smtpd_access_policy\nprotocol_state=RCPT\nclient_address=192.0.2.1\n";
  text += "client_name=unknown\nhelo_name=pass.example\nsender=" + std::string(sender);
  text += "\nrecipient=" + std::string(recipient) + "\ninstance=" + std::string(instance);
  return text + "\n\n";
}

class PolicyService : public testing::Test {
 protected:
  PolicyService() {
    resolver_.answer = [](const dns::Question& question) {
      const bool passes = question.name == "pass.example";
      return dns::Answer{.status = dns::AnswerStatus::records,
                         .records = {dns::Text{{passes ? "v=spf1 +all" : "v=spf1 -all"}}}};
    };
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()) != 0)
      throw std::runtime_error("no socket pair");
    postfix_ = Descriptor(ends[0]);
    connection_.emplace(context_, Descriptor(ends[1]), host_);
    asio::co_spawn(context_, connection_->serve(),
                   asio::bind_cancellation_slot(connection_->cancellation(),
                                                [this](const std::exception_ptr& error) {
                                                  if (error) connection_->fail(error);
                                                  connection_.reset();
                                                }));
  }

  void send(std::string_view octets) const {
    EXPECT_EQ(::send(postfix_.get(), octets.data(), octets.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(octets.size()));
    context_.restart();
    context_.poll();
  }

  /// What comes until so many replies are complete, or the connection ends, or nothing comes.
  std::string receive(std::size_t replies = 1) const {
    std::string all;
    const auto end = Clock::now() + 5s;
    while (ends_in(all) < replies && Clock::now() < end) {
      context_.restart();
      context_.run_for(5ms);
      std::array<char, 4'096> buffer{};
      const ssize_t got = ::recv(postfix_.get(), buffer.data(), buffer.size(), 0);
      if (got == 0) break;
      if (got > 0) all.append(buffer.data(), static_cast<std::size_t>(got));
    }
    return all;
  }

  /// Empty lines: each ends a reply.
  static std::size_t ends_in(std::string_view text) {
    std::size_t count = 0;
    for (std::size_t at = text.find("\n\n"); at != text.npos; at = text.find("\n\n", at + 2))
      ++count;
    return count;
  }

  std::string ask(std::string_view octets) const {
    send(octets);
    return receive();
  }

  mutable asio::io_context context_{1};
  test::LogFile log_;
  test::FakeResolver resolver_;
  std::shared_ptr<mailflow::SpfAccessPolicies> policy_ =
      std::make_shared<mailflow::SpfAccessPolicies>();
  PolicyHost host_{.log = log_.log(),
                   .resolver = &resolver_,
                   .policies = [this] { return policy_; },
                   .timeouts = {},
                   .limits = {}};
  Descriptor postfix_;
  std::optional<PolicyConnection> connection_;
};

TEST_F(PolicyService, AnswersOneRequestAfterTheOther) {
  EXPECT_THAT(ask(request_of("bob@pass.example")),
              StartsWith("action=PREPEND Received-SPF: pass "));
  EXPECT_THAT(ask(request_of("bob@fail.example", "2")), StartsWith("action=550 5.7.23 SPF MAIL "));
  EXPECT_TRUE(log_.has("action=reject"));
  EXPECT_TRUE(log_.has("mail_from=bob@fail.example"));
}

TEST_F(PolicyService, TakesRequestsInPiecesAndSeveralAtOnce) {
  const std::string request = request_of("bob@fail.example");
  for (const char octet : request) send(std::string(1, octet));
  EXPECT_THAT(receive(), StartsWith("action=550 "));
  send(request_of("bob@pass.example", "2") + request_of("bob@pass.example", "2"));
  const std::string replies = receive(2);
  EXPECT_THAT(replies, StartsWith("action=PREPEND "));
  EXPECT_THAT(replies, HasSubstr("\n\naction=DUNNO\n\n"));
}

TEST_F(PolicyService, JudgesAMessageOnceForAllItsRecipients) {
  EXPECT_THAT(ask(request_of("bob@pass.example", "1", "a@example.net")), StartsWith("action=PRE"));
  const int asked = resolver_.asked;
  EXPECT_EQ(ask(request_of("bob@pass.example", "1", "b@example.net")), "action=DUNNO\n\n");
  EXPECT_EQ(resolver_.asked, asked);
  EXPECT_THAT(ask(request_of("bob@pass.example", "2", "b@example.net")), StartsWith("action=PRE"));
}

TEST_F(PolicyService, AnswersEachRecipientOfAMessageByTheirOwnPolicy) {
  auto lenient = std::make_shared<mailflow::SpfAccessPolicy>();
  lenient->mail_from = mailflow::RefuseFrom::never;
  policy_->of_recipients = {{"carol@example.net", lenient}};
  EXPECT_THAT(ask(request_of("bob@fail.example", "1", "Carol@example.net")),
              StartsWith("action=PREPEND Received-SPF: fail "));
  EXPECT_TRUE(log_.has("policy=carol@example.net"));
  EXPECT_THAT(ask(request_of("bob@fail.example", "1", "dave@example.net")),
              StartsWith("action=550 5.7.23 "));
  EXPECT_EQ(ask(request_of("bob@fail.example", "1", "carol@example.net")), "action=DUNNO\n\n");
  EXPECT_THAT(ask(request_of("bob@fail.example", "1", "erin@example.net")),
              StartsWith("action=550 5.7.23 "));
}

TEST_F(PolicyService, JudgesByThePolicyOfTheMoment) {
  EXPECT_THAT(ask(request_of("bob@fail.example", "1")), StartsWith("action=550 "));
  policy_ = std::make_shared<mailflow::SpfAccessPolicies>();
  policy_->usual.only_tests = true;
  EXPECT_THAT(ask(request_of("bob@fail.example", "2")), StartsWith("action=PREPEND "));
}

TEST_F(PolicyService, EndsWhatIsNoRequest) {
  EXPECT_EQ(ask("GET / HTTP/1.0\n\n"), "");
  EXPECT_FALSE(connection_);
  EXPECT_TRUE(log_.has("no name=value"));
}

TEST_F(PolicyService, EndsARequestThatIsTooLong) {
  const std::string line = "a=" + std::string(1'000, 'b') + "\n";
  for (int i = 0; i < 40 && connection_; ++i) send(line);
  EXPECT_FALSE(connection_);
  EXPECT_TRUE(log_.has("longer than any"));
}

TEST_F(PolicyService, EndsWithItsPeer) {
  send("request=");
  postfix_.close();
  context_.restart();
  context_.poll();
  EXPECT_FALSE(connection_);
}

TEST_F(PolicyService, EndsPeersThatDoNotMove) {
  const auto now = Clock::now();
  connection_->end_if_overdue(now + host_.timeouts.request + 1s);
  send("request=");
  ASSERT_TRUE(connection_);
  connection_->end_if_overdue(now + host_.timeouts.request / 2);
  ASSERT_TRUE(connection_);
  connection_->end_if_overdue(now + host_.timeouts.request + 10s);
  EXPECT_EQ(receive(), "");
  EXPECT_FALSE(connection_);
  EXPECT_TRUE(log_.has("took too long"));
}

TEST_F(PolicyService, FinishesARequestBeforeItStops) {
  resolver_.delay = 50ms;
  send(request_of("bob@fail.example"));
  host_.stopping = true;
  connection_->finish();
  EXPECT_THAT(receive(), StartsWith("action=550 "));
  EXPECT_EQ(receive(), "");
  EXPECT_FALSE(connection_);
}

TEST_F(PolicyService, StopsAtOnceBetweenRequests) {
  context_.poll();
  host_.stopping = true;
  connection_->finish();
  EXPECT_EQ(receive(), "");
  EXPECT_FALSE(connection_);
}

TEST_F(PolicyService, EndsWhileItWaitsForDns) {
  resolver_.delay = 10s;
  send(request_of("bob@fail.example"));
  const auto begun = Clock::now();
  connection_->end();
  EXPECT_EQ(receive(), "");
  EXPECT_FALSE(connection_);
  EXPECT_LT(Clock::now() - begun, 5s);
}

TEST_F(PolicyService, LetsInWhatDnsIsTooLateFor) {
  resolver_.delay = 10s;
  host_.timeouts.evaluation = 50ms;
  EXPECT_THAT(ask(request_of("bob@fail.example", "1")),
              StartsWith("action=PREPEND Received-SPF: temperror "));
  policy_->usual.defers_temperror = true;
  EXPECT_THAT(ask(request_of("bob@fail.example", "2")), StartsWith("action=451 4.7.24 "));
}

/// Answers late about forwarders.
class LateForwarders final : public Resolver {
 public:
  explicit LateForwarders(test::FakeResolver& others) : others_(others) { late.delay = 1'500ms; }
  asio::awaitable<dns::Answer> lookup(dns::Question question, Clock::duration deadline) override {
    const bool is_late = question.name.ends_with("fwd.example");
    return (is_late ? late : others_).lookup(std::move(question), deadline);
  }

  test::FakeResolver late;

 private:
  test::FakeResolver& others_;
};

TEST_F(PolicyService, TrustsNoForwarderThatIsNotFoundInTime) {
  LateForwarders resolver(resolver_);
  resolver.late.answer = [](const dns::Question&) {
    return dns::Answer{.status = dns::AnswerStatus::records,
                       .records = {dns::Text{{"v=spf1 +all"}}}};
  };
  host_.resolver = &resolver;
  host_.timeouts.dns = 30s;
  policy_->usual.forwarders = {*DomainName::parse("a.fwd.example"),
                               *DomainName::parse("b.fwd.example")};
  EXPECT_THAT(ask(request_of("bob@fail.example", "1")),
              StartsWith("action=PREPEND Received-SPF: fail "))
      << "they have the time that all questions have";
  policy_->usual.forwarder_timeout = 1s;
  EXPECT_THAT(ask(request_of("bob@fail.example", "2")),
              StartsWith("action=550 5.7.23 SPF MAIL FROM check failed"));
  EXPECT_EQ(resolver.late.asked, 2) << "once for each message: the second forwarder had no time";
  policy_->usual.forwarder_timeout = 2s;
  EXPECT_THAT(ask(request_of("bob@fail.example", "3")), StartsWith("action=PREPEND "));
}

TEST_F(PolicyService, LogsTheQueueIdOnceThereIsOne) {
  std::string request = request_of("bob@pass.example", "1");
  static_cast<void>(ask(request));
  EXPECT_FALSE(log_.has("queue_id")) << log_.text();
  request.insert(request.find("helo_name="), "queue_id=4QUEUE\n");
  static_cast<void>(ask(request.replace(request.find("instance=1"), 10, "instance=2")));
  EXPECT_TRUE(log_.has("msg=\"a policy request was answered\" queue_id=4QUEUE action=prepend"))
      << log_.text();
  log_.log().adjust({.queue_id = false});
  static_cast<void>(ask(request.replace(request.find("instance=2"), 10, "instance=3")));
  EXPECT_EQ(log_.count("a policy request was answered"), 3);
  EXPECT_EQ(log_.count("queue_id"), 1) << log_.text();
}

TEST_F(PolicyService, LetsClientsTryAgainWhenItFails) {
  host_.policies = []() -> std::shared_ptr<const mailflow::SpfAccessPolicies> {
    throw std::runtime_error("no policy");
  };
  EXPECT_EQ(ask(request_of("bob@fail.example")),
            "action=451 4.3.0 Internal error; try again later\n\n");
  EXPECT_FALSE(connection_);
  EXPECT_TRUE(log_.has("no policy"));
}

}  // namespace
}  // namespace countersign::service
