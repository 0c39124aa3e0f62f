// SPDX-License-Identifier: Apache-2.0
//
// A milter connection from the MTA's side: what is agreed, what is answered, what is signed, and
// what must never cross from one message or client to another.

#include "countersign/milter/session.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "countersign/mailflow/header_edit.hpp"
#include "tests/support/milter_mta.hpp"
#include "tests/support/signing.hpp"

namespace countersign::milter {
namespace {

using test::Mta;
using test::policy_for_example_org;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::StartsWith;

TEST(Session, SignsAndAnswersOnlyTheEnd) {
  Mta mta(policy_for_example_org());
  mta.negotiate();

  EXPECT_THAT(mta.connect(), IsEmpty());
  EXPECT_THAT(mta.send_message("alice@example.org"),
              ElementsAre(StartsWith("insert 0 DKIM-Signature: v=1; "), "accept"));
  EXPECT_THAT(mta.outcome().signatures.size(), 1);
}

}  // namespace
}  // namespace countersign::milter
