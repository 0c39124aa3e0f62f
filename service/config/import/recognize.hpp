// SPDX-License-Identifier: Apache-2.0
//
// Which program a configuration file belongs to, and how it is read.

#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "service/config/files.hpp"
#include "service/config/import/importer.hpp"
#include "service/config/source.hpp"

namespace countersign::service::config {

/// How the files of a program are read. The form is one of the importers'.
[[nodiscard]] const Dialect& dialect_of(Form form);

/// The form that a word names, as the option -x takes it in front of a colon: "opendmarc".
[[nodiscard]] std::optional<Form> form_named(std::string_view word);

/// Tells the form of another program's file: by its name when that begins with the program's, else
/// by the options in it. What nothing is known of is an opendkim.conf.
[[nodiscard]] Form recognize(const std::string& file, const Files& files);

}  // namespace countersign::service::config
