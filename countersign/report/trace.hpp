// SPDX-License-Identifier: Apache-2.0
//
// What the fields that hosts write on the way of a message say in words that are known. All else in
// them may be about people: the login of whoever sent it, the user whose program did, the name that
// somebody gave his computer. So what is not recognized is not there.
//
// RFC 5321 §4.4, RFC 5322 §3.3

#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "countersign/domain/address.hpp"
#include "countersign/limits.hpp"

namespace countersign::report {

/// The clauses of a Received field that are recognized; empty what it does not have.
struct Trace {
  std::string from;         ///< the host that the client named itself
  std::string client_host;  ///< the client's name in DNS
  std::optional<IpAddress> client_ip;
  std::string login;      ///< of whoever sent the message: a person's
  std::string by;         ///< a host
  std::string with;       ///< a protocol
  std::string recipient;  ///< of the "for" clause, without <>: a person's address
  std::string date;       ///< as recognized_date()
};

/// Reads the value of a Received field.
///
/// Leniency     clauses may come in any order; the first of each counts, and so does what stands
///              before a comment or a quoted string without an end.
/// Strictness   hosts have two labels or more and no name of a local network. A client without an
///              address has no name either: programs on a host put the user there. No protocol that
///              is not registered or in wide use.
/// RFC 5321 §4.4, RFC 3848
[[nodiscard]] Trace parse_received(std::string_view value, const Limits& limits);

/// A name that hosts have, as A-labels, or an address literal; empty for anything else.
/// RFC 5321 §4.1.2, §4.1.3
[[nodiscard]] std::string recognized_host(std::string_view text);

/// A date and time without its comments, the words one space apart; empty when it is none.
///
///   date-time = [day-name ","] day month year hour ":" minute [":" second] zone
///
/// RFC 5322 §3.3, §4.3
[[nodiscard]] std::string recognized_date(std::string_view text, const Limits& limits);

}  // namespace countersign::report
