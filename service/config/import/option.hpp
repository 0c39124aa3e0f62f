// SPDX-License-Identifier: Apache-2.0
//
// What becomes of each option of another program's configuration, as rows of a table. The importers
// and the tables in the documents are made from the same rows.

#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "service/config/problem.hpp"

namespace countersign::service::config {

/// What becomes of an option.
enum class Fate : std::uint8_t {
  works,    ///< takes effect, or asks for what is done anyway
  missing,  ///< there is no counterpart yet; a warning says what is missing
  ignored,  ///< has no use here; a warning says why
  removed,  ///< its own program has removed it; a warning names the successor
};

/// The word for a fate in the documents.
[[nodiscard]] std::string_view to_string(Fate fate);

/// One option; its members in the order in which a row of the table reads.
struct Option {  // NOLINT(clang-analyzer-optin.performance.Padding)
  std::string_view name;
  Fate fate = Fate::works;
  std::string_view key;     ///< the setting that it sets; empty: none, or several
  std::string_view remark;  ///< what we do, as far as it is not plain
  /// Of the problem that a missing option is.
  Severity severity = Severity::warning;
  /// The value with which an option that does not work asks for nothing, or for what is done
  /// anyway: it is not told. "no" and "yes" stand for all words of that meaning.
  std::string_view idle;
};

/// The option of that name, in any case, or nullptr.
[[nodiscard]] const Option* find_option(std::span<const Option> options, std::string_view name);

/// The options as a table of the documents.
[[nodiscard]] std::string options_markdown(std::span<const Option> options);

}  // namespace countersign::service::config
