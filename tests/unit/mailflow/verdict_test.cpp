// SPDX-License-Identifier: Apache-2.0
//
// What counts as authenticated, and what is told of ambiguous mail.

#include "countersign/mailflow/verdict.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/dkim.hpp"

namespace countersign::mailflow {
namespace {

using dmarc::Authentication;
using dmarc::Identifier;
using dmarc::Mechanism;
using sample::name;
using testing::ElementsAre;
using testing::IsEmpty;

spf::Outcome spf(const char* domain, spf::Result result) {
  spf::Outcome outcome;
  outcome.domain = name(domain);
  outcome.result = result;
  return outcome;
}

dkim::SignatureResult dkim(const char* sdid, dkim::Result result,
                           dkim::Reason reason = dkim::Reason::valid) {
  dkim::SignatureResult one{.result = result, .reason = reason};
  one.signature = dkim::Signature{.sdid = name(sdid), .selector = name("s")};
  return one;
}

std::vector<Identifier> identifiers(const Verdict& verdict) {
  return authenticated_identifiers(verdict, name("example.com"));
}

TEST(Identifiers, AreWhatPassedOrMightHave) {
  Verdict verdict;
  verdict.helo = spf("example.com", spf::Result::pass);
  verdict.mail_from = spf("bounce.example.net", spf::Result::pass);
  verdict.signatures = {dkim("a.example", dkim::Result::fail, dkim::Reason::signature_mismatch),
                        dkim("b.example", dkim::Result::temperror, dkim::Reason::key_unavailable),
                        dkim("mail.example.com", dkim::Result::pass)};
  EXPECT_THAT(
      identifiers(verdict),
      ElementsAre(Identifier{Mechanism::dkim, name("mail.example.com"), Authentication::pass},
                  Identifier{Mechanism::spf, name("bounce.example.net"), Authentication::pass},
                  Identifier{Mechanism::dkim, name("b.example"), Authentication::temperror}));
  verdict.mail_from->result = spf::Result::softfail;
  EXPECT_EQ(identifiers(verdict).size(), 2U);
  verdict.mail_from->result = spf::Result::temperror;
  EXPECT_EQ(identifiers(verdict).size(), 3U);
}

TEST(Identifiers, S19APassFromASharedClientCountsForNothing) {
  Verdict verdict;
  verdict.mail_from = spf("example.com", spf::Result::pass);
  EXPECT_EQ(identifiers(verdict).size(), 1U);
  verdict.has_shared_client = true;
  EXPECT_THAT(identifiers(verdict), IsEmpty());
  verdict.signatures = {dkim("example.com", dkim::Result::pass)};
  EXPECT_THAT(identifiers(verdict),
              ElementsAre(Identifier{Mechanism::dkim, name("example.com"), Authentication::pass}));
}

TEST(Identifiers, S25ASignatureThatLeavesOctetsUnsignedCountsForNothing) {
  Verdict verdict;
  verdict.signatures = {dkim("example.com", dkim::Result::pass, dkim::Reason::body_partly_signed)};
  EXPECT_THAT(identifiers(verdict), IsEmpty());
  EXPECT_FALSE(verdict.is_authenticated());
}

TEST(Identifiers, S26ASignatureToWhichTellingFieldsWereAddedCountsForNothing) {
  Verdict verdict;
  verdict.signatures = {dkim("example.com", dkim::Result::pass)};
  EXPECT_EQ(identifiers(verdict).size(), 1U);
  for (const char* field : {"Subject", "To", "Date", "Content-Type", "Reply-To"}) {
    verdict.signatures[0].added_fields = {"References", field};
    EXPECT_THAT(identifiers(verdict), IsEmpty()) << field;
  }
  for (const char* field : {"List-Unsubscribe", "Message-ID", "MIME-Version", "References"}) {
    verdict.signatures[0].added_fields = {field};
    EXPECT_EQ(identifiers(verdict).size(), 1U) << field << " tells a reader nothing";
  }
}

TEST(Verdict, TellsPermerrorForWhatIsAmbiguousWhateverPassed) {
  Verdict verdict;
  EXPECT_EQ(verdict.dmarc_result(), std::nullopt);
  verdict.checked_dmarc = true;
  verdict.dmarc = dns::run_with(dmarc::evaluate(name("example.com"), {}, Limits{}),
                                [](const dns::Question&) { return dns::Answer(); });
  verdict.dmarc->result = dmarc::Result::pass;
  EXPECT_EQ(verdict.dmarc_result(), dmarc::Result::pass);
  verdict.authorship.ambiguities.push_back({AmbiguityCode::odd_field_name, "x"});
  EXPECT_EQ(verdict.dmarc_result(), dmarc::Result::permerror);
}

TEST(Verdict, IsAuthenticatedByAnybody) {
  Verdict verdict;
  EXPECT_FALSE(verdict.is_authenticated());
  verdict.helo = spf("example.com", spf::Result::pass);
  EXPECT_TRUE(verdict.is_authenticated());
}

}  // namespace
}  // namespace countersign::mailflow
