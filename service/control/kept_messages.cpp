// SPDX-License-Identifier: Apache-2.0

#include "service/control/kept_messages.hpp"

#include <algorithm>
#include <utility>

namespace countersign::service {
namespace {

// Messages looked at under one lock: some ten microseconds.
constexpr std::size_t slice = 64;

}  // namespace

KeptMessages::KeptMessages(KeptBounds bounds, std::chrono::sys_seconds since)
    : bounds_(bounds), since_(since), on_(bounds.messages > 0 && bounds.octets > 0) {}

void KeptMessages::keep(KeptMessage message) {
  if (!is_on()) return;
  auto shared = std::make_shared<const KeptMessage>(std::move(message));
  const std::size_t octets = octets_of(*shared);
  std::vector<Entry> forgotten;  // Given back when the lock is gone.
  const std::lock_guard lock(mutex_);
  if (bounds_.messages == 0 || octets > bounds_.octets) return;
  forgotten = make_room(bounds_.messages - 1, bounds_.octets - octets);
  entries_.push_back({std::move(shared), octets});
  octets_ += octets;
  ++kept_;
}

void KeptMessages::adjust(KeptBounds bounds) {
  std::vector<Entry> forgotten;
  const std::lock_guard lock(mutex_);
  bounds_ = bounds;
  on_ = bounds.messages > 0 && bounds.octets > 0;
  forgotten = on_ ? make_room(bounds.messages, bounds.octets) : make_room(0, 0);
}

/// Takes the oldest out until no more than that is left.
std::vector<KeptMessages::Entry> KeptMessages::make_room(std::size_t messages, std::size_t octets) {
  std::vector<Entry> forgotten;
  while (!entries_.empty() && (entries_.size() > messages || octets_ > octets)) {
    octets_ -= entries_.front().octets;
    forgotten.push_back(std::move(entries_.front()));
    entries_.pop_front();
  }
  return forgotten;
}

/// Goes from the newest to the oldest, a slice under each lock. Messages that come meanwhile are
/// not seen; those that are forgotten meanwhile are missed.
template <class Wanted>
KeptMessages::Found KeptMessages::collect(Wanted wanted, std::size_t most) const {
  Found found;
  std::optional<std::uint64_t> next;  // The number of the message to look at; they count from 1.
  for (;;) {
    const std::lock_guard lock(mutex_);
    if (!next) next = kept_;
    const std::uint64_t oldest = kept_ - entries_.size() + 1;
    for (std::size_t seen = 0; seen < slice; ++seen, --*next) {
      if (*next < oldest || found.size() >= most) return found;
      const Entry& entry = entries_[static_cast<std::size_t>(*next - oldest)];
      if (wanted(*entry.message)) found.push_back(entry.message);
    }
  }
}

KeptMessages::Found KeptMessages::find(std::string_view queue_id, std::size_t most) const {
  return collect(
      [queue_id](const KeptMessage& message) { return message.outcome.queue_id == queue_id; },
      most);
}

KeptMessages::Found KeptMessages::last(std::size_t most) const {
  return collect([](const KeptMessage&) { return true; }, most);
}

KeptReach KeptMessages::reach() const {
  const std::lock_guard lock(mutex_);
  KeptReach reach{.messages = entries_.size(),
                  .octets = octets_,
                  .bounds = bounds_,
                  .forgotten = kept_ - entries_.size(),
                  .since = since_,
                  .oldest = std::nullopt};
  if (!entries_.empty()) reach.oldest = entries_.front().message->finished;
  return reach;
}

}  // namespace countersign::service
