// SPDX-License-Identifier: Apache-2.0
//
// Mail that the program writes itself, as reports, signed by the same keys as the mail of users: it
// must pass DMARC like any other mail of the domain (RFC 9990 §3.5).

#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "countersign/mailflow/policy.hpp"
#include "countersign/result.hpp"

namespace countersign::mailflow {

/// Signs a mail by what the tables say about its author.
///
/// mail         header and body, line ends as CRLF.
/// Returns      the mail with its DKIM-Signature fields on top.
/// Errors       a sentence that says why it cannot be signed: no line for the author, no key.
/// RFC 6376 §5
[[nodiscard]] Result<std::string, std::string> sign_own_mail(const Policy& policy,
                                                             std::string_view mail,
                                                             std::chrono::sys_seconds now);

}  // namespace countersign::mailflow
