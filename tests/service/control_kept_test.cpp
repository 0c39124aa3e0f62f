// SPDX-License-Identifier: Apache-2.0
//
// The ring of the last messages: what it keeps, what it lets go of, and many hands on it at once.

#include "service/control/kept_messages.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/judging.hpp"

namespace countersign::service {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::chrono::sys_seconds start{seconds{1'750'000'000}};
constexpr std::size_t plenty = 1'000'000'000;

KeptMessage message_with_id(const std::string& queue_id, std::size_t number = 0) {
  KeptMessage message;
  message.finished = start + seconds(number);
  message.outcome.queue_id = queue_id;
  message.outcome.body_octets = number;
  return message;
}

/// Numbers of the messages that were found, in their order.
std::vector<std::uint64_t> numbers_of(const KeptMessages::Found& found) {
  std::vector<std::uint64_t> numbers;
  for (const auto& message : found) numbers.push_back(message->outcome.body_octets);
  return numbers;
}

KeptMessage judged(const std::string& zone, const std::string& more_fields = "") {
  const test::Arrived arrived =
      arrive(test::by("alice@example.com", more_fields), test::judging_policy(), zone);
  return {.outcome = arrived.outcome};
}

/// A text as the strings of a master file.
std::string strings_of(std::string_view text) {
  std::string strings;
  for (; !text.empty(); text.remove_prefix(std::min<std::size_t>(text.size(), 200)))
    strings += '"' + std::string(text.substr(0, 200)) + "\" ";
  return strings;
}

TEST(KeptMessages, AreFoundByTheirIdTheNewestFirst) {
  KeptMessages kept({.messages = 10, .octets = plenty}, start);
  std::size_t number = 0;
  for (const char* id : {"A", "B", "A", "C", "A"}) kept.keep(message_with_id(id, ++number));
  EXPECT_THAT(numbers_of(kept.find("A", 10)), ElementsAre(5, 3, 1));
  EXPECT_THAT(numbers_of(kept.find("A", 2)), ElementsAre(5, 3));
  EXPECT_THAT(numbers_of(kept.find("B", 10)), ElementsAre(2));
  EXPECT_THAT(kept.find("D", 10), IsEmpty());
  EXPECT_THAT(kept.find("a", 10), IsEmpty()) << "queue ids heed case";
  EXPECT_THAT(numbers_of(kept.last(3)), ElementsAre(5, 4, 3));
  EXPECT_THAT(kept.last(0), IsEmpty());
}

TEST(KeptMessages, AreAtMostSoMany) {
  KeptMessages kept({.messages = 300, .octets = plenty}, start);
  for (std::size_t i = 1; i <= 1'000; ++i) kept.keep(message_with_id(std::to_string(i), i));
  const KeptReach reach = kept.reach();
  EXPECT_EQ(reach.messages, 300U);
  EXPECT_EQ(reach.forgotten, 700U);
  EXPECT_EQ(reach.oldest, start + seconds(701));
  EXPECT_EQ(reach.since, start);
  EXPECT_THAT(kept.find("700", 1), IsEmpty());
  EXPECT_THAT(numbers_of(kept.find("701", 1)), ElementsAre(701)) << "the last that is looked at";
  EXPECT_EQ(kept.last(1'000).size(), 300U);
}

TEST(KeptMessages, TakeAtMostSoMuchMemory) {
  const std::size_t one = octets_of(message_with_id("small"));
  KeptMessages kept({.messages = 100, .octets = 10 * one}, start);
  for (std::size_t i = 1; i <= 30; ++i) kept.keep(message_with_id("small", i));
  EXPECT_EQ(kept.reach().messages, 10U);
  KeptMessage large = message_with_id("large", 31);
  large.envelope.mail_from.assign(5 * one, 'x');
  kept.keep(large);
  EXPECT_THAT(numbers_of(kept.last(100)), ElementsAre(31, 30, 29, 28)) << "it takes six places";
  EXPECT_LE(kept.reach().octets, 10 * one);
  large.envelope.mail_from.assign(10 * one, 'x');
  kept.keep(large);
  EXPECT_EQ(kept.reach().messages, 4U) << "what never fits drives nothing out";
  std::size_t octets = 0;
  for (const auto& message : kept.last(100)) octets += octets_of(*message);
  EXPECT_EQ(kept.reach().octets, octets);
}

TEST(KeptMessages, FollowNewBounds) {
  KeptMessages kept({.messages = 10, .octets = plenty}, start);
  for (std::size_t i = 1; i <= 10; ++i) kept.keep(message_with_id("A", i));
  kept.adjust({.messages = 2, .octets = plenty});
  EXPECT_THAT(numbers_of(kept.last(10)), ElementsAre(10, 9));
  kept.adjust({.messages = 2, .octets = octets_of(message_with_id("A"))});
  EXPECT_THAT(numbers_of(kept.last(10)), ElementsAre(10));
  kept.adjust({.messages = 0, .octets = plenty});
  EXPECT_FALSE(kept.is_on());
  kept.keep(message_with_id("A", 11));
  EXPECT_EQ(kept.reach().messages, 0U);
  EXPECT_EQ(kept.reach().octets, 0U);
  EXPECT_FALSE(kept.reach().oldest);
  kept.adjust({.messages = 1, .octets = plenty});
  EXPECT_TRUE(kept.is_on());
  kept.keep(message_with_id("A", 12));
  EXPECT_THAT(numbers_of(kept.find("A", 10)), ElementsAre(12));
}

TEST(KeptMessages, StayWithWhoeverAskedForThem) {
  KeptMessages kept({.messages = 1, .octets = plenty}, start);
  kept.keep(message_with_id("A", 1));
  const KeptMessages::Found found = kept.find("A", 1);
  kept.keep(message_with_id("B", 2));
  EXPECT_THAT(kept.find("A", 1), IsEmpty());
  EXPECT_THAT(numbers_of(found), ElementsAre(1));
}

TEST(KeptMessages, ManyThreadsPutAndLookAtTheSameTime) {
  KeptMessages kept({.messages = 200, .octets = plenty}, start);
  std::atomic<bool> done = false;
  std::vector<std::jthread> workers;
  for (std::size_t worker = 0; worker < 4; ++worker) {
    workers.emplace_back([&kept, worker] {
      for (std::size_t i = 0; i < 2'000; ++i)
        kept.keep(message_with_id(i % 7 == 0 ? "wanted" : "other", worker));
    });
  }
  std::jthread operators([&] {
    while (!done) {
      for (const auto& message : kept.find("wanted", 20))
        EXPECT_EQ(message->outcome.queue_id, "wanted");
      EXPECT_LE(kept.last(500).size(), 200U);
      kept.adjust({.messages = 100, .octets = plenty});
      EXPECT_LE(kept.reach().messages, 100U);
      kept.adjust({.messages = 200, .octets = plenty});
    }
  });
  workers.clear();
  done = true;
  operators.join();
  EXPECT_LE(kept.reach().messages, 200U);
  EXPECT_EQ(kept.reach().messages + kept.reach().forgotten, 8'000U);
}

/// By how much a message becomes larger when a text in it that is one octet long becomes longer.
template <class MessageWith>
std::size_t growth(MessageWith message_with, std::size_t by) {
  return octets_of(message_with(std::string(by + 1, 'x'))) -
         octets_of(message_with(std::string(1, 'x')));
}

TEST(OctetsOfMessage, GrowWithWhatStrangersMakeLarge) {
  static constexpr std::size_t by = 3'000;
  const std::string zone(test::judging_zone);
  const std::size_t usual = octets_of(judged(zone));
  EXPECT_GT(usual, 1'500U);
  EXPECT_LT(usual, 30'000U);
  const auto expect_growth = [](std::size_t grown) {
    EXPECT_GE(grown, by - 32) << "a short string keeps so much in itself";
    EXPECT_LT(grown, 3 * by) << "it is counted too often";
  };
  expect_growth(growth(
      [](const std::string& text) {
        return judged("example.com. 60 IN TXT " + strings_of("v=spf1 x=" + text + " -all") + "\n");
      },
      by));
  expect_growth(growth(
      [](const std::string& text) {
        return judged("_dmarc.example.com. 60 IN TXT " + strings_of("v=DMARC1; p=none; x=" + text) +
                      "\n");
      },
      by));
  expect_growth(growth(
      [&zone](const std::string& text) {
        return judged(zone,
                      "DKIM-Signature: v=1; a=rsa-sha256; d=example.com; s=x; h=from;\r\n"
                      " bh=AAAA; b=AAAA; z=Subject:" +
                          text + "\r\n");
      },
      by));
  expect_growth(growth(
      [&zone](const std::string& text) {
        KeptMessage message = judged(zone);
        message.asked.push_back({.question = {text, dns::RecordType::txt}});
        return message;
      },
      by));
}

}  // namespace
}  // namespace countersign::service
