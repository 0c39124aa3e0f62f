// SPDX-License-Identifier: Apache-2.0
//
// From what a file says to a typed setting: a value as it was written, the slot of the setting that
// it is for, and the conversion between them, which is the same for every configuration language.

#pragma once

#include <chrono>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "service/config/settings.hpp"

namespace countersign::service::config {

/// A value as it stands in a file.
struct Value {
  struct Member;
  using List = std::vector<Value>;
  using Table = std::vector<Member>;  ///< in the order of the file

  std::variant<bool, std::int64_t, std::string, List, Table> data;
  Place place;
};

/// A key of a table and its value.
struct Value::Member {
  std::string key;
  Value value;
};

/// Where the value of a setting is kept; the type says how it is written.
using Slot =
    std::variant<bool*, std::uint64_t*, std::optional<std::uint64_t>*, std::chrono::seconds*,
                 std::optional<std::chrono::seconds>*, std::optional<FileMode>*, Rate*,
                 std::string*, std::vector<std::string>*, std::vector<SocketSpec>*, DataSet*,
                 Canonicalizations*, Mode*, mailflow::Action*, mailflow::RejectPolicy*,
                 mailflow::RefuseFrom*, mailflow::AddedField*, mailflow::MismatchAction*,
                 dmarc::DiscoveryMethod*, LogFormat*, LogLevel*, SmtpTls*, StoreEngine*,
                 report::Privacy*, std::vector<SigningDomain>*>;

/// The numbers that a setting takes, both included.
struct Range {
  std::uint64_t least = 0;
  std::uint64_t most = std::numeric_limits<std::int64_t>::max();
};

/// Puts a value into a slot.
/// Returns      nothing when all is well, else a sentence part that says what is expected:
///              "expected a number from 1 to 65535".
[[nodiscard]] std::optional<std::string> assign(const Slot& slot, const Value& value,
                                                const Range& range = {});

/// The value of a slot as countersign.toml writes it; empty for one without a value.
[[nodiscard]] std::string to_toml(const Slot& slot);

/// The type of a slot for people: "number", "yes or no", "list of text", "accept, discard, …".
[[nodiscard]] std::string type_of(const Slot& slot);

/// Reads a duration: "90", "90s", "5m", "2h", "7d", "1w"; a number alone counts seconds.
[[nodiscard]] std::optional<std::chrono::seconds> parse_duration(std::string_view text);

/// Reads a rate: "10/1h"; the time as parse_duration() reads it.
[[nodiscard]] std::optional<Rate> parse_rate(std::string_view text);

}  // namespace countersign::service::config
