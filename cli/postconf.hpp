// SPDX-License-Identifier: Apache-2.0
//
// Asks Postfix for its settings: postconf(1) knows the defaults of the release and fills in what a
// value refers to.

#pragma once

#include <string>

#include "service/config/postfix.hpp"

namespace countersign::cli {

/// Runs postconf for the parameters that config check looks at, and for those of services.
/// folder  of main.cf and master.cf; empty: Postfix's own.
/// Throws Failure(exit_data) when Postfix does not tell them, with what it says.
[[nodiscard]] service::config::PostfixParameters ask_postconf(const std::string& folder);

}  // namespace countersign::cli
