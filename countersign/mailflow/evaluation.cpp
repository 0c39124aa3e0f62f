// SPDX-License-Identifier: Apache-2.0

#include "countersign/mailflow/evaluation.hpp"

#include <algorithm>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "countersign/limits.hpp"

namespace countersign::mailflow {

namespace {

using dmarc::AssessmentPolicy;
using dmarc::Mechanism;
using report::ActionDisposition;
using report::OverrideReason;

/// How the policy was found.
report::DiscoveryMethod discovery_method_of(const dmarc::Discovery& discovery) {
  return discovery.method() == dmarc::DiscoveryMethod::psl ? report::DiscoveryMethod::psl
                                                           : report::DiscoveryMethod::treewalk;
}

// All members of a row are assigned, those that hold memory in a way that uses it again.

void assign(std::optional<std::string>& to, std::string_view text) {
  if (to)
    to->assign(text);
  else
    to.emplace(text);
}

/// What was published, tags that are absent at their defaults. A record with a malformed policy
/// counts as p=none alone. RFC 9990 §3.1.1.5, RFC 9989 §4.10.1
void tell_published(const dmarc::Outcome& dmarc, report::PublishedPolicy& published) {
  const dmarc::Record& record = *dmarc.record();
  const bool is_whole = !record.has_bad_policy();
  published.domain = dmarc.policy_domain()->text();
  published.p = policy_for_domain(record);
  published.sp = is_whole ? record.sp : std::nullopt;
  published.np = is_whole ? record.np : std::nullopt;
  published.adkim = record.adkim;
  published.aspf = record.aspf;
  published.testing = record.testing;
  published.fo = to_string(record.fo);
  published.discovery_method = discovery_method_of(dmarc.discovery);
  published.rua = record.rua;
}

ActionDisposition disposition_of(AssessmentPolicy applied) {
  switch (applied) {
    case AssessmentPolicy::none:
      return ActionDisposition::none;
    case AssessmentPolicy::quarantine:
      return ActionDisposition::quarantine;
    case AssessmentPolicy::reject:
      return ActionDisposition::reject;
  }
  return ActionDisposition::none;
}

/// What was done, and at least one reason where that is not what was published. t=y takes nothing
/// from a pass: the record still asks for more than none. RFC 9990 §3.1.1.9, §3.1.1.11
void add_disposition(const Judgement& judgement, report::Evaluation& row) {
  const dmarc::Outcome& dmarc = *judgement.verdict.dmarc;
  const AssessmentPolicy published = dmarc.published_policy.value_or(AssessmentPolicy::none);
  row.reasons.clear();
  if (dmarc.result == dmarc::Result::pass) {
    row.disposition =
        published == AssessmentPolicy::none ? ActionDisposition::none : ActionDisposition::pass;
    return;
  }
  const AssessmentPolicy applied =
      judgement.is_shadow ? AssessmentPolicy::none : judgement.disposition.applied;
  row.disposition = disposition_of(applied);
  if (applied == published) return;
  for (const Override& one : judgement.disposition.overrides)
    row.reasons.push_back({one.reason, one.comment});
  if (judgement.is_shadow)
    row.reasons.push_back({OverrideReason::local_policy, "results are only looked at"});
  if (dmarc.result == dmarc::Result::temperror)
    row.reasons.push_back({OverrideReason::other, "DNS did not answer"});
  if (row.reasons.empty()) row.reasons.push_back({OverrideReason::local_policy, "as configured"});
}

/// The domain of a path, or nothing when it has none.
std::optional<std::string> domain_of_path(std::string_view path) {
  const std::size_t at = path.rfind('@');
  if (at == path.npos) return std::nullopt;
  const auto domain = DomainName::parse(path.substr(at + 1));
  return domain ? std::optional(domain->text()) : std::nullopt;
}

/// The domain of MAIL FROM as SPF read it, or as it stands in the path; empty for the null path,
/// nothing for one that was cut.
void tell_envelope_from(const Verdict& verdict, const Envelope& envelope,
                        std::optional<std::string>& told) {
  if (verdict.has_null_path)
    assign(told, "");
  else if (verdict.mail_from && verdict.mail_from->domain)
    assign(told, verdict.mail_from->domain->text());
  else if (envelope.mail_from.size() < Limits{}.envelope_text_bytes_max)
    told = domain_of_path(envelope.mail_from);
  else
    told.reset();
}

/// The domain that all recipients share; several would say of one of them to whom else it went.
std::optional<std::string> envelope_to(const Envelope& envelope) {
  if (envelope.rcpt_to.empty() || envelope.rcpt_to_dropped > 0) return std::nullopt;
  std::optional<std::string> first = domain_of_path(envelope.rcpt_to.front());
  const bool is_shared = std::all_of(
      std::next(envelope.rcpt_to.begin()), envelope.rcpt_to.end(),
      [&first](const std::string& recipient) { return domain_of_path(recipient) == first; });
  return is_shared ? first : std::nullopt;
}

/// How much a signature says of the author: what stands first is kept. RFC 9990 §3.1.1.13
int rank_of(const dkim::SignatureResult& one, const dmarc::Outcome& dmarc) {
  if (one.result != dkim::Result::pass) return 3;
  const DomainName& sdid = one.signature->sdid;
  if (sdid == dmarc.discovery.author_domain()) return 0;
  const bool is_aligned =
      std::ranges::any_of(dmarc.identifiers, [&sdid](const dmarc::AlignedIdentifier& found) {
        return found.identifier.mechanism == Mechanism::dkim && found.identifier.domain == sdid &&
               found.is_pass();
      });
  return is_aligned ? 1 : 2;
}

void tell(const dkim::SignatureResult& one, report::DkimAuthResult& told) {
  const bool is_plain = one.reason == dkim::Reason::valid;
  told.domain = one.signature->sdid.text();
  told.selector = one.signature->selector.text();
  told.result = to_string(one.result);
  told.human_result = is_plain ? "" : to_string(one.reason);
}

void tell_dkim(const Verdict& verdict, std::vector<report::DkimAuthResult>& told) {
  std::vector<std::pair<int, std::size_t>> ranked;  // Those of a rank in their order.
  for (std::size_t i = 0; i < verdict.signatures.size(); ++i) {
    const dkim::SignatureResult& one = verdict.signatures[i];
    if (one.signature) ranked.emplace_back(rank_of(one, *verdict.dmarc), i);
  }
  std::ranges::sort(ranked);
  told.resize(std::min(ranked.size(), Limits{}.report_signatures_max));
  for (std::size_t i = 0; i < told.size(); ++i) tell(verdict.signatures[ranked[i].second], told[i]);
}

void tell_spf(const Verdict& verdict, std::optional<report::SpfAuthResult>& told) {
  if (!verdict.mail_from || !verdict.mail_from->domain) return told.reset();
  const spf::Outcome& spf = *verdict.mail_from;
  const bool is_error =
      spf.result == spf::Result::temperror || spf.result == spf::Result::permerror;
  if (!told) told.emplace();
  told->domain = spf.domain->text();
  told->result = to_string(spf.result);
  told->human_result = is_error ? to_string(spf.reason) : "";
}

/// What was found out about a message, before any policy.
void tell_authenticated(const Verdict& verdict, const Envelope& envelope, report::Evaluation& row) {
  row.source_ip = *envelope.client_ip;
  row.dkim_aligned = verdict.dmarc->is_aligned(Mechanism::dkim);
  row.spf_aligned = verdict.dmarc->is_aligned(Mechanism::spf);
  row.header_from = verdict.dmarc->discovery.author_domain().text();
  tell_envelope_from(verdict, envelope, row.envelope_from);
  row.envelope_to = envelope_to(envelope);
  tell_dkim(verdict, row.dkim);
  tell_spf(verdict, row.spf);
}

bool is_put_off(const Judgement& judgement) {
  return !judgement.is_shadow && judgement.disposition.action == Action::tempfail;
}

/// What became of a message that nobody published a policy for.
ActionDisposition disposition_of(Action action) {
  switch (action) {
    case Action::reject:
    case Action::discard:
      return ActionDisposition::reject;
    case Action::quarantine:
      return ActionDisposition::quarantine;
    case Action::accept:
    case Action::tempfail:
      break;
  }
  return ActionDisposition::none;
}

}  // namespace

bool has_applied_policy(const Judgement& judgement) {
  const Verdict& verdict = judgement.verdict;
  return verdict.dmarc && verdict.dmarc->published_policy &&
         verdict.authorship.ambiguities.empty() && !is_put_off(judgement);
}

std::optional<report::Evaluation> evaluation_of(const Judgement& judgement,
                                                const Envelope& envelope,
                                                report::Evaluation memory) {
  if (!has_applied_policy(judgement) || !envelope.client_ip) return std::nullopt;
  tell_published(*judgement.verdict.dmarc, memory.published);
  tell_authenticated(judgement.verdict, envelope, memory);
  add_disposition(judgement, memory);
  return memory;
}

std::optional<report::Evaluation> evaluation_without_policy(const Judgement& judgement,
                                                            const Envelope& envelope) {
  const Verdict& verdict = judgement.verdict;
  const bool has_none = verdict.dmarc && verdict.dmarc->result == dmarc::Result::none &&
                        verdict.authorship.ambiguities.empty();
  if (!has_none || is_put_off(judgement) || !envelope.client_ip) return std::nullopt;
  report::Evaluation row;
  tell_authenticated(verdict, envelope, row);
  row.published.domain = verdict.dmarc->discovery.walk.org_domain.text();
  if (!judgement.is_shadow) row.disposition = disposition_of(judgement.disposition.action);
  return row;
}

}  // namespace countersign::mailflow
