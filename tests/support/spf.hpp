// SPDX-License-Identifier: Apache-2.0
//
// Checks against a zone written as a master file, for the tests of SPF.

#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "countersign/dns/zone.hpp"
#include "countersign/spf/check_host.hpp"

namespace countersign::spf::sample {

/// A zone from the lines of a master file, its names relative to the root.
[[nodiscard]] inline dns::Zone zone(std::string_view lines) {
  auto parsed = dns::Zone::parse_master(lines, Limits{}, ".");
  EXPECT_TRUE(parsed) << parsed.error().line << ": " << parsed.error().message;
  return parsed ? *std::move(parsed) : dns::Zone();
}

/// A client at an address that sends as bob@example.com.
[[nodiscard]] inline CheckHost request(std::string_view client_ip = "192.0.2.1") {
  const auto address = IpAddress::parse(client_ip);
  EXPECT_TRUE(address) << client_ip;
  return {.client_ip = address.value_or(IpAddress{}),
          .helo = "mail.example.net",
          .mail_from = "bob@example.com"};
}

/// The outcome of a check against the lines of a zone.
[[nodiscard]] inline Outcome check(const CheckHost& request, std::string_view lines) {
  return zone(lines).run(check_host(request, Limits{}));
}

/// The same with example.com's record alone, and other lines behind it.
[[nodiscard]] inline Outcome check_record(const CheckHost& request, std::string_view record,
                                          std::string_view lines = {}) {
  return check(request, "example.com TXT \"" + std::string(record) + "\"\n" + std::string(lines));
}

/// Says what came out where a test fails.
[[nodiscard]] inline std::string said(const Outcome& outcome) {
  return std::string(to_string(outcome.result)) + ": " + std::string(to_string(outcome.reason)) +
         " " + outcome.detail;
}

}  // namespace countersign::spf::sample
