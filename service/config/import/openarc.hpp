// SPDX-License-Identifier: Apache-2.0
//
// An existing openarc.conf, unedited, as our settings.

#pragma once

#include "service/config/import/importer.hpp"

namespace countersign::service::config {

/// How openarc.conf is read.
[[nodiscard]] const Dialect& openarc_dialect();

}  // namespace countersign::service::config
