// SPDX-License-Identifier: Apache-2.0
//
// An aggregate report as values. Structures and members have the names of the XML, so that who
// knows the schema knows the model. What RFC 7489 had and RFC 9990 has not is kept where a reader
// may want it, and never written. RFC 9990 §3.1, RFC 7489 §C

#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "countersign/dmarc/record.hpp"
#include "countersign/domain/address.hpp"
#include "countersign/report/evaluation.hpp"

namespace countersign::report {

/// Whether a mechanism gave an aligned pass, overrides not counted. RFC 9990 §3.1.1.10
enum class DmarcResult : std::uint8_t { pass, fail };

/// Which identity SPF was checked for. RFC 9990 has mfrom alone. RFC 7489 §C
enum class SpfScope : std::uint8_t { mfrom, helo };

/// The word on the wire.
[[nodiscard]] std::string_view to_string(DmarcResult result);
/// The word on the wire.
[[nodiscard]] std::string_view to_string(SpfScope scope);

/// The period of a report, both ends included, seconds since 1970 UTC. RFC 9990 §3.1.1.4
struct DateRange {
  std::int64_t begin = 0;
  std::int64_t end = 0;

  friend bool operator==(const DateRange&, const DateRange&) = default;
};

/// The period of a UTC day. RFC 9990 §3.1.1.4
[[nodiscard]] constexpr DateRange day_period(std::chrono::sys_days day) {
  const std::chrono::sys_seconds begin = day;
  const std::chrono::sys_seconds end = day + std::chrono::days(1);
  return {.begin = begin.time_since_epoch().count(), .end = end.time_since_epoch().count() - 1};
}

/// Who reports, and for when. RFC 9990 §3.1.1.2
struct ReportMetadata {
  std::string org_name;
  std::string email;
  std::string extra_contact_info;  ///< empty for none
  std::string report_id;
  DateRange date_range;
  std::string error;      ///< what went wrong on the way to this report; empty for nothing
  std::string generator;  ///< name and version of the program; empty when it does not say

  friend bool operator==(const ReportMetadata&, const ReportMetadata&) = default;
};

/// The policy as it was found. RFC 9990 §3.1.1.5
struct PolicyPublished {
  std::string domain;  ///< DMARC Policy Domain
  std::optional<dmarc::AssessmentPolicy> p;
  std::optional<dmarc::AssessmentPolicy> sp;
  std::optional<dmarc::AssessmentPolicy> np;
  std::optional<dmarc::Alignment> adkim;
  std::optional<dmarc::Alignment> aspf;
  std::optional<DiscoveryMethod> discovery_method;
  std::string fo;               ///< empty when it is not said
  std::optional<bool> testing;  ///< t=y
  std::string pct;              ///< as written; of RFC 7489 only

  friend bool operator==(const PolicyPublished&, const PolicyPublished&) = default;
};

/// What was done, and why not something else. RFC 9990 §3.1.1.8
struct PolicyEvaluated {
  std::optional<ActionDisposition> disposition;
  std::optional<DmarcResult> dkim;
  std::optional<DmarcResult> spf;
  std::vector<PolicyOverride> reason;

  friend bool operator==(const PolicyEvaluated&, const PolicyEvaluated&) = default;
};

/// How much mail came from where. RFC 9990 §3.1.1.7
struct Row {
  std::optional<IpAddress> source_ip;
  std::uint64_t count = 0;
  PolicyEvaluated policy_evaluated;

  friend bool operator==(const Row&, const Row&) = default;
};

/// In whose name. RFC 9990 §3.1.1.12
struct Identifiers {
  std::string header_from;
  std::optional<std::string> envelope_from;  ///< empty for the null path
  std::optional<std::string> envelope_to;

  friend bool operator==(const Identifiers&, const Identifiers&) = default;
};

/// What SPF came to, as reports tell it. RFC 9990 §3.1.1.14
struct SpfResult {
  std::string domain;
  std::optional<SpfScope> scope;
  std::string result;
  std::string human_result;

  friend bool operator==(const SpfResult&, const SpfResult&) = default;
};

/// What the mechanisms said, aligned or not. RFC 9990 §3.1.1.13
struct AuthResults {
  std::vector<DkimAuthResult> dkim;
  std::vector<SpfResult> spf;  ///< one at most in RFC 9990, several in RFC 7489

  friend bool operator==(const AuthResults&, const AuthResults&) = default;
};

/// Mail that is alike in all that is reported. RFC 9990 §3.1.1.6
struct Record {
  Row row;
  Identifiers identifiers;
  AuthResults auth_results;

  friend bool operator==(const Record&, const Record&) = default;
};

/// A report: the element feedback. RFC 9990 §3.1.1.1
struct Aggregate {
  std::string version;  ///< "1.0", or whatever was written; empty when it is not said
  ReportMetadata report_metadata;
  PolicyPublished policy_published;
  std::vector<Record> record;

  friend bool operator==(const Aggregate&, const Aggregate&) = default;
};

}  // namespace countersign::report
