// SPDX-License-Identifier: Apache-2.0
//
// Postfix's policy protocol: whole requests, requests in pieces, what a stranger may put into them,
// and replies that stay one line.

#include "countersign/mailflow/policy_request.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "tests/support/exact.hpp"

namespace countersign::mailflow {
namespace {

using Code = PolicyRequestErrorCode;

constexpr std::string_view kind = "request=smtpd_access_policy\n";

Result<PolicyRequest, PolicyRequestError> parse(std::string_view text, const Limits& limits = {}) {
  return parse_policy_request(test::exact(text).view(), limits);
}

void bad(std::string_view text, Code code, std::size_t offset, const Limits& limits = {}) {
  const auto request = parse(text, limits);
  ASSERT_FALSE(request) << text;
  EXPECT_EQ(request.error(), (PolicyRequestError{code, offset})) << text;
  EXPECT_FALSE(to_string(code).empty());
}

TEST(PolicyRequest, IsReadAttributeByAttribute) {
  const auto request = parse(
      "request=smtpd_access_policy\nprotocol_state=RCPT\nprotocol_name=ESMTP\n"
      "helo_name=mail.example.org\nqueue_id=8045F2AB23\nsender=bob@example.org\n"
      "recipient=carol@example.net\nrecipient_count=0\nclient_address=2001:db8::1\n"
      "client_name=mail.example.org\ninstance=123.456.7\nsasl_username=bob\nsize=12\n\n");
  ASSERT_TRUE(request);
  const PolicyRequest expected{.protocol_state = "RCPT",
                               .client_ip = IpAddress::parse("2001:db8::1"),
                               .client_name = "mail.example.org",
                               .helo_name = "mail.example.org",
                               .sender = "bob@example.org",
                               .recipient = "carol@example.net",
                               .queue_id = "8045F2AB23",
                               .instance = "123.456.7",
                               .sasl_username = "bob"};
  EXPECT_EQ(*request, expected);
}

TEST(PolicyRequest, KeepsValuesAsTheyAre) {
  const auto request =
      parse("sender= \"a=b\"@\xC3\xBC.example \nsasl_username=\n" + std::string(kind));
  ASSERT_TRUE(request);
  EXPECT_EQ(request->sender, " \"a=b\"@\xC3\xBC.example ");
  EXPECT_EQ(request->sasl_username, "");
  EXPECT_EQ(request->client_ip, std::nullopt);
}

TEST(PolicyRequest, EndsAtTheEmptyLine) {
  const auto request = parse(std::string(kind) + "sender=a\n\nsender=b\n\n");
  ASSERT_TRUE(request);
  EXPECT_EQ(request->sender, "a");
}

TEST(PolicyRequest, TakesCarriageReturns) {
  const auto request = parse("request=smtpd_access_policy\r\nsender=a@example.org\r\n\r\n");
  ASSERT_TRUE(request);
  EXPECT_EQ(request->sender, "a@example.org");
}

TEST(PolicyRequest, KnowsNoAddressThatIsNone) {
  for (const std::string_view address : {"unknown", "", "192.0.2", "192.0.2.1 "}) {
    const auto request = parse(std::string(kind) + "client_address=" + std::string(address));
    ASSERT_TRUE(request);
    EXPECT_EQ(request->client_ip, std::nullopt) << address;
  }
}

TEST(PolicyRequest, ThatIsMalformedIsRefused) {
  bad("", Code::not_a_request, 0);
  bad("\n", Code::not_a_request, 0);
  bad("sender=a\n\n", Code::not_a_request, 0);
  bad("request=junk\n\n", Code::not_a_request, 0);
  bad(std::string(kind) + "sender\n\n", Code::missing_equals, kind.size());
  bad(std::string(kind) + "=a\n\n", Code::missing_equals, kind.size());
  bad(std::string(kind) + "sender=a\nsender=b\n\n", Code::repeated_attribute, kind.size() + 9);
  bad(std::string(kind) + "sender=a" + std::string(1, '\0') + "b\n\n", Code::bad_octet,
      kind.size() + 8);
}

TEST(PolicyRequest, MayRepeatWhatNobodyReads) {
  EXPECT_TRUE(parse(std::string(kind) + "stress=\nstress=yes\n\n"));
}

TEST(PolicyRequest, IsBounded) {
  const Limits limits;
  const std::string line = "a=b\n";
  std::string lines(kind);
  for (std::size_t i = 1; i < limits.policy_attributes_max; ++i) lines += line;
  EXPECT_TRUE(parse(lines));
  bad(lines + line, Code::too_many_lines, lines.size());
  const std::string longest = std::string(kind) + "a=" +
                              std::string(limits.policy_request_bytes_max - kind.size() - 2, 'b');
  EXPECT_TRUE(parse(longest));
  bad(longest + "b", Code::too_long, limits.policy_request_bytes_max);
}

TEST(PolicyRequestSize, IsThatOfTheFirstWhole) {
  const auto size = [](std::string_view buffer, std::size_t seen = 0) {
    return policy_request_size(test::exact(buffer).view(), seen);
  };
  EXPECT_EQ(size(""), std::nullopt);
  EXPECT_EQ(size("a=b"), std::nullopt);
  EXPECT_EQ(size("a=b\n"), std::nullopt);
  EXPECT_EQ(size("a=b\n\n"), 5U);
  EXPECT_EQ(size("a=b\nc=d\n\ne=f\n\n"), 9U);
  EXPECT_EQ(size("a=b\r\n\r\n"), 7U);
  EXPECT_EQ(size("a=b\r\n\r"), std::nullopt);
  EXPECT_EQ(size("a=b\n\r\n"), 6U);
  EXPECT_EQ(size("a=\r\r\n"), std::nullopt);
  EXPECT_EQ(size("\n"), 1U);
  EXPECT_EQ(size("\r\n"), 2U);
}

TEST(PolicyRequestSize, IsTheSameHoweverItComes) {
  for (const std::string whole : {"a=b\nc=d\n\n", "a=b\r\nc=d\r\n\r\n", "\n", "a=b\n\r\n"}) {
    for (std::size_t first = 0; first < whole.size(); ++first) {
      const std::string_view piece = std::string_view(whole).substr(0, first);
      EXPECT_EQ(policy_request_size(piece), std::nullopt) << first;
      EXPECT_EQ(policy_request_size(whole, first), whole.size()) << first;
    }
  }
}

TEST(PolicyReply, IsOneLineWhateverIsInIt) {
  const Limits limits;
  EXPECT_EQ(format_policy_reply("DUNNO", limits), "action=DUNNO\n\n");
  for (int octet = 0; octet < 256; ++octet) {
    const char c = static_cast<char>(octet);
    const bool is_shown = octet >= ' ' && octet <= '~';
    EXPECT_EQ(format_policy_reply(std::string(1, c), limits),
              std::string("action=") + (is_shown ? c : '?') + "\n\n");
  }
  const std::string longest(limits.policy_action_bytes_max, 'a');
  EXPECT_EQ(format_policy_reply(longest + "b", limits), "action=" + longest + "\n\n");
}

}  // namespace
}  // namespace countersign::mailflow
