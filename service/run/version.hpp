// SPDX-License-Identifier: Apache-2.0
//
// The version that the program, its log and its header fields show.

#pragma once

namespace countersign::service {

/// Of this build, as `git describe` would not be: the number of the last release or the next one.
inline constexpr const char* version = "0.1.0";

}  // namespace countersign::service
