// SPDX-License-Identifier: Apache-2.0

#include "countersign/mailflow/history_record.hpp"

#include <algorithm>
#include <utility>

#include "countersign/mailflow/evaluation.hpp"

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

report::HistoryRecord record_of(const Outcome& outcome, report::Evaluation evaluation,
                                const std::string& reporter, std::chrono::sys_seconds received) {
  report::HistoryRecord record{.job = outcome.queue_id,
                               .reporter = reporter,
                               .received = received.time_since_epoch().count(),
                               .evaluation = std::move(evaluation)};
  add_arc(*outcome.judgement, record);
  return record;
}

}  // namespace

std::optional<report::HistoryRecord> history_record_of(const Outcome& outcome,
                                                       const Envelope& envelope,
                                                       const std::string& reporter,
                                                       std::chrono::sys_seconds received) {
  if (!outcome.judgement || !outcome.judgement->is_counted) return std::nullopt;
  auto evaluation = evaluation_of(*outcome.judgement, envelope);
  if (!evaluation) return std::nullopt;
  return record_of(outcome, *std::move(evaluation), reporter, received);
}

std::optional<report::HistoryRecord> history_record_without_policy(
    const Outcome& outcome, const Envelope& envelope, const std::string& reporter,
    std::chrono::sys_seconds received) {
  if (!outcome.judgement || !outcome.judgement->is_counted) return std::nullopt;
  auto evaluation = evaluation_without_policy(*outcome.judgement, envelope);
  if (!evaluation) return std::nullopt;
  report::HistoryRecord record = record_of(outcome, *std::move(evaluation), reporter, received);
  record.has_policy = false;
  return record;
}

}  // namespace countersign::mailflow
