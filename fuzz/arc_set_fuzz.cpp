// SPDX-License-Identifier: Apache-2.0
//
// A message and the answers of DNS, both from the input: the first line is a script, one octet for
// each answer; then come TXT data up to a record separator (0x1E), and then the message. Its chain
// is collected, validated, and sealed anew; what the three say of it must agree, and what we sealed
// we must be able to read.

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "countersign/arc/chain.hpp"
#include "countersign/arc/sealer.hpp"
#include "countersign/arc/set.hpp"
#include "countersign/assert.hpp"
#include "countersign/dns/asking.hpp"
#include "countersign/message/splitter.hpp"
#include "countersign/text/abnf.hpp"

namespace {

using namespace countersign;
using namespace countersign::arc;

constexpr std::chrono::sys_seconds now{std::chrono::seconds{1'700'000'000}};

// Takes what stands before the octet, and the octet with it.
std::string_view take_until(std::string_view& input, char end) {
  const std::size_t length = std::min(input.find(end), input.size());
  const std::string_view taken = input.substr(0, length);
  input.remove_prefix(std::min(length + 1, input.size()));
  return taken;
}

dns::Answer answer_of(char octet, std::string_view text) {
  constexpr unsigned statuses = static_cast<unsigned>(dns::AnswerStatus::bogus) + 1;
  dns::Answer answer;
  answer.status = static_cast<dns::AnswerStatus>(static_cast<unsigned char>(octet) % statuses);
  if (answer.status == dns::AnswerStatus::records)
    answer.records.emplace_back(dns::Text{{std::string(text)}});
  return answer;
}

void check_chain(const Chain& chain, const Header& header) {
  COUNTERSIGN_ASSERT(!chain.fault || chain.sets.empty());
  COUNTERSIGN_ASSERT(chain.fault || chain.instance_max == chain.sets.size());
  for (std::size_t i = 0; i < chain.sets.size(); ++i) {
    const Set& set = chain.sets[i];
    COUNTERSIGN_ASSERT(set.instance == i + 1);
    COUNTERSIGN_ASSERT(header[set.aar_place].is("ARC-Authentication-Results"));
    COUNTERSIGN_ASSERT(header[set.ams_place].is("ARC-Message-Signature"));
    COUNTERSIGN_ASSERT(header[set.seal_place].is("ARC-Seal"));
  }
}

void check_outcome(const Outcome& outcome, const Chain& chain) {
  COUNTERSIGN_ASSERT((outcome.status == ChainStatus::pass) == (outcome.reason == Reason::valid));
  COUNTERSIGN_ASSERT((outcome.status == ChainStatus::none) == (outcome.reason == Reason::no_sets));
  COUNTERSIGN_ASSERT((outcome.status == ChainStatus::fail) || !chain.fault);
  COUNTERSIGN_ASSERT(outcome.sets.size() == chain.sets.size());
  COUNTERSIGN_ASSERT(outcome.oldest_pass <= chain.sets.size());
  for (const char c : outcome.detail) COUNTERSIGN_ASSERT(!text::is_ctl(c));
  if (outcome.status != ChainStatus::pass) return;
  for (const SetResult& set : outcome.sets) {
    COUNTERSIGN_ASSERT(set.seal.result == dkim::Result::pass);
    const bool verifies = set.message_signature.result == dkim::Result::pass;
    COUNTERSIGN_ASSERT(verifies || set.instance < outcome.oldest_pass);
  }
}

const crypto::PrivateKey& key() {
  static const crypto::PrivateKey made =
      crypto::PrivateKey::parse_ed25519_seed(std::string(32, 'k')).value();
  return made;
}

// Seals the message and reads the set with the ones that were there.
void check_sealing(const Message& message, std::string_view payload, const Chain& chain,
                   ChainStatus status) {
  const Limits limits;
  Sealer sealer({.sdid = DomainName::parse("example.com").value(),
                 .selector = DomainName::parse("june").value(),
                 .key = key(),
                 .signed_fields = {}},
                limits);
  sealer.body(message.body);
  const auto fields = std::move(sealer).finish(
      message.header,
      {.chain_status = status, .payload = "mx.example; " + std::string(payload), .now = now});
  COUNTERSIGN_ASSERT(fields || chain.has_ended() || chain.instance_max >= limits.arc_sets_max);
  if (!fields) return;
  for (const HeaderField& field : *fields)
    for (std::size_t at = field.raw().find('\n'); at != std::string_view::npos;
         at = field.raw().find('\n', at + 1))
      COUNTERSIGN_ASSERT(field.raw()[at - 1] == '\r' && text::is_wsp(field.raw()[at + 1]));
  Header grown = *fields;
  grown.insert(grown.end(), message.header.begin(), message.header.end());
  const Chain after = collect_chain(grown, limits);
  COUNTERSIGN_ASSERT(after.instance_max == chain.instance_max + 1);
  COUNTERSIGN_ASSERT(after.has_ended() || after.sets.size() == chain.sets.size() + 1);
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

  const Chain chain = collect_chain(message->header, limits);
  check_chain(chain, message->header);
  Verifier verifier(message->header, limits);
  verifier.body(message->body);
  dns::Asking<Outcome> asking = std::move(verifier).finish(now);
  const std::vector<dns::OpenQuestion> questions = asking.take_questions();
  COUNTERSIGN_ASSERT(questions.size() <= 2 * chain.sets.size());
  if (script.size() < questions.size()) return 0;  // Dropped while it asks.
  for (std::size_t i = 0; i < questions.size(); ++i) {
    const std::string& name = questions[i].question.name;
    COUNTERSIGN_ASSERT(name.size() <= 253 && name.contains("._domainkey."));
    asking.answer(questions[i].id, answer_of(script[i], text));
  }
  COUNTERSIGN_ASSERT(asking.done());
  const Outcome outcome = asking.take();
  check_outcome(outcome, chain);
  check_sealing(*message, text, chain, outcome.status);
  return 0;
}
