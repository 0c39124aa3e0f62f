// SPDX-License-Identifier: Apache-2.0
//
// A body cut into chunks by the fuzzer: each octet of the first half says how long the next chunk
// of the second half is. Whatever the cuts, the canonical octets and the hashes must be those of
// the plain implementation. The same octets are canonicalized as a header field too.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "countersign/assert.hpp"
#include "countersign/dkim/body_hash.hpp"
#include "countersign/dkim/canonicalize.hpp"
#include "tests/support/plain_canonicalization.hpp"

namespace {

using namespace countersign;
using namespace countersign::dkim;

class StringSink final : public OctetSink {
 public:
  void take(std::string_view octets) override {
    COUNTERSIGN_ASSERT(!octets.empty());
    text += octets;
  }
  std::string text;
};

template <class Take>
void cut(std::string_view body, std::string_view cuts, Take take) {
  for (const char octet : cuts) {
    const auto length = static_cast<unsigned char>(octet);
    // An exact-size copy, so that a sanitizer sees a read past the end of the chunk.
    const std::string chunk(body.substr(0, length));
    take(std::string_view(chunk));
    body.remove_prefix(chunk.size());
  }
  take(body);
}

void check(std::string_view body, std::string_view cuts, Canonicalization canonicalization) {
  const std::string expected =
      test::plain_canonical_body(body, canonicalization == Canonicalization::relaxed);
  BodyCanonicalizer canonicalizer(canonicalization);
  StringSink sink;
  cut(body, cuts, [&](std::string_view chunk) { canonicalizer.update(chunk, sink); });
  canonicalizer.finish(sink);
  COUNTERSIGN_ASSERT(sink.text == expected);

  BodyHashes hashes;
  const std::uint64_t length = cuts.size();
  const std::size_t whole = hashes.want(canonicalization);
  const std::size_t part = hashes.want(canonicalization, length);
  cut(body, cuts, [&](std::string_view chunk) { hashes.update(chunk); });
  hashes.finish();
  COUNTERSIGN_ASSERT(hashes.of(whole).digest == crypto::sha256(expected));
  COUNTERSIGN_ASSERT(hashes.of(whole).octets_total == expected.size());
  COUNTERSIGN_ASSERT(hashes.of(part).digest == crypto::sha256(expected.substr(0, length)));
  COUNTERSIGN_ASSERT(hashes.of(part).octets_hashed == std::min(length, expected.size()));
}

// A canonical field is its own canonical form, unless line ends are left in it that fold nothing.
void check_field(std::string_view raw) {
  const HeaderField field{std::string(raw)};
  std::string once;
  append_canonical_field(once, field, Canonicalization::relaxed);
  std::string twice;
  append_canonical_field(twice, HeaderField(once), Canonicalization::relaxed);
  COUNTERSIGN_ASSERT(once == twice || once.contains('\r'));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string input(data, data + size);
  const std::string_view cuts = std::string_view(input).substr(0, size / 2);
  const std::string_view body = std::string_view(input).substr(size / 2);
  check(body, cuts, Canonicalization::simple);
  check(body, cuts, Canonicalization::relaxed);
  check_field(body);
  return 0;
}
