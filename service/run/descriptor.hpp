// SPDX-License-Identifier: Apache-2.0
//
// File descriptors with an owner, so that none leaks on the way from one hand to the next.

#pragma once

#include <unistd.h>

#include <utility>

namespace countersign::service {

/// Owns an open file descriptor and closes it at the end of its life.
class Descriptor {
 public:
  /// Owns nothing.
  Descriptor() = default;
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() { close(); }
  Descriptor(Descriptor&& other) noexcept : number_(other.release()) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    close();
    number_ = other.release();
    return *this;
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  /// The number; negative when nothing is owned.
  [[nodiscard]] int get() const { return number_; }
  /// True when a descriptor is owned.
  explicit operator bool() const { return number_ >= 0; }
  /// Hands the descriptor over; the caller closes it.
  [[nodiscard]] int release() { return std::exchange(number_, -1); }
  /// Closes it now.
  void close() {
    if (number_ >= 0) ::close(std::exchange(number_, -1));
  }

 private:
  int number_ = -1;
};

}  // namespace countersign::service
