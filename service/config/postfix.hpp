// SPDX-License-Identifier: Apache-2.0
//
// What the settings of a Postfix mean for us: whether it calls us at all, what it lets through, and
// what becomes of mail while we are away (S-53). Postfix itself prints its settings; here is what
// is read of them, and the advice.

#pragma once

#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "service/config/problem.hpp"
#include "service/config/settings.hpp"

namespace countersign::service::config {

/// Parameters of Postfix by name; those of a service of master.cf as "smtp/inet/smtpd_milters".
using PostfixParameters = std::map<std::string, std::string, std::less<>>;

/// Reads what postconf(1) prints: lines "name = value". Other lines are left out; of a name that
/// comes twice the first counts.
[[nodiscard]] PostfixParameters parse_postconf(std::string_view text);

/// The parameters that check_postfix() looks at. A Postfix may be too old to have all of them.
[[nodiscard]] std::span<const std::string_view> postfix_parameters();

/// Judges the parameters. The place of each problem is main.cf, without a line.
void check_postfix(const PostfixParameters& parameters, const Settings& settings,
                   Problems& problems);

}  // namespace countersign::service::config
