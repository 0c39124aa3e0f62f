// SPDX-License-Identifier: Apache-2.0
//
// One configuration file of another program, unedited, as our settings. What the programs have in
// common is here: lines that are set twice, values by the type of the setting that they are for,
// options without a counterpart. What each has of its own is a Dialect.

#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "service/config/files.hpp"
#include "service/config/import/opendkim_lines.hpp"
#include "service/config/import/option.hpp"
#include "service/config/problem.hpp"
#include "service/config/settings.hpp"
#include "service/config/settings_table.hpp"
#include "service/config/value.hpp"

namespace countersign::service::config {

class Importer;

/// Applies a line of an option that is more than one assignment.
using Application = void (*)(Importer&, const ConfigLine&);
/// Makes the settings of a program whose file says nothing.
using Defaults = Settings (*)();
/// Does what follows from several options together.
using Settling = void (*)(Importer&);
/// Reads a file with what it includes.
using LineReader = std::vector<ConfigLine> (*)(const std::string&, const Files&, Problems&);

/// An option that is more than one assignment.
struct Special {
  std::string_view option;
  Application apply;
};

/// How the configuration of one program is read.
struct Dialect {
  std::string_view program;  ///< "OpenDKIM"
  std::span<const Option> options;
  std::span<const Special> specials;
  Defaults defaults;  ///< what holds when the file says nothing
  LineReader read_lines;
  Settling settle = nullptr;  ///< what follows from several options together; none: nothing
  /// What a name is that nobody knows.
  Severity unknown = Severity::fatal;
};

/// Command-line options by their names in the file: {"Socket", "inet:8891"}.
using Overrides = std::vector<std::pair<std::string, std::string>>;

/// Reads a configuration file; an empty name reads no file.
[[nodiscard]] Settings import_file(const Dialect& dialect, const std::string& file,
                                   const Overrides& overrides, const Files& files,
                                   Problems& problems);

/// The lines of one file on their way into settings.
class Importer {
 public:
  Importer(const Dialect& dialect, const std::string& file, Problems& problems);

  /// Notes a line; the last line of an option counts.
  void take(ConfigLine line);
  /// Notes an option of the command line, which counts more than the file.
  void override_with(ConfigLine line);
  /// Applies what was noted, in the order of the table of options.
  [[nodiscard]] Settings finish();

  // --- for the specials ---

  /// Converts the text by the type of the setting and assigns it.
  void set(std::string_view key, const ConfigLine& line);
  /// The same with a value that is made of the line's.
  void set(std::string_view key, const ConfigLine& line, std::string value);
  /// Assigns a value that needs no conversion.
  void assign_value(std::string_view key, const Value& value, const ConfigLine& line);
  /// Notes that a line sets the setting, for one that the caller assigns.
  void mark(std::string_view key, const ConfigLine& line);
  /// The boolean of a line; a problem and nothing when it is none.
  [[nodiscard]] std::optional<bool> read_boolean(const ConfigLine& line);
  /// The integer of a line; a problem and nothing when it is none.
  [[nodiscard]] std::optional<std::int64_t> read_integer(const ConfigLine& line);
  /// Tells that the value is none of those that the option takes.
  void refuse_value(const ConfigLine& line, const std::string& expected);
  /// The line that counts for an option, or nullptr.
  [[nodiscard]] const ConfigLine* line_of(std::string_view option) const;

  [[nodiscard]] Settings& settings() { return settings_; }
  [[nodiscard]] Problems& problems() { return problems_; }

 private:
  void refuse_unknown(const ConfigLine& line);
  void replace(const Option& option, ConfigLine& before, ConfigLine after);
  void apply(const Option& option, const ConfigLine& line);
  [[nodiscard]] std::int64_t bounded(std::int64_t number, const ConfigLine& line,
                                     const Range& range);
  void assign_or_complain(const Setting& setting, const Value& value, const ConfigLine& line);

  const Dialect& dialect_;
  Problems& problems_;
  Settings settings_;
  std::map<const Option*, ConfigLine> last_;
  std::size_t unknown_ = 0;
};

}  // namespace countersign::service::config
