// SPDX-License-Identifier: Apache-2.0
//
// Files and standard input as subcommands take them: "-" is standard input, everything is bounded.

#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace countersign::cli {

/// Octets that a small input (key, zone, record) may have.
inline constexpr std::size_t small_input_bytes_max = 64UL * 1024 * 1024;

/// The name of an input in a sentence: the path, or "standard input" for "-".
[[nodiscard]] std::string input_name(const std::string& path);

/// Reads a whole file, or standard input for "-". Throws Failure: exit_no_input with the reason,
/// exit_data when it has more octets than that.
[[nodiscard]] std::string read_whole_input(const std::string& path, std::size_t octets_max);

/// Reads a whole small file, or standard input for "-". Throws Failure(exit_no_input) with the
/// reason.
[[nodiscard]] std::string read_small_input(const std::string& path);

/// Reads a file or standard input in chunks and hands each on, so that a message may be of any
/// size. Stops early when on_chunk returns false. Throws Failure(exit_no_input) with the reason.
void read_in_chunks(const std::string& path, const std::function<bool(std::string_view)>& on_chunk);

/// How a file is written.
struct NewFile {
  std::optional<unsigned> mode;  ///< as 0600; none: what the umask gives
  bool overwrite = false;        ///< replaces a file that is there
};

/// Writes a file, whole or not at all. Throws Failure(exit_cannot_create) with the reason, as when
/// the file is there and must not be replaced.
void write_file(const std::string& path, std::string_view text, NewFile file);

}  // namespace countersign::cli
