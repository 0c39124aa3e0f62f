// SPDX-License-Identifier: Apache-2.0

#include "service/reporting/failure_queue.hpp"

#include <utility>
#include <vector>

namespace countersign::service {
namespace {

// Names, addresses and the containers themselves.
constexpr std::size_t overhead_octets = 2'048;
constexpr std::size_t overhead_of_each = 64;
constexpr std::size_t site_labels = 2;

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

/// The fields that fit into the bounds, in their order: the author's, and the others from the top.
Header shortened(const Header& header, const FailureBounds& bounds) {
  std::vector<bool> keeps(header.size());
  std::size_t octets = bounds.header_octets;
  std::size_t fields = bounds.header_fields;
  for (const bool is_author : {true, false}) {
    for (std::size_t i = 0; i < header.size(); ++i) {
      const std::size_t size = header[i].raw().size();
      if (header[i].is("From") != is_author || size > octets || fields == 0) continue;
      keeps[i] = true;
      octets -= size;
      --fields;
    }
  }
  Header kept;
  for (std::size_t i = 0; i < header.size(); ++i)
    if (keeps[i]) kept.push_back(header[i]);
  return kept;
}

template <class HeldByName>
auto held_by(const HeldByName& all, std::string_view name) {
  const auto found = all.find(std::string(name));
  return found == all.end() ? typename HeldByName::mapped_type() : found->second;
}

}  // namespace

std::shared_ptr<const mailflow::FailureToReport> FailureQueue::cut(
    std::shared_ptr<const mailflow::FailureToReport> failure) const {
  const Header& header = failure->message.header;
  std::size_t octets = 0;
  for (const HeaderField& field : header) octets += field.raw().size();
  if (octets <= bounds_.header_octets && header.size() <= bounds_.header_fields) return failure;
  auto shorter = std::make_shared<mailflow::FailureToReport>(*failure);
  shorter->message.header = shortened(header, bounds_);
  return shorter;
}

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
  if (!has_room(failure->message.policy_domain, octets)) return Queued::dropped;
  Waiting waiting{.group = {.first = std::move(failure), .incidents = 1, .octets = octets},
                  .due = now + grouped_};
  hold(waiting.group);
  order_.push_back(groups_.emplace(key, std::move(waiting)).first);
  ++incidents_;
  return Queued::first;
}

bool FailureQueue::has_room(const DomainName& domain, std::size_t octets) const {
  const std::size_t free_groups = bounds_.groups - groups_.size();
  const std::size_t free_octets = bounds_.octets - octets_;
  if (free_groups == 0 || octets > free_octets) return false;
  const Held of_site = held_by(sites_, domain.suffix(site_labels));
  if (of_site.groups >= free_groups || of_site.octets + octets > free_octets) return false;
  const Held own = held_by(domains_, domain.text());
  return own.groups == 0 || (own.groups < bounds_.groups / bounds_.shares &&
                             own.octets + octets <= bounds_.octets / bounds_.shares);
}

void FailureQueue::hold(const FailureGroup& group) {
  const DomainName& domain = group.first->message.policy_domain;
  for (Held* held : {&domains_[domain.text()], &sites_[std::string(domain.suffix(site_labels))]}) {
    ++held->groups;
    held->octets += group.octets;
  }
  octets_ += group.octets;
}

void FailureQueue::let_go(const FailureGroup& group) {
  const DomainName& domain = group.first->message.policy_domain;
  const auto let_go_of = [&group](HeldByName& all, std::string_view name) {
    const auto found = all.find(std::string(name));
    found->second.octets -= group.octets;
    if (--found->second.groups == 0) all.erase(found);
  };
  let_go_of(domains_, domain.text());
  let_go_of(sites_, domain.suffix(site_labels));
  octets_ -= group.octets;
}

std::optional<FailureGroup> FailureQueue::take_due(std::chrono::sys_seconds now) {
  if (order_.empty()) return std::nullopt;
  const std::chrono::sys_seconds due = order_.front()->second.due;
  const bool was_set_back = now + grouped_ < due;
  if (now < due && !was_set_back) return std::nullopt;
  FailureGroup group = std::move(order_.front()->second.group);
  groups_.erase(order_.front());
  order_.pop_front();
  let_go(group);
  incidents_ -= group.incidents;
  return group;
}

std::optional<std::chrono::sys_seconds> FailureQueue::next_due() const {
  if (order_.empty()) return std::nullopt;
  return order_.front()->second.due;
}

}  // namespace countersign::service
