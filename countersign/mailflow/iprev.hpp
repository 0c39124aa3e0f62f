// SPDX-License-Identifier: Apache-2.0
//
// Does the client have a name that leads back to it? MTAs usually know already; where ours does
// not, DNS is asked. RFC 8601 §3

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "countersign/dns/asking.hpp"
#include "countersign/domain/address.hpp"
#include "countersign/limits.hpp"

namespace countersign::mailflow {

/// The words for it. RFC 8601 §2.7.3
enum class IprevResult : std::uint8_t { pass, fail, temperror, permerror };

/// The word on the wire.
[[nodiscard]] std::string_view to_string(IprevResult result);

/// Is the address one of the name's? False when DNS does not tell.
///
/// name         a domain name, in lower case.
[[nodiscard]] dns::Asking<bool> leads_to(std::string name, IpAddress address);

/// What the check came to.
struct IprevOutcome {
  IprevResult result = IprevResult::fail;
  std::string name;  ///< the name that leads back, lower case; empty without one
};

/// Asks for the names of the address and for the addresses of those, at most Limits::spf_hosts_max
/// of them. permerror: the address has no name. RFC 8601 §3
[[nodiscard]] dns::Asking<IprevOutcome> check_iprev(IpAddress client_ip, Limits limits);

}  // namespace countersign::mailflow
