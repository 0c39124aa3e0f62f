// SPDX-License-Identifier: Apache-2.0
//
// The octets that a seal covers, written out.

#include "countersign/arc/seal_scope.hpp"

#include <gtest/gtest.h>

namespace countersign::arc {
namespace {

const HeaderField first_aar("ARC-Authentication-Results:  i=1;\r\n a ");
const HeaderField first_ams("ARC-Message-Signature:i=1;\tb=one two");
const HeaderField first_seal("ARC-Seal: i=1; b=Yg==\r\n Yg==; cv=none");
const HeaderField second_aar("ARC-Authentication-Results: i=2; b");
const HeaderField second_ams("ARC-Message-Signature: i=2");
const HeaderField second_seal("ARC-Seal: cv=pass; b =\tYg== ; i=2");

TEST(SealScope, CoversItsOwnSetButForTheSignature) {
  SealScope scope;
  scope.add_results(first_aar, first_ams);
  EXPECT_EQ(scope.hash(first_seal), crypto::sha256("arc-authentication-results:i=1; a\r\n"
                                                   "arc-message-signature:i=1; b=one two\r\n"
                                                   "arc-seal:i=1; b=; cv=none"));
}

// RFC 8617 §5.1.1: the oldest set first, each as AAR, AMS, AS, and the earlier seals whole.
TEST(SealScope, CoversAllSetsBeforeItsOwn) {
  SealScope scope;
  scope.add_results(first_aar, first_ams);
  scope.add_seal(first_seal);
  scope.add_results(second_aar, second_ams);
  EXPECT_EQ(scope.hash(second_seal), crypto::sha256("arc-authentication-results:i=1; a\r\n"
                                                    "arc-message-signature:i=1; b=one two\r\n"
                                                    "arc-seal:i=1; b=Yg== Yg==; cv=none\r\n"
                                                    "arc-authentication-results:i=2; b\r\n"
                                                    "arc-message-signature:i=2\r\n"
                                                    "arc-seal:cv=pass; b =; i=2"));
}

TEST(SealScope, StaysAsItIsWhenASealIsHashed) {
  SealScope scope;
  scope.add_results(first_aar, first_ams);
  const crypto::Sha256 once = scope.hash(first_seal);
  EXPECT_EQ(scope.hash(first_seal), once);
}

}  // namespace
}  // namespace countersign::arc
