// SPDX-License-Identifier: Apache-2.0
//
// Identifier alignment: does what SPF and DKIM authenticated belong to the author?
//
// Strict alignment wants the same name. Relaxed alignment wants the same Organizational Domain, for
// which each side is walked on its own: two names may lie under one domain and yet belong to two
// organizations, as customers of a Public Suffix Domain do. RFC 9989 §4.4

#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "countersign/dmarc/discovery.hpp"
#include "countersign/dmarc/record.hpp"
#include "countersign/dns/asking.hpp"
#include "countersign/domain/name.hpp"
#include "countersign/limits.hpp"

namespace countersign::dmarc {

/// The mechanisms that DMARC builds on. RFC 9989 §4.1
enum class Mechanism : std::uint8_t { spf, dkim };

/// The word for a mechanism, as in Authentication-Results.
[[nodiscard]] std::string_view to_string(Mechanism mechanism);

/// What a mechanism said of a domain. Anything else authenticates nothing and is not handed over.
enum class Authentication : std::uint8_t {
  pass,       ///< this domain takes responsibility for the message
  temperror,  ///< it could not be found out for now
};

/// The word on the wire.
[[nodiscard]] std::string_view to_string(Authentication authentication);

/// A domain that a mechanism authenticated, or might have: the SPF domain of the MAIL FROM
/// identity, or d= of a signature. A pass of the HELO identity counts only when the reverse-path
/// was null. RFC 9989 §4.4.1, §4.4.2
struct Identifier {
  Mechanism mechanism = Mechanism::dkim;
  DomainName domain;
  Authentication authentication = Authentication::pass;

  friend bool operator==(const Identifier&, const Identifier&) = default;
};

/// How an identifier stands to the Author Domain.
enum class AlignmentState : std::uint8_t {
  aligned,
  unaligned,
  unknown,     ///< DNS failed in a walk that decides
  not_walked,  ///< beyond Limits::walked_identifiers_max; counts as unaligned
};

/// The word for a state, as in our JSON.
[[nodiscard]] std::string_view to_string(AlignmentState state);

/// An identifier and its alignment.
struct AlignedIdentifier {
  Identifier identifier;
  AlignmentState state = AlignmentState::unaligned;
  /// Its walk, when one was needed. RFC 9989 §4.10.2
  std::optional<Walk> walk;

  /// True when it passed and is aligned: it makes the message pass DMARC.
  [[nodiscard]] bool is_pass() const {
    return state == AlignmentState::aligned && identifier.authentication == Authentication::pass;
  }
};

/// What a record asks for. RFC 9989 §4.7
struct AlignmentModes {
  Alignment adkim = Alignment::relaxed;
  Alignment aspf = Alignment::relaxed;
};

/// Finds the alignment of every identifier; gives them in their order.
///
/// No walk is made where the answer is certain without: for the author's own name, under strict
/// alignment, and for names outside of the author's organization. Answers are shared between the
/// walks.
///
/// author       the walk of the Author Domain; must outlive the evaluation.
/// RFC 9989 §4.4, §4.10.2
[[nodiscard]] dns::Asking<std::vector<AlignedIdentifier>> align(const Walk& author,
                                                                AlignmentModes modes,
                                                                std::vector<Identifier> identifiers,
                                                                Limits limits);

/// The same where a list says which Organizational Domain a name has: nothing is asked, and nothing
/// is unknown. RFC 7489 §3.1
///
/// org_domain_of  must not be empty.
[[nodiscard]] std::vector<AlignedIdentifier> align_by_list(const DomainName& author,
                                                           AlignmentModes modes,
                                                           std::vector<Identifier> identifiers,
                                                           const OrgDomainOf& org_domain_of);

}  // namespace countersign::dmarc
