// SPDX-License-Identifier: Apache-2.0
//
// Each question in flight is a small detached coroutine; one whose answer is at hand takes none. It
// shares the state with the evaluation's side and nothing else, so either may end first.

#include "service/dns/drive.hpp"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>
#include <deque>

#include "countersign/assert.hpp"

namespace countersign::service {

namespace asio = boost::asio;
using Clock = std::chrono::steady_clock;

class Lookups::State : public std::enable_shared_from_this<State> {
 public:
  State(asio::any_io_executor executor, Resolver& resolver, Deadline deadline, std::size_t open_max)
      : executor_(std::move(executor)),
        resolver_(&resolver),
        deadline_(deadline),
        open_max_(std::max<std::size_t>(open_max, 1)),
        gate_(executor_, Clock::time_point::max()) {}

  void add(std::vector<dns::OpenQuestion> questions) {
    std::ranges::move(questions, std::back_inserter(waiting_));
  }

  void abandon() {
    resolver_ = nullptr;
    waiting_.clear();
  }

  static asio::awaitable<std::vector<Answered>> next(std::shared_ptr<State> state) {
    state->begin_waiting();
    if (state->ready_.empty()) {
      COUNTERSIGN_ASSERT(state->open_ > 0);
      co_await state->gate_.async_wait(asio::as_tuple(asio::use_awaitable));
    }
    if (state->ready_.empty()) throw boost::system::system_error(asio::error::operation_aborted);
    co_return std::exchange(state->ready_, {});
  }

 private:
  void begin_waiting() {
    while (!waiting_.empty() && open_ < open_max_) {
      dns::OpenQuestion open = std::move(waiting_.front());
      waiting_.pop_front();
      begin(std::move(open));
    }
  }

  /// When waiting for the answer is over.
  Clock::time_point end_of(const dns::OpenQuestion& open) {
    if (!open.in_own_time || !deadline_.own_time) return deadline_.end;
    if (!own_end_) own_end_ = Clock::now() + *deadline_.own_time;
    return std::min(deadline_.end, *own_end_);
  }

  void begin(dns::OpenQuestion open) {
    const Clock::duration left = std::min(end_of(open) - Clock::now(), deadline_.question);
    if (left <= Clock::duration::zero()) {
      ready_.push_back({open.id, {.status = dns::AnswerStatus::timeout}});
      return;
    }
    if (std::optional<dns::Answer> answer = resolver_->at_hand(open.question)) {
      ready_.push_back({open.id, *std::move(answer)});
      return;
    }
    ++open_;
    asio::co_spawn(
        executor_,
        look_up(shared_from_this(), open.id, resolver_->lookup(std::move(open.question), left)),
        asio::detached);
  }

  static asio::awaitable<void> look_up(std::shared_ptr<State> state, std::uint64_t id,
                                       asio::awaitable<dns::Answer> lookup) {
    dns::Answer answer;  // A failure, unless the lookup gives something better.
    try {
      answer = co_await std::move(lookup);
    } catch (const std::exception&) {
      answer.status = dns::AnswerStatus::servfail;
    }
    state->finish({id, std::move(answer)});
  }

  void finish(Answered answered) {
    --open_;
    if (resolver_ == nullptr) return;
    ready_.push_back(std::move(answered));
    gate_.cancel();
  }

  asio::any_io_executor executor_;
  Resolver* resolver_;  // Null once the evaluation is gone.
  Deadline deadline_;
  std::optional<Clock::time_point> own_end_;  // Once such a question has been asked.
  std::size_t open_max_;
  std::size_t open_ = 0;
  std::deque<dns::OpenQuestion> waiting_;
  std::vector<Answered> ready_;
  asio::steady_timer gate_;  // Never expires; cancelled when something is ready.
};

Lookups::Lookups(asio::any_io_executor executor, Resolver& resolver, Deadline deadline,
                 std::size_t open_max)
    : state_(std::make_shared<State>(std::move(executor), resolver, deadline, open_max)) {}

Lookups::~Lookups() { state_->abandon(); }

void Lookups::add(std::vector<dns::OpenQuestion> questions) { state_->add(std::move(questions)); }

asio::awaitable<std::vector<Lookups::Answered>> Lookups::next() { return State::next(state_); }

}  // namespace countersign::service
