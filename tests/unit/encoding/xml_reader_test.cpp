// SPDX-License-Identifier: Apache-2.0
//
// XML of strangers: what is read of it, and each way in which it is refused.

#include "countersign/encoding/xml_reader.hpp"

#include <gtest/gtest.h>

#include <string>

#include "tests/support/exact.hpp"

namespace countersign::encoding {
namespace {

Result<XmlDocument, XmlError> parse(std::string_view text, const Limits& limits = {}) {
  return XmlDocument::parse(test::exact(text).view(), limits);
}

void bad(std::string_view text, XmlErrorCode code, const Limits& limits = {}) {
  const auto document = parse(text, limits);
  ASSERT_FALSE(document) << text.substr(0, 80);
  EXPECT_EQ(document.error().code, code) << text.substr(0, 80);
  EXPECT_LE(document.error().offset, text.size());
  EXPECT_FALSE(to_string(code).empty());
}

std::string nested(std::size_t depth) {
  std::string open;
  std::string close;
  for (std::size_t i = 0; i < depth; ++i) {
    open += "<a>";
    close += "</a>";
  }
  return open + close;
}

TEST(XmlReader, ReadsElementsTextAndAttributes) {
  const auto document = parse(
      "<?xml version=\"1.0\"?>\n<!-- a comment -->\n"
      "<d:feedback xmlns:d=\"urn:x\">\n <org> A &amp; B&#x21; </org><!-- c -->\n"
      " <e/><t>one<![CDATA[ & two]]></t>\n</d:feedback>\n");
  ASSERT_TRUE(document);
  const XmlElement root = document->root();
  EXPECT_EQ(root.name(), "feedback");
  EXPECT_EQ(root.prefix(), "d");
  EXPECT_EQ(root.attribute("xmlns:d"), "urn:x");
  EXPECT_EQ(root.attribute("xmlns"), "");
  const XmlElement org = root.first_child();
  EXPECT_EQ(org.name(), "org");
  EXPECT_EQ(org.prefix(), "");
  EXPECT_EQ(org.text(100).text, "A & B!");
  const XmlElement empty = org.next_sibling();
  EXPECT_EQ(empty.name(), "e");
  EXPECT_EQ(empty.text(100).text, "");
  EXPECT_FALSE(empty.first_child());
  const XmlElement last = empty.next_sibling();
  EXPECT_EQ(last.text(100).text, "one & two");
  EXPECT_FALSE(last.next_sibling());
  EXPECT_FALSE(XmlElement().first_child());
  EXPECT_EQ(XmlElement().name(), "");
}

TEST(XmlReader, TakesOtherEncodingsForWhatTheySay) {
  EXPECT_EQ(parse("\xEF\xBB\xBF<a>x</a>")->root().text(9).text, "x");
  const auto latin = parse("<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><a>\xE4</a>");
  ASSERT_TRUE(latin);
  EXPECT_EQ(latin->root().text(9).text, "\xC3\xA4");
  std::string wide("\xFF\xFE", 2);
  for (const char c : std::string_view("<a>x</a>")) {
    wide += c;
    wide += '\0';
  }
  ASSERT_TRUE(parse(wide));
  EXPECT_EQ(parse(wide)->root().text(9).text, "x");
}

TEST(XmlReader, S46OctetsThatAreNoUtf8AreToldFromText) {
  const auto document = parse("<a>\xE4</a>");
  ASSERT_TRUE(document);
  EXPECT_EQ(document->root().text(9).text, "\xC3\xA4");
  EXPECT_FALSE(document->root().text(9).is_utf8);
}

TEST(XmlReader, CutsLongTextBetweenCodePoints) {
  const auto document = parse("<a>ab\xC3\xA4z</a>");
  for (const auto& [most, kept] : {std::pair{2, "ab"}, {3, "ab"}, {4, "ab\xC3\xA4"}}) {
    const XmlText text = document->root().text(static_cast<std::size_t>(most));
    EXPECT_EQ(text.text, kept);
    EXPECT_TRUE(text.is_cut);
    EXPECT_TRUE(text.is_utf8);
  }
  EXPECT_FALSE(document->root().text(5).is_cut);
}

TEST(XmlReader, S46RefusesWhatIsNoPlainDocument) {
  bad("", XmlErrorCode::empty);
  bad("no markup", XmlErrorCode::empty);
  bad("<!-- nothing -->", XmlErrorCode::empty);
  bad("<!DOCTYPE a><a/>", XmlErrorCode::doctype);
  bad("<!DOCTYPE a [<!ENTITY x \"y\">]><a>&x;</a>", XmlErrorCode::doctype);
  bad("<!DOCTYPE a SYSTEM \"file:///etc/passwd\"><a/>", XmlErrorCode::doctype);
  bad("<a>", XmlErrorCode::malformed);
  bad("<a></b>", XmlErrorCode::malformed);
  bad("<a><b</a>", XmlErrorCode::malformed);
}

TEST(XmlReader, S46EntitiesAreNotExpanded) {
  EXPECT_EQ(parse("<a>&x;</a>")->root().text(99).text, "&x;");
}

TEST(XmlReader, S46ObeysItsLimits) {
  Limits limits;
  limits.report_bytes_max = 7;
  EXPECT_TRUE(parse("<a></a>", limits));
  bad("<a> </a>", XmlErrorCode::too_long, limits);
  limits = {};
  limits.xml_markup_max = 3;
  EXPECT_TRUE(parse("<a><b/></a>", limits));
  bad("<a><b c='d'/></a>", XmlErrorCode::too_much_markup, limits);
  limits = {};
  EXPECT_TRUE(parse(nested(limits.xml_depth_max)));
  bad(nested(limits.xml_depth_max + 1), XmlErrorCode::too_deep);
  bad("<a><b/>" + nested(limits.xml_depth_max) + "</a>", XmlErrorCode::too_deep);
  bad(nested(400'000), XmlErrorCode::too_deep);
}

}  // namespace
}  // namespace countersign::encoding
