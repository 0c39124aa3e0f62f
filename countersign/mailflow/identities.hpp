// SPDX-License-Identifier: Apache-2.0
//
// Which keys sign for an author: the lines of the SigningTable, or the single key of Domain,
// Selector and KeyFile, made into signing identities. The author's domain and d= differ only where
// a table or SubDomains says so.

#pragma once

#include <vector>

#include "countersign/dkim/signer.hpp"
#include "countersign/mailflow/explanation.hpp"
#include "countersign/mailflow/policy.hpp"
#include "countersign/message/author.hpp"

namespace countersign::mailflow {

/// What the tables say about an author.
struct Identities {
  /// In the order of the lines, at most Limits::signatures_made_max, no d= and s= twice.
  std::vector<dkim::SigningIdentity> chosen;
  std::vector<Explanation> reasons;
  /// A line asks for a signature that cannot be made: policy.on_signing_error decides.
  bool has_error = false;
};

/// Looks the author up.
[[nodiscard]] Identities find_identities(const Policy& policy, const Mailbox& author);

/// What the fallback signs for authors that the login may not use: policy.logins.fallback, unless a
/// signature of such a domain would vouch for one of them.
///
/// DMARC takes a signature for the author's when both domains have one organizational domain. Which
/// one that is only DNS tells, but it has two labels at least: domains that end in the same two are
/// taken for near (S-10). RFC 9989 §4.4
[[nodiscard]] Identities find_fallback(const Policy& policy, const std::vector<Mailbox>& authors);

/// True when the tables are about the author's domain, so that a stranger who writes as the author
/// is news: a line that matches everyone says nothing about anyone.
[[nodiscard]] bool is_one_of_ours(const Policy& policy, const Mailbox& author);

}  // namespace countersign::mailflow
