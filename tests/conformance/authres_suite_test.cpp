// SPDX-License-Identifier: Apache-2.0
//
// The Authentication-Results cases: each is read, and what can be read is written and read again.

#include <gtest/gtest.h>

#include <string>

#include "countersign/authres/field.hpp"
#include "tests/support/conformance.hpp"
#include "tests/support/exact.hpp"

namespace countersign::authres {
namespace {

class AuthenticationResults : public testing::TestWithParam<test::ConformanceCase> {};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(AuthenticationResults);

// A result in the form of the cases.
boost::json::object json_of(const MethodResult& result) {
  boost::json::object properties;
  for (const Property& property : result.properties)
    properties[property.ptype + "." + property.name] = property.value;
  boost::json::object object;
  object["method"] = result.method;
  object["result"] = result.result;
  if (result.reason)
    object["reason"] = *result.reason;
  else
    object["reason"] = nullptr;
  object["properties"] = std::move(properties);
  return object;
}

TEST_P(AuthenticationResults, AreReadAsExpected) {
  const auto field = parse_field(test::exact(GetParam().octets("value")).view(), Limits{});
  const boost::json::object& expect = GetParam().data().at("expect").as_object();
  ASSERT_EQ(field.has_value(), expect.at("parses").as_bool());
  if (!field) return;
  EXPECT_EQ(field->authserv_id, expect.at("authserv_id").as_string());
  boost::json::array results;
  for (const MethodResult& result : field->results) results.push_back(json_of(result));
  EXPECT_EQ(results, expect.at("results").as_array());

  constexpr std::string_view name = "Authentication-Results:";
  const std::string text = format_field(*field, {}, Limits{}).substr(name.size());
  const auto again = parse_field(text, Limits{});
  ASSERT_TRUE(again.has_value()) << text;
  EXPECT_EQ(*again, *field) << text;
}

INSTANTIATE_TEST_SUITE_P(All, AuthenticationResults,
                         testing::ValuesIn(test::conformance_cases("authres/parse.json")),
                         test::conformance_test_name);

}  // namespace
}  // namespace countersign::authres
