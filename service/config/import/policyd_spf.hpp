// SPDX-License-Identifier: Apache-2.0
//
// An existing policyd-spf.conf, unedited, as our settings; or the pyspf-milter.conf of the same
// program's milter. Its grammar is its own:
//
//   line    = [name "=" value] [comment] LF      blanks at both ends of name and value are cut
//   comment = "#" *(any octet but LF)

#pragma once

#include "service/config/import/importer.hpp"

namespace countersign::service::config {

/// How policyd-spf.conf is read.
[[nodiscard]] const Dialect& policyd_spf_dialect();

/// Cuts a text into lines. A line without "=" is a problem, as is one with two; the program leaves
/// both out.
[[nodiscard]] std::vector<ConfigLine> split_policyd_spf_lines(std::string_view text,
                                                              const std::string& file,
                                                              Problems& problems);

}  // namespace countersign::service::config
