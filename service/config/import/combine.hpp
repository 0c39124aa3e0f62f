// SPDX-License-Identifier: Apache-2.0
//
// One process in the place of several programs: the settings of their files as one.

#pragma once

#include <vector>

#include "service/config/problem.hpp"
#include "service/config/settings.hpp"

namespace countersign::service::config {

/// Makes one of the settings that several files made.
///
/// own       what counts more, most of it first; only what was set in it counts, without a word
/// imports   files of other programs. The first that sets something decides; another that says
///           something else is told with both places. What none sets is as in the first program
///           whose default is its own. All sockets are listened on, so that the MTA's settings
///           need no change, and mail is signed and judged as soon as one file says so.
[[nodiscard]] Settings combine(std::vector<Settings> own, std::vector<Settings> imports,
                               Problems& problems);

}  // namespace countersign::service::config
