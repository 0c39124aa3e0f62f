// SPDX-License-Identifier: Apache-2.0
//
// Addresses of settings that mail is sent to, in the form in which an MTA takes them.

#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace countersign::service::config {

/// A forward-path without <>: an address, alone or with a name before it, or a user of this host,
/// whose address the MTA completes. Nothing for other text, and for a local part that would need
/// quotes.
/// RFC 5321 §4.1.2
[[nodiscard]] std::optional<std::string> read_forward_path(std::string_view text);

}  // namespace countersign::service::config
