// SPDX-License-Identifier: Apache-2.0
//
// What makes output pleasant on a terminal and plain everywhere else.

#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>

namespace countersign::cli {

/// The colours that mean something: good, bad, beware.
enum class Colour : std::uint8_t { green, red, yellow };

/// Knows whether a stream is a terminal that wants colour (NO_COLOR and TERM=dumb say no).
class Terminal {
 public:
  explicit Terminal(std::FILE* stream);
  /// The text in that colour, or as it is.
  [[nodiscard]] std::string paint(Colour colour, std::string_view text) const;
  /// True when somebody watches, so that progress may be drawn.
  [[nodiscard]] bool is_interactive() const { return interactive_; }

 private:
  bool interactive_;
  bool colour_;
};

/// A count that is redrawn on standard error while somebody watches a long run; silent elsewhere.
class Progress {
 public:
  /// what   is counted: "keys looked up".
  Progress(std::size_t total, std::string what);
  /// Draws "123 of 456 keys looked up" over what was drawn before.
  void show(std::size_t done);
  /// Wipes the line, so that results can be printed.
  void clear();

 private:
  std::size_t total_;
  std::string what_;
  bool watched_;
};

}  // namespace countersign::cli
