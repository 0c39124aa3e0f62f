// SPDX-License-Identifier: Apache-2.0
//
// A check with records and a DNS that the input makes up. Its lines are: the client, HELO, MAIL
// FROM, a script with one octet for each answer, and then texts that TXT answers take in turn.
// Whatever they say, the check ends within its limits, asks only for names, and says only what is
// safe.

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "countersign/assert.hpp"
#include "countersign/spf/check_host.hpp"
#include "countersign/spf/received_spf.hpp"
#include "countersign/text/abnf.hpp"

namespace {

using namespace countersign;
using namespace countersign::spf;

std::vector<std::string> lines_of(std::string_view input) {
  std::vector<std::string> lines;
  while (!input.empty()) {
    const std::size_t end = std::min(input.find('\n'), input.size());
    lines.emplace_back(input.substr(0, end));
    input.remove_prefix(std::min(end + 1, input.size()));
  }
  return lines;
}

// Answers as the script says; without one left, with records.
class Script {
 public:
  Script(std::string octets, std::vector<std::string> texts, IpAddress client_ip)
      : octets_(std::move(octets)), texts_(std::move(texts)), client_ip_(client_ip) {}

  dns::Answer answer(const dns::Question& question) {
    constexpr unsigned statuses = static_cast<unsigned>(dns::AnswerStatus::bogus) + 1;
    const unsigned octet =
        asked_ < octets_.size() ? static_cast<unsigned char>(octets_[asked_]) : 0U;
    ++asked_;
    dns::Answer answer{.status = static_cast<dns::AnswerStatus>(octet % statuses)};
    const unsigned count = 1 + octet / statuses % 16;
    for (unsigned i = 0; i < count && answer.status == dns::AnswerStatus::records; ++i)
      answer.records.push_back(record(question.type));
    return answer;
  }
  [[nodiscard]] std::size_t asked() const { return asked_; }

 private:
  std::string text() {
    return texts_.empty() ? std::string() : texts_[next_text_++ % texts_.size()];
  }
  dns::RecordData record(dns::RecordType type) {
    if (type == dns::RecordType::txt) return dns::Text{{text()}};
    if (type == dns::RecordType::mx) return dns::MailExchange{10, text::to_lower(text())};
    if (type == dns::RecordType::ptr) return dns::NameData{text::to_lower(text())};
    const auto length = static_cast<std::uint8_t>(type == dns::RecordType::a ? 4 : 16);
    return dns::Address{client_ip_.octets(), length};
  }

  std::string octets_;
  std::vector<std::string> texts_;
  IpAddress client_ip_;
  std::size_t asked_ = 0;
  std::size_t next_text_ = 0;
};

void check(const dns::Question& question) {
  COUNTERSIGN_ASSERT(!question.name.empty() && question.name.size() <= 253);
  for (const char c : question.name)
    COUNTERSIGN_ASSERT(!text::is_ctl(c) && !text::is_8bit(c) && text::to_lower(c) == c);
}

void check(const Outcome& outcome, const Limits& limits) {
  COUNTERSIGN_ASSERT(outcome.lookup_terms <= limits.spf_lookup_terms_max + 1);
  COUNTERSIGN_ASSERT(outcome.void_lookups <= limits.spf_void_lookups_max + 1);
  COUNTERSIGN_ASSERT(outcome.result != spf::Result::pass || outcome.reason == Reason::matched);
  COUNTERSIGN_ASSERT(outcome.explanation.empty() || outcome.result == spf::Result::fail);
  COUNTERSIGN_ASSERT(outcome.explanation.size() <= limits.spf_explanation_bytes_max);
  for (const char c : outcome.explanation) COUNTERSIGN_ASSERT(text::is_vchar(c) || c == ' ');
  for (const char c : outcome.detail) COUNTERSIGN_ASSERT(!text::is_ctl(c));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::vector<std::string> lines = lines_of({reinterpret_cast<const char*>(data), size});
  lines.resize(std::max<std::size_t>(lines.size(), 4));
  const auto client_ip = IpAddress::parse(lines[0]);
  if (!client_ip) return 0;
  const CheckHost request{.client_ip = *client_ip, .helo = lines[1], .mail_from = lines[2]};
  Script script(lines[3], {lines.begin() + 4, lines.end()}, *client_ip);

  const Limits limits;
  const Outcome outcome =
      dns::run_with(check_host(request, limits), [&script](const dns::Question& question) {
        check(question);
        return script.answer(question);
      });
  check(outcome, limits);
  // A record, then ten terms with a host list each, the client's names, and an explanation.
  const std::size_t hosts = limits.spf_hosts_max + 1;
  COUNTERSIGN_ASSERT(script.asked() <= 2 + (limits.spf_lookup_terms_max + 1) * hosts);
  for (const char c : format_received_spf(request, outcome)) COUNTERSIGN_ASSERT(!text::is_8bit(c));
  return 0;
}
