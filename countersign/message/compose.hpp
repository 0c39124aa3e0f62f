// SPDX-License-Identifier: Apache-2.0
//
// Mail that we write ourselves: reports to strangers, whose names and addresses come from DNS and
// from their own mail. Every value is checked against the grammar of its place before anything is
// written, and what does not fit is an error: nobody adds a field or a recipient to our mail
// (S-50). Time and identifiers are the caller's. RFC 5322 §3, RFC 2045, RFC 2046

#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "countersign/message/author.hpp"
#include "countersign/result.hpp"

namespace countersign {

/// What keeps a mail from being written.
enum class ComposeErrorCode : std::uint8_t {
  bad_address,       ///< a local part that needs SMTPUTF8, or that no address has
  bad_display_name,  ///< control octets, or no UTF-8
  bad_subject,       ///< anything but printable ASCII
  bad_field,         ///< an extra field whose name or value would not stay one field
  bad_message_id,    ///< no "local@domain" of dot-atoms
  bad_date,          ///< not of the years 1970 to 9999
  bad_part,          ///< a content type or file name that a header cannot hold, or no part
  no_recipient,      ///< nobody to send it to
};

/// Says in a sentence what is wrong.
[[nodiscard]] std::string_view to_string(ComposeErrorCode code);

/// A part of a mail. Text goes out as it is when every mail system passes it, else as base64.
struct MailPart {
  std::string content_type = "text/plain";  ///< a constant of the caller
  std::string file_name;                    ///< of an attachment; empty for none
  std::string content;                      ///< text: UTF-8, lines ended by LF or CRLF
  bool is_text = true;                      ///< false for octets, which go as base64
};

/// A mail to be written.
struct Mail {
  std::string from_name;  ///< UTF-8; empty for none
  Mailbox from;
  std::vector<Mailbox> to;
  std::string subject;
  std::chrono::sys_seconds date;
  std::string message_id;  ///< without <>
  /// Further fields: name and value, one line each.
  std::vector<std::pair<std::string, std::string>> more_fields;
  /// "mixed", or "report; report-type=feedback-report"; a constant of the caller.
  std::string multipart = "mixed";
  std::vector<MailPart> parts;  ///< one is the body itself, several are a multipart
};

/// Writes a mail, lines ended by CRLF.
/// Errors       each ComposeErrorCode.
/// RFC 5322 §3.6, RFC 2045 §6, RFC 2046 §5.1, RFC 3834 §5
[[nodiscard]] Result<std::string, ComposeErrorCode> compose(const Mail& mail);

/// A date as header fields have it: "Thu, 26 Nov 2026 00:00:00 +0000". RFC 5322 §3.3
[[nodiscard]] std::string format_date(std::chrono::sys_seconds date);

/// The address of a mailbox, its local part quoted where it has to be; empty when no quoting makes
/// it one that every mail system takes. RFC 5321 §4.1.2
[[nodiscard]] std::string format_address(const Mailbox& mailbox);

}  // namespace countersign
