// SPDX-License-Identifier: Apache-2.0
//
// Judged messages as octets, the form in which the spool and the data bases keep them.
//
// An evaluation is cut in three: the policy that applied, the address of the client, and its
// identity, which is all the rest: names, results, what was done. Policies and identities come
// again and again, with many addresses and on many days, so a data base keeps each of them once. In
// octets they are one value to compare, whatever a stranger has written into them: no NUL, no
// broken UTF-8 and no quote is anything special. Equal values have equal octets, and the other way
// round.
//
// Numbers are big-endian; a text is its length in two octets and its octets.

#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "countersign/report/evaluation.hpp"

namespace countersign::service::store {

/// A UTC day, the period of every count.
using Day = std::chrono::sys_days;

/// What is told of a day at once; see store.hpp.
struct Edition {
  Day day;
  std::int64_t number = 1;  ///< counted from 1

  friend auto operator<=>(const Edition&, const Edition&) = default;
};

/// Octets of one text that is kept: a domain name, a comment. What is longer is cut.
inline constexpr std::size_t text_octets_max = 1'024;
/// Signatures, overrides and report addresses of one evaluation that are kept.
inline constexpr std::size_t list_items_max = 32;

/// What is counted: evaluations of a day that have this in common.
struct RowKey {
  Day day;
  std::string policy;    ///< as encode_policy() writes it
  std::string source;    ///< the address: 4 or 16 octets
  std::string identity;  ///< as encode_identity() writes it

  friend auto operator<=>(const RowKey& one, const RowKey& other) {
    return std::tie(one.day, one.policy, one.source, one.identity) <=>
           std::tie(other.day, other.policy, other.source, other.identity);
  }
  friend bool operator==(const RowKey&, const RowKey&) = default;
};

/// Messages by what they have in common, in order: whoever locks rows locks them in the same order.
using Counts = std::map<RowKey, std::uint64_t>;

/// The key under which an evaluation is counted.
[[nodiscard]] RowKey row_key(const report::Evaluation& evaluation, Day day);
/// The evaluation of a key; nothing when its octets are none that row_key() makes.
[[nodiscard]] std::optional<report::Evaluation> evaluation_of(const RowKey& key);

/// The policy as octets.
[[nodiscard]] std::string encode_policy(const report::PublishedPolicy& policy);
/// Reads what encode_policy() wrote, to the last octet.
[[nodiscard]] std::optional<report::PublishedPolicy> decode_policy(std::string_view octets);

/// Counts as one record of the spool.
[[nodiscard]] std::string encode_counts(const Counts& counts);
/// Reads what encode_counts() wrote, to the last octet; what has a row twice is refused.
///
/// known        rows that were read before, and are not looked into again.
[[nodiscard]] std::optional<Counts> decode_counts(std::string_view octets,
                                                  const Counts& known = {});

/// A text as a data base takes it: at most text_octets_max octets, with U+FFFD in place of NUL and
/// of what is no UTF-8.
[[nodiscard]] std::string storable_text(std::string_view text);

}  // namespace countersign::service::store
