// SPDX-License-Identifier: Apache-2.0
//
// Bare CR and LF in a body, made into CRLF while it passes. A relay on the way may do the same, and
// then only a signature over the mended body survives. Off by default: what is signed is what is
// there (S-08).

#pragma once

#include <functional>
#include <string_view>

namespace countersign::mailflow {

/// Mends line ends in a stream of chunks; the cuts between chunks do not matter.
class LineEndMender {
 public:
  /// Passes the chunk on in pieces, every bare CR and bare LF as CRLF. A CR at the end of the chunk
  /// waits for what follows.
  void feed(std::string_view chunk, const std::function<void(std::string_view)>& pass);
  /// Passes on the CR that waits.
  void finish(const std::function<void(std::string_view)>& pass);

 private:
  bool cr_waits_ = false;
};

}  // namespace countersign::mailflow
