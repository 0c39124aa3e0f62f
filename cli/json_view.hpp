// SPDX-License-Identifier: Apache-2.0
//
// Reads a document of JSON for people: nothing that is missing or of another kind is an error, as
// the document may come from a daemon of another version; it is left out of what is shown.

#pragma once

#include <boost/json/fwd.hpp>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace countersign::cli {

/// Views a value of a document, which must outlive it.
class JsonView {
 public:
  explicit JsonView(const boost::json::value& value) : value_(&value) {}
  JsonView(boost::json::value&&) = delete;

  /// The member of an object; what is missing is null.
  [[nodiscard]] JsonView operator[](std::string_view key) const;
  /// The elements of an array; none for anything else.
  [[nodiscard]] std::vector<JsonView> items() const;
  /// True when there is nothing.
  [[nodiscard]] bool is_null() const;
  /// True for true alone.
  [[nodiscard]] bool is_true() const;
  /// A text or number, safe for a terminal; empty for anything else.
  [[nodiscard]] std::string text() const;
  /// A text with its octets as they are; empty for anything else.
  [[nodiscard]] std::string_view raw() const;
  /// A number that is not negative; 0 for anything else.
  [[nodiscard]] std::uint64_t number() const;
  /// A domain name with its U-labels, for people to read; "no domain" for anything else.
  [[nodiscard]] std::string domain() const;

  /// True for that text.
  friend bool operator==(const JsonView& view, std::string_view text) { return view.raw() == text; }

 private:
  explicit JsonView(const boost::json::value* value) : value_(value) {}
  const boost::json::value* value_;  // nullptr: missing.
};

}  // namespace countersign::cli
