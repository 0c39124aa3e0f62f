// SPDX-License-Identifier: Apache-2.0
//
// Files and standard input as subcommands take them: "-" is standard input, everything is bounded.

#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace countersign::cli {

/// Octets that a small input (key, zone, record) may have.
inline constexpr std::size_t small_input_bytes_max = 64UL * 1024 * 1024;

/// Reads a whole file, or standard input for "-". Throws Failure: exit_no_input with the reason,
/// exit_data when it has more octets than that.
[[nodiscard]] std::string read_whole_input(const std::string& path, std::size_t octets_max);

/// Reads a whole small file, or standard input for "-". Throws Failure(exit_no_input) with the
/// reason.
[[nodiscard]] std::string read_small_input(const std::string& path);

/// Reads a file or standard input in chunks and hands each on, so that a message may be of any
/// size.
/// Stops early when on_chunk returns false. Throws Failure(exit_no_input) with the reason.
void read_in_chunks(const std::string& path, const std::function<bool(std::string_view)>& on_chunk);

/// Writes a new file with the mode (as 0600), replacing an old one only when overwrite is set.
/// Throws
/// Failure(exit_cannot_create) with the reason.
void write_file(const std::string& path, std::string_view text, unsigned mode, bool overwrite);

}  // namespace countersign::cli
