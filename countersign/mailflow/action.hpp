// SPDX-License-Identifier: Apache-2.0
//
// What can be done with a message in the end, and which of two actions is the harder one.

#pragma once

#include <cstdint>
#include <string_view>

namespace countersign::mailflow {

/// What is done with a message, in OpenDKIM's words (On-* options).
enum class Action : std::uint8_t { accept, discard, quarantine, reject, tempfail };

/// The word itself, for programs that read our JSON.
[[nodiscard]] std::string_view to_string(Action action);

/// How hard an action is on the message: accept is 0, then quarantine, tempfail, reject, discard.
[[nodiscard]] unsigned severity(Action action);

}  // namespace countersign::mailflow
