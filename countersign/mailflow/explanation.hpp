// SPDX-License-Identifier: Apache-2.0
//
// Why a message was signed or not, as values: a reason, what it is about, and the line of a table
// that decided. They become sentences only when somebody wants to read them.

#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "countersign/mailflow/host_list.hpp"

namespace countersign::mailflow {

/// One step of a decision. What Explanation::detail holds stands behind each.
enum class Reason : std::uint8_t {
  // --- whose mail it is ---
  mta_name,                 ///< the daemon name is one of ours: the name
  macro,                    ///< a macro marks it as ours: "name=value"
  authenticated,            ///< the client logged in: the login, or the mechanism
  internal_host,            ///< the client is in InternalHosts: the client
  stranger_macro,           ///< a macro marks it as a stranger's: "name=value"
  outside,                  ///< nothing of these: the client
  outside_uses_our_domain,  ///< the same, but the author is one of ours (S-09): "client author"
  peer,                     ///< the client is in PeerList, nothing is looked at: the client
  exempt_domain,            ///< the author's domain is in ExemptDomains: the domain

  // --- whether the login agrees (S-10) ---
  login_agrees,          ///< it may use the author: "login as author"
  login_unknown,         ///< no line of the table is about it: the login
  login_not_author,      ///< it may not use an author, or who the key is looked up for: as above
  login_not_mail_from,   ///< it may not use the reverse-path: "login as path"
  login_shadowed,        ///< the message is treated as if it did: nothing
  fallback_signs,        ///< somebody else signs for that: "s._domainkey.d"
  fallback_near_author,  ///< he must not, as that would vouch for the author: "d for author"

  // --- why nothing is signed ---
  signing_off,         ///< the mode does not sign: nothing
  bad_author,          ///< From is missing, repeated or unreadable: why
  unsigned_recipient,  ///< a recipient is in DontSignMailTo: the recipient
  bad_field_count,     ///< RFC 5322 §3.6 is broken: the field's name
  over_limit,          ///< the header is over its limits: which
  no_line_matches,     ///< no line of the SigningTable matches: the author
  domain_not_listed,   ///< the author's domain is not in Domain: the domain
  no_key_at_all,       ///< neither tables nor a single key are set: nothing

  // --- which keys sign ---
  line_matches,       ///< a line of the SigningTable matches: the author
  domain_listed,      ///< the author's domain is in Domain: the domain
  unknown_key,        ///< a key name that is in no KeyTable: the name
  no_key_for_domain,  ///< a key path with "%" under which this domain has no key: the domain
  bad_signer,         ///< a signer value that has no "@": the value
  signer_outside,     ///< a signer that is not at or below d=, so i= is left out: the value
  same_identity,      ///< d= and s= were there already; the line adds nothing: "s._domainkey.d"
  too_many,           ///< over Limits::signatures_made_max: "s._domainkey.d"

  // --- what is taken away ---
  forged_results,  ///< fields that claim to be ours, of a message that is not judged: how many

  // --- why there is no seal ---
  not_sealed,  ///< a message that is handed on gets no ARC Set: why
};

/// A reason with what it is about.
struct Explanation {
  Reason reason{};
  std::string detail;          ///< text of strangers; see to_string()
  std::optional<Place> place;  ///< the line of a table or list that decided

  friend bool operator==(const Explanation&, const Explanation&) = default;
};

/// The explanation as a sentence, with the place; control and 8-bit octets of the detail as "?", so
/// that it can go into a log or an SMTP reply.
[[nodiscard]] std::string to_string(const Explanation& explanation);

}  // namespace countersign::mailflow
