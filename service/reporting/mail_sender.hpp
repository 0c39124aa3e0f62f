// SPDX-License-Identifier: Apache-2.0
//
// Hands a finished mail to an MTA. Whoever sends must know for certain whether the MTA has taken
// it: a mail that may have been taken is neither sent again nor counted as sent.

#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace countersign::service {

/// How a connection to the MTA is protected.
enum class SmtpTls : std::uint8_t {
  none,           ///< never; for the MTA on this host
  opportunistic,  ///< STARTTLS where it is offered, whatever the certificate
  required,       ///< STARTTLS with a certificate that holds for the host's name
};

/// The word in the settings.
[[nodiscard]] std::string_view to_string(SmtpTls tls);

/// The MTA that takes our mail.
struct SmtpServer {
  std::string host = "localhost";  ///< a name or an address, without brackets
  std::uint16_t port = 25;
  std::string helo_name;  ///< our name in EHLO
  SmtpTls tls = SmtpTls::opportunistic;
  std::string user;  ///< empty: no AUTH
  std::string password;
  std::chrono::seconds connect_patience{30};
  std::chrono::seconds patience{300};  ///< for the whole delivery. RFC 5321 §4.5.3.2
};

/// A mail, and whom it is for.
struct OutgoingMail {
  std::string mail_from;  ///< reverse-path without <>; empty for the null path
  /// Forward-paths without <>; the mail is accepted when one of them is.
  std::vector<std::string> rcpt_to;
  std::string octets;  ///< the message, line ends as CRLF
};

/// What became of a mail.
enum class Delivery : std::uint8_t {
  accepted,   ///< the MTA has taken it and answers for it
  refused,    ///< 5yz to a recipient or the message: it will not take it later either
  deferred,   ///< it was not taken; later it may be
  uncertain,  ///< all was sent, and the connection ended before the MTA had answered
};

/// The word for it.
[[nodiscard]] std::string_view to_string(Delivery delivery);

/// What became of a mail, in words.
struct DeliveryResult {
  Delivery delivery = Delivery::deferred;
  std::string text;  ///< the MTA's reply, a stranger's text of one line, or what went wrong
};

/// Sends mails, one after the other, each over a connection of its own.
class MailSender {
 public:
  virtual ~MailSender() = default;

  /// Sends a mail and waits for the end of it. Never throws for what the MTA does.
  [[nodiscard]] virtual DeliveryResult send(const OutgoingMail& mail) = 0;
};

/// By SMTP. RFC 5321, RFC 3207, RFC 4954
class SmtpSender final : public MailSender {
 public:
  explicit SmtpSender(SmtpServer server);

  [[nodiscard]] DeliveryResult send(const OutgoingMail& mail) override;

 private:
  SmtpServer server_;
};

}  // namespace countersign::service
