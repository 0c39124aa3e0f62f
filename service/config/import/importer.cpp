// SPDX-License-Identifier: Apache-2.0

#include "service/config/import/importer.hpp"

#include <algorithm>

#include "countersign/text/abnf.hpp"
#include "service/config/import/foreign_value.hpp"
#include "service/config/suggest.hpp"

namespace countersign::service::config {
namespace {

// A file with more unknown names is a file of another kind, and each search costs something.
constexpr std::size_t suggestions_max = 100;

bool is_idle(const Option& option, std::string_view value) {
  if (option.idle.empty()) return false;
  if (option.idle == "no") return parse_foreign_boolean(value) == false;
  if (option.idle == "yes") return parse_foreign_boolean(value) == true;
  return text::equal_ignoring_case(expand_action(value), option.idle);
}

bool takes_integer(const Slot& slot) {
  return std::holds_alternative<std::uint64_t*>(slot) ||
         std::holds_alternative<std::optional<std::uint64_t>*>(slot) ||
         std::holds_alternative<std::chrono::seconds*>(slot) ||
         std::holds_alternative<std::optional<std::chrono::seconds>*>(slot) ||
         std::holds_alternative<std::optional<FileMode>*>(slot);
}

}  // namespace

Importer::Importer(const Dialect& dialect, const std::string& file, Problems& problems)
    : dialect_(dialect), problems_(problems), settings_(dialect.defaults()) {
  settings_.places[""] = {file, 0};
}

void Importer::take(ConfigLine line) {
  const Option* option = find_option(dialect_.options, line.name);
  if (!option) return refuse_unknown(line);
  const auto [place, fresh] = last_.try_emplace(option, line);
  if (!fresh) replace(*option, place->second, std::move(line));
}

void Importer::override_with(ConfigLine line) {
  const Option* option = find_option(dialect_.options, line.name);
  if (!option) return refuse_unknown(line);
  last_.insert_or_assign(option, std::move(line));
}

Settings Importer::finish() {
  for (const Option& option : dialect_.options) {
    const auto found = last_.find(&option);
    if (found != last_.end()) apply(option, found->second);
  }
  if (dialect_.settle != nullptr) dialect_.settle(*this);
  return std::move(settings_);
}

void Importer::refuse_unknown(const ConfigLine& line) {
  std::vector<std::string_view> names;
  if (++unknown_ <= suggestions_max) {
    for (const Option& option : dialect_.options) names.push_back(option.name);
  }
  problems_.add({dialect_.unknown, line.place, "there is no option '" + line.name + "'",
                 suggestion(line.name, names)});
}

void Importer::replace(const Option& option, ConfigLine& before, ConfigLine after) {
  if (before.value != after.value) {
    const Setting* setting = find_setting(option.key);
    const bool list = setting && std::holds_alternative<DataSet*>(setting->slot(settings_));
    problems_.add({list ? Severity::warning : Severity::note, after.place,
                   std::string(option.name) + " is set again; the value at " +
                       before.place.to_string() + " is not used",
                   list ? "write one line with all entries, separated by commas" : ""});
  }
  before = std::move(after);
}

void Importer::apply(const Option& option, const ConfigLine& line) {
  const std::string name(option.name);
  const std::string remark(option.remark);
  if (option.fate != Fate::works && is_idle(option, line.value)) return;
  switch (option.fate) {
    case Fate::missing:
      return problems_.add({option.severity, line.place, name + " has no effect: " + remark, ""});
    case Fate::ignored:
      return problems_.warning(line.place, name + " has no effect: " + remark,
                               "the line can be removed");
    case Fate::removed:
      return problems_.warning(line.place,
                               name + " was removed from " + std::string(dialect_.program) +
                                   " and has no effect: " + remark,
                               "the line can be removed");
    case Fate::works:
      break;
  }
  for (const Special& special : dialect_.specials) {
    if (special.option == option.name) return special.apply(*this, line);
  }
  if (!option.key.empty()) set(option.key, line);
}

void Importer::mark(std::string_view key, const ConfigLine& line) {
  settings_.places[std::string(key)] = line.place;
}

void Importer::set(std::string_view key, const ConfigLine& line, std::string value) {
  set(key, {line.name, std::move(value), line.place});
}

void Importer::set(std::string_view key, const ConfigLine& line) {
  const Setting& setting = *find_setting(key);
  const Slot slot = setting.slot(settings_);
  mark(key, line);
  if (std::holds_alternative<bool*>(slot)) {
    const std::optional<bool> read = read_boolean(line);
    if (read) assign_or_complain(setting, {*read, line.place}, line);
  } else if (takes_integer(slot)) {
    const std::optional<std::int64_t> read = read_integer(line);
    if (read) assign_or_complain(setting, {bounded(*read, line, setting.range), line.place}, line);
  } else if (std::holds_alternative<mailflow::Action*>(slot)) {
    assign_or_complain(setting, {expand_action(line.value), line.place}, line);
  } else {
    assign_or_complain(setting, {line.value, line.place}, line);
  }
}

void Importer::assign_value(std::string_view key, const Value& value, const ConfigLine& line) {
  mark(key, line);
  assign_or_complain(*find_setting(key), value, line);
}

// OpenDKIM overlooks a bad word of On-…; to stop a daemon that runs today would be no service.
void Importer::assign_or_complain(const Setting& setting, const Value& value,
                                  const ConfigLine& line) {
  const Slot slot = setting.slot(settings_);
  const std::optional<std::string> expected = assign(slot, value, setting.range);
  if (!expected) return;
  const bool action = std::holds_alternative<mailflow::Action*>(slot);
  problems_.add({action ? Severity::warning : Severity::fatal, line.place,
                 line.name + " " + line.value + ": " + *expected,
                 action ? "the default is used, as in OpenDKIM" : ""});
}

std::optional<bool> Importer::read_boolean(const ConfigLine& line) {
  if (const std::optional<bool> read = parse_foreign_boolean(line.value)) return read;
  for (const bool on : {true, false}) {
    if (!text::equal_ignoring_case(line.value, on ? "on" : "off")) continue;
    problems_.note(line.place, line.name + " " + line.value + " is taken as " +
                                   (on ? "yes" : "no") + ", which " +
                                   std::string(dialect_.program) + " refuses");
    return on;
  }
  refuse_value(line, "yes or no");
  return std::nullopt;
}

std::optional<std::int64_t> Importer::read_integer(const ConfigLine& line) {
  const std::optional<std::int64_t> read = parse_foreign_integer(line.value);
  if (!read) refuse_value(line, "a number");
  return read;
}

void Importer::refuse_value(const ConfigLine& line, const std::string& expected) {
  problems_.fatal(line.place, line.name + " " + line.value + ": expected " + expected);
}

// The programs take any number; to stop a daemon that runs today would be no service.
std::int64_t Importer::bounded(std::int64_t number, const ConfigLine& line, const Range& range) {
  const std::int64_t bounded = std::clamp(number, static_cast<std::int64_t>(range.least),
                                          static_cast<std::int64_t>(range.most));
  if (bounded != number) {
    problems_.warning(line.place,
                      line.name + " " + line.value + " is taken as " + std::to_string(bounded));
  }
  return bounded;
}

const ConfigLine* Importer::line_of(std::string_view option) const {
  const auto found = last_.find(find_option(dialect_.options, option));
  return found == last_.end() ? nullptr : &found->second;
}

Settings import_file(const Dialect& dialect, const std::string& file, const Overrides& overrides,
                     const Files& files, Problems& problems) {
  Importer importer(dialect, file, problems);
  if (!file.empty()) {
    for (ConfigLine& line : dialect.read_lines(file, files, problems)) {
      importer.take(std::move(line));
    }
  }
  for (const auto& [name, value] : overrides) {
    importer.override_with({name, value, {"command line", 0}});
  }
  return importer.finish();
}

}  // namespace countersign::service::config
