// SPDX-License-Identifier: Apache-2.0
//
// What Postfix is told about a client: each result against each policy, who is not checked at all,
// and the other recipients of a message.

#include "countersign/mailflow/policy_answer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "countersign/dns/zone.hpp"

namespace countersign::mailflow {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
using SpfResult = spf::Result;

dns::Zone zone() {
  dns::Zone zone;
  zone.add_txt("pass.example", "v=spf1 ip4:192.0.2.0/24 -all");
  zone.add_txt("fail.example", "v=spf1 -all exp=why.fail.example");
  zone.add_txt("why.fail.example", "%{i} is not ours");
  zone.add_txt("nomail.example", "v=spf1 -all");
  zone.add_txt("fwd.example", "v=spf1 ip4:192.0.2.1 -all");
  zone.add_txt("softfail.example", "v=spf1 ~all");
  zone.add_txt("neutral.example", "v=spf1 ?all");
  zone.add_txt("permerror.example", "v=spf1 nonsense");
  zone.fail_all("temperror.example", dns::AnswerStatus::timeout);
  return zone;
}

PolicyRequest request_for(std::string_view sender, std::string_view helo = "pass.example") {
  return {.protocol_state = "RCPT",
          .client_ip = IpAddress::parse("192.0.2.1"),
          .client_name = "unknown",
          .helo_name = std::string(helo),
          .sender = std::string(sender),
          .recipient = "carol@example.net",
          .instance = "1.2.3"};
}

PolicyAnswer answer(const PolicyRequest& request, const SpfAccessPolicy& policy = {}) {
  return zone().run(answer_policy_request(request, policy, {}, Limits{}));
}

std::string text_for(std::string_view sender, const SpfAccessPolicy& policy = {}) {
  return answer(request_for(sender), policy).text;
}

TEST(PolicyAnswer, TellsAPassOnTheMessage) {
  const PolicyAnswer found = answer(request_for("bob@pass.example"));
  EXPECT_EQ(found.action, AccessAction::prepend);
  EXPECT_THAT(found.text, StartsWith("PREPEND Received-SPF: pass "));
  EXPECT_THAT(found.text, HasSubstr("identity=mailfrom; client-ip=192.0.2.1;"));
  EXPECT_THAT(found.text, Not(HasSubstr("\n")));
  EXPECT_THAT(found.text, Not(HasSubstr("\t")));
  ASSERT_TRUE(found.helo && found.mail_from);
  EXPECT_EQ(found.mail_from->result, SpfResult::pass);
}

TEST(PolicyAnswer, RefusesWhatFails) {
  const PolicyAnswer found = answer(request_for("bob@fail.example"));
  EXPECT_EQ(found.action, AccessAction::reject);
  EXPECT_EQ(found.text,
            "550 5.7.23 SPF MAIL FROM check failed: 192.0.2.1 may not send mail for fail.example; "
            "the domain fail.example explains: 192.0.2.1 is not ours");
}

TEST(PolicyAnswer, RefusesAHeloThatFails) {
  const PolicyAnswer found = answer(request_for("bob@pass.example", "fail.example"));
  EXPECT_EQ(found.action, AccessAction::reject);
  EXPECT_THAT(found.text, StartsWith("550 5.7.23 SPF HELO check failed: "));
}

TEST(PolicyAnswer, LetsInByDefaultWhateverElseComesOut) {
  for (const std::string_view result : {"softfail", "neutral", "permerror", "temperror", "none"})
    EXPECT_THAT(text_for("bob@" + std::string(result) + ".example"),
                StartsWith("PREPEND Received-SPF: " + std::string(result) + " "));
}

TEST(PolicyAnswer, RefusesFromTheResultThatIsSaid) {
  struct Row {
    RefuseFrom from;
    std::string_view refused;
  };
  for (const Row& row :
       {Row{RefuseFrom::never, ""}, Row{RefuseFrom::fail, "fail"}, Row{RefuseFrom::null_sender, ""},
        Row{RefuseFrom::softfail, "fail softfail"},
        Row{RefuseFrom::not_pass, "fail softfail neutral permerror"}}) {
    for (const std::string_view result :
         {"pass", "fail", "softfail", "neutral", "none", "permerror", "temperror"}) {
      SpfAccessPolicy policy;
      policy.mail_from = row.from;
      const std::string text = text_for("a@" + std::string(result) + ".example", policy);
      const bool is_refused =
          (" " + std::string(row.refused) + " ").contains(" " + std::string(result) + " ");
      EXPECT_EQ(text.starts_with("550 5.7."), is_refused) << result << ": " << text;
    }
  }
}

TEST(PolicyAnswer, RefusesOrDefersErrorsWhereThatIsWanted) {
  SpfAccessPolicy policy;
  policy.refuses_permerror = true;
  policy.defers_temperror = true;
  EXPECT_EQ(text_for("a@permerror.example", policy),
            "550 5.7.24 SPF MAIL FROM check error for permerror.example: its SPF record cannot be "
            "used; its owner must mend it");
  EXPECT_EQ(text_for("a@temperror.example", policy),
            "451 4.7.24 SPF MAIL FROM check error for temperror.example: DNS did not answer; try "
            "again later");
  policy.mail_from = RefuseFrom::never;
  EXPECT_THAT(text_for("a@permerror.example", policy), StartsWith("PREPEND "));
  EXPECT_THAT(text_for("a@temperror.example", policy), StartsWith("PREPEND "));
}

TEST(PolicyAnswer, ChecksNothingThatItIsNotToCheck) {
  SpfAccessPolicy policy;
  policy.mail_from = RefuseFrom::no_check;
  const PolicyAnswer by_helo = answer(request_for("bob@fail.example"), policy);
  EXPECT_EQ(by_helo.mail_from, std::nullopt);
  EXPECT_THAT(by_helo.text, HasSubstr("identity=helo;"));
  policy.helo = RefuseFrom::no_check;
  EXPECT_EQ(text_for("bob@fail.example", policy), "DUNNO");
}

TEST(PolicyAnswer, OnlyTestsWhenThatIsWanted) {
  SpfAccessPolicy policy;
  policy.only_tests = true;
  EXPECT_THAT(text_for("bob@fail.example", policy), StartsWith("PREPEND Received-SPF: fail "));
}

TEST(PolicyAnswer, AddsNoFieldWhereThatIsNotWantedOrTooLate) {
  SpfAccessPolicy policy;
  policy.field = AddedField::none;
  EXPECT_EQ(text_for("bob@pass.example", policy), "DUNNO");
  PolicyRequest request = request_for("bob@pass.example");
  request.protocol_state = "END-OF-MESSAGE";
  EXPECT_EQ(answer(request).text, "DUNNO");
  request.protocol_state = "DATA";
  EXPECT_EQ(answer(request).action, AccessAction::prepend);
  // The field must fit a line.
  EXPECT_EQ(text_for(std::string(950, 'a') + "@pass.example"), "DUNNO");
}

TEST(PolicyAnswer, SkipsThoseWhoAreToBeSkipped) {
  const auto is_skipped = [](const PolicyRequest& request, const SpfAccessPolicy& policy = {}) {
    const PolicyAnswer found = answer(request, policy);
    return found.text == "DUNNO" && !found.helo && !found.mail_from;
  };
  PolicyRequest request = request_for("bob@fail.example");
  EXPECT_FALSE(is_skipped(request));
  SpfAccessPolicy policy;
  policy.skipped.add("192.0.2.0/28", {});
  EXPECT_TRUE(is_skipped(request, policy));

  request.sasl_username = "bob";
  EXPECT_TRUE(is_skipped(request));
  SpfAccessPolicy strict;
  strict.skips_authenticated = false;
  strict.skips_loopback = false;
  EXPECT_FALSE(is_skipped(request, strict));

  request = request_for("bob@fail.example");
  for (const std::string_view loopback : {"127.0.0.1", "127.255.0.9", "::1", "::ffff:127.0.0.1"}) {
    request.client_ip = IpAddress::parse(loopback);
    EXPECT_TRUE(is_skipped(request)) << loopback;
    EXPECT_FALSE(is_skipped(request, strict)) << loopback;
  }
  for (const std::string_view other : {"126.0.0.1", "::2", "1::1"}) {
    request.client_ip = IpAddress::parse(other);
    EXPECT_FALSE(is_skipped(request)) << other;
  }
  request.client_ip = std::nullopt;
  EXPECT_TRUE(is_skipped(request));
}

TEST(PolicyAnswer, WaitsForMailFrom) {
  PolicyRequest request = request_for("", "fail.example");
  for (const std::string_view state : {"CONNECT", "EHLO", "HELO", "VRFY", "ETRN", "", "rcpt"}) {
    request.protocol_state = state;
    EXPECT_EQ(answer(request).text, "DUNNO") << state;
  }
  for (const std::string_view state : {"MAIL", "RCPT", "DATA", "END-OF-MESSAGE"}) {
    request.protocol_state = state;
    EXPECT_THAT(answer(request).text, StartsWith("550 ")) << state;
  }
}

TEST(PolicyAnswer, JudgesTheNullPathByHelo) {
  EXPECT_THAT(answer(request_for("", "fail.example")).text, StartsWith("550 5.7.23 SPF HELO "));
  SpfAccessPolicy policy;
  policy.helo = RefuseFrom::never;
  EXPECT_THAT(answer(request_for("", "fail.example"), policy).text,
              StartsWith("550 5.7.23 SPF MAIL FROM check failed: "));
}

TEST(PolicyAnswer, IsPrintableWhateverStrangersSay) {
  for (const std::string_view sender :
       {"a\n\n@pass.example", "\x1b[31m@fail.example", "\xFF@\xFF"}) {
    for (const std::string_view helo : {"pass.example\r\naction=OK", "\xC3\xBC.example"}) {
      for (const char c : answer(request_for(sender, helo)).text)
        EXPECT_TRUE(c >= ' ' && c <= '~') << static_cast<int>(c);
    }
  }
}

TEST(PolicyAnswer, RefusesAHeloForTheNullPathAloneWhereThatIsSaid) {
  SpfAccessPolicy policy;
  policy.helo = RefuseFrom::null_sender;
  policy.mail_from = RefuseFrom::never;
  EXPECT_THAT(answer(request_for("", "fail.example"), policy).text, StartsWith("550 5.7.23 "));
  EXPECT_THAT(answer(request_for("a@pass.example", "fail.example"), policy).text,
              StartsWith("PREPEND "));
  EXPECT_THAT(answer(request_for("", "softfail.example"), policy).text, StartsWith("PREPEND "));
}

TEST(PolicyAnswer, LetsSomeDomainsInWhenTheyPassAlone) {
  SpfAccessPolicy policy;
  policy.must_pass.entries.add("softfail.example", {});
  policy.must_pass.entries.add("neutral.example", {});
  policy.must_pass.entries.add("pass.example", {});
  EXPECT_THAT(text_for("a@softfail.example", policy), StartsWith("550 5.7.23 "));
  EXPECT_THAT(text_for("a@neutral.example", policy), StartsWith("550 5.7.23 "));
  EXPECT_THAT(text_for("a@pass.example", policy), StartsWith("PREPEND "));
  EXPECT_THAT(text_for("a@none.example", policy), StartsWith("PREPEND "));
  EXPECT_THAT(answer(request_for("a@pass.example", "neutral.example"), policy).text,
              StartsWith("550 5.7.23 SPF HELO"));
}

TEST(PolicyAnswer, RefusesDomainsWithoutMailAloneWhereThatIsSaid) {
  SpfAccessPolicy policy;
  policy.only_no_mail = true;
  policy.refuses_permerror = policy.defers_temperror = true;
  EXPECT_THAT(text_for("a@nomail.example", policy), StartsWith("550 5.7.23 "));
  EXPECT_THAT(text_for("a@fail.example", policy), StartsWith("PREPEND Received-SPF: fail "));
  EXPECT_THAT(text_for("a@permerror.example", policy), StartsWith("PREPEND "));
  EXPECT_THAT(text_for("a@temperror.example", policy), StartsWith("451 "));
  EXPECT_THAT(answer(request_for("a@fail.example", "nomail.example"), policy).text,
              StartsWith("550 5.7.23 SPF HELO "));
}

TEST(PolicyAnswer, SpeaksInTheOperatorsWords) {
  SpfAccessPolicy policy;
  policy.reason = "Message {rejectdefer} due to: {spf}. {other} {url}{rejectdefer}";
  policy.defers_temperror = true;
  EXPECT_EQ(text_for("a@nomail.example", policy),
            "550 5.7.23 Message rejected due to: SPF MAIL FROM check failed: 192.0.2.1 may not "
            "send mail for nomail.example. {other} rejected");
  EXPECT_THAT(text_for("a@temperror.example", policy),
              StartsWith("451 4.7.24 Message deferred due to: SPF MAIL FROM check error"));
  policy.reason = std::string(1'000, 'x');
  EXPECT_EQ(text_for("a@nomail.example", policy).size(), 510u);
}

TEST(PolicyAnswer, UsesGeneralCodesWhereThatIsWanted) {
  SpfAccessPolicy policy;
  policy.spf_codes = false;
  policy.refuses_permerror = policy.defers_temperror = true;
  EXPECT_THAT(text_for("a@fail.example", policy), StartsWith("550 5.7.1 SPF "));
  EXPECT_THAT(text_for("a@permerror.example", policy), StartsWith("550 5.5.2 SPF "));
  EXPECT_THAT(text_for("a@temperror.example", policy), StartsWith("451 4.4.3 SPF "));
}

TEST(PolicyAnswer, GivesAPassTheRestrictionThatIsSet) {
  SpfAccessPolicy policy;
  policy.helo_pass = "helo_passed_spf";
  PolicyAnswer found = answer(request_for("a@none.example"), policy);
  EXPECT_EQ(found.action, AccessAction::restriction);
  EXPECT_EQ(found.text, "helo_passed_spf");
  policy.mail_from_pass = "mfrom_passed_spf";
  EXPECT_EQ(text_for("a@pass.example", policy), "mfrom_passed_spf");
  EXPECT_EQ(text_for("", policy), "helo_passed_spf") << "MAIL FROM is empty";
  EXPECT_EQ(text_for("a@softfail.example", policy), "helo_passed_spf");
  EXPECT_THAT(text_for("a@fail.example", policy), StartsWith("550 ")) << "what fails is refused";
  policy.helo_pass.clear();
  EXPECT_THAT(text_for("a@softfail.example", policy), StartsWith("PREPEND "));
  AnsweredMessage message;
  const PolicyRequest request = request_for("a@pass.example");
  EXPECT_EQ(message.keep(request, {}, answer(request, policy)), "mfrom_passed_spf");
  EXPECT_EQ(message.recall(request, {}), "mfrom_passed_spf") << "for each recipient";
}

TEST(PolicyAnswer, LetsForwardersIn) {
  SpfAccessPolicy policy;
  policy.forwarders = {*DomainName::parse("none.example"), *DomainName::parse("fwd.example")};
  EXPECT_THAT(text_for("a@fail.example", policy), StartsWith("PREPEND Received-SPF: fail "));
  PolicyRequest stranger = request_for("a@fail.example");
  stranger.client_ip = IpAddress::parse("198.51.100.1");
  EXPECT_THAT(answer(stranger, policy).text, StartsWith("550 "));
  policy.forwarders.assign(Limits{}.access_forwarders_max, *DomainName::parse("none.example"));
  policy.forwarders.push_back(*DomainName::parse("fwd.example"));
  EXPECT_THAT(text_for("a@fail.example", policy), StartsWith("550 ")) << "too many";
}

// A driver may end what is asked in a time of its own: the client is then not let in, as if there
// were no forwarders, and all else is as it was.
TEST(PolicyAnswer, AsksForForwardersAloneInATimeOfTheirOwn) {
  SpfAccessPolicy policy;
  policy.trusted_helo.add("pass.example", {});
  policy.forwarders = {*DomainName::parse("fwd.example")};
  const dns::Zone answers = zone();
  auto asking = answer_policy_request(request_for("a@fail.example"), policy, {}, Limits{});
  std::string others;
  std::string own;
  while (!asking.done()) {
    for (const dns::OpenQuestion& open : asking.take_questions()) {
      (open.in_own_time ? own : others) += open.question.name + ' ';
      asking.answer(open.id, open.in_own_time ? dns::Answer{.status = dns::AnswerStatus::timeout}
                                              : answers.answer(open.question));
    }
  }
  EXPECT_EQ(own, "fwd.example ");
  EXPECT_EQ(others, "pass.example fail.example why.fail.example pass.example ");
  EXPECT_EQ(asking.take().text, text_for("a@fail.example"));
}

TEST(PolicyAnswer, LetsGreetingsInThatAreTrustedAndTrue) {
  dns::Zone answers = zone();
  answers.add("relay.example", dns::RecordType::a, dns::Address{.octets = {192, 0, 2, 1}});
  SpfAccessPolicy policy;
  policy.trusted_helo.add("relay.example", {});
  const auto text = [&](std::string_view helo, std::string_view client) {
    PolicyRequest request = request_for("a@fail.example", helo);
    request.client_ip = IpAddress::parse(client);
    return answers.run(answer_policy_request(request, policy, {}, Limits{})).text;
  };
  EXPECT_THAT(text("Relay.example", "192.0.2.1"), StartsWith("PREPEND Received-SPF: fail "));
  EXPECT_THAT(text("relay.example", "192.0.2.2"), StartsWith("550 "));
  EXPECT_THAT(text("other.example", "192.0.2.1"), StartsWith("550 "));
  EXPECT_THAT(text("[192.0.2.1]", "192.0.2.1"), StartsWith("550 "));
}

TEST(PolicyAnswer, ChecksAnotherAddressInPlaceOfTheClients) {
  SpfAccessPolicy policy;
  policy.prospective = IpAddress::parse("192.0.2.9");
  PolicyRequest request = request_for("a@pass.example");
  request.client_ip = IpAddress::parse("10.0.0.1");
  EXPECT_THAT(answer(request).text, StartsWith("550 "));
  EXPECT_THAT(answer(request, policy).text, HasSubstr("client-ip=192.0.2.9;"));
  policy.prospective = IpAddress::parse("203.0.113.1");
  EXPECT_THAT(answer(request, policy).text, HasSubstr("203.0.113.1 may not send mail"));
}

TEST(PolicyAnswer, WritesResultsInPlaceOfReceivedSpf) {
  SpfAccessPolicy policy;
  policy.field = AddedField::authentication_results;
  policy.authserv_id = "mx.example";
  EXPECT_EQ(text_for("a@pass.example", policy),
            "PREPEND Authentication-Results: mx.example; spf=pass smtp.mailfrom=pass.example");
  EXPECT_EQ(text_for("", policy),
            "PREPEND Authentication-Results: mx.example; spf=pass smtp.helo=pass.example");
  policy.mail_from = RefuseFrom::no_check;
  EXPECT_EQ(text_for("a@fail.example", policy),
            "PREPEND Authentication-Results: mx.example; spf=pass smtp.helo=pass.example");
  policy.mail_from = RefuseFrom::never;
  EXPECT_THAT(text_for("\xFF\n@\xFF", policy),
              StartsWith("PREPEND Authentication-Results: mx.example; spf="));
}

TEST(AnsweredMessage, TellsTheOtherRecipientsTheSame) {
  AnsweredMessage message;
  const PolicyRequest bad = request_for("bob@fail.example");
  EXPECT_EQ(message.recall(bad, {}), std::nullopt);
  EXPECT_EQ(message.keep(bad, {}, answer(bad)), answer(bad).text);
  EXPECT_EQ(message.recall(bad, {}), answer(bad).text);
  PolicyRequest other = bad;
  other.recipient = "dave@example.net";
  EXPECT_EQ(message.recall(other, {}), answer(bad).text);
  other.sender = "bob@pass.example";
  EXPECT_EQ(message.recall(other, {}), std::nullopt);
  other = bad;
  other.instance = "1.2.4";
  EXPECT_EQ(message.recall(other, {}), std::nullopt);
}

TEST(AnsweredMessage, GetsItsFieldOnce) {
  AnsweredMessage message;
  const PolicyRequest good = request_for("bob@pass.example");
  EXPECT_EQ(message.keep(good, {}, answer(good)), answer(good).text);
  EXPECT_EQ(message.recall(good, {}), "DUNNO");
}

TEST(AnsweredMessage, IsNoneWithoutInstance) {
  AnsweredMessage message;
  PolicyRequest request = request_for("bob@fail.example");
  request.instance.clear();
  EXPECT_EQ(message.keep(request, {}, answer(request)), answer(request).text);
  EXPECT_EQ(message.recall(request, {}), std::nullopt);
}

TEST(AnsweredMessage, AnswersEachPolicyByItself) {
  AnsweredMessage message;
  const PolicyRequest bad = request_for("bob@fail.example");
  SpfAccessPolicy lenient;
  lenient.only_tests = true;
  EXPECT_EQ(message.keep(bad, {}, answer(bad)), answer(bad).text);
  EXPECT_EQ(message.recall(bad, "dave@example.net"), std::nullopt);
  EXPECT_THAT(message.keep(bad, "dave@example.net", answer(bad, lenient)), StartsWith("PREPEND "));
  EXPECT_EQ(message.recall(bad, {}), answer(bad).text);
  EXPECT_EQ(message.recall(bad, "dave@example.net"), "DUNNO");
  EXPECT_EQ(message.keep(bad, "@example.com", answer(bad, lenient)), "DUNNO")
      << "the message has its field";
  PolicyRequest next = bad;
  next.instance = "1.2.4";
  EXPECT_THAT(message.keep(next, "@example.com", answer(next, lenient)), StartsWith("PREPEND "));
}

TEST(AccessAction, HasAWord) {
  EXPECT_EQ(to_string(AccessAction::dunno), "dunno");
  EXPECT_EQ(to_string(AccessAction::prepend), "prepend");
  EXPECT_EQ(to_string(AccessAction::reject), "reject");
  EXPECT_EQ(to_string(AccessAction::defer), "defer");
  EXPECT_EQ(to_string(AccessAction::restriction), "restriction");
}

}  // namespace
}  // namespace countersign::mailflow
