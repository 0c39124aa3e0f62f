// SPDX-License-Identifier: Apache-2.0
//
// XML that we write: whatever is put into it, it stays well-formed and says the same when read.

#include "countersign/encoding/xml_writer.hpp"

#include <gtest/gtest.h>

#include <string>

#include "countersign/encoding/xml_reader.hpp"

namespace countersign::encoding {
namespace {

TEST(XmlWriter, WritesAnElementALine) {
  XmlWriter xml;
  xml.open("a", "xmlns", "urn:\"x\"").element("b", "text").open("c").close().close();
  EXPECT_EQ(xml.text(),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
            "<a xmlns=\"urn:&quot;x&quot;\">\n  <b>text</b>\n  <c>\n  </c>\n</a>\n");
}

TEST(XmlWriter, S20LeavesNoMarkupInText) {
  EXPECT_EQ(escape_xml("<a b=\"c\">&amp;"), "&lt;a b=&quot;c&quot;&gt;&amp;amp;");
  EXPECT_EQ(escape_xml("]]>"), "]]&gt;");
}

TEST(XmlWriter, ReplacesWhatXmlCannotHold) {
  const std::string replacement = "\xEF\xBF\xBD";
  EXPECT_EQ(escape_xml(std::string_view("\0", 1)), replacement);
  EXPECT_EQ(escape_xml("\n"), replacement);
  EXPECT_EQ(escape_xml("\x7F"), replacement);
  EXPECT_EQ(escape_xml("\xFF\xC3\xA4"), replacement + "\xC3\xA4");
  EXPECT_EQ(escape_xml("\xEF\xBF\xBF"), replacement);
}

TEST(XmlWriter, WhatItWritesReadsBackEqual) {
  for (int octet = 0x20; octet < 0x7F; ++octet) {
    const std::string text = std::string("x") + static_cast<char>(octet) + "x";
    XmlWriter xml;
    xml.element("a", text);
    const auto document = XmlDocument::parse(xml.text(), Limits{});
    ASSERT_TRUE(document) << octet;
    EXPECT_EQ(document->root().text(99).text, text);
  }
}

}  // namespace
}  // namespace countersign::encoding
