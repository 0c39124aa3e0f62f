// SPDX-License-Identifier: Apache-2.0
//
// What keeps the store from doing what it was asked.

#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>

namespace countersign::service::store {

/// What helps against a failure of the store.
enum class Remedy : std::uint8_t {
  wait,     ///< the same may work later: the server is away, the file is locked
  operate,  ///< somebody has to do something: the schema is newer than we are, a path is wrong
};

/// A failure of the store; what was asked has not happened, or not all of it.
class StoreError : public std::runtime_error {
 public:
  /// sentence   what failed, and what to do next where that is known.
  StoreError(Remedy remedy, const std::string& sentence)
      : std::runtime_error(sentence), remedy_(remedy) {}

  [[nodiscard]] Remedy remedy() const { return remedy_; }

 private:
  Remedy remedy_;
};

}  // namespace countersign::service::store
