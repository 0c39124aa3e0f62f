// SPDX-License-Identifier: Apache-2.0
//
// All actions are the members of Actions, found by their octets and not by their names, so that a
// new one cannot be forgotten.

#include "countersign/mailflow/judging_policy.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace countersign::mailflow {
namespace {

TEST(Actions, OffersEachMemberThatIsAnAction) {
  using Octets = std::array<std::uint8_t, sizeof(Actions)>;
  auto all_accept = std::bit_cast<Actions>(Octets{});
  all_accept.dmarc_reject = RejectPolicy::reject;
  std::size_t members = 0;
  for (std::size_t i = 0; i < sizeof(Actions); ++i) {
    auto octets = std::bit_cast<Octets>(all_accept);
    if (octets[i] != 0) continue;  // dmarc_reject.
    octets[i] = static_cast<std::uint8_t>(Action::discard);
    EXPECT_EQ(std::ranges::count(std::bit_cast<Actions>(octets).all(), Action::discard), 1) << i;
    ++members;
  }
  EXPECT_EQ(members, all_accept.all().size());
}

}  // namespace
}  // namespace countersign::mailflow
