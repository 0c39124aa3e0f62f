// SPDX-License-Identifier: Apache-2.0
//
// The settings for people, made from the one table: docs/settings.md and the manual page
// countersign.toml(5). A test holds the committed files to what is made here.

#pragma once

#include <string>

namespace countersign::service::config {

/// docs/settings.md.
[[nodiscard]] std::string settings_markdown();

/// The source of countersign.toml(5) for scdoc(1).
[[nodiscard]] std::string settings_manual();

}  // namespace countersign::service::config
