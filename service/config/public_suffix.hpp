// SPDX-License-Identifier: Apache-2.0
//
// Where the public suffix list comes from.

#pragma once

#include <expected>
#include <string>

#include "countersign/dmarc/discovery.hpp"
#include "service/config/files.hpp"

namespace countersign::service::config {

/// Where Debian keeps the list.
inline constexpr const char* system_public_suffix_list =
    "/usr/share/publicsuffix/public_suffix_list.dat";

/// Reads the list of that file; without a name that of the system, or, where there is none, the one
/// that libpsl was built with.
/// Errors       a sentence that names the file.
[[nodiscard]] std::expected<dmarc::OrgDomainOf, std::string> read_public_suffix_list(
    const std::string& file, const Files& files);

}  // namespace countersign::service::config
