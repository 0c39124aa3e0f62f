// SPDX-License-Identifier: Apache-2.0

#include "countersign/mailflow/history_record.hpp"

#include <algorithm>

namespace countersign::mailflow {
namespace {

/// What dispose() says of a message that is let through for its chain begins so.
bool is_saved_by_arc(const Disposition& disposition) {
  return std::ranges::any_of(disposition.overrides, [](const Override& one) {
    return one.comment.starts_with("arc=pass ");
  });
}

void add_arc(const Judgement& judgement, report::HistoryRecord& record) {
  if (!judgement.verdict.arc) return;
  const arc::Outcome& arc = *judgement.verdict.arc;
  record.has_arc_pass = arc.status == arc::ChainStatus::pass;
  if (is_saved_by_arc(judgement.disposition)) record.arc_use = report::HistoryArcUse::pass;
  for (const arc::SetResult& set : arc.sets)
    record.arc_sets.push_back({set.instance, set.sealer.text(), set.selector.text()});
}

}  // namespace

std::optional<report::HistoryRecord> history_record_of(const Outcome& outcome,
                                                       const std::string& reporter,
                                                       std::chrono::sys_seconds received) {
  if (!outcome.judgement || !outcome.judgement->evaluation) return std::nullopt;
  report::HistoryRecord record{.job = outcome.queue_id,
                               .reporter = reporter,
                               .received = received.time_since_epoch().count(),
                               .evaluation = *outcome.judgement->evaluation};
  add_arc(*outcome.judgement, record);
  return record;
}

}  // namespace countersign::mailflow
