// SPDX-License-Identifier: Apache-2.0
//
// Any octets as the value of a DKIM-Signature field. What is accepted must read the same when it is
// written, and its b= must be found where it is emptied for hashing.

#include <cstddef>
#include <cstdint>
#include <string>

#include "countersign/assert.hpp"
#include "countersign/dkim/signature.hpp"
#include "countersign/dkim/signed_header.hpp"
#include "countersign/text/abnf.hpp"

namespace {

using namespace countersign;
using namespace countersign::dkim;

bool equal(const Signature& a, const Signature& b) {
  return a.algorithm == b.algorithm && a.signature == b.signature && a.body_hash == b.body_hash &&
         a.header_canonicalization == b.header_canonicalization &&
         a.body_canonicalization == b.body_canonicalization && a.sdid == b.sdid &&
         a.auid == b.auid && a.selector == b.selector && a.signed_fields == b.signed_fields &&
         a.body_length == b.body_length && a.time == b.time && a.expires == b.expires &&
         a.copied_fields == b.copied_fields && a.requests_reports == b.requests_reports;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string value(data, data + size);
  const auto signature = parse_signature(value, Limits{});
  const HeaderField field("DKIM-Signature:" + value);
  const HeaderField emptied = without_signature_value(field);
  COUNTERSIGN_ASSERT(emptied.raw().size() <= field.raw().size());
  if (!signature) {
    COUNTERSIGN_ASSERT(signature.error().offset <= size);
    return 0;
  }
  // An accepted field has one b=, and it is not empty.
  COUNTERSIGN_ASSERT(emptied.raw().size() < field.raw().size());
  COUNTERSIGN_ASSERT(without_signature_value(emptied) == emptied);

  const std::string written = format_signature(*signature);
  const HeaderField again(written);
  const auto read = parse_signature(again.value(), Limits{});
  COUNTERSIGN_ASSERT(read && equal(*read, *signature));
  COUNTERSIGN_ASSERT(without_signature_value(again).raw() == format_unsigned(*signature).text());
  return 0;
}
