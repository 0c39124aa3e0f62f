// SPDX-License-Identifier: Apache-2.0

#include "service/reporting/failure_queue.hpp"

#include <utility>

namespace countersign::service {
namespace {

// Names, addresses and the containers themselves.
constexpr std::size_t overhead_octets = 2'048;
constexpr std::size_t overhead_of_each = 64;

std::size_t octets_of(const mailflow::FailureToReport& failure) {
  const report::FailedMessage& message = failure.message;
  std::size_t octets =
      overhead_octets + message.authentication_results.size() + message.mail_from.size();
  if (message.spf) octets += message.spf->record.size();
  for (const HeaderField& field : message.header) octets += field.raw().size() + overhead_of_each;
  for (const auto* texts : {&failure.ruf, &failure.recipients})
    for (const std::string& one : *texts) octets += one.size() + overhead_of_each;
  for (const report::CheckedSignature& one : message.signatures)
    octets += one.auid.size() + 4 * overhead_of_each;
  return octets;
}

}  // namespace

Queued FailureQueue::add(const report::FailureKey& key,
                         std::shared_ptr<const mailflow::FailureToReport> failure,
                         std::chrono::sys_seconds now) {
  const auto found = groups_.find(key);
  if (found != groups_.end()) {
    ++found->second.group.incidents;
    ++incidents_;
    return Queued::counted;
  }
  const std::size_t octets = octets_of(*failure);
  if (groups_.size() >= bounds_.groups || octets > bounds_.octets - octets_) return Queued::dropped;
  Waiting waiting{.group = {.first = std::move(failure), .incidents = 1, .octets = octets},
                  .due = now + grouped_};
  order_.push_back(groups_.emplace(key, std::move(waiting)).first);
  octets_ += octets;
  ++incidents_;
  return Queued::first;
}

std::optional<FailureGroup> FailureQueue::take_due(std::chrono::sys_seconds now) {
  if (order_.empty()) return std::nullopt;
  const std::chrono::sys_seconds due = order_.front()->second.due;
  const bool was_set_back = now + grouped_ < due;
  if (now < due && !was_set_back) return std::nullopt;
  FailureGroup group = std::move(order_.front()->second.group);
  groups_.erase(order_.front());
  order_.pop_front();
  octets_ -= group.octets;
  incidents_ -= group.incidents;
  return group;
}

std::optional<std::chrono::sys_seconds> FailureQueue::next_due() const {
  if (order_.empty()) return std::nullopt;
  return order_.front()->second.due;
}

}  // namespace countersign::service
