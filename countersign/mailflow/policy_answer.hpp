// SPDX-License-Identifier: Apache-2.0
//
// What Postfix is told when it asks about SPF: refuse the client, try later, put a field on the
// message, what the operator wants for a pass, or nothing.
//
// Postfix asks once for each recipient of a message, and the answer must not change from one to the
// next, nor the field be added twice: AnsweredMessage sees to that.

#pragma once

#include <chrono>
#include <cstdint>
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
/// policy       must outlive the evaluation.
/// now          for %{t} in explanations.
/// RFC 7208 §8, §9.1, §9.2, RFC 7372 §3.2
[[nodiscard]] dns::Asking<PolicyAnswer> answer_policy_request(PolicyRequest request,
                                                              const SpfAccessPolicy& policy,
                                                              std::chrono::sys_seconds now,
                                                              Limits limits);

/// What the last message of a connection was told, for its other recipients.
class AnsweredMessage {
 public:
  /// The action for a further request of the same message and sender, a field not told again;
  /// nothing for another message, or one without instance.
  [[nodiscard]] std::optional<std::string> recall(const PolicyRequest& request) const;
  /// Keeps an answer, in place of that of the message before.
  void keep(const PolicyRequest& request, const PolicyAnswer& answer);

 private:
  std::string instance_;
  std::string sender_;
  std::string text_;
};

}  // namespace countersign::mailflow
