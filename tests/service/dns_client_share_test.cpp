// SPDX-License-Identifier: Apache-2.0
//
// What one client's mail may have under way of DNS, and that it takes nothing from others.

#include "service/dns/client_share.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "service/dns/drive.hpp"
#include "tests/support/fake_resolver.hpp"
#include "tests/support/run_awaitable.hpp"

namespace countersign::service {
namespace {

using dns::AnswerStatus;
using std::chrono::milliseconds;

IpAddress ip(std::string_view text) { return IpAddress::parse(text).value(); }

dns::Asking<AnswerStatus> ask_one(std::string name) {
  const dns::Answer answer = co_await dns::ask({std::move(name), dns::RecordType::txt});
  co_return answer.status;
}

dns::Asking<std::vector<AnswerStatus>> ask_many(int count) {
  std::vector<dns::Asking<AnswerStatus>> parts;
  for (int i = 0; i < count; ++i) parts.push_back(ask_one("n" + std::to_string(i)));
  co_return co_await dns::all(std::move(parts));
}

TEST(ClientShares, S41EachClientHasItsShare) {
  ClientShares shares(2);
  auto first = shares.take(ip("192.0.2.1"));
  auto second = shares.take(ip("192.0.2.1"));
  EXPECT_TRUE(first && second);
  EXPECT_FALSE(shares.take(ip("192.0.2.1")));
  EXPECT_TRUE(shares.take(ip("192.0.2.2"))) << "another client";
  first.reset();
  EXPECT_TRUE(shares.take(ip("192.0.2.1"))) << "one has come back";
  second.reset();
  EXPECT_EQ(shares.clients(), 0U) << "nobody is remembered who has nothing under way";
}

TEST(ClientShares, AHostOfIpv6HasOneShare) {
  ClientShares shares(1);
  const auto first = shares.take(ip("2001:db8::1"));
  EXPECT_FALSE(shares.take(ip("2001:db8::ffff:1")));
  EXPECT_TRUE(shares.take(ip("2001:db8:0:1::1")));
}

TEST(ClientShares, CountFromManyThreads) {
  ClientShares shares(100);
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i)
      threads.emplace_back([&shares, i] {
        for (int round = 0; round < 1'000; ++round)
          EXPECT_TRUE(shares.take(ip("192.0.2." + std::to_string(i % 2))));
      });
  }
  EXPECT_EQ(shares.clients(), 0U);
}

TEST(ClientResolver, S41RefusesWhatIsBeyondTheShare) {
  boost::asio::io_context io{1};
  test::FakeResolver fake;
  fake.delay = milliseconds{20};
  ClientShares shares(3);
  const auto statuses_of = [&](std::optional<IpAddress> client) {
    ClientResolver resolver(fake, &shares, std::move(client));
    return test::run_awaitable(io, drive(ask_many(5), resolver, {}));
  };
  const std::vector<AnswerStatus> bounded = statuses_of(ip("192.0.2.1"));
  EXPECT_EQ(std::ranges::count(bounded, AnswerStatus::records), 3);
  EXPECT_EQ(std::ranges::count(bounded, AnswerStatus::servfail), 2);
  EXPECT_EQ(fake.asked, 3) << "the others were not asked";
  EXPECT_EQ(std::ranges::count(statuses_of(std::nullopt), AnswerStatus::records), 5);
  EXPECT_EQ(shares.clients(), 0U);
}

TEST(ClientResolver, APlaceComesBackHoweverTheQuestionEnds) {
  boost::asio::io_context io{1};
  test::FakeResolver fake;
  fake.answer = [](const dns::Question&) -> dns::Answer { throw std::runtime_error("broken"); };
  ClientShares shares(3);
  ClientResolver resolver(fake, &shares, ip("192.0.2.1"));
  for (int round = 0; round < 3; ++round)
    EXPECT_EQ(test::run_awaitable(io, drive(ask_many(3), resolver, {})),
              std::vector(3, AnswerStatus::servfail));
  EXPECT_EQ(fake.asked, 9);
  EXPECT_EQ(shares.clients(), 0U);
}

}  // namespace
}  // namespace countersign::service
