// SPDX-License-Identifier: Apache-2.0
//
// Runs an evaluation that asks (countersign/dns/asking.hpp) on a resolver, all its open questions
// in flight at once. The part that does not depend on what is evaluated is compiled in drive.cpp.

#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/this_coro.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "countersign/dns/asking.hpp"
#include "countersign/limits.hpp"
#include "service/dns/asked_questions.hpp"
#include "service/dns/resolver.hpp"

namespace countersign::service {

/// How long an evaluation may wait for DNS.
struct Deadline {
  /// When all waiting is over: questions still open, and every one asked later, time out.
  std::chrono::steady_clock::time_point end = std::chrono::steady_clock::time_point::max();
  /// The longest wait for one answer.
  std::chrono::steady_clock::duration question = std::chrono::seconds{5};
  /// For the questions that are asked in a time of their own (dns::in_own_time), all together, from
  /// the first of them on and no longer than `end`; nothing: as long as the others.
  std::optional<std::chrono::steady_clock::duration> own_time = std::nullopt;
};

/// The lookups of one evaluation. Destroyed early it forgets them: those under way run to their end
/// unseen, those that wait for their turn are dropped.
class Lookups {
 public:
  /// The answer to the question with that id.
  struct Answered {
    std::uint64_t id = 0;
    dns::Answer answer;
  };

  /// For an evaluation on that executor, which must be serial. At most `open_max` questions are in
  /// flight, others wait for their turn. The resolver must outlive this object.
  Lookups(boost::asio::any_io_executor executor, Resolver& resolver, Deadline deadline,
          std::size_t open_max);
  ~Lookups();
  Lookups(const Lookups&) = delete;
  Lookups& operator=(const Lookups&) = delete;

  /// Takes questions over, to be asked in this order.
  void add(std::vector<dns::OpenQuestion> questions);

  /// Waits until there are answers and gives them all; there must be an unanswered question.
  /// Throws boost::system::system_error (operation_aborted) when the awaiting coroutine is
  /// cancelled.
  [[nodiscard]] boost::asio::awaitable<std::vector<Answered>> next();

 private:
  class State;
  std::shared_ptr<State> state_;
};

/// Drives an evaluation to its end. The awaiting coroutine's executor must be serial; the resolver
/// and what the evaluation refers to must outlive it. May be cancelled or destroyed at any moment.
///
/// asked   gets every question with how it was answered, unless it is nullptr.
template <class T>
[[nodiscard]] boost::asio::awaitable<T> drive(dns::Asking<T> asking, Resolver& resolver,
                                              Deadline deadline, Limits limits = {},
                                              AskedQuestions* asked = nullptr) {
  Lookups lookups(co_await boost::asio::this_coro::executor, resolver, deadline,
                  limits.questions_open_max);
  for (;;) {
    std::vector<dns::OpenQuestion> questions = asking.take_questions();
    if (asked != nullptr) asked->add(questions);
    lookups.add(std::move(questions));
    if (asking.done()) co_return asking.take();
    std::vector<Lookups::Answered> answers = co_await lookups.next();
    for (Lookups::Answered& answered : answers) {
      if (asked != nullptr) asked->answered(answered.id, answered.answer.status);
      asking.answer(answered.id, std::move(answered.answer));
    }
  }
}

}  // namespace countersign::service
