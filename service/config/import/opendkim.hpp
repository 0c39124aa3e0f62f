// SPDX-License-Identifier: Apache-2.0
//
// An existing opendkim.conf, unedited, as our settings.

#pragma once

#include <string>

#include "service/config/import/importer.hpp"

namespace countersign::service::config {

/// Settings as OpenDKIM has them when its file says nothing: canonicalization simple/simple, its
/// own list of signed fields, nothing oversigned, one signature a message.
[[nodiscard]] Settings opendkim_defaults();

/// How opendkim.conf is read.
[[nodiscard]] const Dialect& opendkim_dialect();

/// Reads opendkim.conf; an empty name reads no file.
[[nodiscard]] Settings import_opendkim(const std::string& file, const Overrides& overrides,
                                       const Files& files, Problems& problems);

}  // namespace countersign::service::config
