// SPDX-License-Identifier: Apache-2.0
//
// A DMARC evaluation as a document: the walk, the alignment, the outcome.

#pragma once

#include <boost/json/fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "countersign/dmarc/evaluate.hpp"
#include "countersign/domain/name.hpp"

namespace countersign::service {

/// What SPF or a DKIM signature said of a domain, in a word.
struct Authenticated {
  dmarc::Mechanism mechanism = dmarc::Mechanism::dkim;
  std::string result;  ///< a word of RFC 8601 §2.7
  std::optional<DomainName> domain;

  /// As DMARC takes it; nothing when the result authenticates nothing, nor might have.
  [[nodiscard]] std::optional<dmarc::Identifier> identifier() const;
};

/// An evaluation and what it was made from.
struct DmarcCheck {
  std::vector<Authenticated> authenticated;
  dmarc::Outcome outcome;
};

/// What the owner of the domain asks a receiver to do with the message: nothing unless it failed.
/// RFC 9989 §5.3
[[nodiscard]] dmarc::AssessmentPolicy disposition_of(const dmarc::Outcome& outcome);

/// An evaluation as {result, reason, message, policy, effective_policy, policy_tag, testing,
/// disposition, author_domain, author_exists, policy_domain, policy_source, org_domain,
/// org_domain_certain, top_level_org, discovery_method, spf_aligned, dkim_aligned, identifiers,
/// walk, published, flawed, tags}. Every key is there whatever the result; what is not known is
/// null.
///
/// policy       what is published for the author's domain; effective_policy and the disposition
///              heed t=y as well
/// top_level_org  all below a top-level domain is one organization, as its record lacks psd=y
///              (S-42)
/// identifiers  one for each that was given, {mechanism, result, domain, alignment, org_domain};
///              alignment is null for what authenticates nothing, or when nobody asked
/// walk         from the author's domain up, each {domain, name, status, finding, message,
///              record}
/// published    the record that applies, name to value, as published; flawed: it has problems;
///              tags: what it comes to
[[nodiscard]] boost::json::object to_json(const DmarcCheck& check);

}  // namespace countersign::service
