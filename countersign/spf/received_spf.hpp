// SPDX-License-Identifier: Apache-2.0
//
// The Received-SPF field: the older way of telling those behind us what a check came to. It is
// written on demand; Authentication-Results says the same in the form that filters read.

#pragma once

#include <string>

#include "countersign/spf/check_host.hpp"
#include "countersign/spf/outcome.hpp"

namespace countersign::spf {

/// Writes the field, folded, without a line end at its end:
///
///   Received-SPF: pass (mx.example.org: a mechanism of the record matched the client …)
///    receiver=mx.example.org; identity=mailfrom; envelope-from="bob@example.com"; …
///
/// Values that are no dot-atom are quoted; octets that are not printable ASCII, which only
/// strangers put there, become "?"; a value that does not fit a line is left out. The field goes
/// above the Received field that we write.
/// RFC 7208 §9.1
[[nodiscard]] std::string format_received_spf(const CheckHost& request, const Outcome& outcome);

}  // namespace countersign::spf
