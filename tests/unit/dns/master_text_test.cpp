// SPDX-License-Identifier: Apache-2.0
//
// What we write for zone files: texts cut to size, escaped, and laid out over several lines.

#include "countersign/dns/master_text.hpp"

#include <gtest/gtest.h>

namespace countersign::dns {
namespace {

std::string join(const std::vector<std::string>& strings) {
  std::string text;
  for (const std::string& string : strings) text += string;
  return text;
}

TEST(MasterText, CutsLongTextsWithoutLosingAnOctet) {
  for (const std::size_t size : {0UL, 1UL, 250UL, 251UL, 255UL, 256UL, 1000UL}) {
    const std::string text(size, 'x');
    const std::vector<std::string> strings = split_txt(text, "");
    EXPECT_EQ(join(strings), text);
    for (const std::string& string : strings) EXPECT_LE(string.size(), 255u);
    EXPECT_GE(strings.size(), 1u);
  }
}

TEST(MasterText, BeginsANewStringWhereAsked) {
  EXPECT_EQ(split_txt("v=DKIM1; k=rsa; p=AB", "p="),
            (std::vector<std::string>{"v=DKIM1; k=rsa; ", "p=AB"}));
  EXPECT_EQ(split_txt("no key", "p="), (std::vector<std::string>{"no key"}));
}

TEST(MasterText, EscapesWhatAZoneFileWouldMisread) {
  EXPECT_EQ(quote_txt("a\"b\\c\x01\xff"), "\"a\\\"b\\\\c\\001\\255\"");
}

TEST(MasterText, WritesARecordOverSeveralLines) {
  EXPECT_EQ(format_txt_record({.owner = "s._domainkey",
                               .text = "v=DKIM1; p=AB",
                               .break_before = "p=",
                               .comment = "----- DKIM key s for a.example"}),
            "s._domainkey\tIN\tTXT\t( \"v=DKIM1; \"\n\t  \"p=AB\" )"
            "  ; ----- DKIM key s for a.example\n");
}

}  // namespace
}  // namespace countersign::dns
