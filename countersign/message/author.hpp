// SPDX-License-Identifier: Apache-2.0
//
// Who wrote a message: RFC5322.From and nothing else. Everything that is ambiguous to some reader
// is an error here, because a signer that picks one reading vouches for the others too.
//
// What makes a From field ambiguous is known from attacks: readers disagree which of two fields
// counts, whether "From :" is a field at all, where a comment ends, whether "a@b <c@d>" is by a@b
// or by c@d, whether a route is part of the address, and whether text that decodes to an address is
// one. Here an address has one reading or none:
//
//   "Eve <e@example.net>"@example.org    is by example.org: quotes hold text and no addresses
//   =?utf-8?q?=3Ce=40x=2Eexample=3E?= <a@b.example>
//                                        is by b.example: encoded words are text too
//   a@b.example <c@d.example>            is an error

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
  /// one From field whose name is written in a way that some readers do not take for From: white
  /// space around it, or octets in it that no name has (S-02)
  ambiguous_from,
  no_address,  ///< a From field without an address, or an empty group
  /// text that is no mailbox-list: stray ">", unclosed quote or comment, route, text after ">"
  /// (S-04)
  bad_address,
  bad_domain,          ///< an address whose domain is no domain name, or is a literal
  control_character,   ///< NUL, bare CR or LF, or another control octet (S-05)
  too_many_addresses,  ///< over Limits::mailboxes_max
};

/// What is wrong, and where: the offset in the value of the field, 0 when it is no value's fault.
using AuthorError = SyntaxErrorOf<AuthorErrorCode>;

/// Says in a sentence what is wrong and which section rules it.
[[nodiscard]] std::string_view to_string(AuthorErrorCode code);

/// A mailbox of an address field.
struct Mailbox {
  std::string local_part;  ///< quotes and quoted pairs resolved; never empty
  DomainName domain;

  /// local_part@domain as tables are matched against.
  [[nodiscard]] std::string address() const;

  friend bool operator==(const Mailbox&, const Mailbox&) = default;
};

/// Parses the value of an address field that holds a mailbox-list, or groups of mailboxes.
///
///   address-list = address *("," address)
///   address      = mailbox / (phrase ":" mailbox *("," mailbox) ";")
///   mailbox      = ([phrase] "<" addr-spec ">") / addr-spec
///   addr-spec    = (dot-atom / quoted-string) "@" dot-atom
///
/// value        folded with CRLF, without its last line end.
/// Returns      the mailboxes in their order, at least one.
/// Errors       bad_address, bad_domain, no_address, control_character, too_many_addresses, each
///              with the offset in the value.
/// Leniency     what misleads nobody about the address is taken: dots and square brackets in a
///              phrase, any dots in a local part, 8-bit octets that are no UTF-8 in a phrase, a dot
///              at the end of a domain, lines of white space, and "a@b <a@b>" when both addresses
///              are the same.
/// Strictness   what readers disagree on is refused though RFC 5322 has it: its obsolete routes,
///              empty list members, space and comments inside a local part or a domain, and quoted
///              control octets; empty groups, domain literals, an empty local part, and a local
///              part that looks like an encoded word.
/// RFC 5322 §3.4, §4.4, RFC 6854 §2.1, RFC 6532 §3.2, RFC 2047 §5
[[nodiscard]] Result<std::vector<Mailbox>, AuthorError> parse_mailbox_list(
    std::string_view value, const Limits& limits = {});

/// The first mailbox of such a value: the one that signing tables are asked about. The whole value
/// is judged nevertheless, and every error in it is one here.
/// Errors       as parse_mailbox_list().
[[nodiscard]] Result<Mailbox, AuthorError> first_mailbox(std::string_view value,
                                                         const Limits& limits = {});

/// The author mailboxes of a message: those of its only From field.
/// Errors       each AuthorErrorCode.
/// RFC 5322 §3.6.2, RFC 9989 §5.3.1
[[nodiscard]] Result<std::vector<Mailbox>, AuthorError> find_authors(const Header& header,
                                                                     const Limits& limits = {});

}  // namespace countersign
