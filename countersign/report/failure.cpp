// SPDX-License-Identifier: Apache-2.0

#include "countersign/report/failure.hpp"

#include <algorithm>
#include <utility>

#include "countersign/report/redaction.hpp"
#include "countersign/text/abnf.hpp"
#include "countersign/text/fold.hpp"

namespace countersign::report {

namespace {

constexpr std::size_t value_octets_max = 900;  // Within the longest line. RFC 5322 §2.1.1
constexpr text::CharClass is_printable = text::is_vchar | text::CharClass(" ");

/// False for a signature that nobody looked at, or whose key DNS did not give us.
bool is_checked(const CheckedSignature& one) {
  return one.result != dkim::Result::temperror && one.reason != dkim::Reason::limit_exceeded;
}

bool is_failed(const CheckedSignature& one) {
  const bool is_bad = one.result == dkim::Result::fail || one.result == dkim::Result::permerror ||
                      one.result == dkim::Result::policy || one.result == dkim::Result::neutral;
  return is_bad && is_checked(one);
}

bool is_failed(spf::Result result) {
  return result == spf::Result::fail || result == spf::Result::softfail;
}

bool has_failed_dkim(const FailedMessage& message) {
  return message.dkim_evaluated && !message.dkim_aligned;
}

bool has_failed_spf(const FailedMessage& message) {
  return message.spf_evaluated && !message.spf_aligned;
}

/// fo=: what is asked for and has happened. RFC 9989 §4.7
bool has_failed(const FailedMessage& message) {
  const bool is_certain =
      message.result == dmarc::Result::fail || message.result == dmarc::Result::pass;
  const bool has_any = has_failed_dkim(message) || has_failed_spf(message);
  const bool has_all = has_any && !message.dkim_aligned && !message.spf_aligned;
  if (is_certain && ((message.fo.all && has_all) || (message.fo.any && has_any))) return true;
  const auto fails = [](const CheckedSignature& one) { return is_failed(one); };
  if (message.fo.dkim && std::ranges::any_of(message.signatures, fails)) return true;
  return message.fo.spf && message.spf && is_failed(message.spf->result);
}

/// True when the record that applies is that of a public suffix. A top-level domain is one too, if
/// its owner does not say so, unless he wrote the message. RFC 9989 §11.8
bool is_of_public_suffix(const FailedMessage& message) {
  const bool is_top_level = message.policy_domain.label_count() == 1;
  return message.psd == dmarc::Psd::y ||
         (is_top_level && message.policy_domain != message.author_domain);
}

/// The kind of failure that is told. RFC 6591 §3.3, RFC 9991 §4
std::string_view auth_failure(const FailedMessage& message) {
  if (is_told_of_dmarc(message)) return "dmarc";
  const dkim::Reason reason = told_signature(message)->reason;
  if (reason == dkim::Reason::body_hash_mismatch) return "bodyhash";
  return reason == dkim::Reason::key_revoked ? "revoked" : "signature";
}

/// A stranger's value on one line: folding undone, what is not printable as "?".
std::string one_line(std::string_view text) {
  std::string out;
  for (const char c : text.substr(0, value_octets_max)) {
    if (c == '\r' || c == '\n') continue;
    if (c == '\t')
      out += ' ';
    else
      out += is_printable(c) ? c : '?';
  }
  return out;
}

/// The fields of a message/feedback-report, in the order in which they are added.
class FeedbackReport {
 public:
  FeedbackReport& add(std::string_view name, std::string_view value) {
    text::FoldedField field(std::string(name) + ":", text::Continuation::space);
    const std::string line = one_line(value);
    std::string_view rest = line;
    while (!rest.empty()) {
      const std::size_t end = std::min(rest.find(' '), rest.size());
      field.word(rest.substr(0, end));
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    text_ += field.text() + "\r\n";
    return *this;
  }
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  std::string text_;
};

void add_dkim(const FailedMessage& message, const Redactor* redactor, FeedbackReport& report) {
  const CheckedSignature* const found = told_signature(message);
  if (found == nullptr) return;
  report.add("DKIM-Domain", found->sdid.text());
  const std::string auid = found->auid.empty() ? "@" + found->sdid.text() : found->auid;
  report.add("DKIM-Identity", redactor == nullptr ? auid : redactor->address(auid));
  report.add("DKIM-Selector", found->selector.text());
}

/// The record that should have let the client pass: REQUIRED when SPF of an aligned domain failed,
/// and of use where fo=s asks for each failure. What is too long is cut within its quotes.
/// RFC 9991 §4, RFC 6591 §3.2.6
void add_spf(const FailedMessage& message, FeedbackReport& report) {
  if (!message.spf) return;
  const bool is_aligned_failure = has_failed_spf(message) && message.spf->is_aligned;
  if (!is_aligned_failure && !(message.fo.spf && is_failed(message.spf->result))) return;
  std::string value = "txt : " + message.spf->domain.text() + " : \"";
  for (const char c : message.spf->record) {
    if (value.size() > value_octets_max - 3) break;
    if (c == '"' || c == '\\') value += '\\';
    value += c;
  }
  report.add("SPF-DNS", value + '"');
}

/// Name and version as one product: two words would be two products. RFC 5965 §3.1
std::string product_of(std::string generator) {
  if (generator.empty()) return "unnamed";
  const std::size_t space = generator.find(' ');
  if (space != generator.npos) generator[space] = '/';
  return generator;
}

std::string feedback_report(const FailedMessage& message, const FailureMail& mail,
                            const Redactor* redactor) {
  const bool is_whole = redactor == nullptr;
  const std::string& path = message.mail_from;
  const std::string& results = message.authentication_results;
  FeedbackReport report;
  report.add("Feedback-Type", "auth-failure");
  report.add("User-Agent", product_of(mail.reporter.generator));
  report.add("Version", "1");
  report.add("Auth-Failure", auth_failure(message));
  report.add("Identity-Alignment", identity_alignment(message));
  report.add("Reported-Domain", message.author_domain.text());
  report.add("Original-Mail-From", "<" + (is_whole ? path : redactor->address(path)) + ">");
  report.add("Arrival-Date", format_date(message.arrival));
  if (message.source_ip) report.add("Source-IP", message.source_ip->to_string());
  if (message.source_port) report.add("Source-Port", std::to_string(*message.source_port));
  report.add("Delivery-Result", to_string(message.delivery));
  if (!results.empty())
    report.add("Authentication-Results", is_whole ? results : redactor->text(results));
  add_dkim(message, redactor, report);
  add_spf(message, report);
  if (mail.incidents > 1) report.add("Incidents", std::to_string(mail.incidents));
  return report.text();
}

std::string human_part(const FailedMessage& message, const FailureMail& mail) {
  std::string out = "This is a DMARC failure report (RFC 9991) about mail in the name of " +
                    message.author_domain.text() + "\nthat was received at " +
                    format_date(message.arrival) + ".\n";
  if (mail.incidents > 1)
    out += "It stands for " + std::to_string(mail.incidents) + " messages that failed alike.\n";
  out +=
      "\nIt was asked for by ruf= in the DMARC record of " + message.policy_domain.text() + ".\n";
  if (mail.privacy != Privacy::full_headers)
    out += "Names, subjects and the local parts of addresses have been replaced or left out.\n";
  return out;
}

std::string whole_header(const Header& header) {
  std::string out;
  for (const HeaderField& one : header) {
    out += one.raw();
    out += "\r\n";
  }
  return out;
}

}  // namespace

std::string_view to_string(Privacy privacy) {
  switch (privacy) {
    case Privacy::never:
      return "never";
    case Privacy::redacted:
      return "redacted";
    case Privacy::full_headers:
      return "full_headers";
  }
  return "never";
}

std::string_view to_string(DeliveryResult result) {
  switch (result) {
    case DeliveryResult::delivered:
      return "delivered";
    case DeliveryResult::spam:
      return "spam";
    case DeliveryResult::policy:
      return "policy";
    case DeliveryResult::reject:
      return "reject";
    case DeliveryResult::other:
      return "other";
  }
  return "other";
}

std::string_view name_of(FailureWish wish) {
  switch (wish) {
    case FailureWish::wanted:
      return "wanted";
    case FailureWish::never:
      return "never";
    case FailureWish::not_asked:
      return "not_asked";
    case FailureWish::public_suffix:
      return "public_suffix";
    case FailureWish::about_report:
      return "about_report";
    case FailureWish::not_failed:
      return "not_failed";
  }
  return "unknown";
}

FailureWish failure_wish(const FailedMessage& message, Privacy privacy) {
  if (privacy == Privacy::never) return FailureWish::never;
  if (!message.has_ruf) return FailureWish::not_asked;
  if (is_of_public_suffix(message)) return FailureWish::public_suffix;
  if (is_automatic(message.mail_from, message.header)) return FailureWish::about_report;
  return has_failed(message) ? FailureWish::wanted : FailureWish::not_failed;
}

bool is_automatic(std::string_view mail_from, const Header& header) {
  if (mail_from.empty()) return true;
  return std::ranges::any_of(header, [](const HeaderField& field) {
    const std::string_view value = text::trim(field.value(), text::is_fws);
    if (field.is("Subject")) return value.starts_with("Report Domain:");
    if (field.is("TLS-Report-Domain") || field.is("TLS-Report-Submitter")) return true;
    if (field.is("Content-Type")) return text::starts_with_ignoring_case(value, "multipart/report");
    return field.is("Auto-Submitted") && !text::starts_with_ignoring_case(value, "no");
  });
}

std::string identity_alignment(const FailedMessage& message) {
  const bool of_dkim = has_failed_dkim(message);
  const bool of_spf = has_failed_spf(message);
  if (of_dkim && of_spf) return "dkim, spf";
  if (of_dkim) return "dkim";
  return of_spf ? "spf" : "none";
}

const CheckedSignature* told_signature(const FailedMessage& message) {
  const auto first = [&message](auto fits) {
    const auto found = std::ranges::find_if(message.signatures, fits);
    return found == message.signatures.end() ? nullptr : &*found;
  };
  using One = CheckedSignature;
  const One* told = nullptr;
  // One that failed is of more use than one that passed and did not count.
  if (has_failed_dkim(message)) {
    told = first([](const One& one) { return one.is_aligned && is_failed(one); });
    if (told == nullptr)
      told = first([](const One& one) { return one.is_aligned && is_checked(one); });
  }
  if (told == nullptr && message.fo.dkim)
    told = first([](const One& one) { return is_failed(one); });
  return told;
}

bool is_told_of_dmarc(const FailedMessage& message) {
  return has_failed_dkim(message) || has_failed_spf(message) || told_signature(message) == nullptr;
}

FailureKey key_of(const FailedMessage& message) {
  return {message.policy_domain.text(), message.author_domain.text(), message.source_ip,
          identity_alignment(message)};
}

Result<std::string, ComposeErrorCode> format_failure_report(const FailedMessage& message,
                                                            const FailureMail& mail,
                                                            const Limits& limits) {
  const Redactor redactor(mail.redaction_key);
  const bool is_redacted = mail.privacy != Privacy::full_headers;
  Mail written{.from_name = mail.reporter.org_name,
               .from = mail.from,
               .to = mail.to,
               .subject = "DMARC failure report for " + message.author_domain.text(),
               .date = mail.date,
               .message_id = mail.message_id,
               .more_fields = {},
               .multipart = "report; report-type=feedback-report",
               .parts = {}};
  written.parts.push_back({.content_type = "text/plain",
                           .file_name = {},
                           .content = human_part(message, mail),
                           .is_text = true});
  written.parts.push_back(
      {.content_type = "message/feedback-report",
       .file_name = {},
       .content = feedback_report(message, mail, is_redacted ? &redactor : nullptr),
       .is_text = true});
  written.parts.push_back({.content_type = "text/rfc822-headers",
                           .file_name = {},
                           .content = is_redacted ? redactor.header(message.header, limits)
                                                  : whole_header(message.header),
                           .is_text = true});
  return compose(written);
}

}  // namespace countersign::report
