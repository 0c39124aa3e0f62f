// SPDX-License-Identifier: Apache-2.0

#include "cli/json_output.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>

namespace countersign::cli {

namespace json = boost::json;

void print_json(const json::value& document) { fmt::print("{}\n", service::ascii_json(document)); }

json::array to_json(const std::vector<service::config::Problem>& problems) {
  json::array array;
  for (const service::config::Problem& problem : problems) {
    json::object object;
    object["severity"] = to_string(problem.severity);
    json::value& file = object["file"];
    if (!problem.place.file.empty()) file = json_text(problem.place.file);
    json::value& line = object["line"];
    if (problem.place.line > 0) line = problem.place.line;
    object["message"] = json_text(problem.message);
    object["remedy"] = json_text(problem.remedy);
    array.emplace_back(std::move(object));
  }
  return array;
}

}  // namespace countersign::cli
