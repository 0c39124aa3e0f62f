// SPDX-License-Identifier: Apache-2.0
//
// The sealing cases of ARC. The chain that a message brings along is validated first, with the zone
// of the case, and what the seal then says of it is part of what is expected, octet by octet.

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>

#include "countersign/arc/chain.hpp"
#include "countersign/arc/sealer.hpp"
#include "countersign/authres/payload.hpp"
#include "countersign/dns/zone.hpp"
#include "countersign/message/splitter.hpp"
#include "countersign/text/abnf.hpp"
#include "tests/support/conformance.hpp"

namespace countersign::arc {
namespace {

using test::ConformanceCase;
using Sealed = Result<std::vector<HeaderField>, Refusal>;

// The parts of a field as the data gives them: without white space, split at ";", sorted.
std::vector<std::string> parts_of(std::string_view value) {
  std::vector<std::string> parts(1);
  for (const char c : value) {
    if (c == ';')
      parts.emplace_back();
    else if (!text::is_fws(c))
      parts.back() += c;
  }
  std::erase(parts, "");
  std::ranges::sort(parts);
  return parts;
}

class ArcSign : public testing::TestWithParam<ConformanceCase> {
 protected:
  void SetUp() override {
    auto split = split_message(GetParam().octets("message"), limits_);
    ASSERT_TRUE(split);
    message_ = *std::move(split);
    now_ = std::chrono::sys_seconds(
        std::chrono::seconds(GetParam().data().at("t").to_number<std::int64_t>()));
  }

  Outcome validate() const {
    Verifier verifier(message_.header, limits_);
    verifier.body(message_.body);
    return GetParam().zone().run(std::move(verifier).finish(now_));
  }

  SealingIdentity identity() const {
    const ConformanceCase& given = GetParam();
    return {.sdid = *DomainName::parse(given.text("domain")),
            .selector = *DomainName::parse(given.text("selector")),
            .key = *crypto::PrivateKey::parse_pem(given.text("private_key_pem"), limits_),
            .signed_fields = test::strings_of(given.data().at("headers"))};
  }

  Sealed seal() const {
    Sealer sealer(identity(), limits_);
    sealer.body(message_.body);
    return std::move(sealer).finish(message_.header,
                                    {.chain_status = validate().status,
                                     .payload = authres::merge_payloads(
                                         message_.header, GetParam().text("authserv_id"), limits_),
                                     .now = now_});
  }

  void expect_parts(const HeaderField& field, std::string_view member) const {
    const boost::json::value& expect = GetParam().data().at("expect");
    EXPECT_EQ(parts_of(field.value()), test::strings_of(expect.at(member).at("parts")))
        << field.raw();
  }

  Limits limits_;
  Message message_;
  std::chrono::sys_seconds now_;
};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(ArcSign);

TEST_P(ArcSign, MakesTheExpectedSet) {
  const Sealed fields = seal();
  const bool expected = GetParam().data().at("expect").at("signed").as_bool();
  ASSERT_EQ(fields.has_value(), expected);
  if (!expected) return;
  ASSERT_EQ(fields->size(), 3u);
  EXPECT_TRUE((*fields)[0].is("ARC-Seal"));
  EXPECT_TRUE((*fields)[1].is("ARC-Message-Signature"));
  EXPECT_TRUE((*fields)[2].is("ARC-Authentication-Results"));
  expect_parts((*fields)[0], "as");
  expect_parts((*fields)[1], "ams");
  expect_parts((*fields)[2], "aar");
}

// What we seal we validate: a chain that is whole stays so, and a broken one stays broken.
TEST_P(ArcSign, ValidatesWhatItSealed) {
  const ChainStatus before = validate().status;
  const Sealed fields = seal();
  if (!fields) return;
  message_.header.insert(message_.header.begin(), fields->begin(), fields->end());
  const Outcome after = validate();
  EXPECT_EQ(after.status, before == ChainStatus::fail ? ChainStatus::fail : ChainStatus::pass)
      << after.detail;
}

INSTANTIATE_TEST_SUITE_P(Signing, ArcSign,
                         testing::ValuesIn(test::conformance_cases("arc/signing.json")),
                         test::conformance_test_name);

}  // namespace
}  // namespace countersign::arc
