// SPDX-License-Identifier: Apache-2.0
//
// One descriptor and one timeout under watch, in the manner of libevent but on Asio: what
// libunbound wants of an event loop. It knows nothing of libunbound.

#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>

namespace countersign::service {

/// An event in the sense of libevent. While it is active it calls back when its descriptor is
/// ready or its timeout has passed; one that does not persist is inactive from then on. The
/// descriptor belongs to who set it. One thread only: the one that runs the I/O context.
class DescriptorEvent : public std::enable_shared_from_this<DescriptorEvent> {
 public:
  /// What it waits for besides the timeout.
  struct Interest {
    bool read = false;
    bool write = false;
    bool persist = false;
  };
  /// Why it calls back.
  enum class Reason : std::uint8_t { readable, writable, timed_out };
  /// A plain function with its argument, as C libraries have them.
  struct Callback {
    /// Called with the descriptor, the reason and `argument`.
    void (*function)(int descriptor, Reason reason, void* argument) = nullptr;
    void* argument = nullptr;
  };

  /// Inactive; descriptor -1 for a timeout alone.
  DescriptorEvent(boost::asio::io_context& context, int descriptor, Interest interest,
                  Callback callback);

  /// Watches from now on, anew if it did before. False when the descriptor cannot be watched.
  bool activate(std::optional<std::chrono::microseconds> timeout);
  /// Watches no longer; nothing is called back after this returns, and the descriptor may be
  /// closed.
  void deactivate();

  /// What it waits for; may be changed while it is inactive.
  Interest& interest() { return interest_; }
  /// Sets the descriptor; only while it is inactive.
  void set_descriptor(int descriptor) { descriptor_ = descriptor; }
  /// Sets the callback; only while it is inactive.
  void set_callback(Callback callback) { callback_ = callback; }

 private:
  using Wait = boost::asio::posix::descriptor_base::wait_type;

  void watch(Wait wait, Reason reason);
  void start_timer();
  void fire(Reason reason);

  boost::asio::posix::stream_descriptor watched_;  // Open only while active; never closes.
  boost::asio::steady_timer timer_;
  int descriptor_;
  Interest interest_;
  Callback callback_;
  std::optional<std::chrono::microseconds> timeout_;
  std::uint64_t generation_ = 0;  // Handlers of an earlier one are late and do nothing.
};

}  // namespace countersign::service
