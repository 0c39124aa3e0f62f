// SPDX-License-Identifier: Apache-2.0
//
// Every option that an opendkim.conf may hold, of this release or of earlier ones, and what becomes
// of it here.

#pragma once

#include <span>

#include "service/config/import/option.hpp"

namespace countersign::service::config {

/// All options, On-Default before those that it is the default of.
[[nodiscard]] std::span<const Option> opendkim_options();

}  // namespace countersign::service::config
