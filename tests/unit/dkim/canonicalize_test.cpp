// SPDX-License-Identifier: Apache-2.0
//
// Canonicalization against the examples of the RFC, against a plain second implementation, and
// against itself under every cut of the body.

#include "countersign/dkim/canonicalize.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "tests/support/exact.hpp"
#include "tests/support/plain_canonicalization.hpp"

namespace countersign::dkim {
namespace {

using enum Canonicalization;

class StringSink final : public OctetSink {
 public:
  void take(std::string_view octets) override {
    text += octets;
    largest = std::max(largest, octets.size());
  }
  std::string text;
  std::size_t largest = 0;
};

std::string field(std::string_view raw, Canonicalization canonicalization) {
  std::string out;
  append_canonical_field(out, HeaderField(std::string(raw)), canonicalization);
  return out;
}

std::string body(const std::vector<std::string_view>& chunks, Canonicalization canonicalization) {
  BodyCanonicalizer canonicalizer(canonicalization);
  StringSink sink;
  for (const std::string_view chunk : chunks) canonicalizer.update(test::exact(chunk).view(), sink);
  canonicalizer.finish(sink);
  return sink.text;
}

std::string body(std::string_view whole, Canonicalization canonicalization) {
  return body(std::vector{whole}, canonicalization);
}

TEST(CanonicalField, FollowsTheExampleOfRfc6376Section345) {
  EXPECT_EQ(field("A: X", relaxed), "a:X");
  EXPECT_EQ(field("B : Y\t\r\n\tZ  ", relaxed), "b:Y Z");
  EXPECT_EQ(field("A: X", simple), "A: X");
  EXPECT_EQ(field("B : Y\t\r\n\tZ  ", simple), "B : Y\t\r\n\tZ  ");
}

TEST(CanonicalField, RelaxesFoldsAndRunsOfWhiteSpace) {
  for (const std::string_view raw :
       {"Subject: two words", "SUBJECT:two words", "subject \t :\ttwo  \t words",
        "Subject:two\r\n words", "Subject:\r\n two\r\n\twords", "Subject: two\r\n \r\n words\r\n ",
        "Subject: two words \t"})
    EXPECT_EQ(field(raw, relaxed), "subject:two words") << raw;
}

TEST(CanonicalField, IsEmptyBehindTheColonWhenTheValueIsSpace) {
  for (const std::string_view raw : {"X:", "X: ", "X: \t ", "X:\r\n ", "X: \r\n\t\r\n "})
    EXPECT_EQ(field(raw, relaxed), "x:") << testing::PrintToString(raw);
}

TEST(CanonicalField, KeepsLoneLineEndOctets) {
  EXPECT_EQ(field("X: a\rb", relaxed), "x:a\rb");
  EXPECT_EQ(field("X: a\nb", relaxed), "x:a\nb");
  EXPECT_EQ(field("X: \r b\r", relaxed), "x:\r b\r");
  EXPECT_EQ(field("X: a\r\nb", relaxed), "x:a\r\nb");
  EXPECT_EQ(field("X: a \r\n", relaxed), "x:a \r\n");
}

TEST(CanonicalField, ChangesNoOctetButSpaceAndTheCaseOfTheName) {
  for (int octet = 0; octet < 256; ++octet) {
    const char c = static_cast<char>(octet);
    const std::string value = std::string("A") + c + "Z";
    const bool space = c == ' ' || c == '\t';
    EXPECT_EQ(field("N:" + value, relaxed), space ? "n:A Z" : "n:" + value) << octet;
    EXPECT_EQ(field("N:" + value, simple), "N:" + value) << octet;
  }
}

TEST(CanonicalField, AppendsToWhatIsThere) {
  std::string out = "before|";
  append_canonical_field(out, HeaderField("A: b"), relaxed);
  append_canonical_field(out, HeaderField("C: d"), simple);
  EXPECT_EQ(out, "before|a:bC: d");
}

TEST(CanonicalBody, FollowsTheExampleOfRfc6376Section345) {
  EXPECT_EQ(body(" C \r\nD \t E\r\n\r\n\r\n", relaxed), " C\r\nD E\r\n");
  EXPECT_EQ(body(" C \r\nD \t E\r\n\r\n\r\n", simple), " C \r\nD \t E\r\n");
}

TEST(CanonicalBody, IsOneLineEndWhenSimpleAndEmpty) {
  for (const std::string_view empty : {"", "\r\n", "\r\n\r\n", "\r\n\r\n\r\n\r\n"}) {
    EXPECT_EQ(body(empty, simple), "\r\n");
    EXPECT_EQ(body(empty, relaxed), "");
  }
}

TEST(CanonicalBody, IsEmptyWhenRelaxedAndOnlySpace) {
  for (const std::string_view blank : {" ", "\t", " \r\n", "\r\n \t", " \r\n\t\r\n\r\n "})
    EXPECT_EQ(body(blank, relaxed), "") << testing::PrintToString(blank);
  EXPECT_EQ(body(" ", simple), " \r\n");
}

TEST(CanonicalBody, S33EndsItsLastLine) {
  for (const Canonicalization either : {simple, relaxed}) {
    EXPECT_EQ(body("a", either), "a\r\n");
    EXPECT_EQ(body("a\r\n", either), "a\r\n");
    EXPECT_EQ(body("a\r\n\r\n", either), "a\r\n");
    EXPECT_EQ(body("a\r\nb", either), "a\r\nb\r\n");
  }
  EXPECT_EQ(body("a \t", relaxed), "a\r\n");
}

TEST(CanonicalBody, S33TakesLoneLineEndOctetsForContent) {
  for (const Canonicalization either : {simple, relaxed}) {
    EXPECT_EQ(body("a\rb\r\n", either), "a\rb\r\n");
    EXPECT_EQ(body("a\nb\r\n", either), "a\nb\r\n");
    EXPECT_EQ(body("a\r", either), "a\r\r\n");
    EXPECT_EQ(body("a\n", either), "a\n\r\n");
    EXPECT_EQ(body("a\r\r\n", either), "a\r\r\n");
    EXPECT_EQ(body("\r", either), "\r\r\n");
    EXPECT_EQ(body("\n\n", either), "\n\n\r\n");
  }
  EXPECT_EQ(body("a \r b\r\n", relaxed), "a \r b\r\n");
  EXPECT_EQ(body("a \r", relaxed), "a \r\r\n");
  EXPECT_EQ(body("a \n b\r\n", relaxed), "a \n b\r\n");
}

TEST(CanonicalBody, ChangesNoOctetButSpace) {
  for (int octet = 0; octet < 256; ++octet) {
    const char c = static_cast<char>(octet);
    const std::string line = std::string("a") + c + "z\r\n";
    EXPECT_EQ(body(line, simple), line) << octet;
    EXPECT_EQ(body(line, relaxed), c == '\t' ? "a z\r\n" : line) << octet;
  }
}

// Places where a block of octets that are looked at together ends, so that what is special stands
// before, on and behind every edge.
TEST(CanonicalBody, FindsSpaceAtEveryPlaceOfALongLine) {
  for (const std::string_view special : {"  ", "\t", " \t", " \r\n", "\t\r\n", " \r", " "})
    for (std::size_t place = 0; place < 140; ++place) {
      const std::string text =
          std::string(place, 'x') + std::string(special) + std::string(140 - place, 'y') + "\r\n";
      EXPECT_EQ(body(text, relaxed), test::plain_canonical_body(text, true)) << place;
    }
}

// Texts of the octets that mean something and one that does not, every length up to six.
TEST(CanonicalBody, AgreesWithThePlainOneOnAllShortTextsInAllCuts) {
  constexpr std::string_view alphabet = "x \t\r\n";
  for (std::size_t length = 0, count = 1; length <= 6; ++length, count *= alphabet.size()) {
    for (std::size_t number = 0; number < count; ++number) {
      std::string text;
      for (std::size_t i = 0, rest = number; i < length; ++i, rest /= alphabet.size())
        text += alphabet[rest % alphabet.size()];
      for (const Canonicalization either : {simple, relaxed}) {
        const std::string expected = test::plain_canonical_body(text, either == relaxed);
        for (std::size_t cut = 0; cut <= length; ++cut)
          ASSERT_EQ(body({text.substr(0, cut), text.substr(cut)}, either), expected)
              << testing::PrintToString(text) << " cut at " << cut;
      }
    }
  }
}

TEST(CanonicalBody, S33DoesNotDependOnTheCutsOfALongText) {
  std::mt19937 random(1);
  constexpr std::string_view pieces[] = {
      "word", " ",    "  ",
      "\t",   "\r\n", "\r\n\r\n",
      "\r",   "\n",   "a longer piece of text that fills a block by itself"};
  for (int round = 0; round < 20; ++round) {
    std::string text;
    while (text.size() < 20'000) text += pieces[random() % std::size(pieces)];
    for (const Canonicalization either : {simple, relaxed}) {
      std::vector<std::string_view> chunks;
      for (std::string_view rest = text; !rest.empty();) {
        chunks.push_back(rest.substr(0, random() % 300));
        rest.remove_prefix(chunks.back().size());
      }
      EXPECT_EQ(body(chunks, either), test::plain_canonical_body(text, either == relaxed));
    }
  }
}

TEST(CanonicalBody, CountsEmptyLinesAndStoresNone) {
  constexpr std::size_t count = 2'000'000;
  std::string lines;
  for (std::size_t i = 0; i < count; ++i) lines += "\r\n";
  for (const Canonicalization either : {simple, relaxed}) {
    BodyCanonicalizer canonicalizer(either);
    StringSink sink;
    canonicalizer.update("a", sink);
    canonicalizer.update(lines, sink);
    EXPECT_EQ(sink.text, "a");
    canonicalizer.update("b", sink);
    EXPECT_EQ(sink.text, "a" + lines + "b");
    EXPECT_LE(sink.largest, 4'096u) << "held back in one piece";
    canonicalizer.finish(sink);
    EXPECT_TRUE(sink.text.ends_with("b\r\n"));
  }
}

TEST(CanonicalBody, PassesSimpleTextOnInOnePiece) {
  BodyCanonicalizer canonicalizer(simple);
  StringSink sink;
  const std::string text = std::string(60'000, 'x') + "\r\n" + std::string(5'000, 'y') + "\r\n";
  canonicalizer.update(text, sink);
  EXPECT_EQ(sink.largest, text.size() - 2);
}

TEST(CanonicalBody, IsAsNewAfterItsEnd) {
  BodyCanonicalizer canonicalizer(relaxed);
  StringSink sink;
  canonicalizer.update("a \r", sink);
  canonicalizer.finish(sink);
  sink.text.clear();
  canonicalizer.finish(sink);
  EXPECT_EQ(sink.text, "");
}

}  // namespace
}  // namespace countersign::dkim
