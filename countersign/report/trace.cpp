// SPDX-License-Identifier: Apache-2.0

#include "countersign/report/trace.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include "countersign/domain/name.hpp"
#include "countersign/text/abnf.hpp"
#include "countersign/text/cfws.hpp"
#include "countersign/text/cursor.hpp"

namespace countersign::report {

namespace {

using text::Scanner;

constexpr text::CharClass ends_word = text::is_fws | text::CharClass("();\"<");

/// Names that people give to their own computers. RFC 6762 §3, §G
constexpr std::array<std::string_view, 8> local_names = {
    "local", "localdomain", "internal", "intranet", "private", "corp", "home", "lan"};

/// RFC 3848, RFC 6531 §4.3, and words of Exim, Sendmail and Exchange.
constexpr std::array<std::string_view, 21> protocols = {
    "SMTP",      "ESMTP",     "ESMTPA",     "ESMTPS",    "ESMTPSA",   "LMTP",       "LMTPA",
    "LMTPS",     "LMTPSA",    "UTF8SMTP",   "UTF8SMTPA", "UTF8SMTPS", "UTF8SMTPSA", "UTF8LMTP",
    "UTF8LMTPA", "UTF8LMTPS", "UTF8LMTPSA", "HTTP",      "HTTPS",     "local",      "mapi"};

constexpr std::array<std::string_view, 7> days = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
constexpr std::array<std::string_view, 12> months = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr std::array<std::string_view, 12> zones = {"UT",  "UTC", "GMT", "Z",   "EST", "EDT",
                                                    "CST", "CDT", "MST", "MDT", "PST", "PDT"};

bool is_one_of(std::string_view word, const auto& words) {
  return std::ranges::any_of(
      words, [word](std::string_view one) { return text::equal_ignoring_case(word, one); });
}

bool is_number(std::string_view text, std::size_t digits_min, std::size_t digits_max) {
  return text.size() >= digits_min && text.size() <= digits_max && text::is_digit.all_of(text);
}

bool is_time(std::string_view text) {
  constexpr text::CharClass is_clock = text::is_digit | text::CharClass(":");
  return (text.size() == 5 || text.size() == 8) && is_clock.all_of(text);
}

bool is_zone(std::string_view text) {
  if (text.starts_with('+') || text.starts_with('-')) return is_number(text.substr(1), 4, 4);
  return is_one_of(text, zones);
}

/// Words with white space or comments between them; those before a comment without an end.
std::vector<std::string_view> words_of(std::string_view text, const Limits& limits) {
  std::vector<std::string_view> words;
  Scanner scanner(text);
  while (text::skip_cfws(scanner, limits) && !scanner.at_end()) {
    const std::string_view word = scanner.take_until(text::is_fws | text::CharClass("("));
    if (word.empty()) break;
    words.push_back(word);
  }
  return words;
}

/// The address in a word; Exim puts the port behind it: "[192.0.2.1]:4711".
std::optional<IpAddress> address_of(std::string_view word) {
  if (word.starts_with('[')) word = word.substr(0, word.find(']') + 1);
  return IpAddress::parse(word);
}

class ReceivedReader {
 public:
  ReceivedReader(std::string_view value, const Limits& limits) : scanner_(value), limits_(limits) {}

  Trace read() {
    while (!scanner_.at_end()) {
      if (scanner_.accept(';')) {
        trace_.date = recognized_date(scanner_.rest(), limits_);
        break;
      }
      const bool goes_on = scanner_.at('(') ? read_comment() : read_clause();
      if (!goes_on) break;
    }
    if (!trace_.client_ip) trace_.from.clear();
    return std::move(trace_);
  }

 private:
  /// A word, quoted strings and <paths> whole; nothing when a quoted string has no end.
  std::optional<std::string_view> take_word() {
    scanner_.take_while(text::is_fws);
    const std::size_t begin = scanner_.offset();
    while (!scanner_.at_end()) {
      if (scanner_.at('"')) {
        if (!text::read_quoted_string(scanner_)) return std::nullopt;
      } else if (scanner_.at('<')) {
        scanner_.take_until(text::CharClass(">"));
        scanner_.accept('>');
      } else if (scanner_.take_until(ends_word).empty()) {
        break;
      }
    }
    return scanner_.since(begin);
  }

  bool read_clause() {
    const auto word = take_word();
    if (!word) return false;
    if (word->empty()) {
      scanner_.accept(')');  // Alone it begins no word.
      return true;
    }
    const bool is_from = text::equal_ignoring_case(*word, "from");
    is_client_ = is_from && !has_from_;
    has_from_ = has_from_ || is_from;
    std::string* const slot = slot_of(*word);
    if (slot == nullptr) return true;
    const auto value = take_word();
    if (!value) return false;
    if (slot->empty()) keep(*value, *slot);
    return true;
  }

  std::string* slot_of(std::string_view keyword) {
    if (is_client_) return &trace_.from;
    if (text::equal_ignoring_case(keyword, "by")) return &trace_.by;
    if (text::equal_ignoring_case(keyword, "with")) return &trace_.with;
    return text::equal_ignoring_case(keyword, "for") ? &trace_.recipient : nullptr;
  }

  void keep(std::string_view value, std::string& slot) {
    if (&slot == &trace_.recipient) {
      slot = value.starts_with('<') && value.ends_with('>') ? value.substr(1, value.size() - 2)
                                                            : value;
    } else if (&slot == &trace_.with) {
      const auto known = std::ranges::find_if(protocols, [value](std::string_view one) {
        return text::equal_ignoring_case(value, one);
      });
      if (known != protocols.end()) slot = *known;
    } else {
      slot = recognized_host(value);
      if (&slot == &trace_.from && value.starts_with('[')) trace_.client_ip = address_of(value);
    }
  }

  bool read_comment() {
    const std::size_t begin = scanner_.offset();
    if (!text::skip_comment(scanner_, limits_)) return false;
    const std::string_view comment = scanner_.since(begin);
    if (is_client_) read_client(comment.substr(1, comment.size() - 2));
    return true;
  }

  /// A comment behind the "from" clause: "host [address]", or the login as Postfix tells it.
  void read_client(std::string_view comment) {
    constexpr std::string_view label = "Authenticated sender: ";
    if (comment.starts_with(label)) {
      trace_.login = comment.substr(label.size());
      return;
    }
    if (!trace_.client_host.empty()) return;
    const std::vector<std::string_view> words = words_of(comment, limits_);
    const auto address = std::ranges::find_if(
        words, [](std::string_view word) { return address_of(word).has_value(); });
    if (address == words.end()) return;
    trace_.client_ip = address_of(*address);
    if (address == words.begin() + 1) trace_.client_host = recognized_host(words.front());
  }

  Scanner scanner_;
  const Limits& limits_;
  Trace trace_;
  bool has_from_ = false;
  bool is_client_ = false;  ///< the last clause was the first "from"
};

}  // namespace

Trace parse_received(std::string_view value, const Limits& limits) {
  return ReceivedReader(value, limits).read();
}

std::string recognized_host(std::string_view text) {
  if (const auto address = address_of(text))
    return (address->is_v4() ? "[" : "[IPv6:") + address->to_string() + "]";
  const auto name = DomainName::parse(text);
  if (!name || name->label_count() < 2 || is_one_of(name->suffix(1), local_names)) return {};
  return name->text();
}

std::string recognized_date(std::string_view text, const Limits& limits) {
  const std::vector<std::string_view> words = words_of(text, limits);
  std::string date;
  auto next = words.begin();
  if (next != words.end() && next->ends_with(',')) {
    if (!is_one_of(next->substr(0, next->size() - 1), days)) return {};
    date = std::string(*next++) + " ";
  }
  if (words.end() - next != 5) return {};
  if (!is_number(next[0], 1, 2) || !is_one_of(next[1], months) || !is_number(next[2], 2, 4) ||
      !is_time(next[3]) || !is_zone(next[4]))
    return {};
  for (; next != words.end(); ++next) (date += *next) += next + 1 == words.end() ? "" : " ";
  return date;
}

}  // namespace countersign::report
