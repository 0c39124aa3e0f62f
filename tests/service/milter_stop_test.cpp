// SPDX-License-Identifier: Apache-2.0
//
// The end of a worker: messages in flight are finished, what has arrived counts, everything else
// ends at once, and nothing that was handed over is lost or leaks.

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/eventually.hpp"
#include "tests/support/milter_octets.hpp"
#include "tests/support/served_filter.hpp"

namespace countersign::service {
namespace {

using namespace std::chrono_literals;
using test::end_of_body;
using test::eventually;
using test::mail_of;
using test::message_without_end;
using test::MtaConnection;
using test::negotiated;
using test::ServedFilter;

/// Both ends of a connection: the MTA's, and the one that is handed to a worker.
std::pair<MtaConnection, Descriptor> connected_pair() {
  std::array<int, 2> ends{};
  EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
  return {MtaConnection(Descriptor(ends[0])), Descriptor(ends[1])};
}

WorkerSettings worker_settings() {
  return {.policy = test::shared(test::policy_for_example_org())};
}

TEST(MilterStop, FinishesMessagesInFlightAndEndsIdleConnectionsAtOnce) {
  ServedFilter filter;
  const MtaConnection idle = negotiated(filter);
  const MtaConnection silent = filter.connect();
  const MtaConnection busy = negotiated(filter);
  busy.send(message_without_end());
  MtaConnection other = filter.connect();
  other.push(mail_of());
  ASSERT_TRUE(eventually([&] { return filter.connections() == 4; }));

  filter.stop();
  EXPECT_TRUE(idle.is_closed(5s));
  EXPECT_TRUE(silent.is_closed(5s));
  EXPECT_TRUE(other.is_closed(5s));
  EXPECT_FALSE(busy.is_closed(100ms));
  EXPECT_EQ(filter.ended(), 0U);
  busy.send(end_of_body());
  EXPECT_EQ(test::codes(busy.receive_frames(2)), "ia");
  EXPECT_TRUE(busy.is_closed(5s));
  EXPECT_TRUE(eventually([&] { return filter.ended() == 1; }));
}

TEST(MilterStop, EndsAConnectionThatBeginsAnotherMessageOnlyAfterIt) {
  ServedFilter filter;
  const MtaConnection busy = negotiated(filter);
  busy.send(message_without_end());
  ASSERT_TRUE(eventually([&] { return filter.connections() == 1; }));
  filter.stop();
  busy.send(end_of_body() + message_without_end());
  EXPECT_EQ(test::codes(busy.receive_frames(2)), "ia");
  busy.send(end_of_body());
  EXPECT_EQ(test::codes(busy.receive_frames(2)), "ia");
  EXPECT_TRUE(busy.is_closed(5s));
}

TEST(MilterStop, AtOnceGivesMessagesUp) {
  ServedFilter filter({.workers = 2});
  const MtaConnection busy = negotiated(filter);
  busy.send(message_without_end());
  filter.stop();
  EXPECT_FALSE(busy.is_closed(100ms));
  filter.stop_at_once();
  EXPECT_TRUE(busy.is_closed(5s));
  EXPECT_TRUE(eventually([&] { return filter.ended() == 2; }));
}

TEST(MilterStop, DeliversRepliesThatTheMtaHasNotTakenYet) {
  constexpr std::size_t count = 5'000;
  ServedFilter filter;
  const MtaConnection slow = negotiated(filter);
  std::string flood;
  for (std::size_t i = 0; i < count; ++i) flood += message_without_end() + end_of_body();
  std::jthread sender([&] { slow.send(flood); });
  // Wait until the worker is stuck with replies: the octets that it could read do not grow.
  std::string log;
  do {
    log = filter.log().text();
    std::this_thread::sleep_for(100ms);
  } while (log.empty() || log != filter.log().text());
  filter.stop();
  std::this_thread::sleep_for(50ms);
  EXPECT_EQ(slow.receive_frames(2 * count).size(), 2 * count);
  EXPECT_TRUE(slow.is_closed(5s));
}

TEST(MilterStop, ServesWhatArrivedBefore) {
  test::LogFile file;
  int ended = 0;
  Worker worker(worker_settings(), file.log(), [&ended](Service) { ++ended; });
  auto [with_message, one] = connected_pair();
  auto [without, other] = connected_pair();
  with_message.send(test::negotiation() + message_without_end() + end_of_body());
  worker.take(std::move(one));
  worker.take(std::move(other));
  worker.stop();
  worker.run();  // Returns, or the stop was lost.
  EXPECT_EQ(test::codes(with_message.receive_frames(2)), "Oa");
  EXPECT_TRUE(with_message.is_closed(0ms) && without.is_closed(0ms));
  EXPECT_EQ(ended, 2);
}

TEST(MilterStop, ServesWhatIsHandedOverAfter) {
  test::LogFile file;
  Worker worker(worker_settings(), file.log(), [](Service) {});
  auto [mta, socket] = connected_pair();
  mta.send(test::negotiation() + message_without_end());
  worker.stop();
  worker.take(std::move(socket));
  std::jthread thread([&worker] { worker.run(); });
  EXPECT_EQ(test::codes(mta.receive_frames(1)), "O");
  mta.send(end_of_body());
  EXPECT_EQ(test::codes(mta.receive_frames(1)), "a");
  EXPECT_TRUE(mta.is_closed(5s));
}

TEST(MilterStop, OfAWorkerThatNeverRanClosesWhatItHas) {
  test::LogFile file;
  auto [mta, socket] = connected_pair();
  {
    Worker worker(worker_settings(), file.log(), [](Service) {});
    worker.take(std::move(socket));
  }
  EXPECT_TRUE(mta.is_closed(0ms));
}

TEST(MilterStop, SurvivesAnExceptionInAHandler) {
  test::LogFile file;
  auto [first, one] = connected_pair();
  auto [second, two] = connected_pair();
  bool thrown = false;
  Worker worker(worker_settings(), file.log(), [&thrown](Service) {
    if (!std::exchange(thrown, true)) throw std::runtime_error("from outside");
  });
  first.hang_up();
  second.send(test::negotiation() + message_without_end() + end_of_body());
  worker.take(std::move(one));
  std::jthread thread([&worker] { worker.run(); });
  ASSERT_TRUE(eventually([&] { return file.has("error=\"from outside\""); }));
  worker.take(std::move(two));
  EXPECT_EQ(test::codes(second.receive_frames(2)), "Oa");
  worker.stop();
}

}  // namespace
}  // namespace countersign::service
