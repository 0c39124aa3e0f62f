// SPDX-License-Identifier: Apache-2.0
//
// check_host(): may this client send mail for this domain? RFC 7208 §4 and §5 as an evaluation that
// asks; it reads beside them. It knows no clock: whoever drives it ends it after the 20 seconds
// that RFC 7208 §4.6.4 speaks of by answering what is open with AnswerStatus::timeout.

#pragma once

#include <chrono>
#include <string>

#include "countersign/dns/asking.hpp"
#include "countersign/domain/address.hpp"
#include "countersign/limits.hpp"
#include "countersign/spf/outcome.hpp"

namespace countersign::spf {

/// What SMTP told us, and which identity is checked against it.
struct CheckHost {
  IpAddress client_ip;
  std::string helo;       ///< as the client gave it, an address literal in its brackets
  std::string mail_from;  ///< the reverse-path without <>; empty for the null path
  Identity identity = Identity::mail_from;
  std::string receiver = "unknown";  ///< our host name, for %{r} in explanations
  std::chrono::sys_seconds now;      ///< for %{t} in explanations
};

/// Checks whether the client may use the identity.
///
/// Errors       there are none besides results: a DNS failure is temperror, a record or path that
///              cannot be used is permerror, and none is all that is said without a record.
/// RFC 7208 §4
[[nodiscard]] dns::Asking<Outcome> check_host(CheckHost request, Limits limits);

}  // namespace countersign::spf
