// SPDX-License-Identifier: Apache-2.0

#include "countersign/mailflow/policy_answer.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "countersign/spf/check_host.hpp"
#include "countersign/spf/received_spf.hpp"

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

constexpr std::string_view rejected = "550 5.7.23 ";        // RFC 7372 §3.2
constexpr std::string_view broken_record = "550 5.7.24 ";   // RFC 7372 §3.2
constexpr std::string_view dns_unanswered = "451 4.7.24 ";  // RFC 7372 §3.2

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

bool refuses(RefuseFrom from, SpfResult result) {
  if (from == RefuseFrom::no_check || from == RefuseFrom::never) return false;
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

/// Refuses or defers for one identity, when its result asks for that.
bool act_on(const Outcome& outcome, const spf::CheckHost& check, RefuseFrom from,
            const SpfAccessPolicy& policy, PolicyAnswer& answer) {
  const auto say = [&answer](AccessAction action, std::string_view code, const std::string& text) {
    answer.action = action;
    answer.text = (std::string(code) + text).substr(0, reply_bytes_max);
    return true;
  };
  if (from == RefuseFrom::no_check || from == RefuseFrom::never) return false;
  if (outcome.result == SpfResult::permerror &&
      (policy.refuses_permerror || refuses(from, outcome.result)))
    return say(AccessAction::reject, broken_record, error_text(outcome));
  if (outcome.result == SpfResult::temperror && policy.defers_temperror)
    return say(AccessAction::defer, dns_unanswered, error_text(outcome));
  if (refuses(from, outcome.result))
    return say(AccessAction::reject, rejected, failure_text(check, outcome));
  return false;
}

/// Without its folding: Postfix takes one line, and folds it again where it must.
std::string unfolded(std::string field) {
  std::erase_if(field, [](char c) { return c == '\r' || c == '\n'; });
  std::ranges::replace(field, '\t', ' ');
  return field;
}

void add_field(const Checks& checks, PolicyAnswer& answer) {
  const bool by_helo = !answer.mail_from;
  if (by_helo && !answer.helo) return;
  std::string field = unfolded(by_helo ? format_received_spf(checks.helo, *answer.helo)
                                       : format_received_spf(checks.mail_from, *answer.mail_from));
  if (field.size() > field_bytes_max) return;
  answer.action = AccessAction::prepend;
  answer.text = "PREPEND " + std::move(field);
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
  }
  return "unknown";
}

dns::Asking<PolicyAnswer> answer_policy_request(PolicyRequest request,
                                                const SpfAccessPolicy& policy,
                                                std::chrono::sys_seconds now, Limits limits) {
  PolicyAnswer answer;
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
  if (!acts && policy.adds_received_spf && request.protocol_state != last_state)
    add_field(checks, answer);
  co_return answer;
}

std::optional<std::string> AnsweredMessage::recall(const PolicyRequest& request) const {
  if (instance_.empty() || request.instance != instance_ || request.sender != sender_)
    return std::nullopt;
  return text_;
}

void AnsweredMessage::keep(const PolicyRequest& request, const PolicyAnswer& answer) {
  instance_ = request.instance;
  sender_ = request.sender;
  text_ = answer.action == AccessAction::prepend ? "DUNNO" : answer.text;
}

}  // namespace countersign::mailflow
