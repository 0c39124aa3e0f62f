// SPDX-License-Identifier: Apache-2.0
//
// Exact-size heap copies of test input, so that a sanitizer sees every read past the end of a view.

#pragma once

#include <cstring>
#include <memory>
#include <string_view>

namespace countersign::test {

/// Owns a heap copy of a text that is not one octet larger than the text.
class Exact {
 public:
  explicit Exact(std::string_view text)
      : octets_(std::make_unique<char[]>(text.size())), size_(text.size()) {
    if (!text.empty()) std::memcpy(octets_.get(), text.data(), text.size());
  }
  [[nodiscard]] std::string_view view() const { return {octets_.get(), size_}; }

 private:
  std::unique_ptr<char[]> octets_;
  std::size_t size_;
};

/// Copies the text; keep the result alive as long as its view() is used.
[[nodiscard]] inline Exact exact(std::string_view text) { return Exact(text); }

}  // namespace countersign::test
