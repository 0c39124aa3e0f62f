// SPDX-License-Identifier: Apache-2.0
//
// The last messages, kept in memory so that somebody can ask what became of one of them and why.
// All workers put theirs here, one by one: the lock is held for a push and a pop, and by those who
// ask for a slice of the ring at a time, so that mail never waits for a question.
//
// The ring is bounded twice. By count, for what an operator can reckon with; by octets, since a
// stranger decides how large a message's verdict is: a chain of fifty ARC sets, a record of eight
// thousand octets.

#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "countersign/limits.hpp"
#include "countersign/mailflow/envelope.hpp"
#include "countersign/mailflow/outcome.hpp"
#include "service/dns/asked_questions.hpp"

namespace countersign::service {

/// A message that went through the filter, and all that was found out about it.
struct KeptMessage {
  std::chrono::sys_seconds finished;
  std::string client;           ///< "host [address]"
  mailflow::Envelope envelope;  ///< without macros; with the first few recipients
  mailflow::Outcome outcome;    ///< without the edits
  std::vector<AskedQuestion> asked;
  Limits limits;  ///< of the policy that it went by
};

/// About how much memory a message takes, with all that it owns; octets.
[[nodiscard]] std::size_t octets_of(const KeptMessage& message);

/// How much is kept; nothing is when either is 0.
struct KeptBounds {
  std::size_t messages = 0;
  std::size_t octets = 0;
};

/// What a ring holds, to tell those who look for a message in vain.
struct KeptReach {
  std::size_t messages = 0;
  std::size_t octets = 0;
  KeptBounds bounds;
  std::uint64_t forgotten = 0;                     ///< messages that made room for others
  std::chrono::sys_seconds since;                  ///< when the ring was made
  std::optional<std::chrono::sys_seconds> oldest;  ///< of the messages that it holds
};

/// A ring of messages. For all threads.
class KeptMessages {
 public:
  using Found = std::vector<std::shared_ptr<const KeptMessage>>;

  /// since   now: the ring reaches back no further.
  KeptMessages(KeptBounds bounds, std::chrono::sys_seconds since);

  /// False when nothing is kept, so that nobody needs to put a message together.
  [[nodiscard]] bool is_on() const { return on_.load(std::memory_order_relaxed); }
  /// Keeps a message, and lets go of the oldest that there is no room for any more. One that is
  /// larger than all the room is not kept.
  void keep(KeptMessage message);
  /// Puts other bounds in force.
  void adjust(KeptBounds bounds);

  /// The messages of that queue id, the newest first, at most so many. An id may stand for several:
  /// two MTAs, one message that comes by twice, or an id that was used again.
  [[nodiscard]] Found find(std::string_view queue_id, std::size_t most) const;
  /// The last messages, the newest first, at most so many.
  [[nodiscard]] Found last(std::size_t most) const;
  [[nodiscard]] KeptReach reach() const;  ///< what it holds, and how far back

 private:
  struct Entry {
    std::shared_ptr<const KeptMessage> message;
    std::size_t octets = 0;
  };

  [[nodiscard]] std::vector<Entry> make_room(std::size_t messages, std::size_t octets);
  template <class Wanted>
  [[nodiscard]] Found collect(Wanted wanted, std::size_t most) const;

  mutable std::mutex mutex_;
  std::deque<Entry> entries_;  // The oldest first.
  std::size_t octets_ = 0;     // Of all entries.
  std::uint64_t kept_ = 0;     // Messages ever kept; the number of the newest.
  KeptBounds bounds_;
  std::chrono::sys_seconds since_;
  std::atomic<bool> on_;
};

}  // namespace countersign::service
