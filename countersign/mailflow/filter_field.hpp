// SPDX-License-Identifier: Apache-2.0
//
// The field by which a filter says that a message has passed it, as OpenDKIM and OpenDMARC write it
// with SoftwareHeader.

#pragma once

#include <string>
#include <string_view>

#include "countersign/mailflow/header_edit.hpp"

namespace countersign::mailflow {

/// Writes such a field at the top: "DKIM-Filter: countersign v1 host 4XyZ12".
///
/// name         of the field.
/// software     name, version and host.
/// queue_id     empty when the MTA gave none.
[[nodiscard]] HeaderEdit filter_field(std::string_view name, const std::string& software,
                                      const std::string& queue_id);

}  // namespace countersign::mailflow
