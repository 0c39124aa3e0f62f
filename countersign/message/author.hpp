// SPDX-License-Identifier: Apache-2.0
//
// Who wrote a message: RFC5322.From and nothing else. Everything that is ambiguous to some reader
// is an error here, because a signer that picks one reading vouches for the others too.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "countersign/domain/name.hpp"
#include "countersign/limits.hpp"
#include "countersign/message/header_field.hpp"
#include "countersign/result.hpp"

namespace countersign {

/// Why the author cannot be told.
enum class AuthorErrorCode : std::uint8_t {
  missing_from,   ///< no From field (RFC 5322 §3.6)
  repeated_from,  ///< more than one From field, folded and spaced names included (S-01, S-02)
  no_address,     ///< a From field without an address, or an empty group
  /// text that is no mailbox-list: stray ">", unclosed quote or comment, route, text after ">"
  /// (S-04)
  bad_address,
  bad_domain,         ///< an address whose domain is no domain name, or is a literal
  control_character,  ///< NUL, bare CR or LF, or another control octet (S-05)
};

using AuthorError = SyntaxErrorOf<AuthorErrorCode>;

/// Says in a sentence what is wrong and which section rules it.
[[nodiscard]] std::string_view to_string(AuthorErrorCode code);

/// A mailbox of an address field.
struct Mailbox {
  std::string local_part;  ///< quotes and quoted pairs resolved
  DomainName domain;

  /// local_part@domain as tables are matched against.
  [[nodiscard]] std::string address() const;
};

/// Parses the value of an address field that holds a mailbox-list, or groups of mailboxes.
///
///   mailbox-list = (mailbox *("," mailbox)); mailbox = [display-name] "<" addr-spec ">" /
///   addr-spec
///
/// Errors       bad_address, bad_domain, no_address, control_character, each with the offset in the
///              value.
/// RFC 5322 §3.4, RFC 6532 §3.2 (UTF-8 in local parts and display names, U-labels in domains)
[[nodiscard]] Result<std::vector<Mailbox>, AuthorError> parse_mailbox_list(std::string_view value);

/// The author mailboxes of a message: those of its only From field.
/// Errors       each AuthorErrorCode.
/// RFC 5322 §3.6.2, RFC 9989 §5.3.1
[[nodiscard]] Result<std::vector<Mailbox>, AuthorError> find_authors(const Header& header);

}  // namespace countersign
