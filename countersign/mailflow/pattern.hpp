// SPDX-License-Identifier: Apache-2.0
//
// A line of a refile: table as a matcher, for the lines that no look-up by name can answer.
//
// OpenDKIM turns such a line into a POSIX extended regular expression: "*" becomes ".*", "." and
// "+" are escaped, everything else stays alive: *@[xy].example, *@(a|b).example. Lines that use
// nothing but "*" are by far the most; they need no regular expression and get none.

#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace countersign::mailflow {

/// A compiled pattern; matches without regard to the case of ASCII letters.
class Pattern {
 public:
  /// Compiles a pattern of at most Limits::signing_pattern_bytes_max octets.
  ///
  /// Returns      nothing for what is no expression, and for expressions whose cost a stranger's
  ///              address could drive up: back-references, repeated or large intervals.
  /// Leniency     alternatives are grouped before they are anchored: OpenDKIM reads "*@a|b" as
  ///              "^.*@a" or "b$", and so signs for addresses at every domain that begins with "a".
  ///              What a backslash escapes is left alone: OpenDKIM makes "\\." of "\.".
  [[nodiscard]] static std::optional<Pattern> compile(std::string_view pattern);

  /// True when the pattern matches the whole text. Long texts
  /// (Limits::envelope_text_bytes_max) and texts with NUL match nothing.
  [[nodiscard]] bool matches(const std::string& text) const;

 private:
  class Regex;
  using Expression = std::shared_ptr<const Regex>;
  /// Text whose only special octet is "*".
  using Glob = std::string;

  explicit Pattern(Glob glob) : matcher_(std::move(glob)) {}
  explicit Pattern(Expression expression) : matcher_(std::move(expression)) {}

  std::variant<Glob, Expression> matcher_;
};

/// True when the text has octets that a regular expression would read in its own way, "*", "." and
/// "+" not counted.
[[nodiscard]] bool has_live_octets(std::string_view pattern);

}  // namespace countersign::mailflow
