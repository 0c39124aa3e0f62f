// SPDX-License-Identifier: Apache-2.0
//
// What makes output pleasant on a terminal and plain everywhere else; and text made fit for JSON.

#pragma once

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

/// Octets as text that JSON can hold: broken UTF-8 becomes U+FFFD.
[[nodiscard]] std::string json_text(std::string_view octets);

}  // namespace countersign::cli
