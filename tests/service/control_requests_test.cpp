// SPDX-License-Identifier: Apache-2.0
//
// What the daemon answers to those who ask: well, badly, and with anything but a question.

#include "service/control/requests.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <stdexcept>
#include <string>

#include "service/control/kept_messages.hpp"
#include "service/explain/verdict_json.hpp"
#include "tests/support/judging.hpp"
#include "tests/support/signing.hpp"

namespace countersign::service {
namespace {

namespace json = boost::json;
using std::chrono::seconds;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::chrono::sys_seconds start{seconds{1'750'000'000}};

/// A ring with messages in it, and those who answer about them.
class Asked {
 public:
  Asked() { add_message_requests(requests_, kept); }

  [[nodiscard]] json::object answer(const std::string& line) const {
    return requests_.answer(line);
  }
  /// The code of the error that is the answer; empty when there is none.
  [[nodiscard]] std::string refusal(const std::string& line) const {
    const json::object found = answer(line);
    const json::value* const error = found.if_contains("error");
    if (error == nullptr) return "";
    EXPECT_FALSE(error->at("message").as_string().empty());
    return std::string(std::string_view(error->at("code").as_string()));
  }

  KeptMessages kept{{.messages = 2'000, .octets = 100'000'000}, start};

 private:
  ControlRequests requests_;
};

KeptMessage message_with_id(const std::string& queue_id) {
  KeptMessage message;
  message.finished = start + seconds(60);
  message.client = "mail.example.com [192.0.2.1]";
  message.outcome.queue_id = queue_id;
  return message;
}

KeptMessage judged_with_id(const std::string& queue_id, const std::string& author) {
  KeptMessage message = message_with_id(queue_id);
  message.outcome = arrive(test::by(author), test::judging_policy(), test::judging_zone).outcome;
  message.outcome.queue_id = queue_id;
  message.envelope.client_ip = IpAddress::parse("192.0.2.1");
  message.envelope.helo = "mail.example.com";
  message.envelope.mail_from = "alice@example.com";
  return message;
}

TEST(ControlRequests, ExplainWhatWasJudgedAsVerifyDoes) {
  Asked asked;
  const KeptMessage message = judged_with_id("4ID", "alice@quarantine.example");
  asked.kept.keep(message);
  const json::object answer = asked.answer(R"({"ask": "explain", "queue_id": "4ID"})");
  ASSERT_EQ(answer.at("messages").as_array().size(), 1U);
  const json::object& told = answer.at("messages").as_array().front().as_object();
  EXPECT_EQ(told.at("queue_id"), "4ID");
  EXPECT_EQ(told.at("finished"), 1'750'000'060);
  EXPECT_EQ(told.at("judged"), true);
  EXPECT_EQ(told.at("action"), "quarantine");
  EXPECT_EQ(answer.at("more"), false);
  const json::object verdict = to_json(
      VerdictReport{*message.outcome.judgement, message.envelope, message.limits, message.asked});
  EXPECT_EQ(verdict.at("dmarc").at("result"), "fail");
  for (const json::key_value_pair& member : verdict)
    EXPECT_EQ(told.at(member.key()), member.value()) << member.key();
}

TEST(ControlRequests, ExplainWhatWasSignedAndWhatWasNot) {
  Asked asked;
  KeptMessage message = message_with_id("4ID");
  message.outcome.signatures.push_back({.sdid = DomainName::parse("example.org").value(),
                                        .selector = DomainName::parse("june").value()});
  message.outcome.reasons.push_back({mailflow::Reason::internal_host, "192.0.2.1", {}});
  message.outcome.action = mailflow::Action::tempfail;
  message.outcome.action_text = "later \xff";
  message.envelope.rcpt_to = {"a@example.org", "b\x1b@example.org"};
  message.envelope.rcpt_to_dropped = 7;
  asked.kept.keep(message);
  const json::object answer = asked.answer(R"({"ask": "explain", "queue_id": "4ID"})");
  const json::value& told = answer.at("messages").as_array().front();
  EXPECT_EQ(told.at("judged"), false);
  EXPECT_EQ(told.at("action"), "tempfail");
  EXPECT_EQ(told.at("text"), "later \xef\xbf\xbd");
  EXPECT_EQ(told.at("signatures").as_array().front().at("selector"), "june");
  EXPECT_THAT(std::string(std::string_view(told.at("reasons").as_array().front().as_string())),
              HasSubstr("192.0.2.1"));
  EXPECT_EQ(told.at("rcpt_to").as_array().size(), 2U);
  EXPECT_EQ(told.at("rcpt_to_count"), 9);
  EXPECT_EQ(told.as_object().if_contains("dmarc"), nullptr);
}

TEST(ControlRequests, ExplainSeveralMessagesOfOneId) {
  Asked asked;
  for (int i = 0; i < 40; ++i) asked.kept.keep(judged_with_id("4ID", "alice@example.com"));
  const json::object answer = asked.answer(R"({"ask": "explain", "queue_id": "4ID"})");
  EXPECT_EQ(answer.at("messages").as_array().size(), 16U);
  EXPECT_EQ(answer.at("more"), true);
}

TEST(ControlRequests, TellHowFarTheyReachBack) {
  Asked asked;
  json::object kept =
      asked.answer(R"({"ask": "explain", "queue_id": "4ID"})").at("kept").as_object();
  EXPECT_EQ(kept.at("messages"), 0);
  EXPECT_TRUE(kept.at("oldest").is_null());
  EXPECT_EQ(kept.at("since"), 1'750'000'000);
  asked.kept.keep(message_with_id("4OTHER"));
  kept = asked.answer(R"({"ask": "explain", "queue_id": "4ID"})").at("kept").as_object();
  EXPECT_EQ(kept.at("messages"), 1);
  EXPECT_EQ(kept.at("messages_max"), 2'000);
  EXPECT_EQ(kept.at("oldest"), 1'750'000'060);
}

TEST(ControlRequests, ListTheLastMessages) {
  Asked asked;
  for (int i = 0; i < 30; ++i) asked.kept.keep(message_with_id(std::to_string(i)));
  asked.kept.keep(judged_with_id("4ID", "alice@quarantine.example"));
  json::object answer = asked.answer(R"({"ask": "last"})");
  EXPECT_EQ(answer.at("messages").as_array().size(), 20U);
  EXPECT_EQ(answer.at("more"), true);
  const json::value& newest = answer.at("messages").as_array().front();
  EXPECT_EQ(newest.at("queue_id"), "4ID");
  EXPECT_EQ(newest.at("dmarc"), "fail");
  EXPECT_EQ(newest.at("action"), "quarantine");
  EXPECT_TRUE(answer.at("messages").as_array().at(1).at("dmarc").is_null());
  answer = asked.answer(R"({"ask": "last", "count": 1000})");
  EXPECT_EQ(answer.at("messages").as_array().size(), 31U);
  EXPECT_EQ(answer.at("more"), false);
}

TEST(ControlRequests, RefuseWhatIsNoQuestion) {
  const Asked asked;
  for (const std::string& line :
       {std::string(), std::string("GET / HTTP/1.1"), std::string("{"), std::string("null"),
        std::string("[]"), std::string("42"), std::string(R"("explain")"), std::string("{}"),
        std::string(R"({"ask": 1})"), std::string(R"({"ask": null})"),
        std::string(R"({"ask": "explain"} trailing)"), std::string("\0\0\0", 3),
        std::string("\xff\xfe{"),
        R"({"ask": )" + std::string(60, '[') + std::string(60, ']') + "}"})
    EXPECT_EQ(asked.refusal(line), "bad_request") << line;
  EXPECT_EQ(asked.refusal(std::string(4'097, ' ')), "too_long");
  EXPECT_EQ(asked.refusal(std::string(4'096, ' ')), "bad_request");
  EXPECT_EQ(asked.refusal(R"({"ask": "shutdown"})"), "unknown_request");
  EXPECT_EQ(asked.refusal(R"({"ask": ""})"), "unknown_request");
}

TEST(ControlRequests, RefuseArgumentsThatAreNone) {
  const Asked asked;
  for (const char* line :
       {R"({"ask": "explain"})", R"({"ask": "explain", "queue_id": ""})",
        R"({"ask": "explain", "queue_id": 7})", R"({"ask": "explain", "queue_id": ["4ID"]})",
        R"({"ask": "last", "count": 0})", R"({"ask": "last", "count": -1})",
        R"({"ask": "last", "count": 1001})", R"({"ask": "last", "count": "20"})",
        R"({"ask": "last", "count": 1.5})", R"({"ask": "last", "count": 18446744073709551615})"})
    EXPECT_EQ(asked.refusal(line), "bad_argument") << line;
}

TEST(ControlRequests, AnswerThoughAHandlerFails) {
  ControlRequests requests;
  requests.add("fail", [](const json::object&) -> std::expected<json::object, ControlError> {
    throw std::runtime_error("out of luck");
  });
  const json::object answer = requests.answer(R"({"ask": "fail"})");
  EXPECT_EQ(answer.at("error").at("code"), "internal");
  EXPECT_EQ(answer.at("error").at("message"), "out of luck");
}

TEST(ControlRequests, IgnoreMembersOfLaterVersions) {
  Asked asked;
  asked.kept.keep(message_with_id("4ID"));
  const json::object answer =
      asked.answer(R"({"later": {"a": [1]}, "ask": "explain", "queue_id": "4ID"})");
  EXPECT_EQ(answer.at("messages").as_array().size(), 1U);
}

}  // namespace
}  // namespace countersign::service
