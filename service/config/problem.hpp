// SPDX-License-Identifier: Apache-2.0
//
// What is wrong with a configuration, as values: reading never stops at the first mistake, so that
// an operator sees all of them at once, each with its file, its line and a remedy.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "countersign/mailflow/host_list.hpp"

namespace countersign::service::config {

using mailflow::Place;

/// How much a problem matters, from least to most.
enum class Severity : std::uint8_t {
  note,     ///< nothing is wrong; the operator should know
  warning,  ///< works, but perhaps not as meant
  error,    ///< the daemon starts, but some mail is not signed or is deferred
  fatal,    ///< the daemon cannot start with it
};

/// The word for a severity.
[[nodiscard]] std::string_view to_string(Severity severity);

/// One thing that is wrong.
struct Problem {
  Severity severity = Severity::error;
  Place place;          ///< where; the file is empty when it is no line's fault
  std::string message;  ///< what is wrong, without an end stop
  std::string remedy;   ///< what to do about it, without an end stop; empty when it is obvious

  friend bool operator==(const Problem&, const Problem&) = default;
};

/// The problem as one line: "file:line: error: message; remedy".
[[nodiscard]] std::string to_string(const Problem& problem);

/// Problems that are kept of one configuration; the rest is counted. A binary file that is named
/// where a table belongs has a problem in every line.
inline constexpr std::size_t problems_max = 1'000;

/// Problems as they are found.
class Problems {
 public:
  /// Adds one, unless it is there already: a file that several settings name is told once.
  void add(Problem problem);
  /// Adds one that only informs.
  void note(Place place, std::string message, std::string remedy = {});
  /// Adds one that works, but perhaps not as meant.
  void warning(Place place, std::string message, std::string remedy = {});
  /// Adds one that costs some mail its signature.
  void error(Place place, std::string message, std::string remedy = {});
  /// Adds one that keeps the daemon from starting.
  void fatal(Place place, std::string message, std::string remedy = {});

  [[nodiscard]] const std::vector<Problem>& all() const { return problems_; }
  /// Hands them over, those of one file together and by line, files in the order in which they
  /// were first named.
  [[nodiscard]] std::vector<Problem> take_sorted();

 private:
  std::vector<Problem> problems_;
  std::unordered_set<std::string> seen_;
  std::size_t left_out_ = 0;
  Severity worst_left_out_ = Severity::note;
};

/// The greatest severity among them; note when there is none.
[[nodiscard]] Severity worst(const std::vector<Problem>& problems);

}  // namespace countersign::service::config
