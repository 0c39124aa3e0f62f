// SPDX-License-Identifier: Apache-2.0
//
// Whose mail this claims to be: the sender of RFC 7208 §4.1, made of what SMTP said. Two readers
// must never see two domains in one path (S-13), so what is no mailbox is refused and not guessed.

#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "countersign/domain/name.hpp"
#include "countersign/result.hpp"
#include "countersign/spf/outcome.hpp"

namespace countersign::spf {

/// The sender of a check.
struct Sender {
  /// What it means, without quotes and backslashes; "postmaster" where the path has none.
  std::string local_part;
  DomainName domain;

  /// True for a local-part with octets above 127, which no macro may put into a name.
  /// RFC 8616 §4
  [[nodiscard]] bool is_internationalized() const;
};

/// The sender for the HELO identity: postmaster at the HELO name.
///
/// Errors       bad_helo for a name that is no domain name of several labels: an address literal, a
///              bare host name.
/// RFC 7208 §2.3, §4.3
[[nodiscard]] countersign::Result<Sender, Reason> helo_sender(std::string_view helo);

/// The sender for the MAIL FROM identity.
///
/// path         the reverse-path without <>. A source route before the mailbox is ignored, as RFC
///              5321 §4.1.2 asks. The null path, "", is postmaster at the HELO name.
/// Errors       bad_mail_from for a path that is no mailbox, no_domain when its domain is none or
///              has one label, and those of helo_sender().
/// Leniency     a local-part may be empty, which means postmaster, and may hold spaces without
///              quotes. Other octets that need quotes are refused without them: a comment or a
///              second "@" shows some reader another domain (S-13).
/// RFC 7208 §2.4, §4.3, RFC 5321 §4.1.2
[[nodiscard]] countersign::Result<Sender, Reason> mail_from_sender(std::string_view path,
                                                                   std::string_view helo);

}  // namespace countersign::spf
