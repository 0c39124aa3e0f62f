// SPDX-License-Identifier: Apache-2.0
//
// What an evaluation asked of DNS and how it was answered, for those who want to see it later.

#pragma once

#include <cstdint>
#include <vector>

#include "countersign/dns/asking.hpp"
#include "countersign/dns/question.hpp"

namespace countersign::service {

/// A question of DNS that was asked, and how it was answered.
struct AskedQuestion {
  dns::Question question;
  dns::AnswerStatus status = dns::AnswerStatus::timeout;
};

/// Notes the questions of one evaluation in their order. The limits of the protocols bound them.
class AskedQuestions {
 public:
  /// These were asked.
  void add(const std::vector<dns::OpenQuestion>& questions);
  /// The question of that id has its answer.
  void answered(std::uint64_t id, dns::AnswerStatus status);
  /// Gives all and forgets them.
  [[nodiscard]] std::vector<AskedQuestion> take();

 private:
  std::vector<std::uint64_t> ids_;
  std::vector<AskedQuestion> questions_;  // One for each id.
};

}  // namespace countersign::service
