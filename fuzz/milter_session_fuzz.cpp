// SPDX-License-Identifier: Apache-2.0
//
// A whole conversation of an MTA with a filter that signs. The first four octets are the size of
// the chunks and the steps that the MTA offers; the rest is what it sends behind its negotiation.
// Whatever it says, our replies can be read, a closed session is silent, and only mail of ours is
// signed.

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "countersign/assert.hpp"
#include "countersign/milter/packet_reply.hpp"
#include "countersign/milter/session.hpp"

namespace {

using namespace countersign;
using namespace countersign::milter;
using mailflow::Action;
using mailflow::Policy;
using mailflow::Reason;
using mailflow::SigningTable;

std::shared_ptr<const Policy> make_policy() {
  auto policy = std::make_shared<Policy>();
  policy->limits.header_fields_max = 50;
  policy->limits.header_bytes_max = 4'000;
  policy->limits.recipients_max = 5;
  policy->limits.milter_macros_max = 10;
  policy->limits.milter_macro_bytes_max = 500;
  policy->internal_hosts.add("127.0.0.1", {});
  policy->macros = {{"zone", {"in"}}};
  policy->unsigned_recipients = {"list@b.example"};
  policy->removes_old_signatures = true;
  policy->fixes_line_ends = true;
  policy->on_bad_author = Action::reject;
  policy->on_limit = Action::quarantine;
  policy->peers.add("198.51.100.0/24", {});
  policy->on_peer = Action::reject;
  policy->software_header = "countersign";
  policy->key_table.add(
      {.name = "key",
       .domain = std::nullopt,
       .selector = DomainName::parse("s1").value(),
       .key = crypto::PrivateKey::parse_ed25519_seed(std::string(32, 'k')).value(),
       .place = {}});
  policy->signing_table.emplace(SigningTable::Kind::patterns);
  COUNTERSIGN_ASSERT(!policy->signing_table->add({.pattern = "*@*.example", .key_name = "key"}));
  return policy;
}

void check(const mailflow::Outcome& outcome) {
  COUNTERSIGN_ASSERT(!outcome.reasons.empty());
  if (outcome.signatures.empty()) return;
  const Reason why = outcome.reasons.front().reason;
  COUNTERSIGN_ASSERT(why == Reason::authenticated || why == Reason::internal_host ||
                     why == Reason::macro);
  COUNTERSIGN_ASSERT(outcome.author.ends_with(".example"));
  COUNTERSIGN_ASSERT(outcome.action == Action::accept);
}

// Judges a message with the same answer of DNS to every question.
mailflow::Outcome judge(dns::Asking<mailflow::Outcome> judging, std::uint8_t number) {
  constexpr unsigned statuses = static_cast<unsigned>(dns::AnswerStatus::bogus) + 1;
  dns::Answer answer{.status = static_cast<dns::AnswerStatus>(number % statuses)};
  if (answer.status == dns::AnswerStatus::records)
    answer.records = {dns::Text{{"v=spf1 -all"}}, dns::Text{{"v=DMARC1; p=reject"}}};
  return dns::run_with(std::move(judging), [&answer](const dns::Question&) { return answer; });
}

void check(const Step& step) {
  std::string_view send = step.send;
  FrameReader reader(1'000'000);
  for (;;) {
    const auto frame = reader.next(send);
    COUNTERSIGN_ASSERT(frame);
    if (!*frame) break;
    COUNTERSIGN_ASSERT(parse_reply(**frame));
  }
  COUNTERSIGN_ASSERT(reader.at_boundary());
  for (const Event& event : step.events)
    if (const auto* finished = std::get_if<MessageFinished>(&event)) check(finished->outcome);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::shared_ptr<const Policy> policy = make_policy();
  if (size < 4) return 0;
  constexpr std::chrono::sys_seconds now{std::chrono::seconds{1'800'000'000}};
  const std::size_t chunk_octets = 1U + data[0];
  const std::uint32_t steps = data[1] * 0x1'0000U + data[2] * 0x100U + data[3];

  Session session([] { return policy; });
  check(session.receive(Negotiate{6, 0x1FF, steps, {}}, now));
  bool is_closed = false;
  for (std::size_t at = 4; at < size; at += chunk_octets) {
    const std::vector<char> chunk(data + at, data + std::min(size, at + chunk_octets));
    Step step = session.receive(std::string_view(chunk.data(), chunk.size()), now);
    COUNTERSIGN_ASSERT(!is_closed || (step.send.empty() && step.events.empty()));
    for (;;) {
      check(step);
      is_closed = is_closed || step.close;
      COUNTERSIGN_ASSERT(step.judging.has_value() == session.is_judging());
      if (!step.judging) break;
      step = session.finish(judge(*std::exchange(step.judging, std::nullopt), data[1]), now);
    }
  }
  check(session.end_of_input());
  COUNTERSIGN_ASSERT(is_closed || session.end_of_input().events.empty());
  return 0;
}
