// SPDX-License-Identifier: Apache-2.0
//
// countersign.toml as settings, by the one table.

#pragma once

#include <string>
#include <utility>
#include <vector>

#include "service/config/files.hpp"
#include "service/config/problem.hpp"
#include "service/config/settings.hpp"

namespace countersign::service::config {

/// Reads countersign.toml; an empty name reads no file. A key that is not in the table, or a value
/// that is not of its type, is a fatal problem with its line; what can be read is read.
/// overrides    settings of the command line by their keys: {"daemon.sockets", "inet:8891"}; the
///              value is read as TOML, or as a text when it is none.
[[nodiscard]] Settings load_toml(const std::string& file,
                                 const std::vector<std::pair<std::string, std::string>>& overrides,
                                 const Files& files, Problems& problems);

/// Puts settings of the command line over settings that other files made.
void override_settings(Settings& settings,
                       const std::vector<std::pair<std::string, std::string>>& overrides,
                       Problems& problems);

}  // namespace countersign::service::config
