// SPDX-License-Identifier: Apache-2.0
//
// The grammar that opendkim.conf shares with its relatives (opendmarc.conf, openarc.conf):
//
//   file    = *line
//   line    = [name 1*WSP value] [comment] LF
//   name    = 1*(any octet but WSP "#" CR LF)          compared without regard to case
//   value   = up to the comment, blanks at both ends cut
//   comment = ("#" / CR) *(any octet but LF)           also inside a value
//
// There is no quoting and no continuation. "Include file" reads another file in its place.

#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "service/config/files.hpp"
#include "service/config/problem.hpp"

namespace countersign::service::config {

/// Files that may be open inside each other, the first one not counted.
inline constexpr std::size_t include_depth_max = 5;
/// Files that are included in all: five levels of includes can multiply them.
inline constexpr std::size_t includes_max = 100;
/// Lines of all files together.
inline constexpr std::size_t config_lines_max = 100'000;

/// A line that sets something.
struct ConfigLine {
  std::string name;
  std::string value;
  Place place;
};

/// Cuts a text into lines; includes stay lines. A name without a value is a problem.
[[nodiscard]] std::vector<ConfigLine> split_config_lines(std::string_view text,
                                                         const std::string& file,
                                                         Problems& problems);

/// Reads a file and the files that it includes, in order.
[[nodiscard]] std::vector<ConfigLine> read_config_lines(const std::string& file, const Files& files,
                                                        Problems& problems);

}  // namespace countersign::service::config
