// SPDX-License-Identifier: Apache-2.0
//
// Connections in trouble: peers that are silent, slow, gone or speak something else, more of them
// than may be, no descriptors left, a session that throws. Whatever it is, it stays with the one
// connection.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <boost/asio/co_spawn.hpp>
#include <chrono>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/eventually.hpp"
#include "tests/support/milter_octets.hpp"
#include "tests/support/served_filter.hpp"

namespace countersign::service {
namespace {

using namespace std::chrono_literals;
using Family = config::SocketSpec::Family;
using test::end_of_body;
using test::eventually;
using test::frames;
using test::mail_of;
using test::message_without_end;
using test::MtaConnection;
using test::negotiated;
using test::ServedFilter;

std::size_t open_descriptors() {
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    count += entry.exists() ? 1 : 0;
  }
  return count;
}

/// As many complete messages as no socket buffer holds the replies of.
std::string flood() {
  std::string octets;
  while (octets.size() < 4'000'000) octets += message_without_end() + end_of_body();
  return octets;
}

// --- deadlines -----------------------------------------------------------------------------------

TEST(MilterDeadlines, EndPeersThatDoNotMove) {
  const ServedFilter filter({.timeouts = {.idle = 1'500ms, .packet = 200ms}});
  const MtaConnection never_spoke = filter.connect();
  const MtaConnection between_packets = negotiated(filter);
  const MtaConnection inside_packet = negotiated(filter);
  inside_packet.send(message_without_end().substr(0, 7));

  EXPECT_TRUE(inside_packet.is_closed());
  EXPECT_TRUE(never_spoke.is_closed());
  EXPECT_FALSE(between_packets.is_closed(0ms));
  EXPECT_TRUE(between_packets.is_closed());
  EXPECT_EQ(filter.log().count("did not complete a packet in time"), 1);
  EXPECT_EQ(filter.log().count("was silent for too long"), 2);
  EXPECT_TRUE(eventually([&] { return filter.connections() == 0; }));
}

TEST(MilterDeadlines, AreNotMovedByTheOctetsOfOnePacket) {
  const ServedFilter filter({.timeouts = {.idle = 60s, .packet = 300ms}});
  const MtaConnection mta = negotiated(filter);
  const std::string packet = frames({milter::BodyChunk{std::string(100'000, 'x')}});
  std::size_t sent = 0;
  const auto begun = std::chrono::steady_clock::now();
  try {
    for (; sent < packet.size() && !mta.is_closed(20ms); ++sent) mta.send(packet.substr(sent, 1));
  } catch (const std::runtime_error&) {  // It is gone, as it should be.
  }
  EXPECT_LT(sent, packet.size());
  EXPECT_LT(std::chrono::steady_clock::now() - begun, 10s);
  EXPECT_TRUE(filter.log().has("did not complete a packet in time"));
}

TEST(MilterDeadlines, AreMovedByEveryPacket) {
  const ServedFilter filter({.timeouts = {.idle = 1'200ms, .packet = 1'200ms}});
  const MtaConnection mta = negotiated(filter);
  mta.send(message_without_end());
  for (int i = 0; i < 12; ++i) {
    std::this_thread::sleep_for(200ms);
    mta.send(frames({milter::BodyChunk{"more\r\n"}}));
  }
  mta.send(end_of_body());
  EXPECT_EQ(test::codes(mta.receive_frames(2)), "ia");
}

TEST(MilterDeadlines, EndPeersThatDoNotTakeTheirReplies) {
  const ServedFilter filter({.timeouts = {.idle = 60s, .packet = 300ms}});
  const MtaConnection stuck = negotiated(filter);
  std::jthread sender([&stuck] { EXPECT_THROW(stuck.send(flood()), std::runtime_error); });
  EXPECT_TRUE(eventually([&] { return filter.log().has("did not take a reply in time"); }));
  MtaConnection other = filter.connect();
  EXPECT_EQ(other.push_and_verify(mail_of()), "pass");
}

// --- the number of connections -------------------------------------------------------------------

TEST(MilterDoors, LetConnectionsWaitWhenAllSessionsAreTaken) {
  const ServedFilter filter({.doors = {Family::unix, Family::inet}, .connections_max = 2});
  std::vector<MtaConnection> open;
  open.push_back(negotiated(filter, 0));
  open.push_back(negotiated(filter, 1));
  std::vector<MtaConnection> waiting;
  for (const std::size_t door : {0U, 1U, 0U, 1U}) {
    waiting.push_back(filter.connect(door));
    waiting.back().send(test::negotiation());
  }
  ASSERT_TRUE(eventually([&] { return filter.log().has("all sessions are taken"); }));
  for (const MtaConnection& one : waiting) EXPECT_EQ(one.receive(20ms), std::nullopt);
  EXPECT_EQ(filter.connections(), 2U);

  // Each that ends lets one in, at once: nobody polls.
  const auto begun = std::chrono::steady_clock::now();
  while (!waiting.empty()) {
    open.front().hang_up();
    open.erase(open.begin());
    const auto served = [](const MtaConnection& one) {
      const auto octets = one.receive(0ms);
      return octets && !octets->empty();
    };
    auto next = waiting.end();
    ASSERT_TRUE(eventually([&] {
      next = std::find_if(waiting.begin(), waiting.end(), served);
      return next != waiting.end();
    }));
    open.push_back(std::move(*next));
    waiting.erase(next);
  }
  EXPECT_LT(std::chrono::steady_clock::now() - begun, 10s);
  EXPECT_EQ(filter.log().count("all sessions are taken"), 1) << "the log must not fill";
}

TEST(MilterDoors, SurviveARushOnTheirBound) {
  const ServedFilter filter(
      {.doors = {Family::unix, Family::inet}, .workers = 2, .connections_max = 3});
  std::atomic<int> passed = 0;
  {
    std::vector<std::jthread> mtas;
    for (int i = 0; i < 8; ++i) {
      mtas.emplace_back([&filter, &passed, i] {
        for (int j = 0; j < 25; ++j) {
          MtaConnection mta = filter.connect(static_cast<std::size_t>((i + j) % 2));
          if (mta.push_and_verify(mail_of()) == "pass") ++passed;
        }
      });
    }
  }
  EXPECT_EQ(passed, 8 * 25);
  EXPECT_TRUE(eventually([&] { return filter.connections() == 0; }));
}

TEST(MilterDoors, WaitWhenThereAreNoDescriptorsLeft) {
  const ServedFilter filter;
  MtaConnection before = filter.connect();
  EXPECT_EQ(before.push_and_verify(mail_of()), "pass");
  // Sockets of our own that need no more descriptors to connect.
  std::vector<test::Descriptor> sockets;
  for (int i = 0; i < 3; ++i) sockets.push_back(test::make_socket(AF_UNIX));
  rlimit old{};
  ::getrlimit(RLIMIT_NOFILE, &old);
  const rlimit none_left{.rlim_cur = open_descriptors() - 1, .rlim_max = old.rlim_max};
  ::setrlimit(RLIMIT_NOFILE, &none_left);
  for (const test::Descriptor& socket : sockets) test::connect_to(socket, filter.door());

  EXPECT_TRUE(eventually([&] { return filter.log().has("cannot accept connections"); }));
  std::this_thread::sleep_for(700ms);
  EXPECT_EQ(filter.log().count("cannot accept connections"), 1) << "the log must not fill";
  EXPECT_EQ(before.push_and_verify(mail_of()), "pass");
  ::setrlimit(RLIMIT_NOFILE, &old);
  for (test::Descriptor& socket : sockets) {
    MtaConnection mta(std::move(socket));
    EXPECT_EQ(mta.push_and_verify(mail_of()), "pass");
  }
}

// --- peers that speak something else -------------------------------------------------------------

TEST(MilterPeers, ThatSpeakSomethingElseAreClosedAndOthersLive) {
  using namespace std::string_literals;
  const std::vector<std::string> garbage{"GET / HTTP/1.1\r\nHost: x\r\n\r\n"s,
                                         "EHLO mail.example\r\n"s,
                                         "\0\0\0\0"s,
                                         "\xff\xff\xff\xff\xff"s,
                                         std::string(100'000, '\0'),
                                         end_of_body(),
                                         frames({milter::Negotiate{1, 0x1ff, 0x1f'ffff, {}}}),
                                         test::negotiation() + "\0\0\0\1?"s};
  const ServedFilter filter;
  MtaConnection good = filter.connect();
  for (const std::string& octets : garbage) {
    const MtaConnection bad = filter.connect();
    bad.send(octets);
    EXPECT_TRUE(bad.is_closed());
    EXPECT_EQ(good.push_and_verify(mail_of()), "pass");
  }
  EXPECT_EQ(filter.log().count("milter session failed"), static_cast<int>(garbage.size()))
      << filter.log().text();
}

TEST(MilterPeers, ThatGoAwayLeaveNothingOpen) {
  const std::size_t before = open_descriptors();
  {
    const ServedFilter filter({.doors = {Family::unix, Family::inet}});
    const std::string whole = test::negotiation() + message_without_end() + end_of_body();
    for (std::size_t length = 0; length < whole.size(); length += 3) {
      const MtaConnection mta = filter.connect(length % 2);
      mta.send(whole.substr(0, length));
    }
    EXPECT_TRUE(eventually([&] { return filter.connections() == 0; }));
    MtaConnection last = filter.connect();
    EXPECT_EQ(last.push_and_verify(mail_of()), "pass");
  }
  EXPECT_EQ(open_descriptors(), before);
}

TEST(MilterPeers, ThatGoAwayInTheMiddleOfAMessageAreToldInTheLog) {
  const ServedFilter filter;
  MtaConnection mta = negotiated(filter);
  mta.send(message_without_end());
  mta.hang_up();
  EXPECT_TRUE(eventually(
      [&] { return filter.log().has("closed the connection in the middle of a message"); }));
}

// --- sessions that throw -------------------------------------------------------------------------

TEST(MilterSession, ThatThrowsAnswersTempfailAndIsTold) {
  test::LogFile file;
  std::vector<char> buffer(4'096);
  int asked = 0;
  ConnectionHost host{.buffer = buffer, .log = file.log(), .policies = [&asked] {
                        if (asked++ > 0) throw std::runtime_error("no \"policy\"");
                        return test::shared(test::policy_for_example_org());
                      }};
  std::array<int, 2> ends{};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()), 0);
  const MtaConnection mta{Descriptor(ends[0])};
  boost::asio::io_context context(1);
  {
    Connection connection(context, Descriptor(ends[1]), host);
    mta.send(test::negotiation());
    boost::asio::co_spawn(context, connection.serve(), [&](const std::exception_ptr& error) {
      ASSERT_TRUE(error);
      connection.fail(error);
    });
    context.run();
  }
  EXPECT_EQ(mta.receive(), std::string("\0\0\0\1t", 5));
  EXPECT_TRUE(mta.is_closed());
  EXPECT_TRUE(file.has("error=\"no \\\"policy\\\"\"")) << file.text();
}

TEST(MilterSession, ThatCannotBeMadeClosesItsSocketOnce) {
  test::LogFile file;
  std::vector<char> buffer(4'096);
  ConnectionHost host{.buffer = buffer,
                      .log = file.log(),
                      .policies = []() -> std::shared_ptr<const mailflow::Policy> {
                        throw std::runtime_error("none");
                      }};
  std::array<int, 2> ends{};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()), 0);
  const MtaConnection mta{Descriptor(ends[0])};
  boost::asio::io_context context(1);
  EXPECT_THROW(Connection(context, Descriptor(ends[1]), host), std::runtime_error);
  EXPECT_TRUE(mta.is_closed());
}

}  // namespace
}  // namespace countersign::service
