// SPDX-License-Identifier: Apache-2.0

#include "service/config/problem.hpp"

#include <algorithm>
#include <map>

namespace countersign::service::config {

std::string_view to_string(Severity severity) {
  switch (severity) {
    case Severity::note:
      return "note";
    case Severity::warning:
      return "warning";
    case Severity::error:
      return "error";
    case Severity::fatal:
      return "fatal";
  }
  return "";
}

std::string to_string(const Problem& problem) {
  std::string line = problem.place.to_string();
  if (!line.empty()) line += ": ";
  line += to_string(problem.severity);
  line += ": " + problem.message;
  if (!problem.remedy.empty()) line += "; " + problem.remedy;
  return line;
}

void Problems::add(Problem problem) {
  if (problems_.size() >= problems_max) {
    ++left_out_;
    worst_left_out_ = std::max(worst_left_out_, problem.severity);
    return;
  }
  if (seen_.insert(to_string(problem)).second) problems_.push_back(std::move(problem));
}

void Problems::note(Place place, std::string message, std::string remedy) {
  add({Severity::note, std::move(place), std::move(message), std::move(remedy)});
}

void Problems::warning(Place place, std::string message, std::string remedy) {
  add({Severity::warning, std::move(place), std::move(message), std::move(remedy)});
}

void Problems::error(Place place, std::string message, std::string remedy) {
  add({Severity::error, std::move(place), std::move(message), std::move(remedy)});
}

void Problems::fatal(Place place, std::string message, std::string remedy) {
  add({Severity::fatal, std::move(place), std::move(message), std::move(remedy)});
}

std::vector<Problem> Problems::take_sorted() {
  std::map<std::string, std::size_t> file_order;
  std::map<std::pair<std::size_t, std::size_t>, std::vector<Problem>> by_place;
  for (Problem& problem : problems_) {
    const auto [file, fresh] = file_order.try_emplace(problem.place.file, file_order.size());
    by_place[{file->second, problem.place.line}].push_back(std::move(problem));
  }
  std::vector<Problem> sorted;
  for (auto& [place, problems] : by_place) {
    for (Problem& problem : problems) sorted.push_back(std::move(problem));
  }
  if (left_out_ > 0) {
    sorted.push_back({worst_left_out_, {}, std::to_string(left_out_) + " more problems", ""});
  }
  *this = Problems();
  return sorted;
}

Severity worst(const std::vector<Problem>& problems) {
  Severity result = Severity::note;
  for (const Problem& problem : problems) result = std::max(result, problem.severity);
  return result;
}

}  // namespace countersign::service::config
