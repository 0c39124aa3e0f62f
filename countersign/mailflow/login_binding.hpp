// SPDX-License-Identifier: Apache-2.0
//
// May who logged in send as whom the message claims to be from?
//
// A host that signs for many customers vouches for each of them to the world, and its users need
// nothing but a From field to send as one another (S-10): SPF and DKIM of the host pass, and DMARC
// with them. So before a key is chosen, login, From and MAIL FROM must agree.
//
// What is looked at: every author in From, the mailbox of another field of SenderHeaders that keys
// are looked up for, and MAIL FROM. The null path is nobody's: bounces and receipts have it (RFC
// 5321 §4.5.5, RFC 8098 §3), and their From is looked at all the same. Sender and Reply-To are
// not: nobody vouches for them, and who writes for others puts a Sender that is another address by
// right (RFC 5322 §3.6.2).
//
// It applies to whoever logged in, on an internal host too: a web mail host logs in for its users.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "countersign/limits.hpp"
#include "countersign/mailflow/envelope.hpp"
#include "countersign/mailflow/explanation.hpp"
#include "countersign/mailflow/login_table.hpp"
#include "countersign/mailflow/signing_table.hpp"
#include "countersign/message/author.hpp"

namespace countersign::mailflow {

/// What is done with a message whose login may not send as its From or MAIL FROM.
enum class MismatchAction : std::uint8_t {
  unsigned_,  ///< "unsigned": it goes out without a signature
  fallback,   ///< it is signed as somebody else, who says who let it out and not who wrote it
  reject,
};

/// How logins are bound to addresses.
struct LoginPolicy {
  bool bound = true;  ///< false: whoever logged in may use every address that the tables sign for
  LoginTable table = LoginTable::own_domains();
  MismatchAction on_mismatch = MismatchAction::unsigned_;
  std::vector<KeyEntry> fallback;  ///< of MismatchAction::fallback: each with one domain, one key
  std::string fallback_signer;     ///< i= of these signatures, in or below d=; empty: none
  bool shadow = false;             ///< say what would be done, and sign nevertheless
};

/// What the table says about a message.
struct LoginRuling {
  bool is_allowed = true;
  /// The line that allows the author, or what does not agree; nothing when there is no login or
  /// logins are not bound.
  std::optional<Explanation> why;
};

/// Asks the table.
///
/// senders      the mailboxes that the message claims to be from, at least one.
[[nodiscard]] LoginRuling rule_on_login(const LoginPolicy& policy, const Envelope& envelope,
                                        const std::vector<Mailbox>& senders, const Limits& limits);

}  // namespace countersign::mailflow
