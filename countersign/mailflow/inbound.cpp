// SPDX-License-Identifier: Apache-2.0

#include "countersign/mailflow/inbound.hpp"

#include <tuple>
#include <utility>

#include "countersign/arc/chain.hpp"
#include "countersign/dmarc/evaluate.hpp"
#include "countersign/mailflow/iprev.hpp"
#include "countersign/mailflow/signature_policy.hpp"
#include "countersign/spf/check_host.hpp"

namespace countersign::mailflow {

namespace {

using MaybeSpf = std::optional<spf::Outcome>;
using MaybeDiscovery = std::optional<dmarc::Discovery>;
using MaybeIprev = std::optional<IprevOutcome>;
using MaybeArc = std::optional<arc::Outcome>;

dns::Asking<MaybeSpf> check_spf(std::optional<spf::CheckHost> request, Limits limits) {
  if (!request) co_return std::nullopt;
  co_return co_await spf::check_host(*std::move(request), limits);
}

dns::Asking<MaybeDiscovery> discover(std::optional<DomainName> author_domain,
                                     dmarc::OrgDomainOf org_domain_of, Limits limits) {
  if (!author_domain) co_return std::nullopt;
  co_return co_await dmarc::discover(*std::move(author_domain), limits, std::move(org_domain_of));
}

dns::Asking<MaybeIprev> find_client_name(std::optional<IpAddress> client_ip, Limits limits) {
  if (!client_ip) co_return std::nullopt;
  co_return co_await check_iprev(*client_ip, limits);
}

dns::Asking<MaybeArc> check_arc(std::optional<arc::Verifier> verifier,
                                std::chrono::sys_seconds now) {
  if (!verifier) co_return std::nullopt;
  co_return co_await std::move(*verifier).finish(now);
}

/// True when the MTA has found a name that leads back to the client.
bool has_client_name(const Envelope& envelope) {
  const std::string& host = envelope.client_host;
  return !host.empty() && host.front() != '[' && host != "unknown";
}

}  // namespace

struct Inbound::State {
  State(std::shared_ptr<const Policy> policy_given, const Envelope& envelope_given,
        const Header& header_given, std::optional<SplitErrorCode> over_limit_given)
      : policy(std::move(policy_given)),
        envelope(envelope_given),
        header(header_given),
        over_limit(over_limit_given),
        verifier(header, policy->limits,
                 {.accept_partly_signed_body = policy->judging.accepts_partly_signed_body,
                  .header_is_cut = over_limit.has_value()}) {
    if (policy->judging.arc && !over_limit) chain.emplace(header, policy->limits);
  }

  std::shared_ptr<const Policy> policy;
  const Envelope& envelope;
  const Header& header;
  std::optional<SplitErrorCode> over_limit;
  dkim::Verifier verifier;
  std::optional<arc::Verifier> chain;
  LineEndWatch line_ends;

  [[nodiscard]] const JudgingPolicy& judging() const { return policy->judging; }

  [[nodiscard]] Verdict read_header() const {
    Verdict verdict;
    verdict.authorship = find_authorship(header, over_limit, policy->limits);
    verdict.has_bare_line_end = line_ends.has_bare_line_end();
    verdict.is_list_mail =
        find_field(header, "List-Id") != nullptr || find_field(header, "List-Post") != nullptr;
    verdict.has_null_path = envelope.mail_from.empty();
    verdict.has_shared_client =
        judging().spf_shared.match(envelope.client_host, envelope.client_ip).has_value();
    verdict.checked_dkim = true;
    verdict.checked_dmarc = judging().dmarc;
    return verdict;
  }

  /// Nothing where there is nothing to check: no address of a client (S-57), a relay of ours.
  [[nodiscard]] std::optional<spf::CheckHost> spf_request(spf::Identity identity,
                                                          std::chrono::sys_seconds now) const {
    const bool is_same_twice = identity == spf::Identity::helo && envelope.mail_from.empty();
    if (!judging().spf || !envelope.client_ip || is_same_twice) return std::nullopt;
    if (judging().spf_skipped.match(envelope.client_host, envelope.client_ip)) return std::nullopt;
    return spf::CheckHost{.client_ip = *envelope.client_ip,
                          .helo = envelope.helo,
                          .mail_from = envelope.mail_from,
                          .identity = identity,
                          .receiver = judging().receiver,
                          .now = now};
  }

  [[nodiscard]] std::optional<DomainName> domain_for_dmarc(const Verdict& verdict) const {
    return judging().dmarc ? verdict.authorship.author_domain : std::nullopt;
  }

  [[nodiscard]] std::optional<IpAddress> address_without_name() const {
    return judging().iprev && !has_client_name(envelope) ? envelope.client_ip : std::nullopt;
  }

  [[nodiscard]] MaybeIprev name_of_client() const {
    if (!judging().iprev || !envelope.client_ip || !has_client_name(envelope)) return std::nullopt;
    return IprevOutcome{IprevResult::pass, envelope.client_host};
  }
};

Inbound::Inbound(std::shared_ptr<const Policy> policy, const Envelope& envelope,
                 const Header& header, std::optional<SplitErrorCode> over_limit)
    : state_(std::make_unique<State>(std::move(policy), envelope, header, over_limit)) {}

Inbound::~Inbound() = default;
Inbound::Inbound(Inbound&&) noexcept = default;
Inbound& Inbound::operator=(Inbound&&) noexcept = default;

void Inbound::body(std::string_view chunk) {
  state_->verifier.body(chunk);
  if (state_->chain) state_->chain->body(chunk);
  state_->line_ends.body(chunk);
}

dns::Asking<Verdict> Inbound::finish(std::chrono::sys_seconds now) && {
  return judge(std::move(state_), now);
}

dns::Asking<Verdict> Inbound::judge(std::unique_ptr<State> state, std::chrono::sys_seconds now) {
  const Limits& limits = state->policy->limits;
  Verdict verdict = state->read_header();

  auto [helo, mail_from, signatures, arc, discovery, iprev] = co_await dns::all(
      check_spf(state->spf_request(spf::Identity::helo, now), limits),
      check_spf(state->spf_request(spf::Identity::mail_from, now), limits),
      std::move(state->verifier).finish(now), check_arc(std::move(state->chain), now),
      discover(state->domain_for_dmarc(verdict), state->judging().org_domain_of, limits),
      find_client_name(state->address_without_name(), limits));

  verdict.helo = std::move(helo);
  verdict.mail_from = std::move(mail_from);
  verdict.signatures = std::move(signatures);
  apply_signature_policy(state->judging().signatures, state->header, verdict);
  verdict.arc = std::move(arc);
  verdict.iprev = iprev ? std::move(iprev) : state->name_of_client();
  if (discovery) {
    std::vector<dmarc::Identifier> identifiers =
        authenticated_identifiers(verdict, discovery->author_domain());
    verdict.dmarc = co_await dmarc::evaluate(*std::move(discovery), std::move(identifiers), limits);
  }
  co_return verdict;
}

}  // namespace countersign::mailflow
