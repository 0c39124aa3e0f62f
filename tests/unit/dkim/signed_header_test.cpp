// SPDX-License-Identifier: Apache-2.0
//
// Which fields the names of h= stand for, and a signature field without its value.

#include "countersign/dkim/signed_header.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/dkim.hpp"

namespace countersign::dkim {
namespace {

using enum Canonicalization;

std::string signed_octets(const Header& header, const std::vector<std::string>& names,
                          std::size_t own_place = no_place) {
  const FieldIndex index(header);
  const HeaderField own("DKIM-Signature: b=");
  std::string out;
  append_signed_fields(out, index,
                       {.names = names,
                        .canonicalization = relaxed,
                        .signature_field = own,
                        .own_place = own_place});
  return out;
}

std::string without(std::string_view raw) {
  return std::string(without_signature_value(HeaderField(std::string(raw))).raw());
}

TEST(SignedFields, ComeInTheOrderOfTheNames) {
  const Header header = sample::message("From: a\nTo: b\nSubject: c\n\n").header;
  EXPECT_EQ(signed_octets(header, {"subject", "FROM"}), "subject:c\r\nfrom:a\r\n");
}

// RFC 6376 §5.4.2: from the bottom up.
TEST(SignedFields, S27AreTheLowestOfTheirName) {
  const Header header = sample::message("X: 1\nY: 2\nX: 3\nX: 4\n\n").header;
  EXPECT_EQ(signed_octets(header, {"x"}), "x:4\r\n");
  EXPECT_EQ(signed_octets(header, {"x", "y", "x"}), "x:4\r\ny:2\r\nx:3\r\n");
  EXPECT_EQ(signed_octets(header, {"x", "x", "x", "x", "x"}), "x:4\r\nx:3\r\nx:1\r\n");
}

TEST(SignedFields, AreNothingWhereThereIsNone) {
  EXPECT_EQ(signed_octets(sample::message("X: 1\n\n").header, {"from", "to"}), "");
  EXPECT_EQ(signed_octets({}, {"from"}), "");
}

TEST(SignedFields, S27AreNeverTheSignatureItself) {
  const Header header =
      sample::message("DKIM-Signature: new\nDKIM-Signature: own\nDKIM-Signature: old\n\n").header;
  EXPECT_EQ(signed_octets(header, {"dkim-signature"}, 1), "dkim-signature:old\r\n");
  EXPECT_EQ(signed_octets(header, {"dkim-signature", "dkim-signature", "dkim-signature"}, 1),
            "dkim-signature:old\r\ndkim-signature:new\r\n");
}

TEST(SignedFields, AreNoLinesWithoutColon) {
  const Header header = {HeaderField("From: a"), HeaderField("From"), HeaderField("")};
  EXPECT_EQ(signed_octets(header, {"from", "from", ""}), "from:a\r\n");
}

TEST(SignedFields, AreFoundWithSpaceBeforeTheColon) {
  EXPECT_EQ(signed_octets({HeaderField("From \t: a")}, {"from"}), "from:a\r\n");
}

TEST(FieldIndex, TellsNamesApartByHash) {
  EXPECT_EQ(FieldIndex::hash_of("Subject"), FieldIndex::hash_of("sUBJECT"));
  EXPECT_NE(FieldIndex::hash_of("Subject"), FieldIndex::hash_of("Subjects"));
}

// "costarring" and "liquid" have the same FNV-1a hash.
TEST(FieldIndex, ComparesNamesWhoseHashesAreEqual) {
  ASSERT_EQ(FieldIndex::hash_of("costarring"), FieldIndex::hash_of("liquid"));
  const Header header = sample::message("Costarring: 1\nLiquid: 2\nCostarring: 3\n\n").header;
  EXPECT_EQ(signed_octets(header, {"liquid", "liquid"}), "liquid:2\r\n");
}

TEST(SignedHeader, HashesTheSignatureFieldWithoutLineEnd) {
  const Header header = sample::message("From: a\n\n").header;
  const std::vector<std::string> names = {"from"};
  const HeaderField own("DKIM-Signature: v=1;  b=");
  EXPECT_EQ(
      hash_signed_header(FieldIndex(header),
                         {.names = names, .canonicalization = relaxed, .signature_field = own}),
      crypto::sha256("from:a\r\ndkim-signature:v=1; b="));
  EXPECT_EQ(
      hash_signed_header(FieldIndex(header),
                         {.names = names, .canonicalization = simple, .signature_field = own}),
      crypto::sha256("From: a\r\nDKIM-Signature: v=1;  b="));
}

TEST(AddedFields, AreSingleOnesThatStandMoreOftenThanSigned) {
  const auto added = [](std::string_view text, const std::vector<std::string>& names) {
    const Header header = sample::message(text).header;
    return find_added_fields(FieldIndex(header), names);
  };
  using Names = std::vector<std::string_view>;
  EXPECT_EQ(added("From: a\nSubject: b\n\n", {"from", "subject"}), Names{});
  EXPECT_EQ(added("subject: x\nFrom: a\nSubject: b\n\n", {"from", "SUBJECT"}), Names{"Subject"});
  EXPECT_EQ(added("subject: x\nFrom: a\nSubject: b\n\n", {"from", "subject", "subject"}), Names{});
  EXPECT_EQ(added("Subject: x\nFrom: a\nSubject: b\n\n", {"from"}), Names{});
  EXPECT_EQ(added("Received: x\nReceived: y\nX: a\nX: b\n\n", {"received", "x"}), Names{});
}

TEST(WithoutSignatureValue, EmptiesTheTagAndNothingElse) {
  EXPECT_EQ(without("DKIM-Signature: v=1; b=abc"), "DKIM-Signature: v=1; b=");
  EXPECT_EQ(without("DKIM-Signature: v=1; b=abc; d=x"), "DKIM-Signature: v=1; b=; d=x");
  EXPECT_EQ(without("DKIM-Signature:b=abc;"), "DKIM-Signature:b=;");
  EXPECT_EQ(without("DKIM-Signature: b="), "DKIM-Signature: b=");
}

TEST(WithoutSignatureValue, TakesTheSpaceAroundTheValueWithIt) {
  EXPECT_EQ(without("DKIM-Signature: v=1;\r\n\tb = a b\r\n\tc \r\n\t; d=x"),
            "DKIM-Signature: v=1;\r\n\tb =; d=x");
  EXPECT_EQ(without("DKIM-Signature: v=1; b=abc\r\n "), "DKIM-Signature: v=1; b=");
}

TEST(WithoutSignatureValue, KnowsTheTagByItsWholeName) {
  EXPECT_EQ(without("X: bh=b; bb=1; B=2; z=b=4; b=3"), "X: bh=b; bb=1; B=2; z=b=4; b=");
  EXPECT_EQ(without("X: a=1; bh=b=2"), "X: a=1; bh=b=2");
  EXPECT_EQ(without("X b=1: a=1"), "X b=1: a=1");
  EXPECT_EQ(without("no colon; b=1"), "no colon; b=1");
}

}  // namespace
}  // namespace countersign::dkim
