// SPDX-License-Identifier: Apache-2.0

#include "countersign/mailflow/filter_field.hpp"

namespace countersign::mailflow {

HeaderEdit filter_field(std::string_view name, const std::string& software,
                        const std::string& queue_id) {
  return {.kind = HeaderEdit::Kind::insert_at_top,
          .name = std::string(name),
          .value = " " + software + " " + (queue_id.empty() ? "(unknown-jobid)" : queue_id)};
}

}  // namespace countersign::mailflow
