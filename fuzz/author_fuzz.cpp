// SPDX-License-Identifier: Apache-2.0
//
// Any octets as the value of a From field. What is accepted must hold no control octets, and must
// read the same when it is written plainly.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "countersign/assert.hpp"
#include "countersign/message/author.hpp"
#include "countersign/text/cfws.hpp"

namespace {

using namespace countersign;

// The mailboxes written as a list of angle addresses with quoted local parts.
std::string write(const std::vector<Mailbox>& mailboxes) {
  std::string value;
  for (const Mailbox& mailbox : mailboxes) {
    const std::optional<std::string> quoted = text::quote(mailbox.local_part);
    COUNTERSIGN_ASSERT(quoted.has_value());
    if (!value.empty()) value += ',';
    value += '<' + *quoted + '@' + mailbox.domain.text() + '>';
  }
  return value;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string octets(data, data + size);
  const auto mailboxes = parse_mailbox_list(octets);
  const auto first = first_mailbox(octets);
  COUNTERSIGN_ASSERT(first.has_value() == mailboxes.has_value());
  if (!mailboxes) {
    COUNTERSIGN_ASSERT(mailboxes.error().offset <= size);
    COUNTERSIGN_ASSERT(first.error() == mailboxes.error());
    return 0;
  }
  COUNTERSIGN_ASSERT(!mailboxes->empty());
  COUNTERSIGN_ASSERT(*first == mailboxes->front());
  COUNTERSIGN_ASSERT(parse_mailbox_list(write(*mailboxes)) == mailboxes);

  const Header header = {HeaderField::from_parts("From", octets)};
  const auto authors = find_authors(header);
  COUNTERSIGN_ASSERT(authors == mailboxes);
  return 0;
}
