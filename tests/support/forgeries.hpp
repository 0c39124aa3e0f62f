// SPDX-License-Identifier: Apache-2.0
//
// Forged messages as failures to be told.

#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "countersign/mailflow/failed_message.hpp"
#include "tests/support/signing.hpp"

namespace countersign::test {

inline constexpr std::chrono::sys_seconds noon{std::chrono::seconds{1'800'000'000}};

/// A forged message in the name of that domain, told of at those addresses.
[[nodiscard]] inline std::shared_ptr<const mailflow::FailureToReport> forged(
    const std::string& domain, std::vector<std::string> ruf = {"mailto:ruf@own.example"},
    const std::string& client = "203.0.113.66") {
  mailflow::FailureToReport failure{
      .message = {.policy_domain = name(domain), .author_domain = name(domain)},
      .privacy = report::Privacy::redacted,
      .ruf = {},
      .recipients = {}};
  failure.message.has_ruf = true;
  failure.message.source_ip = IpAddress::parse(client);
  failure.message.mail_from = "eve@nothing.example";
  failure.message.arrival = noon;
  failure.message.header = header({"From: Alice <alice@" + domain + ">", "Subject: secret"});
  failure.ruf = std::move(ruf);
  return std::make_shared<const mailflow::FailureToReport>(std::move(failure));
}

}  // namespace countersign::test
