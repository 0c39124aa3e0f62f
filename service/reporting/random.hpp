// SPDX-License-Identifier: Apache-2.0
//
// What nobody can guess: names of mails, and the secret that local parts are hidden by.

#pragma once

#include <cstddef>
#include <string>

namespace countersign::service {

/// Random octets of the system as hexadecimal digits, two for each. Throws std::system_error when
/// the system gives none.
[[nodiscard]] std::string random_hex(std::size_t octets);

}  // namespace countersign::service
