// SPDX-License-Identifier: Apache-2.0
//
// A whole message through the whole filter, with answers of DNS that the input makes up: the first
// line is a script, one octet for each answer; then come TXT data up to a record separator (0x1E),
// HELO name and reverse-path as a line each, and then the message. Whatever they are, the verdict
// agrees with itself, the field that is written reads back as what was found, and nothing of the
// sender's is left that claims to be ours.

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "countersign/assert.hpp"
#include "countersign/authres/field.hpp"
#include "countersign/authres/removal.hpp"
#include "countersign/mailflow/flow.hpp"
#include "countersign/message/splitter.hpp"

namespace {

using namespace countersign;
using mailflow::Action;

// Takes what stands before the octet, and the octet with it.
std::string_view take_until(std::string_view& input, char end) {
  const std::size_t length = std::min(input.find(end), input.size());
  const std::string_view taken = input.substr(0, length);
  input.remove_prefix(std::min(length + 1, input.size()));
  return taken;
}

// The answers that the script makes up, over and over.
class ScriptedDns {
 public:
  ScriptedDns(std::string_view script, std::string_view text) : script_(script), text_(text) {}

  dns::Answer operator()(const dns::Question& question) {
    COUNTERSIGN_ASSERT(question.name.size() <= 253);
    const auto number =
        script_.empty() ? 0U : static_cast<unsigned char>(script_[asked_ % script_.size()]);
    ++asked_;
    constexpr unsigned statuses = static_cast<unsigned>(dns::AnswerStatus::bogus) + 1;
    dns::Answer answer;
    answer.status = static_cast<dns::AnswerStatus>(number % statuses);
    if (answer.status != dns::AnswerStatus::records) return answer;
    if (question.type == dns::RecordType::txt) {
      // One of several texts, by the upper bits.
      std::string_view rest = text_;
      std::string_view text = take_until(rest, '\x1D');
      for (unsigned skip = number / statuses; skip > 0 && !rest.empty(); --skip)
        text = take_until(rest, '\x1D');
      answer.records.emplace_back(dns::Text{{std::string(text)}});
    } else if (question.type == dns::RecordType::ptr) {
      answer.records.emplace_back(dns::NameData{"client.example"});
    } else if (question.type == dns::RecordType::a) {
      answer.records.emplace_back(dns::Address{{192, 0, 2, 1}, 4});
    } else {
      answer.status = dns::AnswerStatus::nodata;
    }
    return answer;
  }

  [[nodiscard]] std::size_t asked() const { return asked_; }

 private:
  std::string_view script_;
  std::string_view text_;
  std::size_t asked_ = 0;
};

std::shared_ptr<const mailflow::Policy> make_policy() {
  auto policy = std::make_shared<mailflow::Policy>();
  policy->signs = false;
  policy->judging.results.authserv_id = "mx.example.org";
  policy->judging.actions.dmarc_reject = mailflow::RejectPolicy::reject;
  return policy;
}

// Exactly one field claims our id, and it reads back.
void check_header(const Header& header, const mailflow::Judgement& judgement,
                  const Limits& limits) {
  std::size_t ours = 0;
  for (const HeaderField& field : header) {
    const bool claims = field.is("Authentication-Results") &&
                        authres::claims_authserv_id(field.value(), "mx.example.org", limits);
    ours += claims ? 1 : 0;
  }
  COUNTERSIGN_ASSERT(ours == 1);
  const auto field = authres::parse_field(header.front().value(), limits);
  COUNTERSIGN_ASSERT(field && field->authserv_id == "mx.example.org");
  std::size_t dkim = 0;
  for (const authres::MethodResult& result : field->results) {
    dkim += result.method == "dkim" ? 1 : 0;
    if (result.method == "dmarc")
      COUNTERSIGN_ASSERT(result.result == to_string(*judgement.verdict.dmarc_result()));
  }
  const std::size_t signatures = judgement.verdict.signatures.size();
  COUNTERSIGN_ASSERT(dkim == std::max<std::size_t>(signatures, 1));
}

void check(const mailflow::Judgement& judgement) {
  const mailflow::Verdict& verdict = judgement.verdict;
  const auto dmarc = verdict.dmarc_result();
  COUNTERSIGN_ASSERT(dmarc.has_value());
  if (dmarc == dmarc::Result::pass) {
    COUNTERSIGN_ASSERT(verdict.authorship.ambiguities.empty());
    COUNTERSIGN_ASSERT(verdict.is_authenticated());
  }
  const mailflow::Disposition& disposition = judgement.disposition;
  if (disposition.action == Action::reject) COUNTERSIGN_ASSERT(dmarc == dmarc::Result::fail);
  COUNTERSIGN_ASSERT((disposition.action == Action::accept) == !disposition.rule.has_value());
  for (const char c : disposition.text) COUNTERSIGN_ASSERT(c != '\r' && c != '\n' && c != '\0');
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::shared_ptr<const mailflow::Policy> policy = make_policy();
  const std::string octets(data, data + size);
  std::string_view input = octets;
  const std::string_view script = take_until(input, '\n');
  ScriptedDns dns(script, take_until(input, '\x1E'));
  mailflow::Envelope envelope;
  envelope.client_ip = IpAddress::parse("192.0.2.1");
  envelope.helo = take_until(input, '\n');
  envelope.mail_from = take_until(input, '\n');
  const auto message = split_message(input, policy->limits);
  if (!message) return 0;

  mailflow::Flow flow(policy, envelope, message->header);
  COUNTERSIGN_ASSERT(flow.is_judged());
  flow.body(message->body);
  const std::chrono::sys_seconds now{std::chrono::seconds{1'700'000'000}};
  const mailflow::Outcome outcome = dns::run_with(
      std::move(flow).finish(now), [&dns](const dns::Question& question) { return dns(question); });
  constexpr std::size_t questions_max = 1'000;
  COUNTERSIGN_ASSERT(dns.asked() < questions_max);
  check(*outcome.judgement);
  Header header = message->header;
  mailflow::apply_edits(outcome.edits, header);
  check_header(header, *outcome.judgement, policy->limits);
  return 0;
}
