// SPDX-License-Identifier: Apache-2.0
//
// How the policy service judges for some recipients, out of a file as policyd-spf's Per_User names
// it. What a line does not set is as for all recipients.
//
//   line      = [recipient "," settings] [comment] LF      blanks around each part are cut
//   recipient = local-part "@" domain / "@" domain         "@domain", for all of it, is our own
//   settings  = [setting *("|" setting)]
//   setting   = name "=" value                             as a line of policyd-spf.conf
//   comment   = "#" *(any octet but LF)

#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "countersign/mailflow/access_policy.hpp"
#include "service/config/files.hpp"
#include "service/config/problem.hpp"
#include "service/config/settings.hpp"

namespace countersign::service::config {

/// Policies that one file may make. Recipients whose settings are written alike share one; each
/// has the lists of the usual policy, which may be long.
inline constexpr std::size_t recipient_policies_max = 20'000;

/// Policies by recipient, as mailflow looks them up.
using RecipientPolicies =
    std::map<std::string, std::shared_ptr<const mailflow::SpfAccessPolicy>, std::less<>>;

/// Makes the policy of settings that hold for some recipients. The lists of the policy service are
/// empty in them unless `places` has their key; policy_service.skipped then adds to the usual one,
/// the others replace it.
using RecipientPolicyMaker = std::function<mailflow::SpfAccessPolicy(const Settings&, Problems&)>;

/// Reads policy_service.recipients_file. The first line of a recipient counts. What is wrong in a
/// line is a warning, and that line or setting is left out; a file that cannot be read, or has more
/// lines or policies than are kept, is a fatal problem.
/// Leniency     recipients are compared without regard to case, and blanks around names and values
///              are cut; policyd-spf does neither, and ends at a line that it cannot take apart.
[[nodiscard]] RecipientPolicies read_recipient_policies(const Settings& settings,
                                                        const Files& files,
                                                        const RecipientPolicyMaker& make,
                                                        Problems& problems);

}  // namespace countersign::service::config
