// SPDX-License-Identifier: Apache-2.0
//
// XML that strangers send, read whole and bounded. It has no document type, no entities of its own
// and fetches nothing (S-46): pugixml knows nothing of all that, and a DOCTYPE is refused before
// anybody wonders what it may say. Markup is counted before the document is taken apart, so that
// the memory it takes is bounded; the depth is found without recursion.

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "countersign/limits.hpp"
#include "countersign/result.hpp"

namespace pugi {
struct xml_node_struct;
}

namespace countersign::encoding {

/// Why a document is not read.
enum class XmlErrorCode : std::uint8_t {
  empty,            ///< no element at all
  too_long,         ///< over Limits::report_bytes_max
  too_much_markup,  ///< over Limits::xml_markup_max
  too_deep,         ///< over Limits::xml_depth_max
  doctype,          ///< it has a document type, which may do anything
  malformed,        ///< not well-formed: tags that do not match, a stray "<", an early end
};

/// What is wrong, and where: the offset in octets as far as it is known.
using XmlError = SyntaxErrorOf<XmlErrorCode>;

/// Says in a sentence what is wrong.
[[nodiscard]] std::string_view to_string(XmlErrorCode code);

/// Text of an element, and whether it was UTF-8.
struct XmlText {
  std::string text;     ///< UTF-8, without white space at its ends
  bool is_utf8 = true;  ///< false when it was taken for ISO 8859-1, as octets that are no UTF-8 are
  bool is_cut = false;  ///< there was more
};

/// An element of a document, or nothing; valid as long as its document. A handle, cheap to copy.
class XmlElement {
 public:
  XmlElement() = default;
  explicit XmlElement(pugi::xml_node_struct* node) : node_(node) {}

  /// True when there is an element.
  explicit operator bool() const { return node_ != nullptr; }
  /// The name without a prefix: "feedback" of "d:feedback".
  [[nodiscard]] std::string_view name() const;
  /// The prefix without its colon; empty when there is none.
  [[nodiscard]] std::string_view prefix() const;
  /// The value of an attribute, its name with prefix; empty when it is absent.
  [[nodiscard]] std::string_view attribute(std::string_view name) const;
  /// The text right in it, elements inside not counted, cut at that many octets.
  [[nodiscard]] XmlText text(std::size_t octets_max) const;
  /// The first element inside, or nothing.
  [[nodiscard]] XmlElement first_child() const;
  /// The next element beside it, or nothing.
  [[nodiscard]] XmlElement next_sibling() const;

 private:
  pugi::xml_node_struct* node_ = nullptr;
};

/// A document that was read.
class XmlDocument {
 public:
  ~XmlDocument();
  XmlDocument(XmlDocument&&) noexcept;
  XmlDocument& operator=(XmlDocument&&) noexcept;

  /// Reads a document: UTF-8, or what its byte order mark or declaration says of UTF-16, UTF-32 and
  /// ISO 8859-1.
  ///
  /// Errors       each XmlErrorCode.
  /// Leniency     namespaces are not resolved, and octets that are no UTF-8 are no error here.
  [[nodiscard]] static Result<XmlDocument, XmlError> parse(std::string_view octets,
                                                           const Limits& limits);

  /// The outermost element.
  [[nodiscard]] XmlElement root() const;

 private:
  struct State;
  explicit XmlDocument(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace countersign::encoding
