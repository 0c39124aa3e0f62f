// SPDX-License-Identifier: Apache-2.0
//
// A bounded cache whose entries run out. Answers are kept in one, and records that were parsed from
// answers can be kept in others: it knows nothing of DNS.

#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

namespace countersign::service {

/// Keeps values by key until their time is up or the room is needed. All threads may use it at
/// once; keys are spread over shards with a lock each, so that they seldom meet. When a shard is
/// full, what was used least recently goes. Within a shard keys are ordered, by their hash first:
/// strangers choose the names that are looked up, and gain nothing by ones that collide.
template <class Key, class Value, class Hash = std::hash<Key>>
class TtlCache {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  /// What was found, and when it runs out.
  struct Found {
    Value value;
    TimePoint expires;
  };

  /// room_octets   how much all entries may cost together; shared evenly by the shards.
  /// shards        how many locks; a few times the number of threads is plenty.
  explicit TtlCache(std::size_t room_octets, std::size_t shards = 16) {
    const std::size_t count = std::max<std::size_t>(shards, 1);
    for (std::size_t i = 0; i < count; ++i) {
      shards_.push_back(std::make_unique<Shard>());
      shards_.back()->room = room_octets / count;
    }
  }

  /// The value of the key, a copy, unless it has run out. Values that are large are best kept as
  /// shared_ptr<const …>.
  [[nodiscard]] std::optional<Found> find(const Key& key, TimePoint now) {
    const Place place{Hash{}(key), &key};
    Shard& shard = shard_of(place);
    const std::scoped_lock lock(shard.mutex);
    const auto found = shard.index.find(place);
    if (found == shard.index.end()) return std::nullopt;
    const auto entry = found->second;
    if (entry->found.expires <= now) {
      shard.remove(entry);
      return std::nullopt;
    }
    shard.entries.splice(shard.entries.begin(), shard.entries, entry);
    return entry->found;
  }

  /// Keeps a value, in place of an earlier one. One that costs more than a shard's room is not
  /// kept.
  ///
  /// cost_octets   an estimate of the memory that key and value take.
  /// Returns       how many values had to go to make room.
  std::size_t put(Key key, Value value, TimePoint expires, std::size_t cost_octets) {
    const Place place{Hash{}(key), &key};
    Shard& shard = shard_of(place);
    const std::scoped_lock lock(shard.mutex);
    if (const auto old = shard.index.find(place); old != shard.index.end())
      shard.remove(old->second);
    if (cost_octets > shard.room) return 0;
    std::size_t evicted = 0;
    for (; shard.used + cost_octets > shard.room; ++evicted)
      shard.remove(std::prev(shard.entries.end()));
    shard.entries.push_front(
        {std::move(key), place.hash, {std::move(value), expires}, cost_octets});
    shard.index.emplace(shard.entries.front().place(), shard.entries.begin());
    shard.used += cost_octets;
    return evicted;
  }

  /// Forgets everything.
  void clear() {
    for (const auto& shard : shards_) {
      const std::scoped_lock lock(shard->mutex);
      shard->index.clear();
      shard->entries.clear();
      shard->used = 0;
    }
  }

  /// How many values are kept, those included that have run out and were not asked for since.
  [[nodiscard]] std::size_t size() const {
    std::size_t count = 0;
    for (const auto& shard : shards_) {
      const std::scoped_lock lock(shard->mutex);
      count += shard->entries.size();
    }
    return count;
  }

 private:
  // Where a key stands: most comparisons end at the hash, without a look at the key's own memory.
  struct Place {
    std::size_t hash = 0;
    const Key* key = nullptr;

    bool operator<(const Place& other) const {
      return hash != other.hash ? hash < other.hash : *key < *other.key;
    }
  };
  struct Entry {
    Key key;
    std::size_t hash = 0;
    Found found;
    std::size_t cost = 0;

    [[nodiscard]] Place place() const { return {hash, &key}; }
  };
  struct Shard {
    mutable std::mutex mutex;
    std::list<Entry> entries;  // The most recently used one first.
    std::map<Place, typename std::list<Entry>::iterator> index;
    std::size_t used = 0;
    std::size_t room = 0;

    /// Takes an entry out of the list and the index.
    void remove(typename std::list<Entry>::iterator entry) {
      used -= entry->cost;
      index.erase(entry->place());
      entries.erase(entry);
    }
  };

  Shard& shard_of(const Place& place) { return *shards_[place.hash % shards_.size()]; }

  std::vector<std::unique_ptr<Shard>> shards_;
};

}  // namespace countersign::service
