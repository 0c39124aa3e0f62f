// SPDX-License-Identifier: Apache-2.0
//
// Writes Received-SPF fields out of what strangers said, so that every reader sees one field of
// this form and nothing else.

#include "countersign/spf/received_spf.hpp"

#include <algorithm>

#include "countersign/text/abnf.hpp"
#include "countersign/text/cfws.hpp"
#include "countersign/text/cursor.hpp"
#include "countersign/text/fold.hpp"

namespace countersign::spf {

namespace {

constexpr text::CharClass is_printable = text::is_vchar | text::CharClass(" ");
constexpr text::CharClass is_comment_special("()\\");
constexpr std::size_t line_octets_max = 998;  // RFC 5322 §2.1.1

// Our own sentences have one character that is not ASCII, the sign of a section.
std::string printable(std::string_view value) {
  constexpr std::string_view section = "§";
  std::string text(value);
  for (std::size_t at = text.find(section); at != std::string::npos; at = text.find(section, at))
    text.replace(at, section.size(), "section ");
  std::ranges::replace_if(text, [](char c) { return !is_printable(c); }, '?');
  return text;
}

// The path or name with its domain as A-labels, where it is written in others. RFC 8616 §4
std::string with_a_labels(const std::string& path) {
  if (!std::ranges::any_of(path, [](char c) { return text::is_8bit(c); })) return path;
  const std::size_t begin = path.rfind('@') + 1;  // 0 for a name.
  const auto domain = DomainName::parse(std::string_view(path).substr(begin));
  return domain ? path.substr(0, begin) + domain->text() : path;
}

bool is_dot_atom(std::string_view value) {
  text::Scanner scanner(value);
  return text::read_dot_atom_text(scanner) && scanner.at_end();
}

// key-value-pair = key [CFWS] "=" ( dot-atom / quoted-string )
//
// Empty when it is longer than a line may be, for it cannot be folded.
std::string pair(std::string_view key, std::string_view value) {
  const std::string safe = printable(value);
  const std::string text = is_dot_atom(safe) ? safe : text::quote(safe).value_or("\"\"");
  std::string result = ((std::string(key) += '=') += text) += ';';
  return result.size() < line_octets_max ? result : std::string();
}

// The mechanism that matched; "default" when a record was evaluated and none did. RFC 7208 §9.1
std::string_view mechanism_of(const Outcome& outcome) {
  return outcome.reason == Reason::no_match ? "default" : deciding_mechanism(outcome);
}

// Adds a comment word by word, so that it may be folded.
void add_comment(text::FoldedField& field, std::string_view content) {
  std::string comment = "(";
  for (const char c : printable(content)) {
    if (is_comment_special(c)) comment += '\\';
    comment += c;
  }
  comment += ')';
  text::Scanner words(comment);
  while (!words.at_end()) {
    field.word(words.take_until(text::is_wsp));
    words.skip_wsp();
  }
}

bool is_error(Result result) { return result == Result::temperror || result == Result::permerror; }

}  // namespace

std::string format_received_spf(const CheckHost& request, const Outcome& outcome) {
  text::FoldedField field("Received-SPF:");
  field.word(to_string(outcome.result));
  add_comment(field, request.receiver + ": " + std::string(to_string(outcome.reason)));
  field.word(pair("receiver", request.receiver));
  field.word(pair("identity", to_string(outcome.identity)));
  field.word(pair("client-ip", request.client_ip.to_string()));
  field.word(pair("helo", with_a_labels(request.helo)));
  field.word(pair("envelope-from", with_a_labels(request.mail_from)));
  if (const std::string_view mechanism = mechanism_of(outcome); !mechanism.empty())
    field.word(pair("mechanism", mechanism));
  if (is_error(outcome.result) && !outcome.detail.empty())
    field.word(pair("problem", outcome.detail));
  return field.text();
}

}  // namespace countersign::spf
