// SPDX-License-Identifier: Apache-2.0
//
// The canonicalization cases: header fields and bodies, octet by octet, with their body hashes.

#include <gtest/gtest.h>

#include "countersign/dkim/body_hash.hpp"
#include "countersign/dkim/canonicalize.hpp"
#include "countersign/text/base64.hpp"
#include "tests/support/conformance.hpp"
#include "tests/support/exact.hpp"

namespace countersign::dkim {
namespace {

using test::ConformanceCase;

class StringSink final : public OctetSink {
 public:
  void take(std::string_view octets) override { text += octets; }
  std::string text;
};

// The cases hold a whole header with its line ends, the unit tests one field at a time.
std::string canonical_header(std::string_view header, Canonicalization canonicalization) {
  std::string out;
  while (!header.empty()) {
    std::size_t end = header.find("\r\n");
    while (end != header.npos && end + 2 < header.size() &&
           (header[end + 2] == ' ' || header[end + 2] == '\t'))
      end = header.find("\r\n", end + 2);
    append_canonical_field(out, HeaderField(std::string(header.substr(0, end))), canonicalization);
    out += "\r\n";
    header.remove_prefix(end + 2);
  }
  return out;
}

class DkimCanonicalization : public testing::TestWithParam<ConformanceCase> {
 protected:
  [[nodiscard]] Canonicalization canonicalization() const {
    return GetParam().text("algorithm") == "simple" ? Canonicalization::simple
                                                    : Canonicalization::relaxed;
  }
  [[nodiscard]] std::string expected(std::string_view member) const {
    return test::octets_of(GetParam().data().at("expect").at(member));
  }
};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(DkimCanonicalization);

TEST_P(DkimCanonicalization, GivesTheOctets) {
  const test::Exact input = test::exact(GetParam().octets("input"));
  if (GetParam().text("part") == "header") {
    EXPECT_EQ(canonical_header(input.view(), canonicalization()), expected("output"));
    return;
  }
  BodyCanonicalizer body(canonicalization());
  StringSink sink;
  body.update(input.view(), sink);
  body.finish(sink);
  EXPECT_EQ(sink.text, expected("output"));

  BodyHashes hashes;
  const std::size_t wish = hashes.want(canonicalization());
  hashes.update(input.view());
  hashes.finish();
  EXPECT_EQ(text::encode_base64(crypto::as_octets(hashes.of(wish).digest)),
            expected("sha256_base64"));
  EXPECT_EQ(hashes.of(wish).octets_total, sink.text.size());
}

INSTANTIATE_TEST_SUITE_P(All, DkimCanonicalization,
                         testing::ValuesIn(test::conformance_cases("dkim/canonicalization.json")),
                         test::conformance_test_name);

}  // namespace
}  // namespace countersign::dkim
