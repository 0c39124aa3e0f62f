// SPDX-License-Identifier: Apache-2.0

#include "countersign/mailflow/failed_message.hpp"

namespace countersign::mailflow {

std::shared_ptr<const FailureToReport> failure_of(const Judgement& /*judgement*/,
                                                  const Envelope& /*envelope*/,
                                                  const Header& /*header*/,
                                                  const JudgingPolicy& /*policy*/,
                                                  std::chrono::sys_seconds /*arrival*/) {
  return nullptr;
}

}  // namespace countersign::mailflow
