// SPDX-License-Identifier: Apache-2.0
//
// The DMARC evaluation of one message: from its Author Domain and what SPF and DKIM authenticated
// to a result, a reason, and the policy that its owner asks for.
//
//   Discovery discovery = co_await discover(author_domain, limits);     // beside SPF and DKIM
//   Outcome outcome = co_await evaluate(discovery, identifiers, limits);
//
// A failure of DNS is never read as absence: where it could change the result, the result is
// temperror; a pass that is there without the missing answer stays a pass. What becomes of the
// message is not decided here: the policy is what the owner asks for, and no more.
//
// RFC 9989 §5.3

#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "countersign/dmarc/alignment.hpp"
#include "countersign/dmarc/discovery.hpp"
#include "countersign/dmarc/record.hpp"
#include "countersign/dns/asking.hpp"
#include "countersign/limits.hpp"

namespace countersign::dmarc {

/// The outcome, in the words of Authentication-Results. RFC 9989 §9.1
enum class Result : std::uint8_t { none, pass, fail, temperror, permerror };

/// The word on the wire.
[[nodiscard]] std::string_view to_string(Result result);

/// Why a message has its result; always set.
enum class Reason : std::uint8_t {
  aligned,                 ///< pass
  nothing_authenticated,   ///< fail: neither SPF nor DKIM authenticated anything
  not_aligned,             ///< fail: what they authenticated does not belong to the author
  no_record,               ///< none: nobody published a policy for the Author Domain
  several_records,         ///< none: there is more than one record, so that none counts
  unusable_record,         ///< permerror: the record asks for nothing that can be told
  policy_unknown,          ///< temperror: DNS failed when asked for the policy
  alignment_unknown,       ///< temperror: DNS failed when asked for an organization
  authentication_unknown,  ///< temperror: an aligned SPF or DKIM check had a temporary error
  existence_unknown,       ///< temperror: DNS did not tell whether sp= or np= applies
};

/// A sentence that an operator can act on, with its section.
[[nodiscard]] std::string_view to_string(Reason reason);
/// The enumerator itself, "not_aligned", for programs that read our JSON.
[[nodiscard]] std::string_view name_of(Reason reason);

/// The tag of a record from which its policy was taken. RFC 9989 §4.7
enum class PolicyTag : std::uint8_t {
  p,   ///< the record is the Author Domain's own
  sp,  ///< it is inherited, and the Author Domain exists
  np,  ///< it is inherited, and the Author Domain does not exist
};

/// The name of the tag.
[[nodiscard]] std::string_view to_string(PolicyTag tag);

/// All that is known of a message after the evaluation.
struct Outcome {
  Result result = Result::none;
  Reason reason = Reason::no_record;

  Discovery discovery;                         ///< the author's walk and whose record applies
  std::vector<AlignedIdentifier> identifiers;  ///< in the order in which they came
  /// Whether the Author Domain exists; nothing when that was not asked or DNS failed.
  std::optional<bool> author_exists;

  /// Which rule of the record applies; sp where the tag is absent and p stands in for it. Nothing
  /// without a usable record.
  std::optional<PolicyTag> policy_tag;
  /// The policy that the record has for the Author Domain by p=, sp= and np=; nothing likewise.
  std::optional<AssessmentPolicy> published_policy;
  /// The policy to act on: the published one, or one step less under t=y. For policy.dmarc.
  std::optional<AssessmentPolicy> policy;

  /// The record that applies, or nullptr.
  [[nodiscard]] const Record* record() const;
  /// The DMARC Policy Domain: where that record is; nullptr without one. RFC 9989 §3.2.9
  [[nodiscard]] const DomainName* policy_domain() const;
  /// Whether t=y made the policy less than the published one: reports give policy_test_mode as the
  /// reason. RFC 9989 §4.7
  [[nodiscard]] bool is_test_mode() const { return policy != published_policy; }
  /// True when an identifier of that mechanism passed and is aligned.
  [[nodiscard]] bool is_aligned(Mechanism mechanism) const;
};

/// One step less: reject becomes quarantine, quarantine becomes none. RFC 9989 §4.7
[[nodiscard]] AssessmentPolicy one_step_less(AssessmentPolicy policy);

/// Evaluates a message whose Author Domain was discovered.
///
/// identifiers  the SPF identifier and those of the signatures, the most promising first: only so
///              many domains are walked.
/// RFC 9989 §5.3
[[nodiscard]] dns::Asking<Outcome> evaluate(Discovery discovery,
                                            std::vector<Identifier> identifiers, Limits limits);

/// Discovers and evaluates in one; org_domain_of as discover() has it.
/// RFC 9989 §5.3
[[nodiscard]] dns::Asking<Outcome> evaluate(DomainName author_domain,
                                            std::vector<Identifier> identifiers, Limits limits,
                                            OrgDomainOf org_domain_of = {});

}  // namespace countersign::dmarc
