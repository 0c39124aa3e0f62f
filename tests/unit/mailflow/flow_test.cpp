// SPDX-License-Identifier: Apache-2.0
//
// Messages from outside through the whole filter, with a zone for DNS.

#include "countersign/mailflow/flow.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "countersign/dns/presentation.hpp"
#include "tests/support/judging.hpp"
#include "tests/support/signing.hpp"

namespace countersign::mailflow {
namespace {

using test::Arrival;
using test::arrive;
using test::Arrived;
using test::by;
using test::judging_policy;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr std::string_view zone = test::judging_zone;

TEST(Flow, PassesWhatItsOwnerLetsSend) {
  const Arrived arrived = arrive(by("alice@example.com"), judging_policy(), zone);
  EXPECT_EQ(arrived.dmarc(), "pass");
  EXPECT_EQ(arrived.outcome.action, Action::accept);
  EXPECT_EQ(arrived.results(),
            " mx.example.org; spf=pass smtp.helo=mail.example.com;"
            " spf=pass smtp.mailfrom=alice@example.com; dkim=none;"
            " dmarc=pass policy.dmarc=reject header.from=example.com");
}

TEST(Flow, S12TheNullPathIsTheHeloIdentity) {
  Arrival arrival = by("alice@example.com");
  arrival.mail_from.clear();
  const Arrived arrived = arrive(arrival, judging_policy(), zone);
  EXPECT_EQ(arrived.dmarc(), "pass");
  EXPECT_THAT(arrived.results(), HasSubstr(" spf=pass smtp.helo=mail.example.com;"));
  EXPECT_FALSE(arrived.verdict().helo);
}

TEST(Flow, S12APassOfHeloAloneGivesNothing) {
  Arrival arrival = by("alice@example.com");
  arrival.mail_from = "x@nothing.example";
  const Arrived arrived = arrive(arrival, judging_policy(), zone);
  EXPECT_EQ(arrived.verdict().helo->result, spf::Result::pass);
  EXPECT_EQ(arrived.dmarc(), "fail");
}

TEST(Flow, S57WithoutAClientAddressThereIsNoSpf) {
  Arrival arrival = by("alice@example.com");
  arrival.client_ip.clear();
  arrival.client_host = "localhost";
  const Arrived arrived = arrive(arrival, judging_policy(), zone);
  EXPECT_FALSE(arrived.verdict().mail_from);
  EXPECT_EQ(arrived.dmarc(), "fail");
  EXPECT_THAT(arrived.results(), Not(HasSubstr("spf=")));
}

TEST(Flow, S19APassFromASharedClientIsToldAndIsNoPassOfDmarc) {
  Policy policy = judging_policy();
  policy.judging.spf_shared.add("192.0.2.0/24", {"list", 1});
  const Arrived arrived = arrive(by("alice@example.com"), policy, zone);
  EXPECT_EQ(arrived.verdict().mail_from->result, spf::Result::pass);
  EXPECT_THAT(arrived.results(), HasSubstr(" spf=pass smtp.mailfrom=alice@example.com;"));
  EXPECT_EQ(arrived.dmarc(), "fail");
  policy.judging.spf_shared = {};
  policy.judging.spf_shared.add("198.51.100.0/24", {"list", 1});
  EXPECT_EQ(arrive(by("alice@example.com"), policy, zone).dmarc(), "pass");
}

TEST(Flow, LeavesAloneWhatIsNotToBeJudged) {
  Policy policy = judging_policy();
  policy.judging.unjudged.add("192.0.2.1", {"list", 1});
  Envelope envelope;
  envelope.client_ip = IpAddress::parse("192.0.2.1");
  Flow flow(std::make_shared<const Policy>(policy), envelope, test::header_from("a@example.com"));
  EXPECT_FALSE(flow.is_judged());
  EXPECT_FALSE(flow.wants_body());
  EXPECT_EQ(std::move(flow).finish_unjudged(test::signing_time).judgement, nullptr);
}

// --- the filter's own field ---

/// The names of the fields on top of the message, from the top down, as far as the author's.
std::vector<std::string> names_on_top(const Arrived& arrived) {
  std::vector<std::string> names;
  for (const HeaderField& field : arrived.header) {
    if (field.is("From")) break;
    names.emplace_back(field.name());
  }
  return names;
}

TEST(Flow, NamesTheSoftwareBelowItsResults) {
  Policy policy = judging_policy();
  policy.judging.results.software_header = "countersign v1 mx.example.org";
  policy.judging.results.received_spf = true;
  const Arrived arrived = arrive(by("alice@example.com"), policy, zone);
  EXPECT_THAT(names_on_top(arrived),
              ElementsAre("Authentication-Results", "Received-SPF", "DMARC-Filter"));
  EXPECT_EQ(find_field(arrived.header, "DMARC-Filter")->raw(),
            "DMARC-Filter: countersign v1 mx.example.org (unknown-jobid)");
  policy.judging.shadow = true;
  EXPECT_THAT(names_on_top(arrive(by("alice@example.com"), policy, zone)), IsEmpty());
  EXPECT_THAT(names_on_top(arrive(by("alice@example.com"), judging_policy(), zone)),
              ElementsAre("Authentication-Results"));
}

// --- copies ---

/// The recipients that a message of that author gets on top, by a client that nobody lets send.
std::vector<std::string> added_recipients(const std::string& author, Policy policy) {
  policy.judging.copies_failures_to = "failures@example.org";
  Arrival arrival = by(author);
  arrival.client_ip = "203.0.113.66";
  return arrive(arrival, policy, zone).outcome.added_recipients;
}

TEST(Flow, CopiesWhatFailsAndIsTaken) {
  const auto copied = ElementsAre("failures@example.org");
  Policy policy = judging_policy();
  policy.judging.actions.dmarc_reject = RejectPolicy::quarantine;
  for (const Action action : {Action::accept, Action::quarantine}) {
    policy.judging.actions.dmarc_quarantine = action;
    EXPECT_THAT(added_recipients("eve@example.com", policy), copied);
    EXPECT_THAT(added_recipients("eve@quarantine.example", policy), copied);
    EXPECT_THAT(added_recipients("eve@testing.example", policy), copied) << "p=reject; t=y";
  }
  policy.judging.trust.networks.add("203.0.113.66", {"list", 1});
  EXPECT_THAT(added_recipients("eve@example.com", policy), copied) << "it fails all the same";
}

TEST(Flow, CopiesNothingElse) {
  const Policy policy = judging_policy();
  EXPECT_THAT(added_recipients("eve@nothing.example", policy), IsEmpty()) << "no record";
  EXPECT_THAT(added_recipients("eve@careful.example", policy), IsEmpty()) << "p=none";
  Policy changed = policy;
  for (const Action action : {Action::reject, Action::tempfail, Action::discard}) {
    changed.judging.actions.dmarc_quarantine = action;
    EXPECT_THAT(added_recipients("eve@quarantine.example", changed), IsEmpty()) << "not taken";
  }
  changed = policy;
  changed.judging.shadow = true;
  EXPECT_THAT(added_recipients("eve@quarantine.example", changed), IsEmpty()) << "only looked at";
  changed = policy;
  changed.judging.trust.author_domains.entries.add("quarantine.example", {"list", 1});
  EXPECT_THAT(added_recipients("eve@quarantine.example", changed), IsEmpty()) << "known to fail";
  changed = policy;
  changed.judging.copies_failures_to = "failures@example.org";
  EXPECT_THAT(arrive(by("alice@example.com"), changed, zone).outcome.added_recipients, IsEmpty())
      << "a pass";
  Arrival unclear = by("eve@example.com", "From: eve@quarantine.example\r\n");
  EXPECT_THAT(arrive(unclear, changed, zone).outcome.added_recipients, IsEmpty()) << "two authors";
  Arrival failed = by("eve@quarantine.example");
  EXPECT_THAT(arrive(failed, policy, zone).outcome.added_recipients, IsEmpty()) << "nobody set";
}

TEST(Flow, CopiesNothingWhileDnsDoesNotAnswer) {
  Policy policy = judging_policy();
  policy.judging.copies_failures_to = "failures@example.org";
  const Arrived arrived = arrive(by("eve@example.com"), policy, [](const dns::Question&) {
    return dns::Answer{.status = dns::AnswerStatus::servfail};
  });
  EXPECT_EQ(arrived.dmarc(), "temperror");
  EXPECT_THAT(arrived.outcome.added_recipients, IsEmpty());
}

// --- questions ---

// A sender's DNS that makes of each question as many more as it can.
dns::Answer worst_answer(const dns::Question& question) {
  dns::Answer answer{.status = dns::AnswerStatus::records};
  const auto numbered = [&question](const char* letter, int number) {
    return letter + std::to_string(number) + "." + question.name;
  };
  switch (question.type) {
    case dns::RecordType::txt: {
      if (question.name.starts_with("_dmarc.") || question.name.contains("._domainkey."))
        return {.status = dns::AnswerStatus::nodata};
      std::string record = "v=spf1";
      for (int i = 0; i < 10; ++i) record += " mx:" + numbered("m", i);
      answer.records.emplace_back(dns::Text{{record + " -all"}});
      break;
    }
    case dns::RecordType::mx:
      for (std::uint16_t i = 0; i < 10; ++i)
        answer.records.emplace_back(dns::MailExchange{i, numbered("h", i)});
      break;
    case dns::RecordType::ptr:
      for (int i = 0; i < 64; ++i)
        answer.records.emplace_back(dns::NameData{"p" + std::to_string(i) + ".example.net"});
      break;
    default:
      answer.records.emplace_back(*dns::parse_address(question.type, "198.51.100.9"));
  }
  return answer;
}

/// A header with as many signatures and sets as anybody looks at, and more.
std::string header_full_of_signatures() {
  const std::string rest =
      "a=ed25519-sha256; bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; c=relaxed/relaxed; "
      "h=from; b=YQ==; s=s; d=";
  std::string text;
  for (int i = 0; i < 200; ++i)
    text += "DKIM-Signature: v=1; " + rest + "d" + std::to_string(i) + ".example\r\n";
  for (int i = 50; i > 0; --i) {
    const std::string instance = "i=" + std::to_string(i) + "; ";
    const std::string domain = "s" + std::to_string(i) + ".example";
    text += "ARC-Seal: " + instance + (i == 1 ? "cv=none" : "cv=pass") +
            "; a=ed25519-sha256; b=YQ==; s=s; d=" + domain + "\r\n";
    text += "ARC-Message-Signature: " + instance + rest + domain + "\r\n";
    text += "ARC-Authentication-Results: " + instance + domain + "; none\r\n";
  }
  return text;
}

TEST(Flow, S41AsksABoundedNumberOfQuestionsWhateverTheMessage) {
  Arrival arrival = by("alice@a.b.c.d.e.f.g.h.i.j.example.com", header_full_of_signatures());
  const std::size_t end_of_header = arrival.message.find("\r\n\r\n");
  arrival.message.resize(end_of_header + 4);  // The empty body that the signatures are about.
  Policy policy = judging_policy();
  policy.judging.iprev = true;
  policy.limits.header_bytes_max = 1'000'000;
  std::size_t asked = 0;
  const Arrived arrived = arrive(arrival, policy, [&asked](const dns::Question& question) {
    ++asked;
    return worst_answer(question);
  });
  EXPECT_EQ(arrived.dmarc(), "none");
  // Two checks of SPF with ten mx of ten hosts each, eight keys, fifty sets, a tree walk, a name.
  EXPECT_GE(asked, 2 * 111U + 8 + 50 + 8 + 11);
  EXPECT_LE(asked, 2 * 111U + 8 + 51 + 9 + 11);
}

// Fields of DKIM2 mean nothing here: however they are made, nobody is asked for a key of theirs,
// nothing in them is unpacked, and the verdict is that of the message without them.
TEST(Flow, S36Dkim2FieldsAskNothingAndChangeNothing) {
  std::string fields;
  for (int i = 1; i <= 60; ++i)
    fields +=
        "DKIM2-Signature: i=" + std::to_string(i) + "; m=1; d=evil" + std::to_string(i) +
        ".example; mf=====; s=x:unknown-alg:YQ===\r\nMessage-Instance: m=" + std::to_string(i) +
        "; r=eyJ7" + std::string(200, '=') + "\r\n";
  const auto judge = [](const Arrival& arrival, std::vector<std::string>& asked) {
    const auto parsed = dns::Zone::parse(zone, Limits{});
    return arrive(arrival, judging_policy(), [&](const dns::Question& question) {
      asked.push_back(question.name);
      return parsed->answer(question);
    });
  };
  std::vector<std::string> asked;
  std::vector<std::string> asked_without;
  const Arrived arrived = judge(by("alice@example.com", fields), asked);
  EXPECT_EQ(arrived.results(), judge(by("alice@example.com"), asked_without).results());
  EXPECT_EQ(asked, asked_without);
  EXPECT_FALSE(asked.empty());
}

TEST(Flow, AsksEachQuestionOnceAndMostAtTheSameTime) {
  Arrival arrival = by("alice@example.com");
  std::vector<dns::Question> asked;
  const auto parsed = dns::Zone::parse(zone, Limits{});
  const Arrived arrived = arrive(arrival, judging_policy(), [&](const dns::Question& question) {
    asked.push_back(question);
    return parsed->answer(question);
  });
  EXPECT_EQ(arrived.dmarc(), "pass");
  for (const dns::Question& one : asked) EXPECT_EQ(std::ranges::count(asked, one), 1) << one.name;
}

}  // namespace
}  // namespace countersign::mailflow
