// SPDX-License-Identifier: Apache-2.0
//
// What SMTP told us about a message before its first header field, as one value.

#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "countersign/domain/address.hpp"

namespace countersign::mailflow {

/// Macros of an MTA by their name without braces: "i" (queue id), "daemon_name", "auth_type",
/// "auth_authen", … They are few, so that looking at each is quicker than a tree and costs no
/// allocation for a short one.
class MacroMap {
 public:
  /// The value of that name, made empty when there is none.
  std::string& operator[](std::string_view name);
  /// The value, or nullptr when the macro is not set.
  [[nodiscard]] const std::string* find(std::string_view name) const;
  /// Forgets all macros.
  void clear() { pairs_.clear(); }
  [[nodiscard]] std::size_t size() const { return pairs_.size(); }
  /// Octets of all names and values.
  [[nodiscard]] std::size_t octets() const;

 private:
  std::vector<std::pair<std::string, std::string>> pairs_;
};

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
  /// Recipients beyond that bound, of which only the number is known.
  std::size_t rcpt_to_dropped = 0;
  MacroMap session_macros;  ///< of the connection: sent before MAIL, true for all its messages
  MacroMap macros;          ///< of this message; they hide those of the session

  /// The macro of the message or else of the session, or nullptr when it is not set.
  [[nodiscard]] const std::string* find_macro(std::string_view name) const {
    const std::string* found = macros.find(name);
    return found == nullptr ? session_macros.find(name) : found;
  }
  /// The macro's value, or an empty text.
  [[nodiscard]] std::string_view macro(std::string_view name) const {
    const std::string* found = find_macro(name);
    return found == nullptr ? std::string_view() : std::string_view(*found);
  }
  /// True when whoever sends has logged in to the MTA.
  [[nodiscard]] bool has_login() const {
    return !macro("auth_authen").empty() || !macro("auth_type").empty();
  }
};

}  // namespace countersign::mailflow
