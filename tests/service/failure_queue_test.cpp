// SPDX-License-Identifier: Apache-2.0
//
// What waits to be told and who has been told how often, in bounded memory: what is one group, and
// what whoever floods both leaves to others.

#include "service/reporting/failure_queue.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "service/reporting/hourly_cap.hpp"
#include "tests/support/forgeries.hpp"

namespace countersign::service {
namespace {

using namespace std::chrono_literals;
using mailflow::FailureToReport;
using test::forged;
using test::name;
using test::noon;
using testing::AllOf;
using testing::Ge;
using testing::Le;

// --- the queue -----------------------------------------------------------------------------------

Queued add(FailureQueue& queue, const std::shared_ptr<const FailureToReport>& failure,
           std::chrono::sys_seconds now = noon) {
  return queue.add(key_of(failure->message), failure, now);
}

TEST(FailureQueue, S51WhatIsAlikeIsOneGroup) {
  FailureQueue queue(300s, {});
  const auto shown = forged("own.example");
  EXPECT_EQ(add(queue, shown), Queued::first);
  EXPECT_EQ(add(queue, forged("own.example"), noon + 299s), Queued::counted);
  EXPECT_EQ(add(queue, forged("other.example"), noon + 10s), Queued::first);
  EXPECT_EQ(add(queue, forged("own.example", {"mailto:x@own.example"}, "203.0.113.67"), noon + 20s),
            Queued::first);
  EXPECT_EQ(queue.groups(), 3U);
  EXPECT_EQ(queue.incidents(), 4U);
  EXPECT_EQ(queue.next_due(), noon + 300s);
  EXPECT_FALSE(queue.take_due(noon + 299s));
  const auto group = queue.take_due(noon + 300s);
  ASSERT_TRUE(group);
  EXPECT_EQ(group->first, shown);
  EXPECT_EQ(group->incidents, 2U);
  EXPECT_FALSE(queue.take_due(noon + 300s)) << "the next one began later";
  EXPECT_EQ(add(queue, forged("own.example"), noon + 301s), Queued::first);
  EXPECT_EQ(queue.incidents(), 3U);
}

TEST(FailureQueue, IsBoundedInGroupsAndInOctets) {
  FailureQueue two(300s, {.groups = 2, .octets = 1 << 20});
  EXPECT_EQ(add(two, forged("a.example")), Queued::first);
  EXPECT_EQ(add(two, forged("b.example")), Queued::first);
  EXPECT_EQ(add(two, forged("c.example")), Queued::dropped);
  EXPECT_EQ(add(two, forged("a.example")), Queued::counted) << "this needs no room";
  ASSERT_TRUE(two.take_due(noon + 300s));
  EXPECT_EQ(add(two, forged("c.example")), Queued::first);

  FailureQueue small(300s, {.groups = 100, .octets = 5'000});
  EXPECT_EQ(add(small, forged("a.example")), Queued::first);
  EXPECT_EQ(add(small, forged("b.example")), Queued::first);
  EXPECT_EQ(add(small, forged("c.example")), Queued::dropped);
  ASSERT_TRUE(small.take_due(noon + 300s));
  EXPECT_EQ(add(small, forged("c.example")), Queued::first) << "its octets are free again";

  auto large = std::make_shared<FailureToReport>(*forged("a.example"));
  large->message.header.emplace_back("X: " + std::string(10'000, 'x'));
  FailureQueue fresh(300s, {.groups = 100, .octets = 5'000});
  EXPECT_EQ(add(fresh, large), Queued::dropped);
}

TEST(FailureQueue, S51APolicyDomainHasItsShare) {
  FailureQueue groups(300s, {.groups = 80, .octets = 1 << 30});
  const auto from = [](int client) {
    return forged("evil.example", {}, "203.0.113." + std::to_string(client));
  };
  for (int i = 0; i < 100; ++i) add(groups, from(i));
  EXPECT_EQ(groups.groups(), 10U);
  EXPECT_EQ(add(groups, from(0)), Queued::counted) << "this needs no room";
  EXPECT_EQ(add(groups, forged("own.example")), Queued::first);
  ASSERT_TRUE(groups.take_due(noon + 300s));
  EXPECT_EQ(add(groups, from(99)), Queued::first) << "its room is free again";

  FailureQueue octets(300s, {.groups = 1'000, .octets = 80'000});
  for (int i = 0; i < 100; ++i) add(octets, from(i));
  EXPECT_EQ(octets.groups(), 4U);
  EXPECT_EQ(add(octets, forged("own.example")), Queued::first);
}

TEST(FailureQueue, S51DomainsOfOneSiteLeaveRoomForOthers) {
  const auto flood = [](FailureQueue& queue) {
    for (int i = 0; i < 100; ++i) add(queue, forged("d" + std::to_string(i) + ".evil.example"));
  };
  FailureQueue groups(300s, {.groups = 20, .octets = 1 << 30});
  flood(groups);
  EXPECT_EQ(groups.groups(), 10U);
  for (const char* domain : {"a.example", "b.example", "c.example", "d.example"})
    EXPECT_EQ(add(groups, forged(domain)), Queued::first) << domain;
  flood(groups);
  EXPECT_EQ(groups.groups(), 14U);
  while (groups.take_due(noon + 300s)) {
  }
  flood(groups);
  EXPECT_EQ(groups.groups(), 10U) << "their room is free again";

  FailureQueue octets(300s, {.groups = 1'000, .octets = 50'000});
  flood(octets);
  EXPECT_THAT(octets.groups(), AllOf(Ge(5U), Le(12U)));
  EXPECT_EQ(add(octets, forged("own.example")), Queued::first);
}

TEST(FailureQueue, S51AHeaderIsCutToWhatAReportNeeds) {
  const auto kept = [](const Header& header) {
    auto failure = std::make_shared<FailureToReport>(*forged("own.example"));
    failure->message.header = header;
    return FailureQueue(300s, {.header_octets = 1'000, .header_fields = 4})
        .cut(failure)
        ->message.header;
  };
  const Header plain = test::header({"Received: a", "From: a@own.example", "Subject: x"});
  EXPECT_EQ(kept(plain), plain);
  Header header = plain;
  header.emplace(header.begin() + 1, "X: " + std::string(60'000, 'x'));
  EXPECT_EQ(kept(header), plain);
  header.assign(5, HeaderField("X: y"));
  header.emplace_back("From: a@own.example");
  EXPECT_EQ(kept(header), test::header({"X: y", "X: y", "X: y", "From: a@own.example"}));
}

TEST(FailureQueue, AClockThatIsSetBackDelaysNothing) {
  FailureQueue queue(300s, {});
  add(queue, forged("a.example"));
  EXPECT_TRUE(queue.take_due(noon - 1h));
}

// --- the cap -------------------------------------------------------------------------------------

Mailbox ruf_at(const std::string& domain, const std::string& local_part = "ruf") {
  return {local_part, name(domain)};
}

TEST(HourlyCap, CountsEachAddressByTheHour) {
  HourlyCap cap(2, 10);
  EXPECT_EQ(cap.admit(ruf_at("a.example"), noon), Admission::granted);
  EXPECT_EQ(cap.admit(ruf_at("a.example", "RUF"), noon + 59min), Admission::granted);
  EXPECT_EQ(cap.admit(ruf_at("a.example"), noon + 59min), Admission::used_up);
  EXPECT_EQ(cap.admit(ruf_at("a.example", "b"), noon + 59min), Admission::granted);
  EXPECT_EQ(cap.admit(ruf_at("a.example"), noon + 60min), Admission::granted);
  EXPECT_EQ(cap.admit(ruf_at("a.example"), noon - 1min), Admission::granted)
      << "the clock was set back";
}

TEST(HourlyCap, RemembersABoundedNumberOfAddresses) {
  HourlyCap cap(1, 2);
  EXPECT_EQ(cap.admit(ruf_at("a.example"), noon), Admission::granted);
  EXPECT_EQ(cap.admit(ruf_at("b.example"), noon + 30min), Admission::granted);
  EXPECT_EQ(cap.admit(ruf_at("c.example"), noon + 30min), Admission::no_room);
  EXPECT_EQ(cap.addresses(), 2U);
  EXPECT_EQ(cap.admit(ruf_at("c.example"), noon + 61min), Admission::granted)
      << "the hour of a is over";
  EXPECT_EQ(cap.addresses(), 2U);
}

TEST(HourlyCap, S51OneSiteLeavesRoomForOthers) {
  HourlyCap cap(1, 10);
  const auto flood = [&cap](std::chrono::sys_seconds when) {
    int granted = 0;
    for (int i = 0; i < 100; ++i) {
      const std::string number = std::to_string(i);
      const Mailbox address = ruf_at("d" + number + ".evil.example", "a" + number);
      if (cap.admit(address, when) == Admission::granted) ++granted;
    }
    return granted;
  };
  EXPECT_EQ(flood(noon), 5);
  EXPECT_EQ(cap.admit(ruf_at("a.example"), noon), Admission::granted);
  EXPECT_EQ(cap.admit(ruf_at("b.example"), noon), Admission::granted);
  EXPECT_EQ(flood(noon + 60min), 5) << "what it held is forgotten, and the others are too";
}

}  // namespace
}  // namespace countersign::service
