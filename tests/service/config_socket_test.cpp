// SPDX-License-Identifier: Apache-2.0
//
// Sockets in the syntax of Sendmail's library: what it takes, and each way to get it wrong.

#include "service/config/socket_spec.hpp"

#include <gtest/gtest.h>

#include "tests/support/exact.hpp"

namespace countersign::service::config {
namespace {

using Family = SocketSpec::Family;

void ok(std::string_view text, const SocketSpec& expected) {
  const auto socket = parse_socket(test::exact(text).view());
  ASSERT_TRUE(socket) << text << ": " << socket.error();
  EXPECT_EQ(*socket, expected) << text;
}

void bad(std::string_view text, std::string_view why) {
  const auto socket = parse_socket(test::exact(text).view());
  ASSERT_FALSE(socket) << text;
  EXPECT_NE(socket.error().find(why), std::string::npos) << text << ": " << socket.error();
}

TEST(SocketSpec, Inet) {
  ok("inet:8891@localhost", {.family = Family::inet, .port = 8891, .host = "localhost"});
  ok("inet:8891", {.family = Family::inet, .port = 8891});
  ok("INET:1@127.0.0.1", {.family = Family::inet, .port = 1, .host = "127.0.0.1"});
  ok("inet:65535@[192.0.2.1]", {.family = Family::inet, .port = 65535, .host = "192.0.2.1"});
  ok("inet6:8891@[2001:db8::1]", {.family = Family::inet6, .port = 8891, .host = "2001:db8::1"});
  ok("inet6:8891@::1", {.family = Family::inet6, .port = 8891, .host = "::1"});
}

TEST(SocketSpec, Unix) {
  ok("local:/run/x.sock", {.path = "/run/x.sock"});
  ok("unix:/run/x.sock", {.path = "/run/x.sock"});
  ok("Local:x.sock", {.path = "x.sock"});
  ok("/run/x.sock", {.path = "/run/x.sock"});
  ok("/run/a:b", {.path = "/run/a:b"});
  ok("x.sock", {.path = "x.sock"});
  ok("local:" + std::string(107, 'x'), {.path = std::string(107, 'x')});
}

TEST(SocketSpec, Bad) {
  bad("", "missing");
  bad("local:", "missing");
  bad("local:" + std::string(108, 'x'), "longer than the 107");
  bad(std::string_view("local:a\0b", 9), "NUL");
  bad("inet:", "port");
  bad("inet:0", "port");
  bad("inet:65536", "port");
  bad("inet:99999999999999999999", "port");
  bad("inet:8891x", "port");
  bad("inet:-1", "port");
  bad("inet: 8891", "port");
  bad("inet:8891@", "after the @");
  bad("inet:8891@a b", "after the @");
  bad("inet:8891@[localhost]", "brackets");
  bad("inet:8891@[]", "brackets");
  bad("inet:8891@::1", "inet6:");
  bad("inet6:8891@192.0.2.1", "inet:");
  bad("tcp:8891", "no kind of socket");
}

TEST(SocketSpec, ComesBackAsWritten) {
  for (const std::string text : {"inet:8891@localhost", "inet:8891@[192.0.2.1]", "inet6:25@[::1]",
                                 "inet:8891", "local:/run/x.sock"}) {
    EXPECT_EQ(to_string(*parse_socket(text)), text);
  }
}

}  // namespace
}  // namespace countersign::service::config
