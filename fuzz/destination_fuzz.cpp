// SPDX-License-Identifier: Apache-2.0
//
// Any octets as a URI of rua=, and as the record of the host that it names: no address has an octet
// that could end a line or name a second recipient, and mail goes to that host or to nobody.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

#include "countersign/assert.hpp"
#include "countersign/message/compose.hpp"
#include "countersign/report/destination.hpp"
#include "countersign/text/abnf.hpp"

namespace {

using namespace countersign;
using namespace countersign::report;

void check(const Mailbox& mailbox) {
  COUNTERSIGN_ASSERT(!mailbox.local_part.empty() && mailbox.local_part.size() <= 64);
  COUNTERSIGN_ASSERT((text::is_ascii_atext | text::CharClass(".")).all_of(mailbox.local_part));
  COUNTERSIGN_ASSERT(mailbox.domain.label_count() > 1);
  COUNTERSIGN_ASSERT(format_address(mailbox) == mailbox.address());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string octets(data, data + size);
  const std::size_t end = std::min(octets.find('\n'), octets.size());
  const std::string uri = octets.substr(0, end);
  const std::string record = octets.substr(std::min(end + 1, octets.size()));
  const Limits limits;
  const auto mailbox = parse_destination(uri, limits);
  if (mailbox) check(*mailbox);

  const DomainName policy_domain = *DomainName::parse("example.com");
  const auto checked =
      dns::run_with(check_destinations({policy_domain, {uri}, ReportKind::aggregate}, limits),
                    [&record](const dns::Question& question) {
                      COUNTERSIGN_ASSERT(question.name.size() <= 253);
                      dns::Answer answer{.status = dns::AnswerStatus::nxdomain};
                      if (!question.name.contains("._report.")) return answer;
                      answer.status = dns::AnswerStatus::records;
                      answer.records.emplace_back(dns::Text{{record}});
                      return answer;
                    });
  COUNTERSIGN_ASSERT(checked.size() == 1);
  for (const Mailbox& one : checked[0].mailboxes) {
    check(one);
    COUNTERSIGN_ASSERT(mailbox && one.domain == mailbox->domain);
  }
  if (!mailbox) COUNTERSIGN_ASSERT(checked[0].authorization == Authorization::malformed);
  return 0;
}
