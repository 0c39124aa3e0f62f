// SPDX-License-Identifier: Apache-2.0

#include "countersign/message/compose.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "countersign/text/abnf.hpp"
#include "countersign/text/base64.hpp"
#include "countersign/text/fold.hpp"
#include "countersign/text/utf8.hpp"

namespace countersign {

namespace {

using text::FoldedField;

constexpr std::size_t line_octets_max = 998;    // RFC 5322 §2.1.1
constexpr std::size_t local_octets_max = 64;    // RFC 5321 §4.5.3.1.1
constexpr std::size_t base64_line = 76;         // RFC 2045 §6.8
constexpr std::size_t encoded_octets_max = 42;  // Of one encoded-word: 75 columns. RFC 2047 §2
constexpr text::CharClass is_printable = text::is_vchar | text::CharClass(" ");
constexpr text::CharClass is_file_name = text::is_vchar - text::CharClass("\"\\/");

bool is_dot_atom(std::string_view text) {
  return !text.empty() && text.front() != '.' && text.back() != '.' && !text.contains("..") &&
         (text::is_ascii_atext | text::CharClass(".")).all_of(text);
}

/// The text in double quotes, with a backslash before what needs one.
std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

/// UTF-8 in encoded-words, cut between code points. RFC 2047 §2, §5
std::vector<std::string> encoded_words(std::string_view text) {
  std::vector<std::string> words;
  while (!text.empty()) {
    std::string_view rest = text;
    std::size_t taken = 0;
    while (!rest.empty()) {
      if (!text::take_code_point(rest) || text.size() - rest.size() > encoded_octets_max) break;
      taken = text.size() - rest.size();
    }
    words.push_back("=?utf-8?B?" + text::encode_base64(text.substr(0, taken)) + "?=");
    text.remove_prefix(taken);
  }
  return words;
}

/// The lines of a text, each ended by CRLF.
std::string with_crlf(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    out += line;
    out += "\r\n";
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

/// True when every mail system passes the text as it is. RFC 2045 §2.7
bool is_7bit(std::string_view text) {
  std::size_t column = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text.substr(i, 2) == "\r\n") {
      column = 0;
      ++i;
    } else if (!is_printable(text[i]) && text[i] != '\t') {
      return false;
    } else if (++column > line_octets_max) {
      return false;
    }
  }
  return true;
}

std::string base64_lines(std::string_view octets) {
  const std::string encoded = text::encode_base64(octets);
  std::string out;
  for (std::size_t i = 0; i < encoded.size(); i += base64_line)
    out += encoded.substr(i, base64_line) + "\r\n";
  return out;
}

/// The fields of a part, up to the empty line. RFC 2183 §2
std::string part_header(const MailPart& part, bool is_plain) {
  std::vector<std::string> parameters;
  if (part.content_type.starts_with("text/"))
    parameters.emplace_back(is_plain ? "charset=us-ascii" : "charset=utf-8");
  if (!part.file_name.empty()) parameters.push_back("name=" + quoted(part.file_name));
  FoldedField type("Content-Type:", text::Continuation::space);
  type.word(part.content_type + (parameters.empty() ? "" : ";"));
  for (const std::string& one : parameters)
    type.word(one + (&one == &parameters.back() ? "" : ";"));
  std::string out = type.text() + "\r\n";
  out += "Content-Transfer-Encoding: " + std::string(is_plain ? "7bit" : "base64") + "\r\n";
  if (part.file_name.empty()) return out + "\r\n";
  FoldedField disposition("Content-Disposition:", text::Continuation::space);
  disposition.word("attachment;").word("filename=" + quoted(part.file_name));
  return out + disposition.text() + "\r\n\r\n";
}

/// A part with its header, and the lines of its body.
std::string format_part(const MailPart& part) {
  const std::string text = part.is_text ? with_crlf(part.content) : std::string();
  const bool is_plain = part.is_text && is_7bit(text);
  const std::string body =
      is_plain ? text : base64_lines(part.is_text ? std::string_view(text) : part.content);
  return part_header(part, is_plain) + body;
}

/// A line that no part has: "=_" stands in no base64, and text that has it gets a longer one.
std::string boundary_for(std::string_view message_id, const std::vector<std::string>& parts) {
  std::string boundary = "=_";
  for (const char c : message_id.substr(0, message_id.find('@')).substr(0, 40))
    boundary += text::is_alnum(c) ? c : '_';
  const auto has_it = [&boundary](const std::string& part) {
    return part.contains("--" + boundary);
  };
  while (std::ranges::any_of(parts, has_it)) boundary += 'x';
  return boundary;
}

bool is_content_type(std::string_view text) {
  return text.contains('/') && is_printable.all_of(text) && text.size() < line_octets_max;
}

std::optional<ComposeErrorCode> fault_of(const Mail& mail) {
  const auto has_address = [](const Mailbox& one) { return !format_address(one).empty(); };
  if (mail.to.empty()) return ComposeErrorCode::no_recipient;
  if (!has_address(mail.from) || !std::ranges::all_of(mail.to, has_address))
    return ComposeErrorCode::bad_address;
  const bool has_control = std::ranges::any_of(mail.from_name, text::is_ctl);
  if (has_control || !text::is_utf8(mail.from_name)) return ComposeErrorCode::bad_display_name;
  if (!is_printable.all_of(mail.subject)) return ComposeErrorCode::bad_subject;
  for (const auto& [name, value] : mail.more_fields)
    if (name.empty() || !text::is_ftext.all_of(name) || !is_printable.all_of(value) ||
        name.size() + value.size() > line_octets_max - 2)
      return ComposeErrorCode::bad_field;
  const std::size_t at = mail.message_id.find('@');
  const bool has_id = at != std::string::npos && is_dot_atom(mail.message_id.substr(0, at)) &&
                      is_dot_atom(mail.message_id.substr(at + 1));
  if (!has_id || mail.message_id.size() > line_octets_max / 2)
    return ComposeErrorCode::bad_message_id;
  const std::chrono::year_month_day day(std::chrono::floor<std::chrono::days>(mail.date));
  if (int(day.year()) < 1970 || int(day.year()) > 9999) return ComposeErrorCode::bad_date;
  const auto is_good = [](const MailPart& part) {
    return is_content_type(part.content_type) && is_file_name.all_of(part.file_name) &&
           part.file_name.size() < line_octets_max / 2;
  };
  if (mail.parts.empty() || !std::ranges::all_of(mail.parts, is_good))
    return ComposeErrorCode::bad_part;
  return std::nullopt;
}

void add_line(std::string& out, const FoldedField& field) { out += field.text() + "\r\n"; }

FoldedField from_field(const Mail& mail) {
  FoldedField field("From:", text::Continuation::space);
  const std::string address = format_address(mail.from);
  if (mail.from_name.empty()) return field.word(address);
  if (is_printable.all_of(mail.from_name))
    field.word(quoted(mail.from_name));
  else
    for (const std::string& word : encoded_words(mail.from_name)) field.word(word);
  return field.word("<" + address + ">");
}

/// Words apart by one space, which is where the field may fold.
void add_words(FoldedField& field, std::string_view text) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    field.word(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

std::string format_header(const Mail& mail) {
  std::string out;
  add_line(out, from_field(mail));
  FoldedField to("To:", text::Continuation::space);
  for (const Mailbox& one : mail.to)
    to.word(format_address(one) + (&one == &mail.to.back() ? "" : ","));
  add_line(out, to);
  FoldedField subject("Subject:", text::Continuation::space);
  add_words(subject, mail.subject);
  add_line(out, subject);
  out += "Date: " + format_date(mail.date) + "\r\n";
  out += "Message-ID: <" + mail.message_id + ">\r\n";
  // Nobody's holiday notice shall answer. RFC 3834 §5
  out += "Auto-Submitted: auto-generated\r\n";
  for (const auto& [name, value] : mail.more_fields) out += name + ": " + value + "\r\n";
  out += "MIME-Version: 1.0\r\n";
  return out;
}

}  // namespace

std::string_view to_string(ComposeErrorCode code) {
  switch (code) {
    case ComposeErrorCode::bad_address:
      return "an address cannot be written into a header (RFC 5322 §3.4.1)";
    case ComposeErrorCode::bad_display_name:
      return "the sender's name has control characters or is no UTF-8";
    case ComposeErrorCode::bad_subject:
      return "the subject has something but printable ASCII";
    case ComposeErrorCode::bad_field:
      return "a further field would not stay one field";
    case ComposeErrorCode::bad_message_id:
      return "the Message-ID is not made of two dot-atoms (RFC 5322 §3.6.4)";
    case ComposeErrorCode::bad_date:
      return "the date lies before 1970 or after 9999";
    case ComposeErrorCode::bad_part:
      return "a part has a type or a file name that no header can hold";
    case ComposeErrorCode::no_recipient:
      return "the mail has no recipient";
  }
  return "unknown error";
}

std::string format_date(std::chrono::sys_seconds date) {
  constexpr std::array<std::string_view, 7> days = {"Sun", "Mon", "Tue", "Wed",
                                                    "Thu", "Fri", "Sat"};
  constexpr std::array<std::string_view, 12> months = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto midnight = std::chrono::floor<std::chrono::days>(date);
  const std::chrono::year_month_day day(midnight);
  const std::chrono::hh_mm_ss clock{date - midnight};
  const auto two_digits = [](auto number) {
    const std::string text = std::to_string(number);
    return text.size() < 2 ? "0" + text : text;
  };
  std::string out(days[std::chrono::weekday(midnight).c_encoding()]);
  out += ", " + two_digits(unsigned(day.day())) + " ";
  out += months[unsigned(day.month()) - 1];
  out += " " + std::to_string(int(day.year())) + " ";
  out += two_digits(clock.hours().count()) + ":" + two_digits(clock.minutes().count()) + ":" +
         two_digits(clock.seconds().count());
  return out + " +0000";
}

std::string format_address(const Mailbox& mailbox) {
  const std::string& local = mailbox.local_part;
  if (local.empty() || local.size() > local_octets_max || !is_printable.all_of(local)) return {};
  return (is_dot_atom(local) ? local : quoted(local)) + "@" + mailbox.domain.text();
}

Result<std::string, ComposeErrorCode> compose(const Mail& mail) {
  if (const auto fault = fault_of(mail)) return std::unexpected(*fault);
  std::string out = format_header(mail);
  std::vector<std::string> parts;
  for (const MailPart& part : mail.parts) parts.push_back(format_part(part));
  if (parts.size() == 1) return out + parts.front();
  const std::string boundary = boundary_for(mail.message_id, parts);
  FoldedField type("Content-Type:", text::Continuation::space);
  add_words(type, "multipart/" + mail.multipart + ";");
  add_line(out, type.word("boundary=" + quoted(boundary)));
  out += "\r\nThis is a message in several parts (RFC 2046).\r\n";
  for (const std::string& part : parts) out += "\r\n--" + boundary + "\r\n" + part;
  return out + "\r\n--" + boundary + "--\r\n";
}

}  // namespace countersign
