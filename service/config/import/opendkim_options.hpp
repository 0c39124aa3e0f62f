// SPDX-License-Identifier: Apache-2.0
//
// Every option that an opendkim.conf may hold, of this release or of earlier ones, and what becomes
// of it here. The importer and the table in docs/opendkim.md are made from it.

#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "service/config/problem.hpp"

namespace countersign::service::config {

/// What becomes of an option.
enum class Fate : std::uint8_t {
  works,    ///< takes effect
  missing,  ///< there is no counterpart yet; a warning says what is missing
  ignored,  ///< has no use here; a warning says why
  removed,  ///< OpenDKIM itself has removed it and refuses it; a warning names the successor
};

/// The word for a fate in the documents.
[[nodiscard]] std::string_view to_string(Fate fate);

/// One option; its members in the order in which a row of the table reads.
struct Option {  // NOLINT(clang-analyzer-optin.performance.Padding)
  std::string_view name;
  Fate fate = Fate::works;
  std::string_view key;  ///< the setting that it sets; empty: none, or several (see opendkim.cpp)
  std::string_view remark;  ///< what we do, as far as it is not plain
  /// Of the problem that a missing option is.
  Severity severity = Severity::warning;
  /// The value of a missing option that asks for nothing, or for what is done anyway.
  std::string_view idle;
};

/// All options, On-Default before those that it is the default of.
[[nodiscard]] std::span<const Option> opendkim_options();

/// The option of that name, in any case, or nullptr.
[[nodiscard]] const Option* find_opendkim_option(std::string_view name);

/// The rows of the table in docs/opendkim.md.
[[nodiscard]] std::string opendkim_options_markdown();

}  // namespace countersign::service::config
