// SPDX-License-Identifier: Apache-2.0
//
// An existing opendmarc.conf, unedited, as our settings.

#pragma once

#include "service/config/import/importer.hpp"

namespace countersign::service::config {

/// How opendmarc.conf is read.
[[nodiscard]] const Dialect& opendmarc_dialect();

}  // namespace countersign::service::config
