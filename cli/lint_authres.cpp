// SPDX-License-Identifier: Apache-2.0
//
// Authentication-Results fields: do they parse, and do their words mean anything to a reader?

#include <fmt/format.h>

#include <algorithm>
#include <span>

#include "cli/json_output.hpp"
#include "cli/lint.hpp"
#include "countersign/authres/field.hpp"
#include "countersign/text/abnf.hpp"

namespace countersign::cli {
namespace {

namespace json = boost::json;
using authres::FieldErrorCode;
using authres::MethodResult;

/// A registered method and its results. RFC 8601 §2.7
struct Method {
  std::string_view name;
  std::string_view results;  ///< with a space around each; empty: any
};

constexpr Method methods[] = {
    {"arc", " none pass fail "},
    {"auth", " none pass fail temperror permerror "},
    {"dkim", " none pass fail policy neutral temperror permerror "},
    {"dmarc", " none pass fail temperror permerror "},
    {"iprev", " pass fail temperror permerror "},
    {"spf", " none pass fail softfail policy neutral temperror permerror "},
    {"bimi", ""},
    {"dkim-adsp", ""},
    {"dkim-atps", ""},
    {"dnswl", ""},
    {"domainkeys", ""},
    {"rrvs", ""},
    {"sender-id", ""},
    {"smime", ""},
    {"vbr", ""},
};

std::string remedy_of(FieldErrorCode code) {
  switch (code) {
    case FieldErrorCode::bad_authserv_id:
      return "begin with the name of the host that checked, as mx.example.org;";
    case FieldErrorCode::unknown_version:
      return "write 1 behind the name, or nothing";
    case FieldErrorCode::missing_results:
      return "write \"; none\" when nothing was checked";
    case FieldErrorCode::none_with_results:
      return "remove none, or the results";
    case FieldErrorCode::bad_comment:
      return "close the comment with \")\"";
    case FieldErrorCode::bad_method:
    case FieldErrorCode::bad_result:
      return "write a result as method=result, with semicolons between results";
    case FieldErrorCode::bad_property:
      return "write a property as header.d=example.org";
    case FieldErrorCode::bad_value:
      return "put the value in quotes";
    case FieldErrorCode::too_many:
      return "write fewer results";
  }
  return "";
}

/// "header.d", or the name alone where nobody wrote a ptype.
std::string name_of(const authres::Property& property) {
  return property.ptype.empty() ? property.name : property.ptype + "." + property.name;
}

json::object to_json(const MethodResult& result) {
  json::object properties;
  for (const authres::Property& property : result.properties) {
    properties.emplace(json_text(name_of(property)), json_text(property.value));
  }
  json::object object;
  object["method"] = json_text(result.method);
  object["version"] = result.version;
  object["result"] = json_text(result.result);
  json::value& reason = object["reason"];
  if (result.reason) reason = json_text(*result.reason);
  object["properties"] = std::move(properties);
  return object;
}

void judge(const MethodResult& result, std::size_t offset, LintReport& report) {
  const auto known = std::ranges::find(methods, result.method, &Method::name);
  if (known == std::end(methods)) {
    report.add(Severity::note, offset,
               fmt::format("{} is no registered method (RFC 8601 §6.2)", result.method),
               "readers ignore it unless they were told");
  } else if (!known->results.empty() && !known->results.contains(" " + result.result + " ")) {
    report.add(Severity::warning, offset,
               fmt::format("{} is no result of {} (RFC 8601 §2.7)", result.result, result.method),
               fmt::format("write one of{}", known->results.substr(0, known->results.size() - 1)));
  }
  for (const authres::Property& property : result.properties)
    if (property.ptype.empty())
      report.add(Severity::warning, offset,
                 fmt::format("{} has no type before it (RFC 8601 §2.2)", property.name),
                 fmt::format("write policy.{} or the like", property.name));
}

std::string describe(const MethodResult& result) {
  std::string text = fmt::format("{}={}", result.method, result.result);
  if (result.reason) text += fmt::format(" reason={}", *result.reason);
  for (const authres::Property& property : result.properties)
    text += fmt::format(" {}={}", name_of(property), property.value);
  return text;
}

}  // namespace

LintReport lint_authres(const LintText& input, const Limits& limits) {
  const std::string_view text = input.text;
  LintReport report;
  const std::size_t base = field_name_size(text, "Authentication-Results");
  const auto field = authres::parse_field(text.substr(base), limits);
  report.usable = field.has_value();
  report.facts["parses"] = report.usable;
  json::value& authserv_id = report.facts["authserv_id"];
  if (field) authserv_id = json_text(field->authserv_id);
  json::array& results = report.facts["results"].emplace_array();
  if (!field) {
    report.add(Severity::error, base + field.error().offset,
               std::string(to_string(field.error().code)), remedy_of(field.error().code));
    return report;
  }
  // A field keeps no places of its results; their methods stand in the order of the text.
  const std::string lower = text::to_lower(text);
  std::size_t at = base;
  report.parts.push_back({base, field->authserv_id, "who checked"});
  for (const MethodResult& result : field->results) {
    at = std::min(lower.find(result.method, std::min(lower.find(';', at), lower.size())),
                  lower.size());
    judge(result, at, report);
    report.parts.push_back({at, describe(result), ""});
    results.emplace_back(to_json(result));
  }
  return report;
}

}  // namespace countersign::cli
