// SPDX-License-Identifier: Apache-2.0
//
// Evaluations for tests of the store: all of a policy's and an identity's members filled, so that
// one that is lost on the way is missed.

#pragma once

#include <string>

#include "countersign/report/evaluation.hpp"

namespace countersign::test {

/// A policy that a domain may have published.
[[nodiscard]] inline report::PublishedPolicy published_policy(const std::string& domain) {
  return {.domain = domain,
          .p = dmarc::AssessmentPolicy::reject,
          .sp = dmarc::AssessmentPolicy::quarantine,
          .np = dmarc::AssessmentPolicy::none,
          .adkim = dmarc::Alignment::strict,
          .aspf = dmarc::Alignment::relaxed,
          .testing = true,
          .fo = "1:d:s",
          .discovery_method = report::DiscoveryMethod::psl,
          .rua = {"mailto:reports@" + domain, "mailto:dmarc@third-party.example"}};
}

/// An evaluation of a message of that domain from that client.
[[nodiscard]] inline report::Evaluation evaluation(const std::string& domain = "example.org",
                                                   const std::string& source = "192.0.2.1") {
  return {.published = published_policy(domain),
          .source_ip = IpAddress::parse(source).value(),
          .disposition = report::ActionDisposition::quarantine,
          .dkim_aligned = true,
          .spf_aligned = false,
          .reasons = {{report::OverrideReason::mailing_list, "list.example"},
                      {report::OverrideReason::other, ""}},
          .header_from = "news." + domain,
          .envelope_from = "bounce." + domain,
          .envelope_to = "receiver.example",
          .dkim = {{domain, "june", "pass", ""}, {"list.example", "s1", "fail", "body altered"}},
          .spf = report::SpfAuthResult{"bounce." + domain, "softfail", "~all"}};
}

}  // namespace countersign::test
