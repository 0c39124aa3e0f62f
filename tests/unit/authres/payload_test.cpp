// SPDX-License-Identifier: Apache-2.0
//
// The results of several fields as one text.

#include "countersign/authres/payload.hpp"

#include <gtest/gtest.h>

#include "countersign/authres/field.hpp"

namespace countersign::authres {
namespace {

Header header(std::initializer_list<const char*> values) {
  Header fields;
  for (const char* value : values)
    fields.push_back(HeaderField("Authentication-Results:" + std::string(value)));
  return fields;
}

std::string merge(const Header& fields, std::string_view id = "mx.example.com") {
  return merge_payloads(fields, id, Limits{});
}

TEST(MergePayloads, JoinsTheResultsFromTheTopDown) {
  EXPECT_EQ(merge(header({" mx.example.com; spf=pass smtp.helo=a; dkim=fail (why; not) ; ",
                          " other.example.com; dmarc=pass", "MX.example.COM 1;\r\n dmarc=none"})),
            "mx.example.com; spf=pass smtp.helo=a; dkim=fail (why; not); dmarc=none");
}

TEST(MergePayloads, SaysNoneWithoutResults) {
  EXPECT_EQ(merge({}), "mx.example.com; none");
  EXPECT_EQ(merge(header({"mx.example.com; none", "other.example; spf=pass"})),
            "mx.example.com; none");
  EXPECT_EQ(merge(header({"mx.example.com; none", "mx.example.com; spf=fail"})),
            "mx.example.com; spf=fail");
}

TEST(MergePayloads, FindsTheIdInAnySpelling) {
  EXPECT_EQ(merge(header({"(a;b) \"mx.example.com\" (c;\"d) ; spf=pass"})),
            "mx.example.com; spf=pass");
}

TEST(MergePayloads, QuotesAnIdThatIsNoToken) {
  EXPECT_EQ(merge(header({"\"mx;1\"; spf=pass"}), "mx;1"), "\"mx;1\"; spf=pass");
}

// S-23: what is repeated under our name was read as being under our name, by the strict reader.
TEST(MergePayloads, LeavesOutWhatItCannotReadS23) {
  EXPECT_EQ(merge(header({"mx.example.com; spf=pass smtp.helo=a(b", "mx.example.com spf=pass",
                          "mx.example.com(.attack.example; spf=pass",
                          "attack.example; mx.example.com; spf=pass", "mx.example.com.; spf=pass",
                          "mx.example.com 2; spf=pass"})),
            "mx.example.com; none");
}

TEST(MergePayloads, MakesWhatCanBeRead) {
  const std::string payload = merge(header({"mx.example.com; spf=pass reason=\"a;b\"; dkim=none;",
                                            "mx.example.com; dmarc=pass (ok) header.from=a"}));
  const auto field = parse_field(payload, Limits{});
  ASSERT_TRUE(field.has_value()) << payload;
  EXPECT_EQ(field->results.size(), 3u);
}

}  // namespace
}  // namespace countersign::authres
