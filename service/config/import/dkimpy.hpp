// SPDX-License-Identifier: Apache-2.0
//
// An existing dkimpy-milter.conf, unedited, as our settings.

#pragma once

#include "service/config/import/importer.hpp"

namespace countersign::service::config {

/// How dkimpy-milter.conf is read.
[[nodiscard]] const Dialect& dkimpy_dialect();

}  // namespace countersign::service::config
