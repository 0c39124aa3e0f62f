// SPDX-License-Identifier: Apache-2.0
//
// Messages over real sockets: every family and version, any pieces, many on a connection, given up
// in the middle, pipelined, and across a change of the policy.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "tests/support/eventually.hpp"
#include "tests/support/milter_octets.hpp"
#include "tests/support/served_filter.hpp"

namespace countersign::service {
namespace {

using Family = config::SocketSpec::Family;
using test::codes;
using test::end_of_body;
using test::frames;
using test::mail_of;
using test::message_without_end;
using test::MtaConnection;
using test::negotiated;
using test::ServedFilter;
using testing::HasSubstr;

/// True when this machine has ::1.
bool has_inet6() {
  const test::Descriptor socket = test::make_socket(AF_INET6);
  const sockaddr_in6 address{.sin6_family = AF_INET6, .sin6_addr = in6addr_loopback};
  return socket &&
         ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

TEST(MilterMessages, AreSignedOverEveryFamilyInEveryVersion) {
  std::vector<Family> doors{Family::unix, Family::inet};
  if (has_inet6()) doors.push_back(Family::inet6);
  const ServedFilter filter({.doors = doors, .workers = 2});
  for (std::size_t door = 0; door < doors.size(); ++door) {
    for (const std::uint32_t version : {2U, 3U, 4U, 6U}) {
      MtaConnection mta = filter.connect(door, milter::MtaOffer::of_version(version));
      EXPECT_EQ(mta.push_and_verify(mail_of()), "pass") << door << " version " << version;
    }
  }
}

TEST(MilterMessages, MayComeOneOctetAtATime) {
  const ServedFilter filter({.doors = {Family::unix, Family::inet}});
  for (const std::size_t door : {0U, 1U}) {
    MtaConnection mta = filter.connect(door);
    mta.set_piece(1);
    EXPECT_EQ(mta.push_and_verify(mail_of()), "pass");
    EXPECT_EQ(mta.push_and_verify(mail_of("alice@example.org", "Again\r\n")), "pass");
  }
}

TEST(MilterMessages, MayBeLarge) {
  const ServedFilter filter({.doors = {Family::inet}});
  std::string body;
  while (body.size() < 5'000'000) body += "The quick brown fox jumps over the lazy dog.\r\n";
  MtaConnection mta = filter.connect();
  EXPECT_EQ(mta.push_and_verify(mail_of("alice@example.org", body)), "pass");
}

TEST(MilterMessages, ShareAConnectionWithoutSharingAnythingElse) {
  const ServedFilter filter;
  MtaConnection mta = filter.connect();
  for (int i = 0; i < 200; ++i) {
    const bool ours = i % 3 != 0;
    const milter::Mail mail = mail_of(ours ? "alice@example.org" : "eve@example.com",
                                      "Number " + std::to_string(i) + "\r\n");
    EXPECT_EQ(mta.push_and_verify(mail), ours ? "pass" : "") << i;
  }
}

TEST(MilterMessages, OfAnotherClientOnTheSameConnectionAreJudgedAnew) {
  const ServedFilter filter;
  MtaConnection mta = filter.connect();
  EXPECT_EQ(mta.push_and_verify(mail_of()), "pass");
  mta.quit_new();
  milter::Mail from_outside = mail_of();
  from_outside.client_address = "192.0.2.1";
  EXPECT_EQ(mta.push(from_outside).changes, 0U);
  mta.quit_new();
  EXPECT_EQ(mta.push_and_verify(mail_of()), "pass");
}

TEST(MilterMessages, ThatAreGivenUpLeaveNothingBehind) {
  const ServedFilter filter;
  const MtaConnection mta = negotiated(filter);
  const std::string whole = message_without_end("alice@example.org");
  const std::string stranger = message_without_end("eve@example.com");
  const std::string abort = frames({milter::Abort{}});
  // Up to MAIL, up to the second field, up to the body.
  for (const std::size_t length : {frames({milter::MailFrom{"<alice@example.org>", {}}}).size(),
                                   whole.find("Subject") - 5, whole.size()}) {
    mta.send(whole.substr(0, length) + abort + stranger + end_of_body());
    EXPECT_EQ(codes(mta.receive_frames(1)), "a") << length;
    mta.send(stranger.substr(0, stranger.size()) + abort + whole + end_of_body());
    EXPECT_EQ(codes(mta.receive_frames(2)), "ia") << length;
  }
}

TEST(MilterMessages, MayBePipelined) {
  constexpr std::size_t count = 300;
  const ServedFilter filter;
  const MtaConnection mta = negotiated(filter);
  std::string all;
  for (std::size_t i = 0; i < count; ++i) {
    all += message_without_end("alice@example.org", " " + std::to_string(i)) + end_of_body();
  }
  std::jthread sender([&] { mta.send(all); });
  const auto replies = mta.receive_frames(2 * count);
  ASSERT_EQ(replies.size(), 2 * count);
  for (std::size_t i = 0; i < count; ++i) {
    ASSERT_EQ(codes({replies[2 * i], replies[2 * i + 1]}), "ia");
    const auto reply = milter::parse_reply(milter::Frame{'i', replies[2 * i].second, 5});
    const auto& field = std::get<milter::InsertHeader>(reply.value());
    Header header = test::header({"From: alice@example.org", "Subject: " + std::to_string(i),
                                  "Date: Fri, 15 Jan 2027 08:00:00 +0000"});
    header.insert(header.begin(), HeaderField::from_parts(field.name, field.value));
    ASSERT_EQ(test::verdict_on(header, "Hi\r\n"), "pass") << i;
  }
}

TEST(MilterMessages, OfManyConnectionsAtOnceAreAllSigned) {
  const ServedFilter filter({.doors = {Family::unix, Family::inet}, .workers = 2});
  std::atomic<int> signed_right = 0;
  {
    std::vector<std::jthread> mtas;
    for (int i = 0; i < 16; ++i) {
      mtas.emplace_back([&filter, &signed_right, i] {
        MtaConnection mta = filter.connect(static_cast<std::size_t>(i % 2));
        for (int j = 0; j < 20; ++j) {
          if (mta.push_and_verify(mail_of()) == "pass") ++signed_right;
        }
      });
    }
  }
  EXPECT_EQ(signed_right, 16 * 20);
  EXPECT_TRUE(test::eventually([&] { return filter.connections() == 0; }));
}

TEST(MilterMessages, KeepThePolicyThatTheyBeganWith) {
  ServedFilter filter;
  const MtaConnection slow = negotiated(filter);
  slow.send(message_without_end("alice@example.org"));
  MtaConnection quick = filter.connect();
  EXPECT_EQ(quick.push_and_verify(mail_of()), "pass");

  filter.adopt(test::policy_with_selector(2));
  EXPECT_EQ(quick.push_and_verify(mail_of(), "s2"), "pass");
  slow.send(end_of_body());
  EXPECT_THAT(slow.receive_frames(2)[0].second, HasSubstr(" s=s1;"));
  slow.send(message_without_end("alice@example.org") + end_of_body());
  EXPECT_THAT(slow.receive_frames(2)[0].second, HasSubstr(" s=s2;"));
}

TEST(MilterMessages, AreToldInTheLog) {
  const ServedFilter filter;
  MtaConnection mta = filter.connect();
  mta.push(mail_of());
  mta.push(mail_of("eve@example.com"));
  ASSERT_TRUE(test::eventually([&] { return filter.log().has("msg=\"not signed\""); }));
  EXPECT_TRUE(
      filter.log().has("level=info msg=signed queue_id=4QUEUE action=accept "
                       "client=\"localhost [127.0.0.1]\" author=alice@example.org "
                       "signatures=\"s=s1 d=example.org a=ed25519-sha256\""))
      << filter.log().text();
  EXPECT_TRUE(filter.log().has("author=eve@example.com why=")) << filter.log().text();
}

TEST(MilterMessages, OfPeersAreRefusedAtMailWhereThatIsWanted) {
  mailflow::Policy policy = test::policy_for_example_org();
  policy.peers.add("192.0.2.1", {"/etc/peers", 1});
  policy.on_peer = mailflow::Action::reject;
  const ServedFilter filter({.policy = policy});
  MtaConnection mta = filter.connect();
  milter::Mail from_peer = mail_of();
  from_peer.client_host = "peer.example";
  from_peer.client_address = "192.0.2.1";
  for (int i = 0; i < 2; ++i) {
    const milter::FilterOutcome outcome = mta.push(from_peer);
    EXPECT_EQ(outcome.verdict, milter::ReplyCode::reject);
    EXPECT_THAT(outcome.text, testing::StartsWith("550 5.7.1 the client is listed as a peer: "));
    EXPECT_THAT(outcome.text, testing::Not(HasSubstr("/etc/peers")));
  }
  mta.quit_new();
  EXPECT_EQ(mta.push_and_verify(mail_of()), "pass");
  ASSERT_TRUE(test::eventually([&] { return filter.log().has("msg=signed"); }));
  EXPECT_EQ(filter.log().count("level=warning msg=\"not signed\" queue_id=4QUEUE action=reject "
                               "client=\"peer.example [192.0.2.1]\""),
            2)
      << filter.log().text();
  EXPECT_TRUE(filter.log().has("why=\"the client is in PeerList, so its mail is neither"));
}

TEST(MilterMessages, AreToldOnlyWhenTheySucceedIfAsked) {
  const ServedFilter filter({.detail = {.successes = false}});
  MtaConnection mta = filter.connect();
  mta.push(mail_of());
  milter::Mail without_author = mail_of();
  without_author.header = test::header({"Subject: nobody"});
  mta.push(without_author);
  ASSERT_TRUE(test::eventually([&] { return filter.log().has("not signed"); }));
  EXPECT_FALSE(filter.log().has("msg=signed")) << filter.log().text();
}

}  // namespace
}  // namespace countersign::service
