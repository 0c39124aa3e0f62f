// SPDX-License-Identifier: Apache-2.0
//
// A message and the answers of DNS, both from the input: the first line is a script, one octet for
// each answer; then come TXT data up to a record separator (0x1E), and then the message. Whatever
// the script, each result must agree with itself, and nothing may be asked that was not checked.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "countersign/assert.hpp"
#include "countersign/dkim/verifier.hpp"
#include "countersign/dns/asking.hpp"
#include "countersign/message/splitter.hpp"
#include "countersign/text/abnf.hpp"

namespace {

using namespace countersign;
using namespace countersign::dkim;

// Takes what stands before the octet, and the octet with it.
std::string_view take_until(std::string_view& input, char end) {
  const std::size_t length = std::min(input.find(end), input.size());
  const std::string_view taken = input.substr(0, length);
  input.remove_prefix(std::min(length + 1, input.size()));
  return taken;
}

dns::Answer answer_of(char octet, std::string_view text) {
  const auto number = static_cast<unsigned char>(octet);
  constexpr unsigned statuses = static_cast<unsigned>(dns::AnswerStatus::bogus) + 1;
  dns::Answer answer;
  answer.authenticated = (number & 0x80) != 0;
  answer.status = static_cast<dns::AnswerStatus>(number % statuses);
  if (answer.status != dns::AnswerStatus::records) return answer;
  answer.records.emplace_back(dns::Text{
      {std::string(text.substr(0, text.size() / 2)), std::string(text.substr(text.size() / 2))}});
  if ((number & 0x40) != 0) answer.records.emplace_back(dns::Text{{std::string(text)}});
  return answer;
}

void check(const SignatureResult& result, const Header& header) {
  COUNTERSIGN_ASSERT(result.field_index < header.size());
  COUNTERSIGN_ASSERT(header[result.field_index].is("DKIM-Signature"));
  COUNTERSIGN_ASSERT(result.result != dkim::Result::none);
  COUNTERSIGN_ASSERT((result.reason == Reason::valid) == result.covers_body());
  COUNTERSIGN_ASSERT(result.body_octets_signed <= result.body_octets_total);
  for (const char c : result.detail) COUNTERSIGN_ASSERT(!text::is_ctl(c));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string octets(data, data + size);
  std::string_view input = octets;
  const std::string_view script = take_until(input, '\n');
  const std::string_view text = take_until(input, '\x1E');
  const Limits limits;
  const auto message = split_message(input, limits);
  if (!message) return 0;

  Verifier verifier(message->header, limits);
  verifier.body(message->body);
  const std::chrono::sys_seconds now{std::chrono::seconds{1'700'000'000}};
  dns::Asking<std::vector<SignatureResult>> asking = std::move(verifier).finish(now);
  const std::vector<dns::OpenQuestion> questions = asking.take_questions();
  COUNTERSIGN_ASSERT(questions.size() <= limits.signatures_max);
  if (script.size() < questions.size()) return 0;  // Dropped while it asks.
  for (std::size_t i = 0; i < questions.size(); ++i) {
    const std::string& name = questions[i].question.name;
    COUNTERSIGN_ASSERT(name.size() <= 253 && name.contains("._domainkey."));
    asking.answer(questions[i].id, answer_of(script[i], text));
  }
  COUNTERSIGN_ASSERT(asking.done());
  const std::vector<SignatureResult> results = asking.take();
  for (const SignatureResult& result : results) check(result, message->header);
  COUNTERSIGN_ASSERT((summarize(results) == dkim::Result::none) == results.empty());
  return 0;
}
