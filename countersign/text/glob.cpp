// SPDX-License-Identifier: Apache-2.0
//
// One pass with one place to come back to: when the text behind a "*" does not match, only the last
// "*" is ever tried again, one octet further on. What an earlier one swallowed need not change.

#include "countersign/text/glob.hpp"

#include "countersign/text/abnf.hpp"

namespace countersign::text {

bool glob_matches(std::string_view glob, std::string_view text) {
  std::size_t at = 0;
  std::size_t star = std::string_view::npos;
  std::size_t retry = 0;
  for (std::size_t i = 0; i < text.size();) {
    if (at < glob.size() && glob[at] == '*') {
      star = at++;
      retry = i;
    } else if (at < glob.size() && to_lower(glob[at]) == to_lower(text[i])) {
      ++at;
      ++i;
    } else if (star != std::string_view::npos) {
      at = star + 1;
      i = ++retry;
    } else {
      return false;
    }
  }
  return glob.find_first_not_of('*', at) == std::string_view::npos;
}

}  // namespace countersign::text
