// SPDX-License-Identifier: Apache-2.0
//
// A zone file that stands in for DNS, read from disk.

#pragma once

#include <string>

#include "countersign/dns/zone.hpp"

namespace countersign::service {

/// Reads the zone. Throws StartError with its line when that cannot be done.
[[nodiscard]] dns::Zone read_zone_file(const std::string& path);

}  // namespace countersign::service
