// SPDX-License-Identifier: Apache-2.0
//
// What SMTP told us about a message before its first header field, as one value.

#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "countersign/domain/address.hpp"

namespace countersign::mailflow {

/// The envelope of one message and the session that it came by. All text is a stranger's.
struct Envelope {
  /// Absent when the peer is a local process or its family is unknown (S-57).
  std::optional<IpAddress> client_ip;
  /// The name that the MTA looked up for the client; "[192.0.2.1]" or empty when there is none.
  std::string client_host;
  std::string helo;
  /// The reverse-path without <> and without parameters; empty for the null path.
  std::string mail_from;
  /// The forward-paths without <>, at most Limits::recipients_max.
  std::vector<std::string> rcpt_to;
  /// Macros by their name without braces: "i" (queue id), "daemon_name", "auth_type",
  /// "auth_authen", …
  std::map<std::string, std::string, std::less<>> macros;

  /// The macro's value, or an empty text.
  [[nodiscard]] std::string_view macro(std::string_view name) const {
    const auto found = macros.find(name);
    return found == macros.end() ? std::string_view() : std::string_view(found->second);
  }
};

}  // namespace countersign::mailflow
