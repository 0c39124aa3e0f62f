// SPDX-License-Identifier: Apache-2.0
//
// What Postfix is told when it asks about SPF: refuse the client, try later, put a field on the
// message, what the operator wants for a pass, or nothing.
//
// Postfix asks once for each recipient of a message, and the answer must not change from one to the
// next of those who share a policy, nor the field be added twice: AnsweredMessage sees to that.

#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "countersign/dns/asking.hpp"
#include "countersign/limits.hpp"
#include "countersign/mailflow/access_policy.hpp"
#include "countersign/mailflow/policy_request.hpp"
#include "countersign/spf/outcome.hpp"

namespace countersign::mailflow {

/// What is done with the client.
enum class AccessAction : std::uint8_t {
  dunno,
  prepend,
  reject,
  defer,
  restriction,  ///< what the operator wants for a client that passes
};

/// The word for an action, as in a log.
[[nodiscard]] std::string_view to_string(AccessAction action);

/// The answer to one request, and how it came to be.
struct PolicyAnswer {
  AccessAction action = AccessAction::dunno;
  /// As Postfix takes it behind "action=": "DUNNO", "PREPEND Received-SPF: …", "550 5.7.23 …",
  /// "451 4.7.24 …", or the operator's own; what strangers say is printable ASCII in it.
  std::string text = "DUNNO";
  std::optional<spf::Outcome> helo;       ///< nothing when it was not checked
  std::optional<spf::Outcome> mail_from;  ///< likewise
};

/// Answers a request. Nothing is checked before MAIL FROM is known, for clients that are skipped,
/// and for those whose address is not known (S-57): DUNNO.
///
/// policy       must outlive the evaluation. Its forwarders are asked for in a time of their own
///              (dns::in_own_time); one that is not found in it is not trusted.
/// now          for %{t} in explanations.
/// RFC 7208 §8, §9.1, §9.2, RFC 7372 §3.2
[[nodiscard]] dns::Asking<PolicyAnswer> answer_policy_request(PolicyRequest request,
                                                              const SpfAccessPolicy& policy,
                                                              std::chrono::sys_seconds now,
                                                              Limits limits);

/// What the last message of a connection was told, for its other recipients.
class AnsweredMessage {
 public:
  /// The action for a further request of the same message and sender by the same policy, a field
  /// not told again; nothing for another message or policy, or for a message without instance.
  ///
  /// whose   as in SpfAccessPolicies::Choice.
  [[nodiscard]] std::optional<std::string> recall(const PolicyRequest& request,
                                                  std::string_view whose) const;
  /// Keeps an answer; that of another message goes. The action as it is told: a field that the
  /// message has already got becomes "DUNNO".
  [[nodiscard]] std::string keep(const PolicyRequest& request, std::string_view whose,
                                 const PolicyAnswer& answer);

 private:
  [[nodiscard]] bool is_of(const PolicyRequest& request) const;

  std::string instance_;
  std::string sender_;
  bool has_field_ = false;
  std::map<std::string, std::string, std::less<>> texts_;  // By whose policy.
};

}  // namespace countersign::mailflow
