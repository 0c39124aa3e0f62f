// SPDX-License-Identifier: Apache-2.0
//
// The structure of a chain: what makes one, and everything that unmakes it. Nothing here verifies,
// so the signatures are made up.

#include "countersign/arc/set.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace countersign::arc {
namespace {

std::string number(unsigned instance) { return std::to_string(instance); }

HeaderField aar(unsigned instance) {
  return HeaderField("ARC-Authentication-Results: i=" + number(instance) + "; mx.example; none");
}
HeaderField ams(unsigned instance) {
  return HeaderField("ARC-Message-Signature: i=" + number(instance) +
                     "; a=rsa-sha256; d=example.com; s=june; h=from; bh=YQ==; b=Yg==");
}
HeaderField seal(unsigned instance, std::string_view status) {
  return HeaderField("ARC-Seal: i=" + number(instance) + "; a=rsa-sha256; cv=" +
                     std::string(status) + "; d=example.com; s=june; b=Yg==");
}
HeaderField seal(unsigned instance) { return seal(instance, instance == 1 ? "none" : "pass"); }

// A header with that many whole sets, the newest on top, and From below.
Header header_of(unsigned sets) {
  Header header;
  for (unsigned instance = sets; instance > 0; --instance) {
    header.push_back(seal(instance));
    header.push_back(ams(instance));
    header.push_back(aar(instance));
  }
  header.push_back(HeaderField("From: a@example.com"));
  return header;
}

Header with(Header header, HeaderField field) {
  header.insert(header.begin(), std::move(field));
  return header;
}

Header without(Header header, std::size_t place) {
  header.erase(header.begin() + static_cast<std::ptrdiff_t>(place));
  return header;
}

Header with_replaced(Header header, std::size_t place, HeaderField field) {
  header[place] = std::move(field);
  return header;
}

void broken(const Header& header, Reason reason, std::string_view detail) {
  const Chain chain = collect_chain(header, Limits{});
  ASSERT_TRUE(chain.fault.has_value()) << detail;
  EXPECT_EQ(chain.fault->reason, reason) << to_string(chain.fault->reason);
  EXPECT_EQ(chain.fault->detail, detail);
  EXPECT_TRUE(chain.sets.empty());
  EXPECT_EQ(chain.has_ended(), reason == Reason::ended);
}

TEST(CollectChain, FindsNothingInAMessageWithoutArc) {
  const Chain chain = collect_chain(header_of(0), Limits{});
  EXPECT_TRUE(chain.sets.empty());
  EXPECT_FALSE(chain.fault.has_value());
  EXPECT_EQ(chain.instance_max, 0u);
  EXPECT_FALSE(chain.has_ended());
}

TEST(CollectChain, GivesTheSetsFromTheFirstOn) {
  const Chain chain = collect_chain(header_of(3), Limits{});
  ASSERT_FALSE(chain.fault.has_value()) << chain.fault->detail;
  ASSERT_EQ(chain.sets.size(), 3u);
  EXPECT_EQ(chain.instance_max, 3u);
  for (unsigned i = 0; i < 3; ++i) {
    const Set& set = chain.sets[i];
    EXPECT_EQ(set.instance, i + 1);
    EXPECT_EQ(set.aar.instance, i + 1);
    EXPECT_EQ(set.ams.instance, i + 1);
    EXPECT_EQ(set.seal.instance, i + 1);
    EXPECT_EQ(set.seal_place, 3 * (2 - i));
    EXPECT_EQ(set.ams_place, 3 * (2 - i) + 1);
    EXPECT_EQ(set.aar_place, 3 * (2 - i) + 2);
  }
}

TEST(CollectChain, TakesFieldsInAnyOrderAndCase) {
  Header header = header_of(4);
  std::ranges::reverse(header);
  for (HeaderField& field : header) {
    std::string raw(field.raw());
    std::ranges::transform(raw.begin(), raw.begin() + 4, raw.begin(),
                           [](char c) { return static_cast<char>(c | 0x20); });
    field = HeaderField(std::move(raw));
  }
  EXPECT_EQ(collect_chain(header, Limits{}).sets.size(), 4u);
}

// S-34: RFC 8617 §5.2 step 3A.
TEST(CollectChain, WantsEachFieldOnceS34) {
  for (const unsigned instance : {1u, 2u, 3u}) {
    const std::string set = "i=" + number(instance) + ": ";
    const std::size_t top = 3 * (3 - instance);
    broken(without(header_of(3), top), Reason::missing_field, set + "no ARC-Seal");
    broken(without(header_of(3), top + 1), Reason::missing_field, set + "no ARC-Message-Signature");
    broken(without(header_of(3), top + 2), Reason::missing_field,
           set + "no ARC-Authentication-Results");
    broken(with(header_of(3), seal(instance)), Reason::duplicate_field, set + "a second ARC-Seal");
    broken(with(header_of(3), ams(instance)), Reason::duplicate_field,
           set + "a second ARC-Message-Signature");
    broken(with(header_of(3), aar(instance)), Reason::duplicate_field,
           set + "a second ARC-Authentication-Results");
  }
}

TEST(CollectChain, CountsAnInstanceOnceHoweverItIsWrittenS34) {
  const HeaderField second("ARC-Authentication-Results: i=01; other.example; spf=pass");
  broken(with(header_of(1), second), Reason::duplicate_field,
         "i=1: a second ARC-Authentication-Results");
}

// S-34: RFC 8617 §5.2 step 3B.
TEST(CollectChain, WantsInstancesWithoutAGapS34) {
  Header header = header_of(3);
  header.erase(header.begin() + 3, header.begin() + 6);
  broken(header, Reason::missing_set, "i=2: there is no such set");
  Header first_gone = header_of(3);
  first_gone.erase(first_gone.begin() + 6, first_gone.begin() + 9);
  broken(first_gone, Reason::missing_set, "i=1: there is no such set");
}

// S-34: RFC 8617 §5.2 step 3C.
TEST(CollectChain, WantsNoneFirstAndPassFromThenOnS34) {
  broken(with_replaced(header_of(1), 0, seal(1, "pass")), Reason::bad_chain_status, "i=1: cv=pass");
  broken(with_replaced(header_of(2), 0, seal(2, "none")), Reason::bad_chain_status, "i=2: cv=none");
  broken(with_replaced(header_of(2), 3, seal(1, "pass")), Reason::bad_chain_status, "i=1: cv=pass");
  broken(with_replaced(header_of(2), 3, seal(1, "fail")), Reason::bad_chain_status, "i=1: cv=fail");
  broken(with_replaced(header_of(3), 3, seal(2, "fail")), Reason::bad_chain_status, "i=2: cv=fail");
}

// S-34: RFC 8617 §5.2 step 2 comes before all that is about structure.
TEST(CollectChain, EndsWithASealThatSaysFailS34) {
  broken(with_replaced(header_of(1), 0, seal(1, "fail")), Reason::ended, "i=1: cv=fail");
  broken(with_replaced(header_of(3), 0, seal(3, "fail")), Reason::ended, "i=3: cv=fail");
  broken(with(header_of(3), seal(7, "fail")), Reason::ended, "i=7: cv=fail");
  broken({seal(2, "fail")}, Reason::ended, "i=2: cv=fail");
  broken(with(with_replaced(header_of(2), 0, seal(2, "fail")), HeaderField("ARC-Seal: i=1; x")),
         Reason::ended, "i=2: cv=fail");
}

// S-34: 50 sets are a chain, the 51st is too many.
TEST(CollectChain, TakesFiftySetsAndNoMoreS34) {
  EXPECT_EQ(collect_chain(header_of(50), Limits{}).sets.size(), 50u);
  const Chain chain = collect_chain(header_of(51), Limits{});
  ASSERT_TRUE(chain.fault.has_value());
  EXPECT_EQ(chain.fault->reason, Reason::too_many_sets);
  EXPECT_EQ(chain.instance_max, 51u);
  broken(with(header_of(1), aar(51)), Reason::too_many_sets,
         "ARC-Authentication-Results: i= is over 50 (RFC 8617 §4.2.1), at octet 3");
}

TEST(CollectChain, ReadsNoMoreFieldsThanSetsCanHave) {
  Header header = header_of(50);
  header.insert(header.end(), 1'000, HeaderField("ARC-Seal: x"));
  broken(header, Reason::too_many_sets, "more ARC fields than complete sets can have");
}

TEST(CollectChain, TellsWhichFieldItCannotRead) {
  broken(with(header_of(1), HeaderField("ARC-Seal: cv=none")), Reason::bad_field,
         "ARC-Seal: i= is missing, or no number of one or two digits from 1 (RFC 8617 §4.2.1), at "
         "octet 0");
  broken({HeaderField("ARC-Seal")}, Reason::bad_field,
         "ARC-Seal: a tag that the field must have is missing (RFC 8617 §4.1), at octet 0");
}

// A sealer numbers its set by what is there, readable or not.
TEST(CollectChain, KnowsTheLargestInstanceOfBrokenFields) {
  const auto instance_max = [](const Header& header) {
    return collect_chain(header, Limits{}).instance_max;
  };
  EXPECT_EQ(instance_max(with(header_of(1), HeaderField("ARC-Seal: i=4; a=unknown"))), 4u);
  EXPECT_EQ(instance_max(with(header_of(1), HeaderField("ARC-Message-Signature: i=50"))), 50u);
  EXPECT_EQ(instance_max(with(header_of(1), HeaderField("ARC-Authentication-Results: i=9"))), 1u);
  EXPECT_EQ(instance_max({HeaderField("ARC-Seal: no list")}), 0u);
}

}  // namespace
}  // namespace countersign::arc
