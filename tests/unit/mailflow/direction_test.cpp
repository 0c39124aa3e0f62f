// SPDX-License-Identifier: Apache-2.0
//
// Whose mail it is: each mark of our own by itself, their order, and what must not count as one.

#include "countersign/mailflow/direction.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "tests/support/signing.hpp"

namespace countersign::mailflow {
namespace {

Envelope client(std::string_view host, std::string_view address) {
  Envelope envelope;
  envelope.client_host = host;
  envelope.client_ip = IpAddress::parse(address);
  return envelope;
}

void goes(Direction direction, Reason reason, const Policy& policy, const Envelope& envelope,
          std::string_view detail) {
  const Directed directed = find_direction(policy, envelope);
  EXPECT_EQ(directed.direction, direction);
  EXPECT_EQ(directed.why.reason, reason);
  EXPECT_EQ(directed.why.detail, detail);
}

TEST(FindDirection, MailFromInternalHostsIsOurs) {
  const Policy policy = test::signing_policy();
  const Envelope envelope = client("localhost", "127.0.0.1");
  goes(Direction::outgoing, Reason::internal_host, policy, envelope, "localhost [127.0.0.1]");
  EXPECT_EQ(find_direction(policy, envelope).why.place, (Place{"hosts", 1}));
}

TEST(FindDirection, MailFromOutsideIsNot) {
  goes(Direction::incoming, Reason::outside, test::signing_policy(),
       client("mx.example.net", "192.0.2.1"), "mx.example.net [192.0.2.1]");
}

TEST(FindDirection, AnUnknownClientIsOutside) {  // S-57
  goes(Direction::incoming, Reason::outside, test::signing_policy(), Envelope(), "unknown");
}

TEST(FindDirection, ALoginMakesMailOurs) {
  Policy policy = test::signing_policy();
  Envelope envelope = client("dsl.example.net", "192.0.2.1");
  envelope.macros["auth_type"] = "PLAIN";
  goes(Direction::outgoing, Reason::authenticated, policy, envelope, "PLAIN");
  envelope.macros["auth_authen"] = "alice";
  goes(Direction::outgoing, Reason::authenticated, policy, envelope, "alice");

  policy.authenticated_is_ours = false;
  EXPECT_EQ(find_direction(policy, envelope).direction, Direction::incoming);
}

TEST(FindDirection, AnEmptyMechanismIsNoLogin) {
  Envelope envelope = client("dsl.example.net", "192.0.2.1");
  envelope.macros["auth_type"] = "";
  envelope.macros["auth_authen"] = "alice";
  EXPECT_EQ(find_direction(test::signing_policy(), envelope).direction, Direction::incoming);
}

TEST(FindDirection, AnMtaNameIsComparedWithItsCase) {
  Policy policy = test::signing_policy();
  policy.mta_names = {"submission", "local"};
  Envelope envelope = client("dsl.example.net", "192.0.2.1");
  envelope.macros["daemon_name"] = "local";
  goes(Direction::outgoing, Reason::mta_name, policy, envelope, "local");
  envelope.macros["daemon_name"] = "Local";
  EXPECT_EQ(find_direction(policy, envelope).direction, Direction::incoming);
}

TEST(FindDirection, AMacroNeedOnlyBeSetWhenNoValuesAreNamed) {
  Policy policy = test::signing_policy();
  policy.macros = {{"tls", {}}, {"zone", {"inside", "dmz"}}};
  Envelope envelope = client("dsl.example.net", "192.0.2.1");
  EXPECT_EQ(find_direction(policy, envelope).direction, Direction::incoming);
  envelope.macros["zone"] = "outside";
  EXPECT_EQ(find_direction(policy, envelope).direction, Direction::incoming);
  envelope.macros["zone"] = "Inside";
  EXPECT_EQ(find_direction(policy, envelope).direction, Direction::incoming);
  envelope.macros["zone"] = "dmz";
  goes(Direction::outgoing, Reason::macro, policy, envelope, "zone=dmz");
  envelope.session_macros["tls"] = "";
  goes(Direction::outgoing, Reason::macro, policy, envelope, "tls=");
}

TEST(FindDirection, TheFirstMarkIsTheReason) {
  Policy policy = test::signing_policy();
  policy.mta_names = {"submission"};
  policy.macros = {{"zone", {}}};
  Envelope envelope = client("localhost", "127.0.0.1");
  envelope.macros["auth_type"] = "PLAIN";
  EXPECT_EQ(find_direction(policy, envelope).why.reason, Reason::authenticated);
  envelope.macros["zone"] = "x";
  EXPECT_EQ(find_direction(policy, envelope).why.reason, Reason::macro);
  envelope.macros["daemon_name"] = "submission";
  EXPECT_EQ(find_direction(policy, envelope).why.reason, Reason::mta_name);
}

TEST(FindDirection, APeerIsNotTouchedWhateverItsMarks) {
  Policy policy = test::signing_policy();
  policy.peers.add("127.0.0.0/8", {"peers", 7});
  Envelope envelope = client("localhost", "127.0.0.1");
  envelope.macros["auth_type"] = "PLAIN";
  goes(Direction::untouched, Reason::peer, policy, envelope, "localhost [127.0.0.1]");
  EXPECT_EQ(find_direction(policy, envelope).why.place, (Place{"peers", 7}));
}

TEST(FindDirection, AStrangersMacroCountsMoreThanEveryMarkOfOurs) {
  Policy policy = test::signing_policy();
  policy.mta_names = {"VERIFYING"};
  policy.macros = {{"daemon_name", {}}};
  policy.strangers = {{"daemon_name", {"PUBLIC", "VERIFYING"}}};
  Envelope envelope = client("localhost", "127.0.0.1");
  envelope.macros["auth_type"] = "PLAIN";
  envelope.macros["daemon_name"] = "VERIFYING";
  goes(Direction::incoming, Reason::stranger_macro, policy, envelope, "daemon_name=VERIFYING");
  envelope.macros["daemon_name"] = "verifying";
  EXPECT_EQ(find_direction(policy, envelope).direction, Direction::outgoing);
}

TEST(FindDirection, AStrangersMacroNeedOnlyBeSetWhenNoValuesAreNamed) {
  Policy policy = test::signing_policy();
  policy.strangers = {{"public", {}}};
  Envelope envelope = client("localhost", "127.0.0.1");
  EXPECT_EQ(find_direction(policy, envelope).why.reason, Reason::internal_host);
  envelope.session_macros["public"] = "";
  goes(Direction::incoming, Reason::stranger_macro, policy, envelope, "public=");
}

TEST(FindDirection, AStrangersMacroDoesNotMakeAPeerOne) {
  Policy policy = test::signing_policy();
  policy.peers.add("127.0.0.0/8", {"peers", 7});
  policy.strangers = {{"public", {}}};
  Envelope envelope = client("localhost", "127.0.0.1");
  envelope.macros["public"] = "yes";
  EXPECT_EQ(find_direction(policy, envelope).direction, Direction::untouched);
}

TEST(FindExemption, IsByTheAuthorsDomain) {
  Policy policy = test::signing_policy();
  policy.exempt_domains.entries.add("example.org", {});
  const auto why = find_exemption(policy, test::name("example.org"));
  ASSERT_TRUE(why);
  EXPECT_EQ(why->reason, Reason::exempt_domain);
  EXPECT_EQ(why->detail, "example.org");
  EXPECT_FALSE(find_exemption(policy, test::name("mail.example.org")));
}

TEST(ClientText, IsWhatPeopleKnow) {
  EXPECT_EQ(client_text(client("mx.example", "192.0.2.1")), "mx.example [192.0.2.1]");
  EXPECT_EQ(client_text(client("[192.0.2.1]", "192.0.2.1")), "[192.0.2.1]");
  EXPECT_EQ(client_text(client("", "::1")), "[::1]");
  EXPECT_EQ(client_text(client("localhost", "")), "localhost");
  EXPECT_EQ(client_text(client("[x]", "")), "unknown");
}

}  // namespace
}  // namespace countersign::mailflow
