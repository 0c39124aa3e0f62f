// SPDX-License-Identifier: Apache-2.0

#include "service/dns/asked_questions.hpp"

#include <algorithm>
#include <utility>

namespace countersign::service {

void AskedQuestions::add(const std::vector<dns::OpenQuestion>& questions) {
  for (const dns::OpenQuestion& open : questions) {
    ids_.push_back(open.id);
    questions_.push_back({.question = open.question});
  }
}

void AskedQuestions::answered(std::uint64_t id, dns::AnswerStatus status) {
  const auto found = std::ranges::find(ids_, id);
  if (found != ids_.end())
    questions_[static_cast<std::size_t>(found - ids_.begin())].status = status;
}

std::vector<AskedQuestion> AskedQuestions::take() {
  ids_.clear();
  return std::exchange(questions_, {});
}

}  // namespace countersign::service
