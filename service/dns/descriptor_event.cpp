// SPDX-License-Identifier: Apache-2.0
//
// Handlers of Asio arrive after the operation was cancelled, and after the event was freed: each
// holds the event and the generation that it belongs to.

#include "service/dns/descriptor_event.hpp"

namespace countersign::service {

namespace asio = boost::asio;
using boost::system::error_code;

DescriptorEvent::DescriptorEvent(asio::io_context& context, int descriptor, Interest interest,
                                 Callback callback)
    : watched_(context),
      timer_(context),
      descriptor_(descriptor),
      interest_(interest),
      callback_(callback) {}

bool DescriptorEvent::activate(std::optional<std::chrono::microseconds> timeout) {
  deactivate();
  timeout_ = timeout;
  if (descriptor_ >= 0 && (interest_.read || interest_.write)) {
    error_code error;
    watched_.assign(descriptor_, error);
    if (error) return false;
    if (interest_.read) watch(Wait::wait_read, Reason::readable);
    if (interest_.write) watch(Wait::wait_write, Reason::writable);
  }
  start_timer();
  return true;
}

void DescriptorEvent::deactivate() {
  ++generation_;
  timer_.cancel();
  if (watched_.is_open()) watched_.release();
}

void DescriptorEvent::watch(Wait wait, Reason reason) {
  watched_.async_wait(
      wait, [self = shared_from_this(), generation = generation_, wait, reason](const error_code&) {
        if (generation != self->generation_) return;
        self->fire(reason);  // On an error too: who reads the descriptor learns it from there.
        if (generation == self->generation_) self->watch(wait, reason);
      });
}

void DescriptorEvent::start_timer() {
  if (!timeout_) return;
  timer_.expires_after(*timeout_);
  timer_.async_wait([self = shared_from_this(), generation = generation_](const error_code& error) {
    if (error || generation != self->generation_) return;
    self->fire(Reason::timed_out);
    if (generation == self->generation_) self->start_timer();
  });
}

void DescriptorEvent::fire(Reason reason) {
  if (!interest_.persist)
    deactivate();
  else if (reason != Reason::timed_out)
    start_timer();  // The timeout counts from the last activity.
  callback_.function(descriptor_, reason, callback_.argument);
}

}  // namespace countersign::service
