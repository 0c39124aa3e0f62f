// SPDX-License-Identifier: Apache-2.0
//
// What Postfix is told when it asks about SPF: refuse the client, try later, put a Received-SPF
// field on the message, or nothing. The words are those of policyd-spf, which many come from.
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
#include "countersign/mailflow/host_list.hpp"
#include "countersign/mailflow/policy_request.hpp"
#include "countersign/spf/outcome.hpp"

namespace countersign::mailflow {

/// From which result of an identity on the client is refused.
enum class RefuseFrom : std::uint8_t {
  no_check,  ///< the identity is not even checked
  never,     ///< it is checked and told, no more
  fail,
  softfail,  ///< softfail and fail
  not_pass,  ///< neutral, softfail, fail and permerror; not none, as most hosts have no record
};

/// How clients are judged. The defaults refuse what the owner of a domain asks to refuse, and lose
/// no mail to anything else.
struct SpfAccessPolicy {
  RefuseFrom helo = RefuseFrom::fail;
  RefuseFrom mail_from = RefuseFrom::fail;
  bool refuses_permerror = false;    ///< a record that cannot be used
  bool defers_temperror = false;     ///< DNS that did not answer
  bool skips_authenticated = true;   ///< clients that have logged in (sasl_username)
  bool skips_loopback = true;        ///< 127.0.0.0/8 and ::1
  HostList skipped;                  ///< clients that are not checked: relays in front of us
  bool adds_received_spf = true;     ///< a Received-SPF field on what is let in. RFC 7208 §9.1
  bool only_tests = false;           ///< nobody is refused or deferred
  std::string receiver = "unknown";  ///< our host name, in what is told to others
};

/// What is done with the client.
enum class AccessAction : std::uint8_t { dunno, prepend, reject, defer };

/// The word for an action, as in a log.
[[nodiscard]] std::string_view to_string(AccessAction action);

/// The answer to one request, and how it came to be.
struct PolicyAnswer {
  AccessAction action = AccessAction::dunno;
  /// As Postfix takes it behind "action=": "DUNNO", "PREPEND Received-SPF: …", "550 5.7.23 …",
  /// "451 4.7.24 …"; printable ASCII.
  std::string text = "DUNNO";
  std::optional<spf::Outcome> helo;       ///< nothing when it was not checked
  std::optional<spf::Outcome> mail_from;  ///< likewise
};

/// Answers a request. Nothing is checked before MAIL FROM is known, for clients that are skipped,
/// and for those whose address is not known (S-57): DUNNO.
///
/// policy       must outlive the evaluation.
/// now          for %{t} in explanations.
/// RFC 7208 §8, RFC 7372 §3.2
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
