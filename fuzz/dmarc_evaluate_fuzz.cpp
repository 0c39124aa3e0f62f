// SPDX-License-Identifier: Apache-2.0
//
// An evaluation whose DNS is the input: the first line is a script, one octet for each answer; the
// second has the Author Domain and the identifiers, apart by spaces; each further line is a record
// that an answer may hold. Whatever the script, the questions are few and well-formed, a result
// agrees with its parts, and without failures of DNS nothing is temporary.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "countersign/assert.hpp"
#include "countersign/dmarc/evaluate.hpp"

namespace {

using namespace countersign;
using namespace countersign::dmarc;

std::string_view take_until(std::string_view& input, char end) {
  const std::size_t length = std::min(input.find(end), input.size());
  const std::string_view taken = input.substr(0, length);
  input.remove_prefix(std::min(length + 1, input.size()));
  return taken;
}

std::vector<std::string_view> split(std::string_view input, char separator) {
  std::vector<std::string_view> parts;
  while (!input.empty()) parts.push_back(take_until(input, separator));
  return parts;
}

// Gives the answers in the order of the questions.
class Script {
 public:
  Script(std::string_view octets, std::vector<std::string_view> records)
      : octets_(octets), records_(std::move(records)) {}

  dns::Answer next() {
    const unsigned number = octets_.empty() ? 1 : static_cast<unsigned char>(octets_.front());
    octets_.remove_prefix(std::min<std::size_t>(1, octets_.size()));
    constexpr unsigned statuses = static_cast<unsigned>(dns::AnswerStatus::bogus) + 1;
    dns::Answer answer{.status = static_cast<dns::AnswerStatus>(number % statuses)};
    has_failed_ = has_failed_ || answer.is_failure();
    if (answer.status != dns::AnswerStatus::records || records_.empty()) return answer;
    const std::size_t which = number / statuses;
    answer.records.emplace_back(dns::Text{{std::string(records_[which % records_.size()])}});
    if ((number & 0x80) != 0) answer.records.push_back(answer.records.front());
    return answer;
  }

  [[nodiscard]] bool has_failed() const { return has_failed_; }

 private:
  std::string_view octets_;
  std::vector<std::string_view> records_;
  bool has_failed_ = false;
};

void check(const dns::Question& question) {
  COUNTERSIGN_ASSERT(question.name.size() <= 253);
  if (question.type == dns::RecordType::txt)
    COUNTERSIGN_ASSERT(question.name.starts_with("_dmarc."));
  else
    COUNTERSIGN_ASSERT(question.type == dns::RecordType::cname);
}

void check(const Walk& walk, const Limits& limits) {
  COUNTERSIGN_ASSERT(!walk.steps.empty());
  COUNTERSIGN_ASSERT(walk.steps.size() <= limits.tree_walk_queries_max);
  COUNTERSIGN_ASSERT(walk.start().is_at_or_below(walk.org_domain));
}

void check(const Outcome& outcome, const Limits& limits) {
  check(outcome.discovery.walk, limits);
  bool passed = false;
  std::size_t walked = 0;
  for (const AlignedIdentifier& one : outcome.identifiers) {
    passed = passed || one.is_pass();
    if (one.walk) check(*one.walk, limits);
    walked += one.walk ? 1 : 0;
    if (one.state == AlignmentState::aligned && one.walk)
      COUNTERSIGN_ASSERT(one.walk->org_domain == outcome.discovery.walk.org_domain);
  }
  COUNTERSIGN_ASSERT((outcome.result == dmarc::Result::pass) == passed);
  COUNTERSIGN_ASSERT((outcome.reason == Reason::aligned) == passed);
  COUNTERSIGN_ASSERT(outcome.policy.has_value() == outcome.published_policy.has_value());
  if (passed || outcome.result == dmarc::Result::fail)
    COUNTERSIGN_ASSERT(outcome.policy && outcome.record() && outcome.record()->is_usable());
  if (outcome.result == dmarc::Result::none) COUNTERSIGN_ASSERT(outcome.record() == nullptr);
  COUNTERSIGN_ASSERT(walked <= outcome.identifiers.size());
}

std::vector<Identifier> identifiers_of(const std::vector<std::string_view>& names) {
  std::vector<Identifier> identifiers;
  for (const std::string_view text : names) {
    const auto name = DomainName::parse(text);
    if (!name) continue;
    const std::size_t place = identifiers.size();
    identifiers.push_back(
        {.mechanism = place == 0 ? Mechanism::spf : Mechanism::dkim,
         .domain = *name,
         .authentication = place % 5 == 4 ? Authentication::temperror : Authentication::pass});
  }
  return identifiers;
}

// The same where organizations have two labels: no more than the two records and the existence of
// the author are asked for, and no alignment is unknown.
void check_by_list(const DomainName& author, std::vector<Identifier> identifiers, Script script) {
  const Limits limits;
  std::size_t asked = 0;
  const Outcome outcome =
      dns::run_with(evaluate(author, std::move(identifiers), limits,
                             [](const DomainName& name) { return name.ancestor(2); }),
                    [&](const dns::Question& question) {
                      check(question);
                      ++asked;
                      return script.next();
                    });
  COUNTERSIGN_ASSERT(asked <= 3);
  COUNTERSIGN_ASSERT(outcome.reason != Reason::alignment_unknown);
  check(outcome, limits);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string octets(data, data + size);
  std::string_view input = octets;
  const std::string_view answers = take_until(input, '\n');
  std::string_view domains = take_until(input, '\n');
  const auto author = DomainName::parse(take_until(domains, ' '));
  if (!author) return 0;

  const Limits limits;
  Script script(answers, split(input, '\n'));
  const auto identifiers = identifiers_of(split(domains, ' '));
  const bool gave_temperror = std::ranges::any_of(identifiers, [](const Identifier& one) {
    return one.authentication == Authentication::temperror;
  });
  std::size_t asked = 0;
  const Outcome outcome =
      dns::run_with(evaluate(*author, identifiers, limits), [&](const dns::Question& question) {
        check(question);
        ++asked;
        return script.next();
      });
  const std::size_t walks = 1 + limits.walked_identifiers_max;
  COUNTERSIGN_ASSERT(asked <= walks * limits.tree_walk_queries_max + 1);
  check(outcome, limits);
  if (!script.has_failed() && !gave_temperror)
    COUNTERSIGN_ASSERT(outcome.result != dmarc::Result::temperror);
  check_by_list(*author, identifiers, Script(answers, split(input, '\n')));
  return 0;
}
