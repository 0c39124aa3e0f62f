// SPDX-License-Identifier: Apache-2.0
//
// Any octets as requests of Postfix's policy protocol, one after the other. However they come, the
// same requests are found; each is refused or answered in one line of printable ASCII.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "countersign/assert.hpp"
#include "countersign/dns/zone.hpp"
#include "countersign/mailflow/policy_answer.hpp"

namespace {

using namespace countersign;
using namespace countersign::mailflow;

dns::Zone zone() {
  dns::Zone zone;
  zone.add_txt("pass.example", "v=spf1 ip4:192.0.2.0/24 -all");
  zone.add_txt("fail.example", "v=spf1 -all exp=why.fail.example");
  zone.add_txt("why.fail.example", "%{s} %{h} %{i} %{r}");
  zone.add_txt("softfail.example", "v=spf1 exists:%{l}.fail.example ~all");
  zone.fail_all("temperror.example", dns::AnswerStatus::servfail);
  return zone;
}

bool is_printable(char c) { return c >= ' ' && c <= '~'; }

void check_reply(std::string_view action, const Limits& limits) {
  const std::string reply = format_policy_reply(action, limits);
  COUNTERSIGN_ASSERT(reply.starts_with("action=") && reply.ends_with("\n\n"));
  const std::string_view line = std::string_view(reply).substr(0, reply.size() - 2);
  COUNTERSIGN_ASSERT(std::ranges::all_of(line, is_printable));
}

void answer(const PolicyRequest& request, AddedField field, const Limits& limits) {
  static const dns::Zone answers = zone();
  SpfAccessPolicy policy;
  policy.helo = RefuseFrom::null_sender;
  policy.mail_from = RefuseFrom::softfail;
  policy.defers_temperror = true;
  policy.field = field;
  policy.reason = "{rejectdefer}: {spf}";
  policy.trusted_helo.add(".example", {});
  policy.must_pass.entries.add("pass.example", {});
  const PolicyAnswer found = answers.run(answer_policy_request(request, policy, {}, limits));
  COUNTERSIGN_ASSERT(std::ranges::all_of(found.text, is_printable));
  check_reply(found.text, limits);
  AnsweredMessage message;
  COUNTERSIGN_ASSERT(message.keep(request, {}, found) == found.text);
  const std::optional<std::string> again = message.recall(request, {});
  COUNTERSIGN_ASSERT(!message.recall(request, "bob@example.com"));
  COUNTERSIGN_ASSERT(again.has_value() == !request.instance.empty());
  COUNTERSIGN_ASSERT(!again || !again->starts_with("PREPEND"));
  const SpfAccessPolicies policies{.usual = {}, .of_recipients = {}};
  COUNTERSIGN_ASSERT(&policies.choose(request.recipient).policy == &policies.usual);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Limits limits;
  const std::string octets(data, data + size);
  check_reply(octets, limits);
  std::string_view rest = octets;
  while (const std::optional<std::size_t> end = policy_request_size(rest)) {
    for (std::size_t seen = 0; seen < *end; seen += 1 + *end / 8) {
      COUNTERSIGN_ASSERT(!policy_request_size(rest.substr(0, seen)));
      COUNTERSIGN_ASSERT(policy_request_size(rest, seen) == end);
    }
    const auto request = parse_policy_request(rest.substr(0, *end), limits);
    if (request) {
      answer(*request, AddedField::received_spf, limits);
      answer(*request, AddedField::authentication_results, limits);
    } else {
      COUNTERSIGN_ASSERT(request.error().offset <= *end);
    }
    rest.remove_prefix(*end);
  }
  return 0;
}
