// SPDX-License-Identifier: Apache-2.0
//
// What the owner of a domain is told of one message that failed in its name: the judgement, the
// envelope and the header as the report needs them.

#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "countersign/mailflow/envelope.hpp"
#include "countersign/mailflow/judging_policy.hpp"
#include "countersign/message/header_field.hpp"
#include "countersign/report/failure.hpp"

namespace countersign::mailflow {

struct Judgement;

/// A message to be told of, how much of it may be, and whom.
struct FailureToReport {
  report::FailedMessage message;
  report::Privacy privacy = report::Privacy::redacted;  ///< never: not in here
  std::vector<std::string> ruf;  ///< URIs as published, not checked yet: a stranger's text
  /// Whom the message was for, without who they are: "@example.org", each domain once. They have a
  /// say until the report leaves: FailurePolicy::privacy_for().
  std::vector<std::string> recipients;
};

/// What is told of a judged message; null when nothing is: no record asks for it, the operator does
/// not want it, DNS did not say, or it is mail of programs about mail (S-51). What only an owner's
/// server can say, whether it wants the reports, is left to report/destination.hpp.
///
/// A message that was put off comes again and is told of then. One that was only looked at
/// (JudgingPolicy::shadow) is told of as it was treated: delivered.
///
/// policy       that the message was judged by.
/// arrival      when it came.
/// RFC 9991 §3, RFC 6591 §3.2
[[nodiscard]] std::shared_ptr<const FailureToReport> failure_of(const Judgement& judgement,
                                                                const Envelope& envelope,
                                                                const Header& header,
                                                                const JudgingPolicy& policy,
                                                                std::chrono::sys_seconds arrival);

}  // namespace countersign::mailflow
