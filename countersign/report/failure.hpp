// SPDX-License-Identifier: Apache-2.0
//
// Failure reports: one message that failed, told to the owner of the domain in whose name it came.
// They are about people, unlike aggregate reports, so the body never leaves us, local parts are
// replaced unless the operator says otherwise, and there is a level at which nothing is sent at
// all (S-51). Where they go is checked by destination.hpp.
//
// RFC 9991, RFC 6591, RFC 5965, RFC 6590

#pragma once

#include <chrono>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "countersign/dkim/verdict.hpp"
#include "countersign/dmarc/evaluate.hpp"
#include "countersign/domain/address.hpp"
#include "countersign/domain/name.hpp"
#include "countersign/limits.hpp"
#include "countersign/message/author.hpp"
#include "countersign/message/compose.hpp"
#include "countersign/message/header_field.hpp"
#include "countersign/report/tally.hpp"
#include "countersign/spf/outcome.hpp"

namespace countersign::report {

/// How much of a message its failure report shows.
enum class Privacy : std::uint8_t {
  never,         ///< no report is sent
  redacted,      ///< fields that say how it came, without local parts, names and subject
  full_headers,  ///< the whole header
};

/// The word in settings.
[[nodiscard]] std::string_view to_string(Privacy privacy);

/// What became of the message. RFC 6591 §3.2.2
enum class DeliveryResult : std::uint8_t { delivered, spam, policy, reject, other };

/// The word on the wire.
[[nodiscard]] std::string_view to_string(DeliveryResult result);

/// A signature of the message.
struct CheckedSignature {
  std::size_t index = 0;  ///< among all signatures of the message, unreadable ones too
  DomainName sdid;
  std::string auid;
  DomainName selector;
  dkim::Result result = dkim::Result::none;
  dkim::Reason reason = dkim::Reason::valid;  ///< of the result
  bool is_aligned = false;  ///< d= is of the author's organization, whatever the result
};

/// What SPF of MAIL FROM said.
struct CheckedPath {
  DomainName domain;
  spf::Result result = spf::Result::none;
  std::string record;       ///< as published: a stranger's text; empty when there is none
  bool is_aligned = false;  ///< the domain is of the author's organization, whatever the result
};

/// All that a failure report says. Text is a stranger's where not said otherwise.
struct FailedMessage {
  DomainName policy_domain;
  DomainName author_domain;
  dmarc::Psd psd = dmarc::Psd::u;  ///< of the record that applies
  dmarc::FailureOptions fo;
  bool has_ruf = false;

  dmarc::Result result = dmarc::Result::fail;
  bool dkim_aligned = false;  ///< DKIM gave an aligned pass
  bool spf_aligned = false;   ///< SPF gave one
  /// DKIM was looked at, and DNS said all that its having no aligned pass rests on.
  bool dkim_evaluated = true;
  /// The same of SPF, whose result counts. Where it does not, nothing is known to have failed.
  bool spf_evaluated = true;
  std::vector<CheckedSignature> signatures;
  std::optional<CheckedPath> spf;

  std::optional<IpAddress> source_ip;
  std::optional<std::uint16_t> source_port;  ///< RFC 6692
  std::string mail_from;                     ///< without <>; empty for the null path
  std::chrono::sys_seconds arrival;
  DeliveryResult delivery = DeliveryResult::delivered;
  std::string authentication_results;  ///< the value of our field; may be folded
  Header header;
};

/// Why a failure report is sent or not.
enum class FailureWish : std::uint8_t {
  wanted,     ///< the owner's fo= asks for it
  never,      ///< Privacy::never
  not_asked,  ///< the record has no ruf=
  /// the record of a public suffix (psd=y) or of a top-level domain: those below it belong to
  /// others (S-51)
  public_suffix,
  about_report,  ///< the message is itself a report, a notice or an answer of a program
  not_failed,    ///< what fo= names has not happened, or DNS did not say
};

/// The enumerator itself, for logs.
[[nodiscard]] std::string_view name_of(FailureWish wish);

/// Says whether the owner wants a report of this message, and may have it. A mechanism that was not
/// evaluated has not failed. RFC 9989 §4.7, §11.8, RFC 9991 §3
[[nodiscard]] FailureWish failure_wish(const FailedMessage& message, Privacy privacy);

/// True for mail that programs write to tell of other mail: a report about it would be answered by
/// one about that. RFC 3834 §2, RFC 6522 §3
[[nodiscard]] bool is_automatic(std::string_view mail_from, const Header& header);

/// Mechanisms that were evaluated and gave no aligned pass: "dkim, spf", or "none". RFC 9991 §4
[[nodiscard]] std::string identity_alignment(const FailedMessage& message);

/// The signature that is told of, or nullptr: one that should have passed, which is REQUIRED where
/// DKIM failed, else one that failed, whosever it is, where fo=d asks for that. It is never one
/// that DNS did not let us check. RFC 9991 §4, RFC 9989 §4.7
[[nodiscard]] const CheckedSignature* told_signature(const FailedMessage& message);

/// True when the failure that is told is that of DMARC; false where no mechanism failed and fo=d
/// asks for a further signature: told_signature() then has it. RFC 6591 §3.1, §3.3, RFC 9991 §4
[[nodiscard]] bool is_told_of_dmarc(const FailedMessage& message);

/// What failures have in common that are told once, with their number. RFC 9991 §3.3
struct FailureKey {
  std::string policy_domain;
  std::string author_domain;
  std::optional<IpAddress> source_ip;
  std::string identity_alignment;

  friend auto operator<=>(const FailureKey&, const FailureKey&) = default;
};

/// The key of a failure.
[[nodiscard]] FailureKey key_of(const FailedMessage& message);

/// How a report is written and to whom it goes.
struct FailureMail {
  Privacy privacy = Privacy::redacted;
  std::string redaction_key;  ///< Redactor
  Reporter reporter;
  Mailbox from;
  std::vector<Mailbox> to;
  std::chrono::sys_seconds date;
  std::string message_id;       ///< without <>
  std::uint64_t incidents = 1;  ///< failures of the same key that this report stands for
};

/// Writes the mail: a few words, the fields of RFC 6591, and the header of the message.
///
/// Errors       as compose().
/// RFC 9991 §4, RFC 6591 §3, RFC 5965 §2
[[nodiscard]] Result<std::string, ComposeErrorCode> format_failure_report(
    const FailedMessage& message, const FailureMail& mail, const Limits& limits);

}  // namespace countersign::report
