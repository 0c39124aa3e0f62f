// SPDX-License-Identifier: Apache-2.0
//
// The settings of sealing as the value that mailflow seals by.

#pragma once

#include <optional>

#include "countersign/mailflow/sealing_policy.hpp"
#include "service/config/files.hpp"
#include "service/config/key_store.hpp"
#include "service/config/problem.hpp"
#include "service/config/settings.hpp"

namespace countersign::service::config {

/// Reads the key and the lists. Nothing when nothing is to be sealed, or when a problem is fatal.
[[nodiscard]] std::optional<mailflow::SealingPolicy> make_sealing_policy(const Settings& settings,
                                                                         const Files& files,
                                                                         KeyStore& keys,
                                                                         Problems& problems);

}  // namespace countersign::service::config
