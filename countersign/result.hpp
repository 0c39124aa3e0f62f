// SPDX-License-Identifier: Apache-2.0
//
// The one place that spells the error type of the library. Text that strangers wrote is malformed
// somewhere more often than not, so a failed parse is an ordinary value here and never an
// exception.

#pragma once

#include <cstddef>
#include <expected>

namespace countersign {

/// A value of T, or the error E that says why there is none.
template <class T, class E>
using Result = std::expected<T, E>;

/// Where and why a text is malformed: the code of the folder that read it, and the offset in octets
/// from its start.
template <class Code>
struct SyntaxErrorOf {
  Code code{};
  std::size_t offset = 0;

  friend bool operator==(const SyntaxErrorOf&, const SyntaxErrorOf&) = default;
};

}  // namespace countersign
