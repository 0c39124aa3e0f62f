// SPDX-License-Identifier: Apache-2.0
//
// Postfix's policy delegation protocol (check_policy_service): requests of one attribute a line,
// replies of one action. It is how Postfix asks about SPF before a message is taken in.
//
//   request=smtpd_access_policy        action=550 5.7.23 SPF MAIL FROM check failed: …
//   protocol_state=RCPT
//   client_address=192.0.2.1
//   helo_name=mail.example.org
//   sender=bob@example.org
//   instance=123.456.7
//
// An empty line ends each of both. Everything in a request that a client chose is a stranger's
// text. The protocol is described in Postfix's SMTPD_POLICY_README.

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "countersign/domain/address.hpp"
#include "countersign/limits.hpp"
#include "countersign/result.hpp"

namespace countersign::mailflow {

/// What can be wrong with a request.
enum class PolicyRequestErrorCode : std::uint8_t {
  too_long,            ///< over Limits::policy_request_bytes_max
  too_many_lines,      ///< over Limits::policy_attributes_max
  missing_equals,      ///< a line without "=", or without a name before it
  bad_octet,           ///< NUL, which no attribute may hold
  repeated_attribute,  ///< two values for what decides
  not_a_request,       ///< request= is not smtpd_access_policy
};

using PolicyRequestError = SyntaxErrorOf<PolicyRequestErrorCode>;

/// Says in a sentence what is wrong.
[[nodiscard]] std::string_view to_string(PolicyRequestErrorCode code);

/// The attributes that we read. All text is a stranger's, of any octets but NUL and line ends.
struct PolicyRequest {
  std::string protocol_state;          ///< RCPT, MAIL, DATA, …: where SMTP has got to
  std::optional<IpAddress> client_ip;  ///< absent when Postfix does not know it
  std::string client_name;             ///< "unknown" when it is not validated
  std::string helo_name;
  std::string sender;     ///< the reverse-path without <>; empty for the null path
  std::string recipient;  ///< empty at MAIL, and at DATA when there are several
  std::string queue_id;
  std::string instance;  ///< the same for all requests of one message
  std::string sasl_username;

  friend bool operator==(const PolicyRequest&, const PolicyRequest&) = default;
};

/// Octets of the first request in a buffer with the empty line at its end; nothing when that has
/// not come yet.
///
/// seen         octets that an earlier call has looked at in vain, so that no octet is looked at
///              twice when a request comes in many pieces.
[[nodiscard]] std::optional<std::size_t> policy_request_size(std::string_view buffer,
                                                             std::size_t seen = 0);

/// Parses a request, with or without the empty line at its end.
///
/// Errors       each PolicyRequestErrorCode, with its offset in octets; the first one.
/// Leniency     attributes may come in any order, unknown ones are ignored, and a CR before a line
///              end is dropped.
[[nodiscard]] Result<PolicyRequest, PolicyRequestError> parse_policy_request(std::string_view text,
                                                                             const Limits& limits);

/// Writes a reply: "action=", the action, and an empty line. Octets of the action that are not
/// printable ASCII become "?", so that it stays one line whatever is in it; what goes beyond
/// Limits::policy_action_bytes_max is cut off.
[[nodiscard]] std::string format_policy_reply(std::string_view action, const Limits& limits);

}  // namespace countersign::mailflow
