// SPDX-License-Identifier: Apache-2.0
//
// XML that we write: UTF-8, one element a line, nothing that a reader could take for markup. The
// text may be any octets; what XML cannot hold becomes U+FFFD, so that a document is well-formed
// whatever is put into it.

#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace countersign::encoding {

/// A document in the making. Names of elements and attributes are constants of the caller.
class XmlWriter {
 public:
  /// Begins with the declaration.
  XmlWriter();

  /// Opens an element, with one attribute if its name is not empty.
  XmlWriter& open(std::string_view name, std::string_view attribute = {},
                  std::string_view value = {});
  /// Closes the element that was opened last.
  XmlWriter& close();
  /// Writes an element with text in it.
  XmlWriter& element(std::string_view name, std::string_view text);

  /// The document so far; whole once all elements are closed.
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  void indent();
  std::string text_;
  std::vector<std::string> open_;
};

/// The octets as text of an element or an attribute: "&lt;" and so on. Control octets and octets
/// that are no UTF-8 become U+FFFD.
[[nodiscard]] std::string escape_xml(std::string_view octets);

}  // namespace countersign::encoding
