// SPDX-License-Identifier: Apache-2.0

#include "countersign/encoding/xml_writer.hpp"

#include <optional>
#include <utility>

#include "countersign/assert.hpp"
#include "countersign/text/utf8.hpp"

namespace countersign::encoding {

namespace {

constexpr std::string_view replacement = "\xEF\xBF\xBD";  // U+FFFD

/// Code points that XML 1.0 may hold; white space other than the space is left out too, as text of
/// ours has none and attributes change it.
bool is_character(char32_t code_point) {
  return code_point >= 0x20 && code_point != 0x7F && code_point != 0xFFFE && code_point != 0xFFFF;
}

void append_escaped(std::string& out, std::string_view octets) {
  switch (octets.front()) {
    case '<':
      out += "&lt;";
      return;
    case '>':
      out += "&gt;";
      return;
    case '&':
      out += "&amp;";
      return;
    case '"':
      out += "&quot;";
      return;
    default:
      out += octets;
  }
}

}  // namespace

std::string escape_xml(std::string_view octets) {
  std::string out;
  while (!octets.empty()) {
    std::string_view rest = octets;
    const std::optional<char32_t> code_point = text::take_code_point(rest);
    if (!code_point) rest.remove_prefix(1);
    if (code_point && is_character(*code_point))
      append_escaped(out, octets.substr(0, octets.size() - rest.size()));
    else
      out += replacement;
    octets = rest;
  }
  return out;
}

XmlWriter::XmlWriter() : text_("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n") {}

XmlWriter& XmlWriter::open(std::string_view name, std::string_view attribute,
                           std::string_view value) {
  indent();
  text_ += '<';
  text_ += name;
  if (!attribute.empty()) {
    text_ += ' ';
    text_ += attribute;
    text_ += "=\"" + escape_xml(value) + "\"";
  }
  text_ += ">\n";
  open_.emplace_back(name);
  return *this;
}

XmlWriter& XmlWriter::close() {
  COUNTERSIGN_ASSERT(!open_.empty());
  const std::string name = std::move(open_.back());
  open_.pop_back();
  indent();
  text_ += "</" + name + ">\n";
  return *this;
}

XmlWriter& XmlWriter::element(std::string_view name, std::string_view text) {
  indent();
  text_ += '<';
  text_ += name;
  text_ += '>';
  text_ += escape_xml(text);
  text_ += "</";
  text_ += name;
  text_ += ">\n";
  return *this;
}

void XmlWriter::indent() { text_.append(2 * open_.size(), ' '); }

}  // namespace countersign::encoding
