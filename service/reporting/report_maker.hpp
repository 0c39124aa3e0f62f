// SPDX-License-Identifier: Apache-2.0
//
// What a report needs before it can leave: its rows out of the store, part by part, its addresses
// out of DNS, and the signed mail. Whoever sends reports and whoever shows what would be sent make
// them here, so that both are the same.

#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "countersign/report/destination.hpp"
#include "countersign/report/tally.hpp"
#include "countersign/result.hpp"
#include "service/reporting/outbox.hpp"
#include "service/store/store.hpp"

namespace countersign::service {

/// The mailbox as the ledger knows it: one text, however a stranger spells it. Local parts that
/// differ in upper and lower case are taken for one, as hosts take them.
[[nodiscard]] std::string ledger_name(const Mailbox& mailbox);

/// Whom a report is for by one URI, or why for nobody.
struct Addressed {
  report::CheckedDestination checked;  ///< without addresses of our own
  std::string fault;                   ///< why it is not to be sent; empty when it is
  bool is_temporary = false;           ///< DNS did not say: it may be tried again
};

/// The reports about one policy of an edition, read from the store as they are asked for: the
/// memory that they take does not grow with the rows of the policy.
class ReportParts {
 public:
  /// Reads from the store, which must outlive it.
  ReportParts(store::Store& store, const store::Edition& edition, store::PolicyId policy,
              report::PolicyTally tally);

  /// The next one; nothing behind the last.
  [[nodiscard]] std::optional<report::Report> next();
  /// Messages so far that no report can say.
  [[nodiscard]] std::uint64_t dropped() const { return tally_.dropped(); }

 private:
  void read_on();

  store::Store* store_;
  store::Edition edition_;
  store::PolicyId policy_;
  report::PolicyTally tally_;
  store::RowPosition position_;
  bool is_at_end_ = false;
  std::deque<report::Report> made_;
};

/// What is known of all parts of a report before the first one leaves.
struct ReportSurvey {
  std::vector<std::string> ids;          ///< one for each part
  std::string division;                  ///< as Departure::division; empty when it is one part
  std::unique_ptr<report::Report> only;  ///< when it is one part
};

/// Why a domain gets nothing at all.
inline constexpr std::string_view opted_out = "the domain gets no reports from us";
/// Why a mailbox gets nothing by a destination.
inline constexpr std::string_view gets_it_otherwise =
    "its mailbox gets the report by another address of the record";
/// True when other parts of the report have left than those that it has now.
[[nodiscard]] bool is_divided_otherwise(const store::Claim& claim, const ReportSurvey& survey);
/// What there is to say then.
[[nodiscard]] std::string divided_otherwise(std::int64_t parts_sent);

/// What some policies of an edition have of reports.
struct PlannedReports {
  std::vector<store::ReportKey> keys;         ///< that are not in the ledger
  std::size_t known = 0;                      ///< others
  std::vector<store::StoredPolicy> unwanted;  ///< policies that name no destination
};

/// Makes reports. One thread.
class ReportMaker {
 public:
  /// All must outlive this object.
  ReportMaker(store::Store& store, CheckDestinations check, const OutboxOptions& options, Log& log);

  /// Calls for each policy of the edition, of that domain if one is named.
  void for_each_policy(const store::Edition& edition, std::string_view only_domain,
                       const std::function<void(const store::StoredPolicy&)>& each);
  /// Calls for the reports of the edition, some policies at a time.
  void for_each_plan(const store::Edition& edition, std::string_view only_domain,
                     const std::function<void(const PlannedReports&)>& each);
  /// The policy with what it has of messages there; nothing when that has expired.
  [[nodiscard]] std::optional<store::StoredPolicy> find_policy(const store::Edition& edition,
                                                               store::PolicyId id);
  /// True when the domain gets no reports from us.
  [[nodiscard]] bool is_opted_out(const store::StoredPolicy& policy) const;
  /// Asks whom the report about a policy is for by that URI.
  [[nodiscard]] Addressed address(const store::StoredPolicy& policy, std::string uri);
  /// The reports about a policy: most have one part.
  [[nodiscard]] ReportParts parts(const store::Edition& edition, const store::StoredPolicy& policy);
  /// Makes all parts and forgets them, unless it is one.
  [[nodiscard]] ReportSurvey survey(const store::Edition& edition,
                                    const store::StoredPolicy& policy);
  /// A report as a signed mail; the error is a sentence.
  [[nodiscard]] Result<std::string, std::string> make_mail(const report::Aggregate& aggregate,
                                                           const std::vector<Mailbox>& to);

 private:
  [[nodiscard]] bool leave_out_ourselves(report::CheckedDestination& checked) const;
  void for_each_page(const store::Edition& edition, std::string_view only_domain,
                     const std::function<void(const std::vector<store::StoredPolicy>&)>& each);

  store::Store& store_;
  store::ReportLedger ledger_;
  /// Hosts with stores of their own report in one name; each report is another.
  const std::string store_name_;
  CheckDestinations check_;
  const OutboxOptions& options_;
  Log& log_;
};

}  // namespace countersign::service
