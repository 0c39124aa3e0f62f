// SPDX-License-Identifier: Apache-2.0

#include "countersign/encoding/xml_reader.hpp"

#include <algorithm>
#include <pugixml.hpp>
#include <utility>

#include "countersign/text/abnf.hpp"
#include "countersign/text/utf8.hpp"

namespace countersign::encoding {

namespace {

constexpr unsigned parse_flags = pugi::parse_default | pugi::parse_doctype;

std::string_view local_name(std::string_view name) { return name.substr(name.find(':') + 1); }

std::unexpected<XmlError> fail(XmlErrorCode code, std::size_t offset = 0) {
  return std::unexpected(XmlError{code, offset});
}

/// True when an element lies too deep. Goes along the document without recursion.
bool is_too_deep(const pugi::xml_document& document, std::size_t depth_max) {
  std::size_t depth = 0;
  pugi::xml_node at = document;
  while (true) {
    if (const pugi::xml_node child = at.first_child()) {
      at = child;
      if (++depth > depth_max) return true;
      continue;
    }
    while (!at.next_sibling()) {
      at = at.parent();
      if (depth-- <= 1) return false;
    }
    at = at.next_sibling();
  }
}

bool has_doctype(const pugi::xml_document& document) {
  return std::ranges::any_of(document.children(), [](const pugi::xml_node& node) {
    return node.type() == pugi::node_doctype;
  });
}

pugi::xml_node next_element(pugi::xml_node node) {
  while (node && node.type() != pugi::node_element) node = node.next_sibling();
  return node;
}

std::string from_latin1(std::string_view octets) {
  std::string text;
  for (const char c : octets) {
    const auto octet = static_cast<unsigned char>(c);
    if (octet < 0x80) {
      text += c;
    } else {
      text += static_cast<char>(0xC0U | (octet >> 6U));
      text += static_cast<char>(0x80U | (octet & 0x3FU));
    }
  }
  return text;
}

/// Cuts at a code point's begin, so that what was UTF-8 stays it.
std::string_view cut(std::string_view text, std::size_t octets_max) {
  if (text.size() <= octets_max) return text;
  std::size_t end = octets_max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
  return text.substr(0, end);
}

}  // namespace

std::string_view to_string(XmlErrorCode code) {
  switch (code) {
    case XmlErrorCode::empty:
      return "there is no element";
    case XmlErrorCode::too_long:
      return "the document is longer than what is read";
    case XmlErrorCode::too_much_markup:
      return "the document has more elements than what is read";
    case XmlErrorCode::too_deep:
      return "elements are nested deeper than what is read";
    case XmlErrorCode::doctype:
      return "the document has a DOCTYPE, which is refused";
    case XmlErrorCode::malformed:
      return "the document is no well-formed XML";
  }
  return "unknown error";
}

std::string_view XmlElement::name() const { return local_name(pugi::xml_node(node_).name()); }

std::string_view XmlElement::prefix() const {
  const std::string_view name = pugi::xml_node(node_).name();
  const std::size_t colon = name.find(':');
  return colon == name.npos ? std::string_view() : name.substr(0, colon);
}

std::string_view XmlElement::attribute(std::string_view name) const {
  for (const pugi::xml_attribute& one : pugi::xml_node(node_).attributes())
    if (one.name() == name) return one.value();
  return {};
}

XmlText XmlElement::text(std::size_t octets_max) const {
  std::string all;
  for (const pugi::xml_node& child : pugi::xml_node(node_).children()) {
    const bool is_text = child.type() == pugi::node_pcdata || child.type() == pugi::node_cdata;
    if (is_text && all.size() <= octets_max) all += cut(child.value(), octets_max + 4);
  }
  const std::string_view trimmed = text::trim(all, text::is_fws);
  XmlText text{.is_utf8 = text::is_utf8(cut(trimmed, octets_max))};
  const std::string whole = text.is_utf8 ? std::string(trimmed) : from_latin1(trimmed);
  text.text = cut(whole, octets_max);
  text.is_cut = text.text.size() < whole.size();
  return text;
}

XmlElement XmlElement::first_child() const {
  return XmlElement(next_element(pugi::xml_node(node_).first_child()).internal_object());
}

XmlElement XmlElement::next_sibling() const {
  return XmlElement(next_element(pugi::xml_node(node_).next_sibling()).internal_object());
}

struct XmlDocument::State {
  pugi::xml_document document;
};

XmlDocument::XmlDocument(std::unique_ptr<State> state) : state_(std::move(state)) {}
XmlDocument::~XmlDocument() = default;
XmlDocument::XmlDocument(XmlDocument&&) noexcept = default;
XmlDocument& XmlDocument::operator=(XmlDocument&&) noexcept = default;

Result<XmlDocument, XmlError> XmlDocument::parse(std::string_view octets, const Limits& limits) {
  if (octets.size() > limits.report_bytes_max) return fail(XmlErrorCode::too_long);
  const auto markup = static_cast<std::size_t>(
      std::ranges::count_if(octets, [](char c) { return c == '<' || c == '='; }));
  if (markup > limits.xml_markup_max) return fail(XmlErrorCode::too_much_markup);
  auto state = std::make_unique<State>();
  const pugi::xml_parse_result result =
      state->document.load_buffer(octets.data(), octets.size(), parse_flags);
  if (has_doctype(state->document) || result.status == pugi::status_bad_doctype)
    return fail(XmlErrorCode::doctype);
  if (result.status == pugi::status_no_document_element) return fail(XmlErrorCode::empty);
  if (!result)
    return fail(XmlErrorCode::malformed,
                std::min(static_cast<std::size_t>(std::max<std::ptrdiff_t>(result.offset, 0)),
                         octets.size()));
  if (is_too_deep(state->document, limits.xml_depth_max)) return fail(XmlErrorCode::too_deep);
  return XmlDocument(std::move(state));
}

XmlElement XmlDocument::root() const {
  return XmlElement(next_element(state_->document.first_child()).internal_object());
}

}  // namespace countersign::encoding
