// SPDX-License-Identifier: Apache-2.0
//
// From judged messages to reports: equal messages become one row with a count, the rows of one
// policy become one report. A domain that changed its record in the period gets a report for each
// form of it. The same rows in any order give the same reports. RFC 9990 §3.1.1.5, §3.1.1.7
//
// How many rows a policy has is a stranger's choice: whoever writes in the name of many subdomains
// makes as many. PolicyTally takes them one by one and gives reports of them by and by.

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "countersign/domain/name.hpp"
#include "countersign/limits.hpp"
#include "countersign/report/aggregate.hpp"
#include "countersign/report/evaluation.hpp"

namespace countersign::report {

/// Messages that are alike in all that is reported.
struct CountedEvaluation {
  Evaluation evaluation;
  std::uint64_t count = 1;
};

/// Who we are, in reports.
struct Reporter {
  DomainName submitter;            ///< our domain, in subjects, file names and identifiers
  std::string org_name;            ///< UTF-8
  std::string email;               ///< where questions go
  std::string extra_contact_info;  ///< a URL or a sentence; empty for none
  std::string generator;           ///< name and version of the program; empty to say nothing
};

/// Which reports are made.
struct TallyRequest {
  Reporter reporter;
  DateRange period;
  /// Goes into the identifiers: the same rows tallied under another one are another report. Any
  /// text, of which the identifiers show nothing.
  std::string run;
  /// Octets of a report as it is sent, gzip; a longer one is divided. 0 for no limit.
  std::size_t packed_bytes_max = 0;
};

/// A report, and where it goes.
struct Report {
  Aggregate aggregate;
  std::vector<std::string> rua;  ///< URIs as published, in their order; with none it is not sent

  friend bool operator==(const Report&, const Report&) = default;
};

/// Reports of a period.
struct Tally {
  std::vector<Report> reports;  ///< by policy domain
  /// Messages that no report can say: a row without an author or with results of no document.
  std::uint64_t dropped = 0;
};

/// Reports about one policy, of rows that come one after another. What it keeps of them is bounded:
/// rows become a report when they are as many as a report has.
///
///   PolicyTally tally(request, limits);
///   for (…) if (tally.add(evaluation, count)) use(tally.take());
///   use(tally.take());
///
/// The same rows in the same order give the same reports.
class PolicyTally {
 public:
  /// configuration   which policy of the run, so that one domain may have several.
  PolicyTally(TallyRequest request, const Limits& limits, std::size_t configuration = 0);

  /// Takes a row, which is like none before it.
  /// Returns         true when take() is to follow before the next one.
  [[nodiscard]] bool add(const Evaluation& evaluation, std::uint64_t count);
  /// The reports of what has come since the last time, each as tally() makes them.
  [[nodiscard]] std::vector<Report> take();
  /// Messages so far that no report can say, as Tally::dropped.
  [[nodiscard]] std::uint64_t dropped() const { return dropped_; }

 private:
  void divide(std::vector<Record> records, std::vector<Report>& parts);
  [[nodiscard]] bool is_too_large(const Aggregate& aggregate) const;
  [[nodiscard]] Report report_of(std::vector<Record> records) const;
  [[nodiscard]] std::string report_id() const;

  TallyRequest request_;
  Limits limits_;
  std::size_t configuration_;
  std::optional<PublishedPolicy> policy_;
  std::vector<Record> records_;
  std::size_t octets_ = 0;
  std::size_t part_ = 0;
  std::uint64_t dropped_ = 0;
};

/// Makes the reports of a period. Every one can be written, if the reporter says who it is, and
/// none is larger than the limits unless a single row is. RFC 9990 §3.1.1
[[nodiscard]] Tally tally(const std::vector<CountedEvaluation>& rows, const TallyRequest& request,
                          const Limits& limits);

}  // namespace countersign::report
