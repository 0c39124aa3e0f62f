// SPDX-License-Identifier: Apache-2.0
//
// Data sets as OpenDKIM names them: a text that says where entries are, and the entries themselves.
//
//   file:/path     one entry a line: key, blanks, value; "#" begins a comment
//   /path          the same
//   refile:/path   the same, but keys are patterns, matched in the order of the file
//   csl:a,b=c      entries separated by commas; key=value
//   a,b=c          the same
//   mdb:/path      an LMDB environment
//
// db:, dsn:, ldap:, ldaps:, ldapi:, lua:, memcache:, erlang:, socket: and repute: are known and
// refused with what to do instead.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "service/config/files.hpp"
#include "service/config/problem.hpp"
#include "service/config/settings.hpp"

namespace countersign::service::config {

/// Entries of one data set that are read.
inline constexpr std::size_t data_set_entries_max = 2'000'000;

/// The kind of a data set and what stands behind its prefix.
struct DataSource {
  /// How the entries are kept.
  enum class Kind : std::uint8_t {
    list,      ///< in the text itself
    file,      ///< in a file
    patterns,  ///< in a file, the keys being patterns
    lmdb,      ///< in an LMDB environment
    refused,   ///< in something that is not read; `rest` says what to do
    unknown,   ///< behind a prefix that nobody knows
  };

  Kind kind = Kind::list;
  std::string prefix;  ///< in lower case, without the colon; empty when there is none
  std::string rest;

  friend bool operator==(const DataSource&, const DataSource&) = default;
};

/// Tells what a data set's text names. A prefix ends at the first colon, unless a comma comes
/// before it.
/// Leniency     a colon after something that is no word (::1,127.0.0.1) begins no prefix; OpenDKIM
///              refuses such a list.
[[nodiscard]] DataSource parse_data_source(std::string_view text);

/// One entry.
struct DataEntry {
  std::string key;
  std::string value;  ///< empty when there is none
  Place place;
};

/// All entries of a data set, in their order.
struct DataEntries {
  bool patterns = false;  ///< keys are patterns, as in a refile
  std::vector<DataEntry> entries;
};

/// Reads a data set whole. What cannot be read is a fatal problem at the place of the setting.
[[nodiscard]] DataEntries read_data_set(const DataSet& set, const Files& files, Problems& problems);

}  // namespace countersign::service::config
