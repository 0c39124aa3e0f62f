// SPDX-License-Identifier: Apache-2.0
//
// Rows and reports for tests, with every member of the model in use.

#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "countersign/limits.hpp"
#include "countersign/report/tally.hpp"
#include "tests/support/dkim.hpp"

namespace countersign::sample {

/// The day 2023-11-14, UTC.
inline constexpr report::DateRange day = {1'699'920'000, 1'700'006'399};

/// Who reports.
[[nodiscard]] inline report::Reporter reporter() {
  return {.submitter = name("mx.example.net"),
          .org_name = "Example Ltd. & S\xC3\xB6hne",
          .email = "postmaster@example.net",
          .extra_contact_info = "https://example.net/dmarc",
          .generator = "countersign/1.0"};
}

/// A row of example.com: passed by DKIM alone, under a policy that asks for reject.
[[nodiscard]] inline report::Evaluation passed_row(std::string_view client_ip = "192.0.2.1") {
  report::Evaluation row;
  row.published = {.domain = "example.com",
                   .p = dmarc::AssessmentPolicy::reject,
                   .sp = dmarc::AssessmentPolicy::quarantine,
                   .np = dmarc::AssessmentPolicy::reject,
                   .adkim = dmarc::Alignment::strict,
                   .aspf = dmarc::Alignment::relaxed,
                   .testing = false,
                   .fo = "1:d",
                   .discovery_method = report::DiscoveryMethod::treewalk,
                   .rua = {"mailto:reports@example.com"}};
  row.source_ip = *IpAddress::parse(client_ip);
  row.disposition = report::ActionDisposition::pass;
  row.dkim_aligned = true;
  row.header_from = "example.com";
  row.envelope_from = "bounce.example.org";
  row.envelope_to = "example.net";
  row.dkim = {{"example.com", "s1", "pass", ""},
              {"example.org", "x", "fail", "the body was changed"}};
  row.spf = report::SpfAuthResult{"bounce.example.org", "softfail", ""};
  return row;
}

/// A row of a forwarder whose mail failed and was let through: two reasons, null path, IPv6.
[[nodiscard]] inline report::Evaluation forwarded_row() {
  report::Evaluation row = passed_row("fd00:db8::25");
  row.disposition = report::ActionDisposition::none;
  row.dkim_aligned = false;
  row.reasons = {{report::OverrideReason::trusted_forwarder, "arc=pass <as[1]>"},
                 {report::OverrideReason::local_policy, ""}};
  row.header_from = "news.example.com";
  row.envelope_from = "";
  row.envelope_to.reset();
  row.dkim.clear();
  row.spf = report::SpfAuthResult{"forwarder.example", "pass", ""};
  return row;
}

/// What is asked of the tally.
[[nodiscard]] inline report::TallyRequest tally_request() {
  return {.reporter = reporter(), .period = day, .run = "test"};
}

/// The report of both rows.
[[nodiscard]] inline report::Report report() {
  const report::Tally made =
      report::tally({{passed_row(), 3}, {forwarded_row(), 2}}, tally_request(), Limits{});
  EXPECT_EQ(made.reports.size(), 1U);
  EXPECT_EQ(made.dropped, 0U);
  return made.reports.front();
}

}  // namespace countersign::sample
