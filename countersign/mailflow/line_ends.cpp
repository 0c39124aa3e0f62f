// SPDX-License-Identifier: Apache-2.0
//
// One pass that copies nothing: what is in order is passed on as it lies in the chunk.

#include "countersign/mailflow/line_ends.hpp"

#include <cstddef>

namespace countersign::mailflow {

void LineEndMender::feed(std::string_view chunk,
                         const std::function<void(std::string_view)>& pass) {
  if (chunk.empty()) return;
  if (cr_waits_) {
    pass("\r\n");
    if (chunk.front() == '\n') chunk.remove_prefix(1);
    cr_waits_ = false;
  }

  std::size_t passed = 0;  // All before it was passed on; up to `at` the chunk is in order.
  for (std::size_t at = 0; (at = chunk.find_first_of("\r\n", at)) != std::string_view::npos;) {
    const bool is_cr = chunk[at] == '\r';
    if (is_cr && at + 1 < chunk.size() && chunk[at + 1] == '\n') {
      at += 2;
      continue;
    }
    if (at > passed) pass(chunk.substr(passed, at - passed));
    passed = ++at;
    cr_waits_ = is_cr && at == chunk.size();
    if (!cr_waits_) pass("\r\n");
  }
  if (passed < chunk.size()) pass(chunk.substr(passed));
}

void LineEndMender::finish(const std::function<void(std::string_view)>& pass) {
  if (cr_waits_) pass("\r\n");
  cr_waits_ = false;
}

}  // namespace countersign::mailflow
