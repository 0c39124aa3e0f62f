// SPDX-License-Identifier: Apache-2.0

#include "bench/load/expected.hpp"

#include <algorithm>
#include <iterator>

namespace countersign::bench {
namespace {

bool has_only(const std::vector<authres::MethodResult>& results, std::string_view method,
              std::string_view wanted) {
  bool is_found = false;
  for (const authres::MethodResult& result : results) {
    const bool is_of_helo = method == "spf" && result.find("smtp", "helo") != nullptr;
    if (result.method != method || is_of_helo) continue;
    if (result.result != wanted) return false;
    is_found = true;
  }
  return is_found || wanted == "none";
}

}  // namespace

std::vector<authres::MethodResult> results_of(const Header& header) {
  std::vector<authres::MethodResult> results;
  for (const HeaderField& field : header) {
    if (!field.is("Authentication-Results")) continue;
    auto parsed = authres::parse_field(field.value(), Limits());
    if (parsed) std::ranges::move(parsed->results, std::back_inserter(results));
  }
  return results;
}

bool is_right(const Expected& expected, const std::vector<authres::MethodResult>& results) {
  return has_only(results, "spf", expected.spf) && has_only(results, "dkim", expected.dkim) &&
         has_only(results, "dmarc", expected.dmarc);
}

}  // namespace countersign::bench
