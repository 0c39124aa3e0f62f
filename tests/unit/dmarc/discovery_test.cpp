// SPDX-License-Identifier: Apache-2.0
//
// The tree walk: which names are asked for, where it ends, whose organization it finds, and whose
// record gives the policy.

#include "countersign/dmarc/discovery.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "countersign/dns/zone.hpp"
#include "tests/support/dkim.hpp"

namespace countersign::dmarc {
namespace {

using dns::AnswerStatus;
using dns::RecordType;
using sample::name;
using testing::ElementsAre;

std::vector<std::string> texts(const std::vector<DomainName>& names) {
  std::vector<std::string> result;
  for (const DomainName& one : names) result.push_back(one.text());
  return result;
}

std::vector<std::string> domains(const Walk& walk) {
  std::vector<std::string> result;
  for (const WalkStep& step : walk.steps) result.push_back(step.domain.text());
  return result;
}

dns::Zone zone_of(const std::vector<std::pair<std::string_view, std::string_view>>& records) {
  dns::Zone zone;
  for (const auto& [domain, rest] : records)
    zone.add_txt("_dmarc." + std::string(domain), "v=DMARC1; " + std::string(rest));
  return zone;
}

Discovery discover_in(const dns::Zone& zone, std::string_view author) {
  return zone.run(discover(name(author), Limits{}));
}

std::string org_of(const dns::Zone& zone, std::string_view start) {
  return zone.run(walk_tree(name(start), Limits{})).org_domain.text();
}

std::string policy_domain(const Discovery& discovery) {
  return discovery.policy() == nullptr ? "" : discovery.policy()->domain.text();
}

TEST(WalkNames, GoFromTheStartToTheTopLevel) {
  EXPECT_THAT(texts(walk_names(name("com"), Limits{})), ElementsAre("com"));
  EXPECT_THAT(
      texts(walk_names(name("a.b.c.d.e.f.g"), Limits{})),
      ElementsAre("a.b.c.d.e.f.g", "b.c.d.e.f.g", "c.d.e.f.g", "d.e.f.g", "e.f.g", "f.g", "g"));
}

TEST(WalkNames, LeaveOutLevelsOfLongNames) {
  EXPECT_THAT(texts(walk_names(name("a.b.c.d.e.f.g.h.i.j.mail.example.com"), Limits{})),
              ElementsAre("a.b.c.d.e.f.g.h.i.j.mail.example.com", "g.h.i.j.mail.example.com",
                          "h.i.j.mail.example.com", "i.j.mail.example.com", "j.mail.example.com",
                          "mail.example.com", "example.com", "com"));
}

TEST(TreeWalk, T4TakesTheShortestNameWithARecord) {
  const dns::Zone zone =
      zone_of({{"mail.example.com", "p=none"}, {"example.com", "p=reject; sp=quarantine"}});
  EXPECT_EQ(org_of(zone, "a.mail.example.com"), "example.com");
  EXPECT_EQ(policy_domain(discover_in(zone, "a.mail.example.com")), "example.com");
  EXPECT_EQ(policy_domain(discover_in(zone, "mail.example.com")), "mail.example.com");
}

TEST(TreeWalk, T5EndsAtPsdN) {
  const dns::Zone zone =
      zone_of({{"mail.example.com", "p=none; psd=n"}, {"example.com", "p=none"}});
  const Discovery discovery = discover_in(zone, "a.mail.example.com");
  EXPECT_EQ(discovery.walk.org_domain.text(), "mail.example.com");
  EXPECT_THAT(domains(discovery.walk), ElementsAre("a.mail.example.com", "mail.example.com"));
  EXPECT_EQ(discovery.source, PolicySource::org_domain);
}

TEST(TreeWalk, T6TakesTheNameBelowPsdY) {
  const dns::Zone zone = zone_of({{"com", "p=none; sp=quarantine; psd=y"}});
  const Discovery discovery = discover_in(zone, "a.mail.example.com");
  EXPECT_EQ(discovery.walk.org_domain.text(), "example.com");
  EXPECT_EQ(discovery.source, PolicySource::psd);
  EXPECT_EQ(policy_domain(discovery), "com");
}

TEST(TreeWalk, T7IgnoresARecordInBetween) {
  const dns::Zone zone = zone_of({{"b.example.com", "p=reject"}, {"com", "p=none; psd=y"}});
  const Discovery discovery = discover_in(zone, "a.b.example.com");
  EXPECT_EQ(discovery.walk.org_domain.text(), "example.com");
  EXPECT_EQ(policy_domain(discovery), "com");
}

TEST(TreeWalk, T8DoesNotLookBelowPsdYAtTheStart) {
  const dns::Zone zone = zone_of({{"com", "p=quarantine; psd=y"}});
  const Discovery discovery = discover_in(zone, "com");
  EXPECT_EQ(discovery.walk.org_domain.text(), "com");
  EXPECT_EQ(discovery.source, PolicySource::author_domain);
  EXPECT_EQ(discovery.walk.psd_step, std::nullopt);
}

TEST(TreeWalk, KeepsTheTextOfTheOneRecord) {
  dns::Zone zone = zone_of({{"example.com", "p=none"}, {"com", "p=none"}});
  zone.add_txt("_dmarc.example.com", "another text");
  zone.add_txt("_dmarc.com", "v=DMARC1; p=reject");
  const Discovery discovery = discover_in(zone, "example.com");
  EXPECT_EQ(discovery.walk.steps.front().text, "v=DMARC1; p=none");
  EXPECT_EQ(discovery.walk.steps.back().text, "");
}

TEST(TreeWalk, T9GoesOnAtSeveralRecords) {
  dns::Zone zone = zone_of({{"example.com", "p=none"}, {"com", "p=none"}});
  zone.add_txt("_dmarc.example.com", "v=DMARC1; p=reject");
  const Discovery discovery = discover_in(zone, "example.com");
  EXPECT_EQ(discovery.walk.steps.front().finding, Finding::several_records);
  EXPECT_EQ(discovery.walk.org_domain.text(), "com");
  EXPECT_EQ(policy_domain(discovery), "com");
  EXPECT_TRUE(has_top_level_org(discovery.walk));
}

TEST(TreeWalk, T10AsksTheParentOfEightLabels) {
  const dns::Zone zone = zone_of({{"b.c.d.e.f.example.com", "p=reject"}});
  const Discovery discovery = discover_in(zone, "a.b.c.d.e.f.example.com");
  EXPECT_EQ(discovery.walk.steps.size(), 8u);
  EXPECT_EQ(policy_domain(discovery), "b.c.d.e.f.example.com");
}

TEST(TreeWalk, FindsTheNameBelowPsdYThoughItWasNotAskedFor) {
  const dns::Zone zone = zone_of({{"c.d.e.f.g.example.com", "p=none; psd=y"}});
  EXPECT_EQ(org_of(zone, "x.y.z.a.b.c.d.e.f.g.example.com"), "b.c.d.e.f.g.example.com");
}

TEST(TreeWalk, OfNothingEndsWhereItBegan) {
  const Discovery discovery = discover_in(dns::Zone{}, "a.example.com");
  EXPECT_EQ(discovery.walk.org_domain.text(), "a.example.com");
  EXPECT_EQ(discovery.source, PolicySource::none);
  EXPECT_EQ(discovery.policy(), nullptr);
  EXPECT_EQ(discovery.walk.steps.size(), 3u);
}

TEST(TreeWalk, CountsAnUnusableRecordAsARecord) {
  const dns::Zone zone = zone_of({{"example.com", "p=bogus"}, {"a.example.com", "p=none"}});
  EXPECT_EQ(org_of(zone, "a.example.com"), "example.com");
  dns::Zone too_long = zone_of({{"example.com", "p=none"}});
  too_long.add_txt("_dmarc.example.com", "v=DMARC1; p=none; x=" + std::string(5'000, 'x'));
  EXPECT_EQ(discover_in(too_long, "example.com").walk.steps.front().finding,
            Finding::several_records);
}

TEST(TreeWalk, S37NeverAsksMoreThanEightTimes) {
  std::string start = "com";
  for (int labels = 1; labels <= 60; ++labels) {
    dns::Asking<Walk> walk = walk_tree(name(start), Limits{});
    const auto questions = walk.take_questions();
    EXPECT_EQ(questions.size(), std::min(labels, 8)) << start;
    for (const auto& open : questions) {
      EXPECT_EQ(open.question.type, RecordType::txt);
      walk.answer(open.id, {.status = AnswerStatus::nxdomain});
    }
    EXPECT_TRUE(walk.done());
    start = "x." + start;
  }
}

TEST(TreeWalk, AsksForNoNameThatDnsCannotHold) {
  std::string start = std::string(60, 'a') + ".";
  start += start + start + start + "example";
  ASSERT_GT(start.size() + 7, 253u);
  dns::Asking<Walk> walk = walk_tree(name(start), Limits{});
  for (const auto& open : walk.take_questions()) {
    EXPECT_LE(open.question.name.size(), 253u);
    walk.answer(open.id, {.status = AnswerStatus::nxdomain});
  }
  ASSERT_TRUE(walk.done());
  EXPECT_EQ(walk.take().steps.front().finding, Finding::no_record);
}

TEST(TreeWalk, S38JoinsStringsAndTakesOnlyDmarcRecords) {
  dns::Zone zone;
  zone.add("_DMARC.example.COM", RecordType::txt, dns::Text{{"v=DM", "ARC1; p=re", "ject"}});
  zone.add_txt("_dmarc.example.com", "v=spf1 -all");
  zone.add_txt("_dmarc.example.com", "V=DMARC2; p=none");
  zone.add_txt("_dmarc.other.example.com", "v=DMARC1; p=none");
  const Discovery discovery = discover_in(zone, "Example.com");
  ASSERT_NE(discovery.policy(), nullptr);
  EXPECT_EQ(discovery.policy()->record->p, AssessmentPolicy::reject);
}

TEST(TreeWalk, S38FollowsAliases) {
  dns::Zone zone;
  zone.add("_dmarc.example.com", RecordType::cname, dns::NameData{"policy.example.net"});
  zone.add_txt("policy.example.net", "v=DMARC1; p=reject");
  EXPECT_EQ(policy_domain(discover_in(zone, "example.com")), "example.com");
}

TEST(TreeWalk, S38LooksAtNoOtherKindOfData) {
  dns::Asking<Walk> walk = walk_tree(name("com"), Limits{});
  const auto questions = walk.take_questions();
  walk.answer(questions.front().id,
              {.status = AnswerStatus::records, .records = {dns::RawData{"v=DMARC1; p=reject"}}});
  EXPECT_EQ(walk.take().steps.front().finding, Finding::no_record);
}

TEST(TreeWalk, S39TellsAbsenceFromFailure) {
  for (const auto& [status, finding] : std::vector<std::pair<AnswerStatus, Finding>>{
           {AnswerStatus::nodata, Finding::no_record},
           {AnswerStatus::nxdomain, Finding::no_record},
           {AnswerStatus::servfail, Finding::dns_failure},
           {AnswerStatus::refused, Finding::dns_failure},
           {AnswerStatus::timeout, Finding::dns_failure},
           {AnswerStatus::malformed, Finding::dns_failure},
           {AnswerStatus::bogus, Finding::dns_failure}}) {
    dns::Zone zone = zone_of({{"example.com", "p=none"}});
    zone.fail("_dmarc.com", RecordType::txt, status);
    const Discovery discovery = discover_in(zone, "example.com");
    EXPECT_EQ(discovery.walk.steps.back().finding, finding);
    EXPECT_EQ(discovery.walk.is_certain, finding == Finding::no_record);
    EXPECT_EQ(discovery.source, PolicySource::author_domain) << "needs no other name";
  }
}

TEST(TreeWalk, S39KnowsNoPolicyWhereAFailureMayHideOne) {
  dns::Zone zone = zone_of({{"example.com", "p=reject"}});
  zone.fail("_dmarc.mail.example.com", RecordType::txt, AnswerStatus::servfail);
  EXPECT_EQ(discover_in(zone, "a.mail.example.com").source, PolicySource::unknown);
  EXPECT_EQ(discover_in(zone, "mail.example.com").source, PolicySource::unknown);
  EXPECT_EQ(discover_in(zone, "example.com").source, PolicySource::author_domain);
}

TEST(TreeWalk, S39IgnoresFailuresBeyondItsEnd) {
  dns::Zone zone = zone_of({{"example.com", "p=reject; psd=n"}});
  zone.fail("_dmarc.com", RecordType::txt, AnswerStatus::timeout);
  const Discovery discovery = discover_in(zone, "a.example.com");
  EXPECT_TRUE(discovery.walk.is_certain);
  EXPECT_EQ(policy_domain(discovery), "example.com");
}

TEST(TreeWalk, S42TellsATopLevelDomainThatForgotPsdY) {
  EXPECT_TRUE(has_top_level_org(discover_in(zone_of({{"com", "p=none"}}), "example.com").walk));
  EXPECT_FALSE(has_top_level_org(discover_in(zone_of({{"com", "p=none"}}), "com").walk));
  EXPECT_FALSE(
      has_top_level_org(discover_in(zone_of({{"com", "p=none; psd=y"}}), "example.com").walk));
  EXPECT_FALSE(has_top_level_org(discover_in(zone_of({}), "example.com").walk));
}

TEST(TreeWalk, S42DoesNotMakeTheChildOfThePublicSuffixItsStart) {
  const dns::Zone zone = zone_of({{"bank.example", "p=reject; psd=y"}});
  EXPECT_EQ(org_of(zone, "bank.example"), "bank.example");
  EXPECT_EQ(org_of(zone, "giant.bank.example"), "giant.bank.example");
}

TEST(Existence, IsDeniedByNxdomainAlone) {
  dns::Zone zone;
  zone.add("mail.example.com", RecordType::a, dns::Address{});
  zone.add("alias.example.com", RecordType::cname, dns::NameData{"gone.example.net"});
  zone.fail("broken.example.com", RecordType::cname, AnswerStatus::servfail);
  const auto exists = [&zone](std::string_view domain) {
    return zone.run(look_up_existence(name(domain)));
  };
  EXPECT_EQ(exists("mail.example.com"), true);
  EXPECT_EQ(exists("example.com"), true) << "an empty non-terminal";
  EXPECT_EQ(exists("alias.example.com"), true);
  EXPECT_EQ(exists("ghost.example.com"), false);
  EXPECT_EQ(exists("broken.example.com"), std::nullopt);
}

TEST(DiscoveryWords, AreThere) {
  EXPECT_EQ(to_string(PolicySource::author_domain), "author_domain");
  EXPECT_EQ(to_string(PolicySource::org_domain), "org_domain");
  EXPECT_EQ(to_string(PolicySource::psd), "psd");
  EXPECT_EQ(to_string(PolicySource::none), "none");
  EXPECT_EQ(to_string(PolicySource::unknown), "unknown");
  EXPECT_EQ(name_of(Finding::several_records), "several_records");
  EXPECT_EQ(name_of(Finding::dns_failure), "dns_failure");
  EXPECT_THAT(to_string(Finding::several_records), testing::HasSubstr("RFC 9989 §4.10"));
}

// --- by a list ---

/// Organizations of three labels below co.uk, else of two.
DomainName listed_org(const DomainName& name) {
  return name.ancestor(name.is_at_or_below(sample::name("co.uk")) ? 3 : 2);
}

Discovery discover_by_list(const dns::Zone& zone, std::string_view author) {
  return zone.run(discover(name(author), Limits{}, listed_org));
}

TEST(ListedDiscovery, AsksForTheAuthorAndTheOrganization) {
  const dns::Zone zone = zone_of({{"example.co.uk", "p=reject"}, {"b.example.co.uk", "p=none"}});
  const Discovery discovery = discover_by_list(zone, "a.b.example.co.uk");
  EXPECT_THAT(domains(discovery.walk), ElementsAre("a.b.example.co.uk", "example.co.uk"));
  EXPECT_EQ(discovery.source, PolicySource::org_domain);
  EXPECT_EQ(policy_domain(discovery), "example.co.uk");
  EXPECT_EQ(discovery.walk.org_domain.text(), "example.co.uk");
  EXPECT_EQ(discovery.method(), DiscoveryMethod::psl);
  EXPECT_EQ(to_string(discovery.method()), "psl");
}

TEST(ListedDiscovery, TakesTheRecordOfTheAuthorFirst) {
  const dns::Zone zone = zone_of({{"example.com", "p=reject"}, {"a.example.com", "p=none"}});
  EXPECT_EQ(discover_by_list(zone, "a.example.com").source, PolicySource::author_domain);
  const Discovery of_org = discover_by_list(zone, "example.com");
  EXPECT_EQ(of_org.source, PolicySource::author_domain);
  EXPECT_EQ(of_org.walk.steps.size(), 1U);
}

// The list has the last word, psd= none; what is above the organization is not asked.
TEST(ListedDiscovery, DoesNotHeedPublicSuffixDomains) {
  const dns::Zone zone = zone_of({{"example.com", "psd=y; p=reject"},
                                  {"a.example.com", "psd=n; p=none"},
                                  {"com", "p=reject"}});
  const Discovery discovery = discover_by_list(zone, "x.a.example.com");
  EXPECT_EQ(policy_domain(discovery), "example.com");
  EXPECT_EQ(discovery.walk.org_domain.text(), "example.com");
  EXPECT_EQ(discover_by_list(zone, "b.other.com").source, PolicySource::none);
}

// RFC 7489 §6.6.3, item 5
TEST(ListedDiscovery, SeveralRecordsOfTheAuthorEndIt) {
  dns::Zone zone = zone_of({{"example.com", "p=reject"}, {"a.example.com", "p=none"}});
  zone.add_txt("_dmarc.a.example.com", "v=DMARC1; p=reject");
  const Discovery discovery = discover_by_list(zone, "a.example.com");
  EXPECT_EQ(discovery.source, PolicySource::none);
  EXPECT_EQ(discovery.walk.steps.front().finding, Finding::several_records);
  EXPECT_EQ(discover_in(zone, "a.example.com").source, PolicySource::org_domain);
}

// A failure is never read as absence, and a failure that does not matter is not looked at.
TEST(ListedDiscovery, KnowsNothingWhenDnsFailsWhereItMatters) {
  const dns::Zone zone = zone_of({{"example.com", "p=reject"}, {"own.example.com", "p=none"}});
  const auto failing = [&zone](std::string_view failed) {
    return [&zone, failed](const dns::Question& question) {
      return question.name == failed ? dns::Answer{.status = AnswerStatus::servfail}
                                     : zone.answer(question);
    };
  };
  const auto run = [](std::string_view author, const auto& answers) {
    return dns::run_with(discover(name(author), Limits{}, listed_org), answers).source;
  };
  EXPECT_EQ(run("a.example.com", failing("_dmarc.a.example.com")), PolicySource::unknown);
  EXPECT_EQ(run("a.example.com", failing("_dmarc.example.com")), PolicySource::unknown);
  EXPECT_EQ(run("own.example.com", failing("_dmarc.example.com")), PolicySource::author_domain);
  EXPECT_EQ(run("a.example.com", failing("_dmarc.com")), PolicySource::org_domain);
}

}  // namespace
}  // namespace countersign::dmarc
