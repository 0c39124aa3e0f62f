// SPDX-License-Identifier: Apache-2.0
//
// Alignment: relaxed by organizations, strict by names, and how little is asked for it.

#include "countersign/dmarc/alignment.hpp"

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
using testing::IsEmpty;
using enum AlignmentState;

constexpr AlignmentModes relaxed = {Alignment::relaxed, Alignment::relaxed};
constexpr AlignmentModes strict = {Alignment::strict, Alignment::strict};

class AlignmentOf : public testing::Test {
 protected:
  void publish(std::string_view domain, std::string_view rest) {
    zone_.add_txt("_dmarc." + std::string(domain), "v=DMARC1; " + std::string(rest));
  }

  std::vector<AlignedIdentifier> align_all(std::string_view author, AlignmentModes modes,
                                           const std::vector<std::string>& identifiers) {
    std::vector<Identifier> list;
    for (const std::string& one : identifiers) list.push_back({Mechanism::dkim, name(one)});
    const Walk walk = zone_.run(walk_tree(name(author), limits_));
    asked_.clear();
    return dns::run_with(align(walk, modes, std::move(list), limits_),
                         [this](const dns::Question& question) {
                           asked_.push_back(question.name);
                           return zone_.answer(question);
                         });
  }

  AlignmentState state(std::string_view author, AlignmentModes modes, std::string identifier) {
    return align_all(author, modes, {std::move(identifier)}).front().state;
  }

  Limits limits_;
  dns::Zone zone_;
  std::vector<std::string> asked_;
};

TEST_F(AlignmentOf, EqualNamesNeedsNoQuestion) {
  EXPECT_EQ(state("example.com", relaxed, "Example.COM"), aligned);
  EXPECT_EQ(state("example.com", strict, "example.com"), aligned);
  EXPECT_THAT(asked_, IsEmpty());
}

TEST_F(AlignmentOf, T1TwoNamesOfOneOrganization) {
  publish("example.com", "p=none");
  publish("signing.example.com", "p=none");
  EXPECT_EQ(state("example.com", relaxed, "signing.example.com"), aligned);
  EXPECT_THAT(asked_, ElementsAre("_dmarc.signing.example.com"));
  EXPECT_EQ(state("signing.example.com", relaxed, "example.com"), aligned);
}

TEST_F(AlignmentOf, T3TwoCustomersOfOneSuffix) {
  publish("bank.example", "p=reject; psd=y");
  publish("giant.bank.example", "p=reject");
  EXPECT_EQ(state("giant.bank.example", relaxed, "mail.giant.bank.example"), aligned);
  EXPECT_EQ(state("giant.bank.example", relaxed, "mail.mega.bank.example"), unaligned);
  EXPECT_EQ(state("giant.bank.example", relaxed, "bank.example"), unaligned);
}

TEST_F(AlignmentOf, ASubdomainThatIsItsOwnOrganization) {
  publish("example.com", "p=none");
  publish("unit.example.com", "p=none; psd=n");
  EXPECT_EQ(state("example.com", relaxed, "host.unit.example.com"), unaligned);
  EXPECT_EQ(state("unit.example.com", relaxed, "host.unit.example.com"), aligned);
  EXPECT_EQ(state("unit.example.com", relaxed, "example.com"), unaligned);
}

// known as failing in two products for years: strict behaved as relaxed.
TEST_F(AlignmentOf, StrictNamesIsNeverRelaxed) {
  publish("example.com", "p=none");
  EXPECT_EQ(state("example.com", relaxed, "mail.example.com"), aligned);
  EXPECT_EQ(state("example.com", strict, "mail.example.com"), unaligned);
  EXPECT_EQ(state("mail.example.com", strict, "example.com"), unaligned);
  EXPECT_THAT(asked_, IsEmpty());
}

TEST_F(AlignmentOf, EachMechanismFollowsItsOwnTag) {
  publish("example.com", "p=none");
  const Walk walk = zone_.run(walk_tree(name("example.com"), limits_));
  const std::vector<Identifier> both = {{Mechanism::spf, name("a.example.com")},
                                        {Mechanism::dkim, name("a.example.com")}};
  const auto dkim_strict =
      zone_.run(align(walk, {.adkim = Alignment::strict, .aspf = Alignment::relaxed}, both, {}));
  EXPECT_EQ(dkim_strict[0].state, aligned);
  EXPECT_EQ(dkim_strict[1].state, unaligned);
  const auto spf_strict =
      zone_.run(align(walk, {.adkim = Alignment::relaxed, .aspf = Alignment::strict}, both, {}));
  EXPECT_EQ(spf_strict[0].state, unaligned);
  EXPECT_EQ(spf_strict[1].state, aligned);
}

TEST_F(AlignmentOf, StrangersNeedsNoQuestion) {
  publish("example.com", "p=none");
  for (const std::string other : {"example.net", "com", "badexample.com", "other.com"})
    EXPECT_EQ(state("example.com", relaxed, other), unaligned) << other;
  EXPECT_THAT(asked_, IsEmpty());
}

TEST_F(AlignmentOf, ManyNamesSharesTheirAnswers) {
  publish("example.com", "p=none");
  const auto results =
      align_all("example.com", relaxed, {"a.b.example.com", "c.b.example.com", "a.b.example.com"});
  for (const AlignedIdentifier& one : results) EXPECT_EQ(one.state, aligned);
  EXPECT_THAT(asked_, ElementsAre("_dmarc.a.b.example.com", "_dmarc.b.example.com",
                                  "_dmarc.c.b.example.com"));
}

TEST_F(AlignmentOf, S37TooManyNamesIsNotWalked) {
  publish("example.com", "p=none");
  std::vector<std::string> names;
  for (std::size_t i = 0; i <= limits_.walked_identifiers_max; ++i)
    names.push_back("x" + std::to_string(i) + ".example.com");
  names.push_back("example.com");
  const auto results = align_all("example.com", relaxed, names);
  EXPECT_EQ(asked_.size(), limits_.walked_identifiers_max);
  EXPECT_EQ(results[limits_.walked_identifiers_max - 1].state, aligned);
  EXPECT_EQ(results[limits_.walked_identifiers_max].state, not_walked);
  EXPECT_EQ(results.back().state, aligned) << "equal names need no walk";
}

TEST_F(AlignmentOf, LongNamesWalksWithinTheAuthorsOrganization) {
  publish("example.com", "p=none; psd=n");
  EXPECT_EQ(state("example.com", relaxed, "a.b.c.d.e.f.g.h.i.example.com"), aligned);
  for (const std::string& question : asked_) EXPECT_NE(question, "_dmarc.com");
}

TEST_F(AlignmentOf, AFailedWalkIsUnknown) {
  publish("example.com", "p=none");
  zone_.fail("_dmarc.mail.example.com", RecordType::txt, AnswerStatus::timeout);
  EXPECT_EQ(state("example.com", relaxed, "mail.example.com"), unknown);
  EXPECT_EQ(state("example.com", relaxed, "a.mail.example.com"), unknown);
  EXPECT_EQ(state("example.com", strict, "mail.example.com"), unaligned);
}

TEST_F(AlignmentOf, AFailedWalkOfTheAuthorIsUnknownWithinItsTopLevelDomain) {
  publish("example.com", "p=none");
  zone_.fail("_dmarc.com", RecordType::txt, AnswerStatus::servfail);
  EXPECT_EQ(state("example.com", relaxed, "example.com"), aligned);
  EXPECT_EQ(state("example.com", relaxed, "mail.example.com"), unknown);
  EXPECT_EQ(state("example.com", relaxed, "other.com"), unknown);
  EXPECT_EQ(state("example.com", relaxed, "example.net"), unaligned);
}

TEST(AlignedIdentifier, PassesWhenItPassedAndIsAligned) {
  AlignedIdentifier one{.identifier = {Mechanism::spf, name("a.example")}, .state = aligned};
  EXPECT_TRUE(one.is_pass());
  one.identifier.authentication = Authentication::temperror;
  EXPECT_FALSE(one.is_pass());
  one.identifier.authentication = Authentication::pass;
  for (const AlignmentState other : {unaligned, unknown, not_walked}) {
    one.state = other;
    EXPECT_FALSE(one.is_pass()) << to_string(other);
  }
}

TEST(AlignmentWords, AreThere) {
  EXPECT_EQ(to_string(Mechanism::spf), "spf");
  EXPECT_EQ(to_string(Mechanism::dkim), "dkim");
  EXPECT_EQ(to_string(Authentication::pass), "pass");
  EXPECT_EQ(to_string(Authentication::temperror), "temperror");
  EXPECT_EQ(to_string(aligned), "aligned");
  EXPECT_EQ(to_string(unaligned), "unaligned");
  EXPECT_EQ(to_string(unknown), "unknown");
  EXPECT_EQ(to_string(not_walked), "not_walked");
}

}  // namespace
}  // namespace countersign::dmarc
