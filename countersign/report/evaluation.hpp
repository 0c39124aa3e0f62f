// SPDX-License-Identifier: Apache-2.0
//
// One judged message as an aggregate report counts it: what the domain's owner published, who sent,
// what was authenticated, what was done. Two messages of one day with equal values are one row of a
// report with a count of two. It has no content of the message, no local part and no recipient.
//
// mailflow makes these from its verdict, the store counts them, tally.hpp makes reports of them.

#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "countersign/dmarc/record.hpp"
#include "countersign/domain/address.hpp"
#include "countersign/domain/name.hpp"

namespace countersign::report {

/// What was done with a message for its owner's policy. RFC 9990 §3.1.1.9
enum class ActionDisposition : std::uint8_t {
  none,        ///< nothing was asked for, or nothing was done
  pass,        ///< DMARC passed, and the policy asks for more than none
  quarantine,  ///< treated as suspicious
  reject,      ///< refused
};

/// How the policy was found. RFC 9990 §3.1.1.5
enum class DiscoveryMethod : std::uint8_t { psl, treewalk };

/// Why the policy was not carried out. RFC 9990 §3.1.1.11
enum class OverrideReason : std::uint8_t {
  local_policy,
  mailing_list,
  other,
  policy_test_mode,
  trusted_forwarder,
};

/// The word on the wire.
[[nodiscard]] std::string_view to_string(ActionDisposition disposition);
/// The word on the wire.
[[nodiscard]] std::string_view to_string(DiscoveryMethod method);
/// The word on the wire.
[[nodiscard]] std::string_view to_string(OverrideReason reason);

/// The record that applied, as it was published, and where its reports go. RFC 9990 §3.1.1.5
struct PublishedPolicy {
  std::string domain;  ///< DMARC Policy Domain: lower-case A-labels
  dmarc::AssessmentPolicy p = dmarc::AssessmentPolicy::none;
  std::optional<dmarc::AssessmentPolicy> sp;  ///< absent when not published
  std::optional<dmarc::AssessmentPolicy> np;  ///< likewise
  dmarc::Alignment adkim = dmarc::Alignment::relaxed;
  dmarc::Alignment aspf = dmarc::Alignment::relaxed;
  bool testing = false;  ///< t=y
  std::string fo = "0";  ///< in its normal form
  DiscoveryMethod discovery_method = DiscoveryMethod::treewalk;
  std::vector<std::string> rua;  ///< valid URIs in their order; with none, no report is sent

  friend auto operator<=>(const PublishedPolicy&, const PublishedPolicy&) = default;
};

/// An override with its comment. RFC 9990 §3.1.1.11
struct PolicyOverride {
  OverrideReason type = OverrideReason::other;
  std::string comment;  ///< UTF-8; empty for none

  friend auto operator<=>(const PolicyOverride&, const PolicyOverride&) = default;
};

/// What one signature came to. RFC 9990 §3.1.1.13
struct DkimAuthResult {
  std::string domain;    ///< d=
  std::string selector;  ///< s=
  std::string result;    ///< a word of RFC 8601 §2.7.1
  std::string human_result;

  friend auto operator<=>(const DkimAuthResult&, const DkimAuthResult&) = default;
};

/// What SPF of MAIL FROM came to. RFC 9990 §3.1.1.14
struct SpfAuthResult {
  std::string domain;
  std::string result;  ///< a word of RFC 8601 §2.7.2
  std::string human_result;

  friend auto operator<=>(const SpfAuthResult&, const SpfAuthResult&) = default;
};

/// What a judged message adds to a report. RFC 9990 §3.1.1
struct Evaluation {
  PublishedPolicy published;
  IpAddress source_ip;
  ActionDisposition disposition = ActionDisposition::none;
  bool dkim_aligned = false;  ///< policy_evaluated/dkim: pass or fail
  bool spf_aligned = false;   ///< policy_evaluated/spf: pass or fail
  std::vector<PolicyOverride> reasons;
  std::string header_from;                   ///< Author Domain
  std::optional<std::string> envelope_from;  ///< domain of MAIL FROM; empty for the null path
  std::optional<std::string> envelope_to;    ///< domain of the recipients, when it is one
  std::vector<DkimAuthResult> dkim;          ///< those that say most first
  std::optional<SpfAuthResult> spf;

  friend auto operator<=>(const Evaluation&, const Evaluation&) = default;
};

}  // namespace countersign::report
