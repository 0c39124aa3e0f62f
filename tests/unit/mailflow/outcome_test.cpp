// SPDX-License-Identifier: Apache-2.0
//
// The line that the log writes about a message.

#include "countersign/mailflow/outcome.hpp"

#include <gtest/gtest.h>

#include "tests/support/signing.hpp"

namespace countersign::mailflow {
namespace {

using test::name;

Outcome signed_outcome() {
  Outcome outcome;
  outcome.signatures = {{.sdid = name("example.org"), .selector = name("s1"), .auid = ""},
                        {.sdid = name("example.org"),
                         .selector = name("s2"),
                         .auid = "",
                         .algorithm = dkim::Algorithm::ed25519_sha256}};
  outcome.reasons = {{Reason::authenticated, "alice", {}},
                     {Reason::line_matches, "a@example.org", Place{"table", 2}}};
  return outcome;
}

TEST(Outcome, SaysAsWhomAMessageWasSigned) {
  EXPECT_EQ(to_string(signed_outcome(), false),
            "signed as s1._domainkey.example.org (rsa-sha256), "
            "s2._domainkey.example.org (ed25519-sha256)");
}

TEST(Outcome, ExplainsWhenAsked) {
  EXPECT_EQ(to_string(signed_outcome(), true),
            "signed as s1._domainkey.example.org (rsa-sha256), "
            "s2._domainkey.example.org (ed25519-sha256); the client is authenticated: alice; "
            "a line of the SigningTable matches the author: a@example.org (table:2)");
}

TEST(Outcome, AlwaysTellsWhyNot) {
  Outcome outcome;
  outcome.reasons = {{Reason::authenticated, "alice", {}},
                     {Reason::no_line_matches, "a@example.org", {}}};
  EXPECT_EQ(to_string(outcome, false),
            "not signed; no line of the SigningTable matches the author: a@example.org");
}

TEST(Outcome, AlwaysTellsOfProblems) {
  Outcome outcome = signed_outcome();
  outcome.signatures.pop_back();
  outcome.reasons.insert(outcome.reasons.begin() + 1, {Reason::unknown_key, "k", {}});
  EXPECT_EQ(to_string(outcome, false),
            "signed as s1._domainkey.example.org (rsa-sha256); "
            "the SigningTable names a key that is not in the KeyTable: k");
}

TEST(Outcome, TellsWhatWasDone) {
  Outcome outcome;
  outcome.reasons = {{Reason::signing_off, "", {}}};
  EXPECT_EQ(to_string(outcome, false), "not signed; the mode does not sign");
  outcome.action = Action::reject;
  EXPECT_EQ(to_string(outcome, false), "not signed, rejected; the mode does not sign");
  outcome.action = Action::tempfail;
  EXPECT_EQ(to_string(outcome, false), "not signed, refused for now; the mode does not sign");
  outcome.action = Action::discard;
  EXPECT_EQ(to_string(outcome, false), "not signed, discarded; the mode does not sign");
  outcome.action = Action::quarantine;
  EXPECT_EQ(to_string(outcome, false), "not signed, put aside; the mode does not sign");
}

}  // namespace
}  // namespace countersign::mailflow
