// SPDX-License-Identifier: Apache-2.0
//
// Where reports go, asked of DNS: what aggregate and failure reports have in common.

#pragma once

#include <functional>
#include <vector>

#include "countersign/dns/asking.hpp"
#include "countersign/report/destination.hpp"
#include "service/config/settings.hpp"

namespace countersign::service {

/// Drives the evaluation that checks destinations; blocks.
using CheckDestinations = std::function<std::vector<report::CheckedDestination>(
    dns::Asking<std::vector<report::CheckedDestination>>)>;

/// A check by DNS as the daemon's settings have it. Throws StartError when there is none to be had,
/// and std::runtime_error when the zone file cannot be read.
[[nodiscard]] CheckDestinations make_destination_check(const config::DnsSettings& settings);

}  // namespace countersign::service
