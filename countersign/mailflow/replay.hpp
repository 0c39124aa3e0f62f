// SPDX-License-Identifier: Apache-2.0
//
// One signed message sent again to many: the signature of a good domain carries mail of a bad one.
// Nothing in the message is wrong, so nothing but memory can notice: how many recipients one
// signature has come to (S-32). Mail to many is no fault by itself; lists and newsletters that are
// sent as one message do the same. It is taken for a replay when, besides, no recipient is one of
// those whom the author wrote to, and no list says that it passed the message on. What follows is
// the operator's to say; DMARC never changes by it.

#pragma once

#include <chrono>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <vector>

#include "countersign/limits.hpp"
#include "countersign/mailflow/envelope.hpp"
#include "countersign/mailflow/judging_policy.hpp"
#include "countersign/mailflow/verdict.hpp"
#include "countersign/message/header_field.hpp"

namespace countersign::mailflow {

/// A signature by the digest of its b=: nobody can make another with the same one.
struct SignatureId {
  std::uint64_t high = 0;
  std::uint64_t low = 0;

  friend auto operator<=>(const SignatureId&, const SignatureId&) = default;
};

/// A signature that passed, and to whom its message comes now.
struct SeenSignature {
  SignatureId id;
  std::vector<std::uint64_t> recipients;  ///< digests of their addresses
};

/// Remembers signatures for a while, within bounds. One thread; time is the caller's.
class RecipientCounter {
 public:
  /// Adds what has come, and says how many recipients that makes for this signature within the
  /// window that began with its first message. It stops counting a little beyond
  /// ReplayPolicy::recipients.
  std::uint64_t count(const SeenSignature& seen, const ReplayPolicy& policy,
                      std::chrono::sys_seconds now);

  /// Signatures that are remembered.
  [[nodiscard]] std::size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    std::chrono::sys_seconds since;
    std::vector<std::uint64_t> recipients;  // In order, each once.
  };
  void forget_oldest();

  std::map<SignatureId, Entry> entries_;
  std::deque<SignatureId> order_;  // By age, the oldest first.
  std::uint64_t recipients_ = 0;   // Of all entries.
};

/// Where recipients are counted for all who judge mail; empty where nobody counts.
using CountRecipients = std::function<std::uint64_t(const SeenSignature&, const ReplayPolicy&,
                                                    std::chrono::sys_seconds)>;

/// A message that was judged.
struct JudgedMail {
  const Verdict& verdict;
  const Envelope& envelope;
  const Header& header;
};

/// Counts a message, and looks for what a replay has besides. Only signatures that pass count, or
/// anybody could spoil those of others.
[[nodiscard]] ReplaySigns find_replay(const JudgedMail& mail, const ReplayPolicy& policy,
                                      const Limits& limits, const CountRecipients& count,
                                      std::chrono::sys_seconds now);

}  // namespace countersign::mailflow
