// SPDX-License-Identifier: Apache-2.0
//
// The waiter is a timer in the coroutine's frame: its expiry is the deadline, its cancellation the
// wake-up. Only the coroutine's own executor touches it; the giving thread posts there.

#include "service/dns/answer_slot.hpp"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

namespace countersign::service {

namespace asio = boost::asio;

namespace {

// Far above any sensible deadline, and far from where adding it to now() would overflow.
constexpr std::chrono::hours deadline_max{24};

}  // namespace

// Registers with the slot as long as it lives.
class AnswerSlot::Waiter {
 public:
  Waiter(AnswerSlot& slot, const asio::any_io_executor& executor,
         std::chrono::steady_clock::duration deadline)
      : slot_(slot), timer_(executor, std::min<decltype(deadline)>(deadline, deadline_max)) {
    const std::scoped_lock lock(slot_.mutex_);
    slot_.waiter_ = this;
  }
  ~Waiter() {
    const std::scoped_lock lock(slot_.mutex_);
    slot_.waiter_ = nullptr;
  }
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;

  asio::steady_timer& timer() { return timer_; }

 private:
  AnswerSlot& slot_;
  asio::steady_timer timer_;
};

void AnswerSlot::give(dns::Answer answer) {
  const std::scoped_lock lock(mutex_);
  if (answer_) return;
  answer_ = std::move(answer);
  // Posted under the lock: as long as the waiter is registered, its I/O context is alive.
  if (waiter_ != nullptr)
    asio::post(waiter_->timer().get_executor(), [slot = shared_from_this()] { slot->wake(); });
}

void AnswerSlot::wake() {
  const std::scoped_lock lock(mutex_);
  if (waiter_ != nullptr) waiter_->timer().cancel();
}

asio::awaitable<std::optional<dns::Answer>> AnswerSlot::wait(
    std::shared_ptr<AnswerSlot> slot, std::chrono::steady_clock::duration deadline) {
  Waiter waiter(*slot, co_await asio::this_coro::executor, deadline);
  {
    const std::scoped_lock lock(slot->mutex_);
    if (slot->answer_) co_return std::move(slot->answer_);
  }
  // An answer from now on posts to this executor, which runs it after this suspension.
  co_await waiter.timer().async_wait(asio::as_tuple(asio::use_awaitable));
  const std::scoped_lock lock(slot->mutex_);
  co_return std::move(slot->answer_);
}

}  // namespace countersign::service
