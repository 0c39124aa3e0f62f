// SPDX-License-Identifier: Apache-2.0
//
// Networks that many customers of one company send from: web hosts with the relays behind them, and
// clouds. Whoever names them in an SPF record names all those customers (BreakSPF, NDSS 2024;
// VU#244112). Services that send for the domains that a customer has proved to own are not here.

#pragma once

#include <string_view>

namespace countersign::cli {

/// Whose customers send from the networks that the SPF record of a domain holds.
///
/// domain       as an include has it: in any case, a dot at its end or none.
/// Returns      the name of the company; empty for a domain that is not known for that.
/// RFC 7208 §11.4
[[nodiscard]] std::string_view owner_of_shared_networks(std::string_view domain);

}  // namespace countersign::cli
