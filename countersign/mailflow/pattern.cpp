// SPDX-License-Identifier: Apache-2.0
//
// Two matchers: stars without a regular expression, and the regular expressions of the C library
// with the kinds cut off that strangers could make slow.

#include "countersign/mailflow/pattern.hpp"

#include <regex.h>

#include <utility>

#include "countersign/limits.hpp"
#include "countersign/text/abnf.hpp"
#include "countersign/text/cursor.hpp"
#include "countersign/text/glob.hpp"

namespace countersign::mailflow {

namespace {

constexpr text::CharClass is_live = text::CharClass("[](){}^$|?\\");
/// A repetition that is written as a number; more would multiply the compiled expression.
constexpr unsigned interval_max = 64;

/// True for back-references: matching them takes time that grows exponentially.
bool has_back_reference(std::string_view pattern) {
  for (std::size_t i = 0; i + 1 < pattern.size(); ++i) {
    if (pattern[i] != '\\') continue;
    if (text::is_digit(pattern[i + 1])) return true;
    ++i;
  }
  return false;
}

/// True for more than one interval, as in "(a{9}){9}", and for large numbers in it.
bool has_costly_interval(std::string_view pattern) {
  const std::size_t brace = pattern.find('{');
  if (brace == std::string_view::npos) return false;
  if (pattern.find('{', brace + 1) != std::string_view::npos) return true;
  text::Scanner scanner(pattern.substr(brace + 1));
  while (!scanner.at_end() && !scanner.at('}')) {
    const std::string_view digits = scanner.take_while(text::is_digit);
    if (digits.size() > 2 || (digits.size() == 2 && digits > std::to_string(interval_max)))
      return true;
    scanner.take();
  }
  return false;
}

std::string to_expression(std::string_view pattern) {
  std::string expression;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    const char c = pattern[i];
    if (c == '*') expression += '.';
    if (c == '.' || c == '+') expression += '\\';
    expression += c;
    if (c == '\\' && i + 1 < pattern.size()) expression += pattern[++i];
  }
  return expression;
}

}  // namespace

bool has_live_octets(std::string_view pattern) {
  for (const char c : pattern)
    if (is_live(c)) return true;
  return false;
}

class Pattern::Regex {
 public:
  explicit Regex(const std::string& expression)
      : compiles_(regcomp(&regex_, expression.c_str(), REG_EXTENDED | REG_ICASE | REG_NOSUB) == 0) {
  }
  ~Regex() {
    if (compiles_) regfree(&regex_);
  }
  Regex(const Regex&) = delete;
  Regex& operator=(const Regex&) = delete;

  [[nodiscard]] bool compiles() const { return compiles_; }
  [[nodiscard]] bool matches(const std::string& text) const {
    return regexec(&regex_, text.c_str(), 0, nullptr, 0) == 0;
  }

 private:
  regex_t regex_{};
  bool compiles_ = false;
};

std::optional<Pattern> Pattern::compile(std::string_view pattern) {
  if (pattern.size() > Limits{}.signing_pattern_bytes_max) return std::nullopt;
  if (!has_live_octets(pattern)) return Pattern(Glob(pattern));
  if (has_back_reference(pattern) || has_costly_interval(pattern)) return std::nullopt;
  if (pattern.find('\0') != std::string_view::npos) return std::nullopt;

  // "a)(b" is no expression, though it would be one in the parentheses that we put around.
  const std::string expression = to_expression(pattern);
  if (!Regex(expression).compiles()) return std::nullopt;
  auto regex = std::make_shared<const Regex>("^(" + expression + ")$");
  if (!regex->compiles()) return std::nullopt;
  return Pattern(std::move(regex));
}

bool Pattern::matches(const std::string& text) const {
  if (text.size() > Limits{}.envelope_text_bytes_max) return false;
  if (text.find('\0') != std::string::npos) return false;
  if (const Glob* glob = std::get_if<Glob>(&matcher_)) return text::glob_matches(*glob, text);
  return std::get<Expression>(matcher_)->matches(text);
}

}  // namespace countersign::mailflow
