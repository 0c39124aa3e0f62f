// SPDX-License-Identifier: Apache-2.0

#include "service/config/toml.hpp"

#include <algorithm>
#include <cstdint>
#include <utility>

#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 0
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Weverything"
#include <toml++/toml.h>
#pragma clang diagnostic pop

namespace countersign::service::config {
namespace {

class Converter {
 public:
  Converter(const std::string& file, Problems& problems) : file_(file), problems_(problems) {}

  Value::Table table(const toml::table& source) {
    Value::Table members;
    for (const auto& [key, node] : source) {
      if (std::optional<Value> value = this->value(node)) {
        members.push_back({std::string(key.str()), *std::move(value)});
      }
    }
    // The library sorts by key; problems are told in the order of the lines.
    std::ranges::sort(members, {}, [](const Value::Member& m) { return m.value.place.line; });
    return members;
  }

 private:
  std::optional<Value> value(const toml::node& node) {
    const Place place{file_, node.source().begin.line};
    if (const auto* read = node.as_boolean()) return Value{read->get(), place};
    if (const auto* read = node.as_integer()) return Value{std::int64_t{read->get()}, place};
    if (const auto* read = node.as_string()) return Value{read->get(), place};
    if (const auto* read = node.as_table()) return Value{table(*read), place};
    if (const auto* read = node.as_array()) return Value{list(*read), place};
    problems_.fatal(place, "no setting takes a date, a time or a fraction");
    return std::nullopt;
  }

  Value::List list(const toml::array& source) {
    Value::List values;
    for (const toml::node& node : source) {
      if (std::optional<Value> value = this->value(node)) values.push_back(*std::move(value));
    }
    return values;
  }

  const std::string& file_;
  Problems& problems_;
};

}  // namespace

std::optional<Value::Table> parse_toml(std::string_view text, const std::string& file,
                                       Problems& problems) {
  const toml::parse_result parsed = toml::parse(text);
  if (!parsed) {
    const toml::parse_error& error = parsed.error();
    problems.fatal({file, error.source().begin.line}, std::string(error.description()));
    return std::nullopt;
  }
  return Converter(file, problems).table(parsed.table());
}

}  // namespace countersign::service::config
