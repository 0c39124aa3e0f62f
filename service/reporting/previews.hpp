// SPDX-License-Identifier: Apache-2.0
//
// Reports as they would be sent, for people who want to look before. Nothing is sent, and nothing
// is entered anywhere.

#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "service/reporting/outbox.hpp"
#include "service/reporting/report_maker.hpp"
#include "service/store/report_ledger.hpp"

namespace countersign::service {

/// Shows reports; what is shown is the ledger's at that moment.
class Previews {
 public:
  /// All must outlive this object.
  Previews(store::Store& store, ReportMaker& maker, const OutboxOptions& options,
           const std::function<void(const ReportPreview&)>& show);

  /// Shows the reports of a day, whatever became of them. See Outbox::preview().
  void show_day(store::Day day, std::string_view only_domain);
  /// Shows what would be sent now. See Outbox::rehearse().
  void show_sending(store::Day day, std::string_view only_domain);

 private:
  /// What would be sent about one policy.
  struct Sending {
    store::StoredPolicy policy;
    std::vector<Addressed> addressed;  ///< as many, in the same order
    std::vector<PreviewedDestination> destinations;
  };

  void show(const store::Edition& edition, const Sending& sending);
  void show_part(const store::Edition& edition, const Sending& sending, const report::Report& part,
                 std::int64_t number);
  void add(const store::Claim& line);
  void show_added();
  [[nodiscard]] std::optional<PreviewedDestination> would_leave(const store::Claim& line,
                                                                const Addressed& addressed);
  [[nodiscard]] bool is_own(const store::Claim& line, const std::string& name);
  [[nodiscard]] bool has_room(const std::string& name);

  store::Store& store_;
  ReportMaker& maker_;
  const OutboxOptions& options_;
  const std::function<void(const ReportPreview&)>& show_;
  store::ReportLedger ledger_;
  std::chrono::sys_seconds now_;
  /// About one policy of a day, by edition; they come one after another.
  std::map<store::Edition, Sending> added_;
  /// What taking and counting mailboxes would have entered.
  std::map<std::pair<store::Edition, std::string>, std::string> taken_;
  std::map<std::string, std::uint64_t> begun_;
};

}  // namespace countersign::service
