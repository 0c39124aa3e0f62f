// SPDX-License-Identifier: Apache-2.0
//
// The DKIM-Signature field: what is read, what is refused and where, and what is written.

#include "countersign/dkim/signature.hpp"

#include <gtest/gtest.h>

#include <ostream>
#include <string>
#include <vector>

#include "tests/support/exact.hpp"

namespace countersign::dkim {

static void PrintTo(const SignatureError& error, std::ostream* out) {
  *out << to_string(error.code) << " at " << error.offset;
}

namespace {

using enum SignatureErrorCode;

constexpr std::string_view minimal =
    " v=1; a=rsa-sha256; d=example.com; s=june; h=from; bh=YQ==; b=Yg==";

countersign::Result<Signature, SignatureError> parse(std::string_view value,
                                                     const Limits& limits = {}) {
  return parse_signature(test::exact(value).view(), limits);
}

Signature ok(std::string_view value) {
  const auto signature = parse(value);
  EXPECT_TRUE(signature.has_value()) << value << ": " << testing::PrintToString(signature.error());
  return signature.has_value() ? *signature : *parse(minimal);
}

// The minimal field with a tag added.
Signature ok_with(std::string_view tag) {
  return ok(std::string(minimal) + ";" + std::string(tag));
}

// The minimal field with the tag in the place of the one of that name, or added; the offset is that
// of the text of the tag from its first octet on.
std::string with(std::string_view tag) {
  const std::string name(tag.substr(0, tag.find('=') + 1));
  std::string value(minimal);
  const std::size_t begin = value.find(" " + name);
  if (begin == value.npos) return value + "; " + std::string(tag);
  const std::size_t end = std::min(value.find(';', begin), value.size());
  return value.replace(begin + 1, end - begin - 1, tag);
}

void bad(std::string_view value, SignatureErrorCode code, std::size_t offset,
         const Limits& limits = {}) {
  const auto signature = parse(value, limits);
  ASSERT_FALSE(signature.has_value()) << value;
  EXPECT_EQ(signature.error(), (SignatureError{code, offset})) << value;
}

// A bad value is reported where it begins.
void bad_tag(std::string_view tag, SignatureErrorCode code, const Limits& limits = {}) {
  const std::string value = with(tag);
  bad(value, code, value.find(tag) + tag.find('=') + 1, limits);
}

TEST(ParseSignature, ReadsTheRequiredTagsAndTheDefaultsOfTheRest) {
  const Signature signature = ok(minimal);
  EXPECT_EQ(signature.algorithm, Algorithm::rsa_sha256);
  EXPECT_EQ(signature.sdid.text(), "example.com");
  EXPECT_EQ(signature.selector.text(), "june");
  EXPECT_EQ(signature.signed_fields, std::vector<std::string>{"from"});
  EXPECT_EQ(signature.body_hash, "a");
  EXPECT_EQ(signature.signature, "b");
  EXPECT_EQ(signature.header_canonicalization, Canonicalization::simple);
  EXPECT_EQ(signature.body_canonicalization, Canonicalization::simple);
  EXPECT_EQ(signature.auid, "@example.com");
  EXPECT_EQ(signature.body_length, std::nullopt);
  EXPECT_EQ(signature.time, std::nullopt);
  EXPECT_EQ(signature.expires, std::nullopt);
  EXPECT_TRUE(signature.copied_fields.empty());
  EXPECT_FALSE(signature.requests_reports);
}

// RFC 6376 §3.5 has this field as its example.
TEST(ParseSignature, ReadsTheExampleOfTheRfc) {
  const Signature signature =
      ok(" v=1; a=rsa-sha256; d=example.net; s=brisbane;\r\n"
         "   c=simple; q=dns/txt; i=@eng.example.net;\r\n"
         "   t=1117574938; x=1118006938;\r\n"
         "   h=from:to:subject:date;\r\n"
         "   z=From:foo@eng.example.net|To:joe@example.com|\r\n"
         "     Subject:demo=20run|Date:July=205,=202005=203:44:08=20PM=20-0700;\r\n"
         "   bh=MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTI=;\r\n"
         "   b=dzdVyOfAKCdLXdJOc9G2q8LoXSlEniSbav+yuU4zGeeruD00lszZVoG4ZHRNiYzR");
  EXPECT_EQ(signature.auid, "@eng.example.net");
  EXPECT_EQ(signature.time, 1117574938u);
  EXPECT_EQ(signature.expires, 1118006938u);
  EXPECT_EQ(signature.signed_fields, (std::vector<std::string>{"from", "to", "subject", "date"}));
  EXPECT_EQ(signature.body_hash, "12345678901234567890123456789012");
  EXPECT_EQ(signature.copied_fields, (std::vector<std::pair<std::string, std::string>>{
                                         {"From", "foo@eng.example.net"},
                                         {"To", "joe@example.com"},
                                         {"Subject", "demo run"},
                                         {"Date", "July 5, 2005 3:44:08 PM -0700"}}));
}

TEST(ParseSignature, NeedsEachRequiredTag) {
  for (const std::string_view name : {"v", "a", "b", "bh", "d", "h", "s"}) {
    std::string value(minimal);
    const std::size_t begin = value.find(" " + std::string(name) + "=");
    value.erase(begin, std::min(value.find(';', begin), value.size() - 1) + 1 - begin);
    bad(value, missing_tag, 0);
  }
  bad("", missing_tag, 0);
}

TEST(ParseSignature, NeedsATagList) {
  bad("v", bad_tag_list, 1);
  bad(std::string(minimal) + "; d=example.net", bad_tag_list, minimal.size() + 2);
  bad(std::string(minimal) + "; 1=", bad_tag_list, minimal.size() + 2);
  bad(std::string(minimal) + ";;", bad_tag_list, minimal.size() + 1);
}

TEST(ParseSignature, IgnoresTagsThatItDoesNotKnow) {
  ok_with("unknown=value; V=2; D=other.example");
}

TEST(ParseSignature, KnowsVersionOneOnly) {
  for (const std::string_view tag : {"v=2", "v=", "v=1.0", "v=0.5", "v=01", "v=1 1"})
    bad_tag(tag, bad_version);
}

TEST(ParseSignature, KnowsThreeAlgorithms) {
  EXPECT_EQ(ok(with("a=ed25519-sha256")).algorithm, Algorithm::ed25519_sha256);
  EXPECT_EQ(ok(with("a=rsa-sha1")).algorithm, Algorithm::rsa_sha1);
  for (const std::string_view tag : {"a=rsa-md5", "a=rsa-sha512", "a=", "a=rsa", "a=rsa-sha256-",
                                     "a=RSA-SHA256", "a=ed25519-sha1"})
    bad_tag(tag, unknown_algorithm);
}

TEST(ParseSignature, ReadsCanonicalizations) {
  using enum Canonicalization;
  const auto of = [](const Signature& signature) {
    return std::pair(signature.header_canonicalization, signature.body_canonicalization);
  };
  EXPECT_EQ(of(ok(with("c=relaxed"))), std::pair(relaxed, simple));
  EXPECT_EQ(of(ok(with("c=relaxed/relaxed"))), std::pair(relaxed, relaxed));
  EXPECT_EQ(of(ok(with("c=simple/relaxed"))), std::pair(simple, relaxed));
  EXPECT_EQ(of(ok(with("c=simple"))), std::pair(simple, simple));
  for (const std::string_view tag :
       {"c=", "c=/", "c=relaxed/", "c=/relaxed", "c=nofws", "c=Relaxed", "c=simple/nofws",
        "c=simple/simple/simple", "c=simple / relaxed"})
    bad_tag(tag, unknown_canonicalization);
}

TEST(ParseSignature, NeedsAQueryMethodThatItKnows) {
  ok(with("q=dns/txt"));
  ok(with("q=other/one : dns/txt"));
  for (const std::string_view tag : {"q=", "q=dns", "q=DNS/TXT", "q=http/txt", "q=dns/txt/more"})
    bad_tag(tag, unknown_query_method);
}

TEST(ParseSignature, ReadsBase64WithFoldsInIt) {
  EXPECT_EQ(ok(with("b=Y\r\n\tWJ j")).signature, "abc");
  EXPECT_EQ(ok(with("bh= Y W J j ")).body_hash, "abc");
}

TEST(ParseSignature, RefusesWhatIsNoBase64) {
  bad_tag("b=", bad_base64);
  bad_tag("bh=", bad_base64);
  const std::string value = with("b=YWJ*");
  bad(value, bad_base64, value.find('*'));
  const std::string truncated = with("bh=YWJjY");
  bad(truncated, bad_base64, truncated.find("YWJjY") + 5);
}

TEST(ParseSignature, ReadsDomainAndSelector) {
  EXPECT_EQ(ok(with("d=Example.COM")).sdid.text(), "example.com");
  EXPECT_EQ(ok(with("s=june.2024._x")).selector.text(), "june.2024._x");
  EXPECT_EQ(ok(with("d=m\xC3\xBCnchen.example")).sdid.text(), "xn--mnchen-3ya.example");
}

// What must never reach a resolver (S-22).
TEST(ParseSignature, S22RefusesWhatIsNoDomainName) {
  const std::string long_label(64, 'a');
  for (const std::string& name :
       {std::string("com"), std::string("example.com."), std::string("."),
        std::string(".example.com"), std::string("example..com"),
        std::string("legitimate.com(.attacker.com"), std::string("legitimate.com'a.attacker.com"),
        std::string("exa mple.com"), std::string("example.com:53"), std::string("[192.0.2.1]"),
        std::string("*.example.com"), long_label + ".example.com", std::string("\xFF.example.com")})
    bad_tag("d=" + name, bad_domain);
  for (const std::string& name : {std::string("june."), std::string("a..b"), std::string("*"),
                                  std::string("a/b"), long_label})
    bad_tag("s=" + name, bad_selector);
  bad_tag("d=", bad_domain);
  bad_tag("s=", bad_selector);
  using std::string_literals::operator""s;
  const std::string value = with("s=x\0.any"s);
  bad(value, bad_tag_list, value.find('\0'));
}

TEST(ParseSignature, ReadsTheAuid) {
  EXPECT_EQ(ok(with("i=@example.com")).auid, "@example.com");
  EXPECT_EQ(ok(with("i=joe@Example.Com")).auid, "joe@example.com");
  EXPECT_EQ(ok(with("i=joe=40home@mail.example.com")).auid, "joe@home@mail.example.com");
  EXPECT_EQ(ok(with("i=j=C3=B6@example.com")).auid, "j\xC3\xB6@example.com");
  EXPECT_EQ(ok(with("i=j\xC3\xB6@example.com")).auid, "j\xC3\xB6@example.com");
  EXPECT_EQ(ok(with("i=jo\r\n e@exam\r\n\tple.com")).auid, "joe@example.com");
}

TEST(ParseSignature, S29RefusesAnAuidOutsideOfItsDomain) {
  for (const std::string_view tag : {"i=", "i=joe", "i=joe@", "i=@.", "i=@example.com."})
    bad_tag(tag, bad_auid);
  for (const std::string_view tag : {"i=@example.net", "i=@notexample.com", "i=@com",
                                     "i=@example.com.example.net", "i=@example.com@example.net"})
    bad_tag(tag, auid_outside_sdid);
}

TEST(ParseSignature, ReadsFieldNames) {
  EXPECT_EQ(ok(with("h=From : To:\r\n\tX-y_z:from")).signed_fields,
            (std::vector<std::string>{"From", "To", "X-y_z", "from"}));
  EXPECT_EQ(ok(with("h=to:FROM")).signed_fields, (std::vector<std::string>{"to", "FROM"}));
}

TEST(ParseSignature, RefusesWhatIsNoFieldName) {
  for (const std::string_view tag :
       {"h=", "h=:", "h=from:", "h=:from", "h=from::to", "h=from:t o", "h=from:t\xC3\xB6"})
    bad_tag(tag, bad_signed_fields);
  for (const std::string_view tag : {"h=to", "h=to:subject", "h=xfrom", "h=fro"})
    bad_tag(tag, from_not_signed);
  bad_tag("h=a:b:from", too_many_signed_fields, Limits{.signed_fields_max = 2});
  EXPECT_TRUE(parse(with("h=a:b:from"), Limits{.signed_fields_max = 3}));
}

TEST(ParseSignature, ReadsNumbers) {
  EXPECT_EQ(ok(with("l=0")).body_length, 0u);
  EXPECT_EQ(ok(with("l=00042")).body_length, 42u);
  EXPECT_EQ(ok(with("t=999999999999")).time, 999'999'999'999u);
  EXPECT_EQ(ok(with("l=18446744073709551615")).body_length, UINT64_MAX);
  EXPECT_EQ(ok(with("l=18446744073709551616")).body_length, UINT64_MAX);
  EXPECT_EQ(ok(with("l=" + std::string(76, '9'))).body_length, UINT64_MAX);
  for (const std::string_view name : {"l=", "t=", "x="})
    for (const std::string_view digits : {"", "-1", "+1", "1.0", "0x10", "1 0", "abc", "1\r\n 0"})
      bad_tag(std::string(name) + std::string(digits), bad_number);
  bad_tag("l=" + std::string(77, '0'), bad_number);
  bad_tag("t=1000000000000", bad_number);
  bad_tag("x=1000000000000", bad_number);
}

TEST(ParseSignature, S28NeedsAnExpiryLaterThanTheTime) {
  EXPECT_EQ(ok_with("t=10; x=11").expires, 11u);
  EXPECT_EQ(ok_with("x=1").expires, 1u);
  const std::string equal = std::string(minimal) + "; t=10; x=10";
  bad(equal, expires_before_signed, equal.size() - 2);
  const std::string earlier = std::string(minimal) + "; x=9; t=10";
  bad(earlier, expires_before_signed, earlier.find("x=") + 2);
}

TEST(ParseSignature, LeavesOutCopiesThatItCannotRead) {
  using Copies = std::vector<std::pair<std::string, std::string>>;
  EXPECT_EQ(ok_with("z=").copied_fields, Copies{});
  EXPECT_EQ(ok_with("z=From:a|nocolon|:noname| To : =20b =7C|T\xC3\xB6:x").copied_fields,
            (Copies{{"From", "a"}, {"To", " b|"}}));
}

TEST(ParseSignature, ReadsTheRequestForReports) {
  EXPECT_TRUE(ok_with("r=y").requests_reports);
  for (const std::string_view other : {"r=n", "r=", "r=Y"})
    EXPECT_FALSE(ok_with(other).requests_reports);
}

Signature full_signature() {
  Signature signature = ok(minimal);
  signature.algorithm = Algorithm::ed25519_sha256;
  signature.header_canonicalization = Canonicalization::relaxed;
  signature.body_canonicalization = Canonicalization::relaxed;
  signature.auid = "j\xC3\xB6;=| \r\n@mail.example.com";
  signature.signed_fields = {"From", "To", "Subject", "From"};
  signature.body_length = 7;
  signature.time = 1'700'000'000;
  signature.expires = 1'700'000'001;
  signature.copied_fields = {{"From", " J\xC3\xB6 | <a@example.com>"}, {"To", ""}};
  signature.requests_reports = true;
  signature.signature = std::string(256, '\xA5');
  signature.body_hash = std::string(32, '\x5A');
  return signature;
}

std::string_view value_of(std::string_view field) { return field.substr(field.find(':') + 1); }

TEST(FormatSignature, WritesWhatIsReadBackTheSame) {
  const Signature written = full_signature();
  const std::string field = format_signature(written);
  const Signature read = ok(value_of(field));
  EXPECT_EQ(read.algorithm, written.algorithm);
  EXPECT_EQ(read.signature, written.signature);
  EXPECT_EQ(read.body_hash, written.body_hash);
  EXPECT_EQ(read.header_canonicalization, written.header_canonicalization);
  EXPECT_EQ(read.body_canonicalization, written.body_canonicalization);
  EXPECT_EQ(read.sdid, written.sdid);
  EXPECT_EQ(read.auid, written.auid);
  EXPECT_EQ(read.selector, written.selector);
  EXPECT_EQ(read.signed_fields, written.signed_fields);
  EXPECT_EQ(read.body_length, written.body_length);
  EXPECT_EQ(read.time, written.time);
  EXPECT_EQ(read.expires, written.expires);
  EXPECT_EQ(read.copied_fields, written.copied_fields);
  EXPECT_EQ(read.requests_reports, written.requests_reports);
  EXPECT_EQ(format_signature(read), field);
}

TEST(FormatSignature, FoldsAtSeventyEightColumns) {
  Signature signature = full_signature();
  signature.signed_fields.assign(200, "X-Some-Field");
  signature.signed_fields.front() = "From";
  const std::string field = format_signature(signature);
  EXPECT_TRUE(field.starts_with("DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;"));
  for (std::size_t begin = 0; begin < field.size();) {
    const std::size_t end = std::min(field.find("\r\n", begin), field.size());
    EXPECT_LE(end - begin, 78u) << field.substr(begin, end - begin);
    EXPECT_NE(field.substr(begin, end - begin).find_first_not_of(" \t"), field.npos);
    if (begin != 0) EXPECT_EQ(field[begin], '\t');
    begin = end + 2;
  }
}

// A domain name cannot be folded, so no place in the line makes the writer try.
TEST(FormatSignature, KeepsTheAuidInOnePiece) {
  for (std::size_t octets = 1; octets < 80; ++octets) {
    Signature signature = ok(minimal);
    signature.auid = std::string(octets, 'x') + "@mail.example.com";
    EXPECT_TRUE(format_signature(signature).contains("i=" + signature.auid + ";")) << octets;
  }
}

TEST(FormatSignature, FoldsAnAuidThatNoLineHolds) {
  Signature signature = ok(minimal);
  signature.auid = std::string(1'000, '=') + "@example.com";
  const std::string field = format_signature(signature);
  for (std::size_t begin = 0, end = 0; end != field.size(); begin = end + 2) {
    end = std::min(field.find("\r\n", begin), field.size());
    EXPECT_LE(end - begin, 78u);
  }
  EXPECT_EQ(ok(value_of(field)).auid, signature.auid);
}

TEST(FormatSignature, LeavesOutWhatIsNotSet) {
  Signature signature = ok(minimal);
  signature.auid.clear();
  EXPECT_EQ(format_signature(signature),
            "DKIM-Signature: v=1; a=rsa-sha256; c=simple/simple; d=example.com; s=june;\r\n"
            "\tbh=YQ==; h=from; b=Yg==");
}

TEST(FormatSignature, EndsWithAnEmptyValueWhenUnsigned) {
  const Signature signature = full_signature();
  const std::string field = format_unsigned(signature).text();
  EXPECT_TRUE(field.ends_with("b="));
  EXPECT_TRUE(format_signature(signature).starts_with(field));
}

TEST(SignatureErrorCode, HasASentenceForEach) {
  std::vector<std::string_view> sentences;
  for (auto code = 0; code <= static_cast<int>(expires_before_signed); ++code) {
    const std::string_view sentence = to_string(static_cast<SignatureErrorCode>(code));
    EXPECT_NE(sentence.find("RFC "), sentence.npos) << sentence;
    EXPECT_EQ(std::ranges::count(sentences, sentence), 0) << sentence;
    sentences.push_back(sentence);
  }
}

}  // namespace
}  // namespace countersign::dkim
