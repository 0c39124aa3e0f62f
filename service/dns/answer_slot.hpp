// SPDX-License-Identifier: Apache-2.0
//
// Where a coroutine waits for an answer that another thread gives. Everything that crosses threads
// in service/dns crosses them here.

#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <memory>
#include <mutex>
#include <optional>

#include "countersign/dns/question.hpp"

namespace countersign::service {

/// One answer for one waiting coroutine. The slot may outlive the coroutine and its I/O context:
/// it touches neither once the coroutine has stopped waiting.
class AnswerSlot : public std::enable_shared_from_this<AnswerSlot> {
 public:
  /// Gives the answer and wakes who waits. Any thread may; only the first answer counts.
  void give(dns::Answer answer);

  /// Waits on a serial executor until the answer is there.
  ///
  /// deadline     how long to wait.
  /// Returns      nothing when the time is up or the coroutine was cancelled.
  [[nodiscard]] static boost::asio::awaitable<std::optional<dns::Answer>> wait(
      std::shared_ptr<AnswerSlot> slot, std::chrono::steady_clock::duration deadline);

 private:
  class Waiter;

  void wake();

  std::mutex mutex_;
  std::optional<dns::Answer> answer_;
  Waiter* waiter_ = nullptr;
};

}  // namespace countersign::service
