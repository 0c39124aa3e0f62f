// SPDX-License-Identifier: Apache-2.0
//
// An existing opendkim.conf, unedited, as our settings.

#pragma once

#include <string>
#include <utility>
#include <vector>

#include "service/config/files.hpp"
#include "service/config/problem.hpp"
#include "service/config/settings.hpp"

namespace countersign::service::config {

/// Settings as OpenDKIM has them when its file says nothing: canonicalization simple/simple, its
/// own list of signed fields, nothing oversigned, one signature a message.
[[nodiscard]] Settings opendkim_defaults();

/// Reads opendkim.conf; an empty name reads no file.
/// overrides    options of the command line by their names in the file: {"Socket", "inet:8891"}.
[[nodiscard]] Settings import_opendkim(
    const std::string& file, const std::vector<std::pair<std::string, std::string>>& overrides,
    const Files& files, Problems& problems);

}  // namespace countersign::service::config
