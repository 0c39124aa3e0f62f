// SPDX-License-Identifier: Apache-2.0

#include "countersign/mailflow/disposition.hpp"

#include <algorithm>
#include <utility>

#include "countersign/authres/field.hpp"

namespace countersign::mailflow {

namespace {

using dmarc::AssessmentPolicy;
using report::OverrideReason;

/// What a rule asks for.
struct Ruling {
  Rule rule{};
  Action action = Action::accept;
  std::string_view enhanced;  // Behind the class of the code: "7.26".
  std::string text;
};

Action action_of(AssessmentPolicy policy) {
  switch (policy) {
    case AssessmentPolicy::none:
      return Action::accept;
    case AssessmentPolicy::quarantine:
      return Action::quarantine;
    case AssessmentPolicy::reject:
      return Action::reject;
  }
  return Action::accept;
}

/// The most of a policy that an action carries out.
AssessmentPolicy applied_by(Action action) {
  switch (action) {
    case Action::accept:
    case Action::tempfail:
      return AssessmentPolicy::none;
    case Action::quarantine:
      return AssessmentPolicy::quarantine;
    case Action::reject:
    case Action::discard:
      return AssessmentPolicy::reject;
  }
  return AssessmentPolicy::none;
}

/// The first domain that SPF or a signature authenticated and that the set has.
const DomainName* find_authenticated(const Verdict& verdict, const DomainSet& set) {
  if (verdict.mail_from && verdict.mail_from->result == spf::Result::pass &&
      verdict.mail_from->domain && set.contains(*verdict.mail_from->domain))
    return &*verdict.mail_from->domain;
  for (const dkim::SignatureResult& one : verdict.signatures)
    if (one.covers_body() && set.contains(one.signature->sdid)) return &one.signature->sdid;
  return nullptr;
}

/// True when the results of a sealer say that the author was authenticated when the message came
/// to him.
bool says_dmarc_pass(const arc::SetResult& set, const DomainName& author, const Limits& limits) {
  const auto field = authres::parse_field(set.payload, limits);
  if (!field) return false;
  return std::ranges::any_of(field->results, [&author](const authres::MethodResult& result) {
    if (result.method != "dmarc" || result.result != "pass") return false;
    const std::string* from = result.find("header", "from");
    const auto domain = from == nullptr ? std::nullopt : std::optional(DomainName::parse(*from));
    return domain && *domain && **domain == author;
  });
}

/// The newest set of a sealer who is trusted and vouches for the author, if the chain passes and
/// the message is still as that sealer sent it: his set alone could come from other mail (S-34).
const arc::SetResult* find_trusted_set(const Verdict& verdict, const DomainSet& sealers,
                                       const Limits& limits) {
  if (!verdict.arc || verdict.arc->status != arc::ChainStatus::pass) return nullptr;
  for (auto set = verdict.arc->sets.rbegin(); set != verdict.arc->sets.rend(); ++set) {
    if (!sealers.contains(set->sealer)) continue;
    if (set->message_signature.result != dkim::Result::pass) return nullptr;
    return says_dmarc_pass(*set, *verdict.authorship.author_domain, limits) ? &*set : nullptr;
  }
  return nullptr;
}

/// Why mail that fails DMARC is let through all the same; nothing if it is not.
std::optional<Override> find_override(const Verdict& verdict, const Envelope& envelope,
                                      const TrustPolicy& trust, const Limits& limits) {
  if (const DomainName* forwarder = find_authenticated(verdict, trust.forwarders))
    return Override{OverrideReason::trusted_forwarder, "authenticated as " + forwarder->text()};
  if (const arc::SetResult* set = find_trusted_set(verdict, trust.sealers, limits))
    return Override{OverrideReason::trusted_forwarder,
                    "arc=pass as[" + std::to_string(set->instance) + "].d=" + set->sealer.text() +
                        " as[" + std::to_string(set->instance) + "].s=" + set->selector.text()};
  if (trust.networks.match(envelope.client_host, envelope.client_ip))
    return Override{OverrideReason::local_policy, "trusted network"};
  if (trust.authenticated && envelope.find_macro("auth_type") != nullptr)
    return Override{OverrideReason::local_policy, "the client has logged in"};
  const std::optional<DomainName>& author = verdict.authorship.author_domain;
  if (author && trust.author_domains.contains(*author))
    return Override{OverrideReason::local_policy, "trusted author domain"};
  return std::nullopt;
}

bool is_near(const DomainName& domain, const DomainName& author) {
  return domain.is_at_or_below(author) || author.is_at_or_below(domain);
}

/// True when something besides the policy speaks against the message; see the head of the header.
bool is_corroborated(const Verdict& verdict) {
  if (verdict.dmarc->author_exists == false) return true;
  const DomainName& author = verdict.dmarc->discovery.author_domain();
  const bool is_signed =
      std::ranges::any_of(verdict.signatures, [&author](const dkim::SignatureResult& one) {
        return !one.signature || is_near(one.signature->sdid, author);
      });
  const auto& spf = verdict.mail_from;
  const bool spf_fails =
      spf && spf->result == spf::Result::fail && spf->domain && is_near(*spf->domain, author);
  const bool was_sealed = verdict.arc && verdict.arc->status != arc::ChainStatus::none;
  return spf_fails && !is_signed && !was_sealed && !verdict.is_list_mail;
}

class Decision {
 public:
  Decision(const Verdict& verdict, const Envelope& envelope, const JudgingPolicy& policy,
           const Limits& limits)
      : verdict_(verdict), envelope_(envelope), policy_(policy), limits_(limits) {}

  Disposition decide() {
    rule_on_the_author();
    rule_on_dmarc();
    if (verdict_.dmarc_result() != dmarc::Result::pass) rule_on_spf();
    rule_on_dkim();
    if (!verdict_.is_authenticated())
      add({Rule::unauthenticated, actions().unauthenticated, "7.26",
           "neither SPF nor DKIM authenticates anybody for this message"});
    if (verdict_.replay.is_replay)
      add({Rule::replayed, actions().replayed, "7.1",
           "the message has come to many under one signature and is addressed to none of them"});
    return take();
  }

 private:
  [[nodiscard]] const Actions& actions() const { return policy_.actions; }

  void add(Ruling ruling) {
    if (severity(ruling.action) > severity(ruling_.action)) ruling_ = std::move(ruling);
  }

  void rule_on_the_author() {
    if (!verdict_.authorship.ambiguities.empty() && policy_.dmarc)
      add({Rule::ambiguous, actions().ambiguous, "7.1",
           to_string(verdict_.authorship.ambiguities.front())});
    if (verdict_.has_bare_line_end)
      add({Rule::bare_line_end, actions().bare_line_end, "6.0",
           "the body has NUL, or CR or LF alone"});
  }

  // The codes of RFC 7372 are for messages that failed. What DNS did not tell is X.4.3, and X.7.5
  // where it is a key (RFC 3463 §3.5, RFC 6376 §6.3).
  void rule_on_dmarc() {
    if (!verdict_.dmarc || !verdict_.authorship.ambiguities.empty()) return;
    const std::string domain = verdict_.authorship.author_domain->text();
    switch (verdict_.dmarc->result) {
      case dmarc::Result::fail:
        return carry_out(domain);
      case dmarc::Result::temperror:
        return add({Rule::dmarc_temperror, actions().dmarc_temperror, "4.3",
                    "DMARC of " + domain + " cannot be checked for now, as DNS does not answer"});
      case dmarc::Result::permerror:
        return add({Rule::dmarc_permerror, actions().dmarc_permerror, "7.1",
                    "the DMARC record for " + domain + " cannot be used"});
      case dmarc::Result::none:
      case dmarc::Result::pass:
        return;
    }
  }

  /// Carries the owner's policy out, as far as it is not overridden.
  void carry_out(const std::string& domain) {
    if (verdict_.dmarc->is_test_mode())
      overrides_.push_back({OverrideReason::policy_test_mode, "t=y"});
    const AssessmentPolicy asked = verdict_.dmarc->policy.value_or(AssessmentPolicy::none);
    if (asked == AssessmentPolicy::none) return;
    if (auto found = find_override(verdict_, envelope_, policy_.trust, limits_)) {
      overrides_.push_back(*std::move(found));
      return;
    }
    const bool is_reject = asked == AssessmentPolicy::reject;
    const Action action = is_reject ? action_for_reject() : actions().dmarc_quarantine;
    applied_ = std::min(applied_by(action), asked);
    if (severity(action) < severity(action_of(asked)))
      overrides_.push_back({OverrideReason::local_policy,
                            is_reject ? "not rejected for a policy alone" : "as configured"});
    add({is_reject ? Rule::dmarc_reject : Rule::dmarc_quarantine, action, "7.26",
         "the message fails DMARC, and the policy of " + domain + " is " +
             std::string(to_string(asked))});
  }

  [[nodiscard]] Action action_for_reject() const {
    switch (actions().dmarc_reject) {
      case RejectPolicy::quarantine:
        return actions().dmarc_quarantine;
      case RejectPolicy::corroborated:
        return is_corroborated(verdict_) ? Action::reject : actions().dmarc_quarantine;
      case RejectPolicy::reject:
        return Action::reject;
    }
    return actions().dmarc_quarantine;
  }

  void rule_on_spf() {
    if (verdict_.helo && verdict_.helo->result == spf::Result::fail)
      add(spf_ruling(Rule::helo_fail, actions().helo_fail, *verdict_.helo));
    if (!verdict_.mail_from) return;
    const spf::Outcome& spf = *verdict_.mail_from;
    if (spf.result == spf::Result::fail)
      add(spf_ruling(Rule::spf_fail, actions().spf_fail, spf));
    else if (spf.result == spf::Result::softfail)
      add(spf_ruling(Rule::spf_softfail, actions().spf_softfail, spf));
    else if (spf.result == spf::Result::temperror)
      add(spf_ruling(Rule::spf_temperror, actions().spf_temperror, spf));
    else if (spf.result == spf::Result::permerror)
      add(spf_ruling(Rule::spf_permerror, actions().spf_permerror, spf));
  }

  static Ruling spf_ruling(Rule rule, Action action, const spf::Outcome& spf) {
    const bool is_error =
        spf.result == spf::Result::temperror || spf.result == spf::Result::permerror;
    const std::string domain = spf.domain ? " for " + spf.domain->text() : "";
    std::string text = "SPF" + domain + ": " + std::string(to_string(spf.result));
    // The owner's words, named as such. RFC 7208 §6.2, §8.4
    if (!spf.explanation.empty() && spf.domain)
      text += "; " + spf.domain->text() + " explains: " + spf.explanation;
    return {rule, action, is_error ? "7.24" : "7.23", std::move(text)};
  }

  void rule_on_dkim() {
    if (!verdict_.checked_dkim) return;
    // Signatures by algorithms that we do not know, or of strangers whom the operator does not
    // trust, are as good as none. RFC 6376 §3.3.4
    const bool is_signed =
        std::ranges::any_of(verdict_.signatures, [](const dkim::SignatureResult& one) {
          return one.reason != dkim::Reason::unsupported_algorithm &&
                 one.reason != dkim::Reason::third_party;
        });
    if (!is_signed)
      return add({Rule::no_signature, actions().no_signature, "7.20",
                  "the message has no DKIM signature that is understood"});
    if (dkim::summarize(verdict_.signatures) == dkim::Result::pass) return;
    const auto has = [this](dkim::Reason reason) {
      return std::ranges::find(verdict_.signatures, reason, &dkim::SignatureResult::reason) !=
             verdict_.signatures.end();
    };
    if (has(dkim::Reason::key_not_trusted))
      return add({Rule::bad_key, actions().bad_key, "7.20",
                  "the key of the DKIM signature is not trusted"});
    if (has(dkim::Reason::key_unavailable))
      return add({Rule::dns_error, actions().dns_error, "7.5",
                  "the key of the DKIM signature cannot be had for now"});
    if (has(dkim::Reason::key_not_found))
      return add({Rule::key_not_found, actions().key_not_found, "7.20",
                  "the key of the DKIM signature is not in DNS"});
    add({Rule::bad_signature, actions().bad_signature, "7.20",
         "no DKIM signature of the message is valid"});
  }

  Disposition take() {
    Disposition disposition{.action = ruling_.action};
    disposition.applied = applied_;
    disposition.overrides = std::move(overrides_);
    if (ruling_.action == Action::accept) return disposition;
    disposition.rule = ruling_.rule;
    disposition.text = std::move(ruling_.text) + help();
    const bool is_for_now = ruling_.action == Action::tempfail;
    disposition.codes = (is_for_now ? "451 4." : "550 5.") + std::string(ruling_.enhanced);
    return disposition;
  }

  /// The operator's hint, with the author's domain in the place of "%s".
  [[nodiscard]] std::string help() const {
    if (policy_.help.empty()) return {};
    std::string text = "; " + policy_.help;
    const std::size_t at = text.find("%s");
    const std::optional<DomainName>& author = verdict_.authorship.author_domain;
    if (at != text.npos) text.replace(at, 2, author ? author->text() : "this-message");
    return text;
  }

  const Verdict& verdict_;
  const Envelope& envelope_;
  const JudgingPolicy& policy_;
  const Limits& limits_;
  Ruling ruling_;
  AssessmentPolicy applied_ = AssessmentPolicy::none;
  std::vector<Override> overrides_;
};

}  // namespace

std::string_view name_of(Rule rule) {
  switch (rule) {
    case Rule::ambiguous:
      return "ambiguous";
    case Rule::bare_line_end:
      return "bare_line_end";
    case Rule::dmarc_quarantine:
      return "dmarc_quarantine";
    case Rule::dmarc_reject:
      return "dmarc_reject";
    case Rule::dmarc_temperror:
      return "dmarc_temperror";
    case Rule::dmarc_permerror:
      return "dmarc_permerror";
    case Rule::spf_fail:
      return "spf_fail";
    case Rule::spf_softfail:
      return "spf_softfail";
    case Rule::spf_temperror:
      return "spf_temperror";
    case Rule::spf_permerror:
      return "spf_permerror";
    case Rule::helo_fail:
      return "helo_fail";
    case Rule::no_signature:
      return "no_signature";
    case Rule::bad_signature:
      return "bad_signature";
    case Rule::key_not_found:
      return "key_not_found";
    case Rule::dns_error:
      return "dns_error";
    case Rule::bad_key:
      return "bad_key";
    case Rule::unauthenticated:
      return "unauthenticated";
    case Rule::replayed:
      return "replayed";
  }
  return "unknown";
}

Disposition dispose(const Verdict& verdict, const Envelope& envelope, const JudgingPolicy& policy,
                    const Limits& limits) {
  return Decision(verdict, envelope, policy, limits).decide();
}

}  // namespace countersign::mailflow
