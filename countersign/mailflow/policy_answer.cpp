// SPDX-License-Identifier: Apache-2.0

#include "countersign/mailflow/policy_answer.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "countersign/authres/field.hpp"
#include "countersign/mailflow/iprev.hpp"
#include "countersign/spf/check_host.hpp"
#include "countersign/spf/received_spf.hpp"
#include "countersign/text/abnf.hpp"

namespace countersign::mailflow {

namespace {

using spf::Identity;
using spf::Outcome;
using SpfResult = spf::Result;

// Where SMTP has come so far that MAIL FROM is known.
constexpr std::array<std::string_view, 4> checked_states = {"MAIL", "RCPT", "DATA",
                                                            "END-OF-MESSAGE"};
// Here the header has been written already.
constexpr std::string_view last_state = "END-OF-MESSAGE";
// A field that is not folded, as the protocol wants it, must fit a line. RFC 5322 §2.1.1
constexpr std::size_t field_bytes_max = 998;
// The line of an SMTP reply. RFC 5321 §4.5.3.1.5
constexpr std::size_t reply_bytes_max = 510;

/// The code of a reply, as SPF has its own and as it is without.
struct Code {
  std::string_view of_spf;
  std::string_view general;
};

constexpr Code rejected = {"550 5.7.23 ", "550 5.7.1 "};        // RFC 7372 §3.2, RFC 7208 §8.4
constexpr Code broken_record = {"550 5.7.24 ", "550 5.5.2 "};   // RFC 7372 §3.2, RFC 7208 §8.7
constexpr Code dns_unanswered = {"451 4.7.24 ", "451 4.4.3 "};  // RFC 7372 §3.2, RFC 7208 §8.6

// The record of a domain that sends no mail.
constexpr std::string_view no_mail = "v=spf1 -all";

bool is_loopback(const IpAddress& address) {
  const auto& octets = address.octets();
  if (address.is_v4()) return octets[0] == 127;
  return octets.back() == 1 && std::all_of(octets.begin(), octets.end() - 1,
                                           [](std::uint8_t octet) { return octet == 0; });
}

bool is_checked(const PolicyRequest& request, const SpfAccessPolicy& policy) {
  if (std::ranges::find(checked_states, request.protocol_state) == checked_states.end())
    return false;
  if (!request.client_ip) return false;
  if (policy.skips_authenticated && !request.sasl_username.empty()) return false;
  if (policy.skips_loopback && is_loopback(*request.client_ip)) return false;
  return !policy.skipped.match(request.client_name, request.client_ip);
}

/// What holds for this sender and this domain: never, or from which result on.
RefuseFrom refusal_for(const Outcome& outcome, const spf::CheckHost& check, RefuseFrom from,
                       const SpfAccessPolicy& policy) {
  if (from == RefuseFrom::no_check) return RefuseFrom::never;
  if (outcome.domain && policy.must_pass.contains(*outcome.domain)) return RefuseFrom::not_pass;
  if (from != RefuseFrom::null_sender) return from;
  return check.mail_from.empty() ? RefuseFrom::fail : RefuseFrom::never;
}

bool refuses(RefuseFrom from, SpfResult result) {
  switch (result) {
    case SpfResult::fail:
      return true;
    case SpfResult::softfail:
      return from != RefuseFrom::fail;
    case SpfResult::neutral:
    case SpfResult::permerror:
      return from == RefuseFrom::not_pass;
    default:
      return false;
  }
}

std::string_view name_of(Identity identity) {
  return identity == Identity::helo ? "HELO" : "MAIL FROM";
}

/// "SPF MAIL FROM check failed: 192.0.2.1 may not send mail for example.org". RFC 7208 §8.4
std::string failure_text(const spf::CheckHost& request, const Outcome& outcome) {
  std::string text = "SPF " + std::string(name_of(outcome.identity)) + " check failed: ";
  text += request.client_ip.to_string() + " may not send mail";
  if (outcome.domain) text += " for " + outcome.domain->text();
  if (outcome.result != SpfResult::fail)
    text += " (" + std::string(to_string(outcome.result)) + ")";
  // The owner's words are marked as such: they are not ours. RFC 7208 §6.2
  if (outcome.domain && !outcome.explanation.empty())
    text += "; the domain " + outcome.domain->text() + " explains: " + outcome.explanation;
  return text;
}

std::string error_text(const Outcome& outcome) {
  std::string text = "SPF " + std::string(name_of(outcome.identity)) + " check error";
  if (outcome.domain) text += " for " + outcome.domain->text();
  return text + (outcome.result == SpfResult::temperror
                     ? ": DNS did not answer; try again later"
                     : ": its SPF record cannot be used; its owner must mend it");
}

/// The identities as check_host() wants them.
struct Checks {
  spf::CheckHost helo;
  spf::CheckHost mail_from;
};

Checks checks_of(const PolicyRequest& request, const std::string& receiver,
                 std::chrono::sys_seconds now) {
  Checks checks;
  checks.helo = {.client_ip = *request.client_ip,
                 .helo = request.helo_name,
                 .mail_from = request.sender,
                 .identity = Identity::helo,
                 .receiver = receiver,
                 .now = now};
  checks.mail_from = checks.helo;
  checks.mail_from.identity = Identity::mail_from;
  return checks;
}

/// The operator's words around ours; what is put in is not looked at again.
std::string reason_for(const std::string& reason, AccessAction action, const std::string& text) {
  if (reason.empty()) return text;
  const std::array<std::pair<std::string_view, std::string_view>, 3> words{
      {{"{rejectdefer}", action == AccessAction::reject ? "rejected" : "deferred"},
       {"{spf}", text},
       {"{url}", ""}}};
  std::string result;
  for (std::string_view rest = reason; !rest.empty();) {
    const auto* word = std::ranges::find_if(
        words, [&rest](const auto& one) { return rest.starts_with(one.first); });
    result += word == words.end() ? rest.substr(0, 1) : word->second;
    rest.remove_prefix(word == words.end() ? 1 : word->first.size());
  }
  return result;
}

/// Refuses or defers for one identity, when its result asks for that.
bool act_on(const Outcome& outcome, const spf::CheckHost& check, RefuseFrom from,
            const SpfAccessPolicy& policy, PolicyAnswer& answer) {
  from = refusal_for(outcome, check, from, policy);
  if (from == RefuseFrom::never) return false;
  const auto say = [&](AccessAction action, const Code& code, const std::string& text) {
    if (action == AccessAction::reject && policy.only_no_mail &&
        !text::equal_ignoring_case(outcome.evaluation.record, no_mail))
      return false;
    answer.action = action;
    answer.text = policy.spf_codes ? code.of_spf : code.general;
    answer.text += reason_for(policy.reason, action, text);
    answer.text.resize(std::min(answer.text.size(), reply_bytes_max));
    return true;
  };
  if (outcome.result == SpfResult::permerror &&
      (policy.refuses_permerror || refuses(from, outcome.result)))
    return say(AccessAction::reject, broken_record, error_text(outcome));
  if (outcome.result == SpfResult::temperror && policy.defers_temperror)
    return say(AccessAction::defer, dns_unanswered, error_text(outcome));
  if (refuses(from, outcome.result))
    return say(AccessAction::reject, rejected, failure_text(check, outcome));
  return false;
}

/// Is the client one of the hosts of a forwarder?
dns::Asking<bool> is_forwarder(spf::CheckHost check, const SpfAccessPolicy& policy, Limits limits) {
  check.identity = Identity::mail_from;
  std::size_t asked = 0;
  for (const DomainName& domain : policy.forwarders) {
    if (++asked > limits.access_forwarders_max) break;
    check.helo = domain.text();
    check.mail_from = "postmaster@" + domain.text();
    const Outcome outcome = co_await check_host(check, limits);
    if (outcome.result == SpfResult::pass) co_return true;
  }
  co_return false;
}

/// Is the client known by the name that it greets with, or as a forwarder?
dns::Asking<bool> is_trusted(spf::CheckHost check, const SpfAccessPolicy& policy, Limits limits) {
  const auto helo = DomainName::parse(check.helo);
  if (helo && policy.trusted_helo.match(helo->text(), std::nullopt) &&
      co_await leads_to(helo->text(), check.client_ip))
    co_return true;
  co_return co_await dns::in_own_time(is_forwarder(std::move(check), policy, limits));
}

/// Without its folding: Postfix takes one line, and folds it again where it must.
std::string unfolded(std::string field) {
  std::erase_if(field, [](char c) { return c == '\r' || c == '\n'; });
  std::ranges::replace(field, '\t', ' ');
  return field;
}

std::string results_field(const Outcome& outcome, bool by_helo, const SpfAccessPolicy& policy,
                          const Limits& limits) {
  authres::MethodResult result{.method = "spf", .result = std::string(to_string(outcome.result))};
  if (outcome.domain)
    result.properties.push_back({"smtp", by_helo ? "helo" : "mailfrom", outcome.domain->text()});
  return authres::format_field({.authserv_id = policy.authserv_id, .results = {std::move(result)}},
                               {}, limits);
}

void add_field(const Checks& checks, const SpfAccessPolicy& policy, const Limits& limits,
               PolicyAnswer& answer) {
  const bool by_helo = !answer.mail_from;
  if (by_helo && !answer.helo) return;
  const Outcome& outcome = by_helo ? *answer.helo : *answer.mail_from;
  const spf::CheckHost& check = by_helo ? checks.helo : checks.mail_from;
  std::string field =
      unfolded(policy.field == AddedField::received_spf
                   ? format_received_spf(check, outcome)
                   : results_field(outcome, by_helo || check.mail_from.empty(), policy, limits));
  if (field.size() > field_bytes_max) return;
  answer.action = AccessAction::prepend;
  answer.text = "PREPEND " + std::move(field);
}

/// What the operator wants for an identity that passes; empty: nothing.
std::string_view restriction_for(const PolicyAnswer& answer, const PolicyRequest& request,
                                 const SpfAccessPolicy& policy) {
  const auto passes = [](const std::optional<Outcome>& outcome) {
    return outcome && outcome->result == SpfResult::pass;
  };
  if (!request.sender.empty() && passes(answer.mail_from) && !policy.mail_from_pass.empty())
    return policy.mail_from_pass;
  return passes(answer.helo) ? policy.helo_pass : std::string_view();
}

dns::Asking<std::optional<Outcome>> check(spf::CheckHost request, RefuseFrom from, Limits limits) {
  if (from == RefuseFrom::no_check) co_return std::nullopt;
  co_return co_await check_host(std::move(request), limits);
}

}  // namespace

std::string_view to_string(AccessAction action) {
  switch (action) {
    case AccessAction::dunno:
      return "dunno";
    case AccessAction::prepend:
      return "prepend";
    case AccessAction::reject:
      return "reject";
    case AccessAction::defer:
      return "defer";
    case AccessAction::restriction:
      return "restriction";
  }
  return "unknown";
}

dns::Asking<PolicyAnswer> answer_policy_request(PolicyRequest request,
                                                const SpfAccessPolicy& policy,
                                                std::chrono::sys_seconds now, Limits limits) {
  PolicyAnswer answer;
  if (policy.prospective) request.client_ip = policy.prospective;
  if (!is_checked(request, policy)) co_return answer;
  const Checks checks = checks_of(request, policy.receiver, now);
  auto [helo, mail_from] = co_await dns::all(check(checks.helo, policy.helo, limits),
                                             check(checks.mail_from, policy.mail_from, limits));
  answer.helo = std::move(helo);
  answer.mail_from = std::move(mail_from);
  const bool acts =
      !policy.only_tests &&
      ((answer.helo && act_on(*answer.helo, checks.helo, policy.helo, policy, answer)) ||
       (answer.mail_from &&
        act_on(*answer.mail_from, checks.mail_from, policy.mail_from, policy, answer)));
  if (acts && !co_await is_trusted(checks.helo, policy, limits)) co_return answer;
  answer.action = AccessAction::dunno;
  answer.text = "DUNNO";
  if (const std::string_view restriction = restriction_for(answer, request, policy);
      !restriction.empty()) {
    answer.action = AccessAction::restriction;
    answer.text = restriction;
  } else if (policy.field != AddedField::none && request.protocol_state != last_state) {
    add_field(checks, policy, limits, answer);
  }
  co_return answer;
}

bool AnsweredMessage::is_of(const PolicyRequest& request) const {
  return !instance_.empty() && request.instance == instance_ && request.sender == sender_;
}

std::optional<std::string> AnsweredMessage::recall(const PolicyRequest& request,
                                                   std::string_view whose) const {
  if (!is_of(request)) return std::nullopt;
  const auto found = texts_.find(whose);
  return found == texts_.end() ? std::nullopt : std::optional(found->second);
}

std::string AnsweredMessage::keep(const PolicyRequest& request, std::string_view whose,
                                  const PolicyAnswer& answer) {
  if (!is_of(request)) {
    texts_.clear();
    has_field_ = false;
  }
  instance_ = request.instance;
  sender_ = request.sender;
  const bool is_field = answer.action == AccessAction::prepend;
  texts_.insert_or_assign(std::string(whose), is_field ? "DUNNO" : answer.text);
  const bool is_told = is_field && std::exchange(has_field_, true);
  return is_told ? "DUNNO" : answer.text;
}

}  // namespace countersign::mailflow
