// SPDX-License-Identifier: Apache-2.0
//
// Whether anything is told is found out first, and the header is copied last: most mail is not told
// of, and pays nothing for it.

#include "countersign/mailflow/failed_message.hpp"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string_view>

#include "countersign/authres/field.hpp"
#include "countersign/limits.hpp"
#include "countersign/mailflow/evaluation.hpp"
#include "countersign/mailflow/judgement.hpp"
#include "countersign/mailflow/results_field.hpp"
#include "countersign/text/abnf.hpp"

namespace countersign::mailflow {

namespace {

using report::CheckedPath;
using report::CheckedSignature;
using report::DeliveryResult;
using report::Privacy;

/// True when what SPF or DKIM looked at belongs to the author's organization, whether it passed or
/// not: by a list, by the walk that DMARC made for the name, or else by the author's own walk. That
/// one knows where the organization begins, and nothing of names below it that nobody asked for.
bool is_of_organization(const dmarc::Outcome& dmarc, const DomainName& domain) {
  const dmarc::Discovery& discovery = dmarc.discovery;
  const DomainName& author = discovery.author_domain();
  if (domain == author) return true;
  if (discovery.org_domain_of)
    return discovery.org_domain_of(domain) == discovery.org_domain_of(author);
  for (const dmarc::AlignedIdentifier& one : dmarc.identifiers)
    if (one.walk && one.identifier.domain == domain)
      return one.walk->org_domain == discovery.walk.org_domain;
  return domain.is_at_or_below(discovery.walk.org_domain);
}

std::vector<CheckedSignature> signatures_of(const Verdict& verdict) {
  std::vector<CheckedSignature> signatures;
  for (std::size_t i = 0; i < verdict.signatures.size(); ++i) {
    const dkim::SignatureResult& one = verdict.signatures[i];
    if (!one.signature) continue;
    const dkim::Signature& signature = *one.signature;
    signatures.push_back({.index = i,
                          .sdid = signature.sdid,
                          .auid = signature.auid,
                          .selector = signature.selector,
                          .result = one.result,
                          .reason = one.reason,
                          .is_aligned = is_of_organization(*verdict.dmarc, signature.sdid)});
  }
  return signatures;
}

std::optional<CheckedPath> path_of(const Verdict& verdict) {
  if (!verdict.mail_from || !verdict.mail_from->domain) return std::nullopt;
  const spf::Outcome& spf = *verdict.mail_from;
  return CheckedPath{.domain = *spf.domain,
                     .result = spf.result,
                     .record = spf.evaluation.record,
                     .is_aligned = is_of_organization(*verdict.dmarc, *spf.domain)};
}

/// True when DNS did not say whether the mechanism gives an aligned pass. That is nobody's forgery.
bool is_unknown(const dmarc::Outcome& dmarc, dmarc::Mechanism mechanism) {
  using dmarc::AlignmentState;
  return std::ranges::any_of(dmarc.identifiers, [mechanism](const dmarc::AlignedIdentifier& one) {
    const bool is_open = one.state == AlignmentState::unknown ||
                         (one.state == AlignmentState::aligned && !one.is_pass());
    return one.identifier.mechanism == mechanism && is_open;
  });
}

/// True when SPF of MAIL FROM was looked at and what it came to counts. In networks that strangers
/// send from as well a pass does not, and what would have passed elsewhere has not failed (S-19).
bool is_spf_evaluated(const Verdict& verdict) {
  if (!verdict.mail_from || is_unknown(*verdict.dmarc, dmarc::Mechanism::spf)) return false;
  const spf::Outcome& spf = *verdict.mail_from;
  const bool may_pass = spf.result == spf::Result::pass || spf.result == spf::Result::temperror;
  return !verdict.has_shared_client || !may_pass || !spf.domain ||
         !is_of_organization(*verdict.dmarc, *spf.domain);
}

/// Where the client's end of the connection was, as Postfix and Sendmail say it. RFC 6692 §3
std::optional<std::uint16_t> port_of(const Envelope& envelope) {
  const std::string_view text = envelope.macro("client_port");
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  const bool is_port = error == std::errc{} && end == text.data() + text.size() && port != 0;
  return is_port ? std::optional(port) : std::nullopt;
}

/// What became of the message. "policy" is what did not reach the inbox because authentication
/// failed, whatever was done instead; what was held for another reason is "other".
/// RFC 6591 §3.2.2
DeliveryResult delivery_of(const Judgement& judgement) {
  if (judgement.is_shadow) return DeliveryResult::delivered;
  const Disposition& done = judgement.disposition;
  if (done.action == Action::accept) return DeliveryResult::delivered;
  if (done.action == Action::reject) return DeliveryResult::reject;
  const bool is_of_authentication = done.rule != Rule::bare_line_end && done.rule != Rule::replayed;
  return is_of_authentication ? DeliveryResult::policy : DeliveryResult::other;
}

/// What the method says whose failure is told, and no other: REQUIRED so. That is DMARC or one
/// signature. RFC 6591 §3.1
std::string results_value(const report::FailedMessage& message, const Verdict& verdict,
                          const Envelope& envelope, const JudgingPolicy& policy) {
  const bool is_dmarc = is_told_of_dmarc(message);
  const std::size_t index = is_dmarc ? 0 : told_signature(message)->index;
  std::vector<authres::MethodResult> told = results_of(verdict, envelope, policy.results);
  std::erase_if(told, [is_dmarc](const authres::MethodResult& one) {
    return one.method != (is_dmarc ? "dmarc" : "dkim");
  });
  if (index < told.size()) told = {told[index]};
  const HeaderField field(authres::format_field(
      {authserv_id_for(policy.results, envelope), std::move(told)}, {}, Limits{}));
  return std::string(text::trim(field.value(), text::is_fws));
}

/// All but the results and the header, which are long.
report::FailedMessage message_of(const Judgement& judgement, const Envelope& envelope,
                                 std::chrono::sys_seconds arrival) {
  const Verdict& verdict = judgement.verdict;
  const dmarc::Outcome& dmarc = *verdict.dmarc;
  const dmarc::Record& record = *dmarc.record();
  return {.policy_domain = *dmarc.policy_domain(),
          .author_domain = dmarc.discovery.author_domain(),
          .psd = record.psd,
          .fo = record.fo,
          .has_ruf = !record.ruf.empty(),
          .result = dmarc.result,
          .dkim_aligned = dmarc.is_aligned(dmarc::Mechanism::dkim),
          .spf_aligned = dmarc.is_aligned(dmarc::Mechanism::spf),
          .dkim_evaluated = verdict.checked_dkim && !is_unknown(dmarc, dmarc::Mechanism::dkim),
          .spf_evaluated = is_spf_evaluated(verdict),
          .signatures = signatures_of(verdict),
          .spf = path_of(verdict),
          .source_ip = envelope.client_ip,
          .source_port = port_of(envelope),
          .mail_from = envelope.mail_from,
          .arrival = arrival,
          .delivery = delivery_of(judgement),
          .authentication_results = {},
          .header = {}};
}

/// True when the verdict stands: DNS said all that the result rests on. Only such a failure is the
/// owner's business.
bool is_certain(const dmarc::Outcome& dmarc) {
  return dmarc.result == dmarc::Result::fail || dmarc.result == dmarc::Result::pass;
}

/// How much may be told, by what costs nothing to find out.
Privacy privacy_of(const Judgement& judgement, const Envelope& envelope,
                   const JudgingPolicy& policy) {
  if (policy.failures.is_off() || !has_applied_policy(judgement) || !envelope.client_ip)
    return Privacy::never;
  const dmarc::Outcome& dmarc = *judgement.verdict.dmarc;
  const bool is_left_out =
      !policy.failures.on_none && dmarc.published_policy == dmarc::AssessmentPolicy::none;
  if (!is_certain(dmarc) || is_left_out || dmarc.record()->ruf.empty()) return Privacy::never;
  // A relay of ours: its address says nothing of whoever sent the message.
  if (policy.spf_skipped.match(envelope.client_host, envelope.client_ip)) return Privacy::never;
  if (policy.own_reports.is_report_traffic(envelope.rcpt_to)) return Privacy::never;
  // Each recipient has a say, and of these nobody knows who they are.
  if (envelope.rcpt_to_dropped > 0) return Privacy::never;
  return policy.failures.privacy_for(*dmarc.policy_domain(), envelope.rcpt_to);
}

/// The domains of paths, each once.
std::vector<std::string> domains_of(const std::vector<std::string>& paths) {
  std::set<std::string> domains;
  for (const std::string& path : paths) {
    const std::size_t at = path.rfind('@');
    if (at == path.npos) continue;
    const auto domain = DomainName::parse(std::string_view(path).substr(at + 1));
    if (domain) domains.insert("@" + domain->text());
  }
  return {domains.begin(), domains.end()};
}

}  // namespace

std::shared_ptr<const FailureToReport> failure_of(const Judgement& judgement,
                                                  const Envelope& envelope, const Header& header,
                                                  const JudgingPolicy& policy,
                                                  std::chrono::sys_seconds arrival) {
  const Privacy privacy = privacy_of(judgement, envelope, policy);
  if (privacy == Privacy::never || report::is_automatic(envelope.mail_from, header)) return nullptr;
  auto failure = std::make_shared<FailureToReport>(
      FailureToReport{message_of(judgement, envelope, arrival), privacy, {}, {}});
  if (failure_wish(failure->message, privacy) != report::FailureWish::wanted) return nullptr;
  failure->message.authentication_results =
      results_value(failure->message, judgement.verdict, envelope, policy);
  failure->message.header = header;
  failure->ruf = judgement.verdict.dmarc->record()->ruf;
  failure->recipients = domains_of(envelope.rcpt_to);
  return failure;
}

}  // namespace countersign::mailflow
