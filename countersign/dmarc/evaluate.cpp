// SPDX-License-Identifier: Apache-2.0
//
// The steps of an evaluation, from the record that was discovered to the result.

#include "countersign/dmarc/evaluate.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

namespace countersign::dmarc {

namespace {

using dns::AnswerStatus;

// Without a policy that can be used there is nothing to evaluate. RFC 9989 §4.10.1
std::optional<std::pair<Result, Reason>> end_without_policy(const Discovery& discovery) {
  if (discovery.source == PolicySource::unknown)
    return std::pair{Result::temperror, Reason::policy_unknown};
  const WalkStep* const found = discovery.policy();
  if (found == nullptr) {
    const bool several = discovery.walk.steps.front().finding == Finding::several_records;
    return std::pair{Result::none, several ? Reason::several_records : Reason::no_record};
  }
  if (!found->record->is_usable()) return std::pair{Result::permerror, Reason::unusable_record};
  return std::nullopt;
}

bool is_inherited(const Discovery& discovery) {
  return discovery.source != PolicySource::author_domain;
}

// Only an inherited policy may depend on it, and only when np= says something else than sp=. An
// answer other than NXDOMAIN below the name shows that it exists (RFC 8020 §2).
dns::Asking<std::optional<bool>> author_exists(const Discovery& discovery) {
  const Record& record = *discovery.policy()->record;
  if (!is_inherited(discovery)) co_return std::nullopt;
  const dns::AnswerStatus own = discovery.walk.steps.front().status;
  if (own == AnswerStatus::records || own == AnswerStatus::nodata) co_return true;
  if (policy_for_subdomains(record) == policy_for_nonexistent(record)) co_return std::nullopt;
  co_return co_await look_up_existence(discovery.author_domain());
}

dns::Asking<std::vector<AlignedIdentifier>> align(const Discovery& discovery, AlignmentModes modes,
                                                  std::vector<Identifier> identifiers,
                                                  Limits limits) {
  if (!discovery.org_domain_of)
    co_return co_await align(discovery.walk, modes, std::move(identifiers), limits);
  co_return align_by_list(discovery.author_domain(), modes, std::move(identifiers),
                          discovery.org_domain_of);
}

bool is_existence_unknown(const Outcome& outcome) {
  const Record& record = *outcome.record();
  return is_inherited(outcome.discovery) && !outcome.author_exists &&
         policy_for_subdomains(record) != policy_for_nonexistent(record);
}

PolicyTag policy_tag_of(const Outcome& outcome) {
  if (!is_inherited(outcome.discovery)) return PolicyTag::p;
  return outcome.author_exists.value_or(true) ? PolicyTag::sp : PolicyTag::np;
}

AssessmentPolicy policy_by(PolicyTag tag, const Record& record) {
  switch (tag) {
    case PolicyTag::p:
      return policy_for_domain(record);
    case PolicyTag::sp:
      return policy_for_subdomains(record);
    case PolicyTag::np:
      return policy_for_nonexistent(record);
  }
  return AssessmentPolicy::none;
}

void apply_policy(Outcome& outcome) {
  const Record& record = *outcome.record();
  const PolicyTag tag = policy_tag_of(outcome);
  const AssessmentPolicy published = policy_by(tag, record);
  outcome.policy_tag = tag;
  outcome.published_policy = published;
  outcome.policy = record.testing ? one_step_less(published) : published;
}

// A pass needs one aligned identifier. Only where nothing passes does it matter what DNS failed to
// say, and then it forbids a fail. RFC 9989 §5.3.5, §5.3.6
std::pair<Result, Reason> judge(const Outcome& outcome) {
  const auto& all = outcome.identifiers;
  const auto any_with = [&all](AlignmentState state) {
    return std::ranges::find(all, state, &AlignedIdentifier::state) != all.end();
  };
  if (std::ranges::any_of(all, &AlignedIdentifier::is_pass)) return {Result::pass, Reason::aligned};
  // What is aligned now and no pass has had a temporary error.
  if (any_with(AlignmentState::aligned)) return {Result::temperror, Reason::authentication_unknown};
  if (any_with(AlignmentState::unknown)) return {Result::temperror, Reason::alignment_unknown};
  if (is_existence_unknown(outcome)) return {Result::temperror, Reason::existence_unknown};
  const bool authenticated = std::ranges::any_of(all, [](const AlignedIdentifier& one) {
    return one.identifier.authentication == Authentication::pass;
  });
  return {Result::fail, authenticated ? Reason::not_aligned : Reason::nothing_authenticated};
}

}  // namespace

std::string_view to_string(Result result) {
  switch (result) {
    case Result::none:
      return "none";
    case Result::pass:
      return "pass";
    case Result::fail:
      return "fail";
    case Result::temperror:
      return "temperror";
    case Result::permerror:
      return "permerror";
  }
  return "permerror";
}

std::string_view to_string(Reason reason) {
  switch (reason) {
    case Reason::aligned:
      return "the author's organization authenticated the message (RFC 9989 §4.4)";
    case Reason::nothing_authenticated:
      return "neither SPF nor DKIM authenticated any domain (RFC 9989 §5.3.5)";
    case Reason::not_aligned:
      return "the domains that SPF and DKIM authenticated do not belong to the author's "
             "organization (RFC 9989 §4.4)";
    case Reason::no_record:
      return "no DMARC policy is published for the author's domain (RFC 9989 §4.10.1)";
    case Reason::several_records:
      return "the author's domain publishes more than one DMARC record, so none counts "
             "(RFC 9989 §4.10)";
    case Reason::unusable_record:
      return "the DMARC record has no valid policy and no valid rua=, so it asks for nothing "
             "(RFC 9989 §4.10.1)";
    case Reason::policy_unknown:
      return "DNS did not answer when asked for the policy of the author's domain "
             "(RFC 9989 §5.3.6)";
    case Reason::alignment_unknown:
      return "DNS did not answer when asked for the organization of an authenticated domain "
             "(RFC 9989 §5.3.6)";
    case Reason::authentication_unknown:
      return "an SPF or DKIM check of the author's organization had a temporary error "
             "(RFC 9989 §5.3.6)";
    case Reason::existence_unknown:
      return "DNS did not tell whether the author's domain exists, on which its policy depends "
             "(RFC 9989 §5.3.6)";
  }
  return "unknown reason";
}

std::string_view name_of(Reason reason) {
  switch (reason) {
    case Reason::aligned:
      return "aligned";
    case Reason::nothing_authenticated:
      return "nothing_authenticated";
    case Reason::not_aligned:
      return "not_aligned";
    case Reason::no_record:
      return "no_record";
    case Reason::several_records:
      return "several_records";
    case Reason::unusable_record:
      return "unusable_record";
    case Reason::policy_unknown:
      return "policy_unknown";
    case Reason::alignment_unknown:
      return "alignment_unknown";
    case Reason::authentication_unknown:
      return "authentication_unknown";
    case Reason::existence_unknown:
      return "existence_unknown";
  }
  return "unknown";
}

std::string_view to_string(PolicyTag tag) {
  switch (tag) {
    case PolicyTag::p:
      return "p";
    case PolicyTag::sp:
      return "sp";
    case PolicyTag::np:
      return "np";
  }
  return "p";
}

const Record* Outcome::record() const {
  const WalkStep* const step = discovery.policy();
  return step == nullptr ? nullptr : &*step->record;
}

const DomainName* Outcome::policy_domain() const {
  const WalkStep* const step = discovery.policy();
  return step == nullptr ? nullptr : &step->domain;
}

bool Outcome::is_aligned(Mechanism mechanism) const {
  return std::ranges::any_of(identifiers, [mechanism](const AlignedIdentifier& one) {
    return one.identifier.mechanism == mechanism && one.is_pass();
  });
}

AssessmentPolicy one_step_less(AssessmentPolicy policy) {
  return policy == AssessmentPolicy::reject ? AssessmentPolicy::quarantine : AssessmentPolicy::none;
}

dns::Asking<Outcome> evaluate(Discovery discovery, std::vector<Identifier> identifiers,
                              Limits limits) {
  Outcome outcome{.discovery = std::move(discovery)};
  if (const auto end = end_without_policy(outcome.discovery)) {
    std::tie(outcome.result, outcome.reason) = *end;
    co_return outcome;
  }
  const AlignmentModes modes = {outcome.record()->adkim, outcome.record()->aspf};
  std::tie(outcome.identifiers, outcome.author_exists) =
      co_await dns::all(align(outcome.discovery, modes, std::move(identifiers), limits),
                        author_exists(outcome.discovery));
  apply_policy(outcome);
  std::tie(outcome.result, outcome.reason) = judge(outcome);
  co_return outcome;
}

dns::Asking<Outcome> evaluate(DomainName author_domain, std::vector<Identifier> identifiers,
                              Limits limits, OrgDomainOf org_domain_of) {
  Discovery discovery =
      co_await discover(std::move(author_domain), limits, std::move(org_domain_of));
  co_return co_await evaluate(std::move(discovery), std::move(identifiers), limits);
}

}  // namespace countersign::dmarc
