// SPDX-License-Identifier: Apache-2.0
//
// Evaluations that talk with DNS, without sockets. SPF, DKIM and DMARC are conversations: ask, look
// at the answer, ask on. Written as a coroutine, such a conversation reads as its RFC does; the
// coroutine never performs a lookup, it suspends on each question, and whoever drives it answers: a
// zone in memory, the bytes of a fuzzer, or a resolver under an event loop.
//
//   Asking<Outcome> check(Request request) {  // by value: the frame outlives the call
//     Answer answer = co_await ask({request.name, RecordType::txt});
//     …
//     Outcome inner = co_await check(request.for_include(target));  // plain recursion
//     co_return inner;
//   }
//
// An evaluation that reads records says how, and gets what was read: a driver with a cache may have
// read them before, for another message.
//
//   std::shared_ptr<const KeyLookup> key = co_await ask_parsed<read_key>({name, RecordType::txt},
//                                                                        limits);
//
// A driver repeats: take_questions(), answer() each in any order, until done(); then take(). All
// questions that were taken and not answered are open at the same time. Dropping the Asking drops
// the whole tree of frames, at any moment.
//
// Rules that keep it safe: parameters by value or references to what the driver keeps alive; never
// a capturing lambda as a coroutine; one driver, one thread at a time.

#pragma once

#include <coroutine>
#include <cstdint>
#include <memory>
#include <tuple>
#include <utility>
#include <vector>

#include "countersign/assert.hpp"
#include "countersign/dns/asking_frames.hpp"
#include "countersign/dns/question.hpp"

namespace countersign::dns {

/// A DNS-dependent evaluation in progress. It does no I/O: it suspends on each question until the
/// driver answers.
template <class T>
class [[nodiscard]] Asking {
 public:
  using promise_type = detail::Promise<T>;
  using Handle = std::coroutine_handle<promise_type>;

  Asking(Asking&& other) noexcept
      : frame_(std::exchange(other.frame_, {})), board_(std::move(other.board_)) {}
  Asking& operator=(Asking&& other) noexcept {
    if (this != &other) {
      drop();
      frame_ = std::exchange(other.frame_, {});
      board_ = std::move(other.board_);
    }
    return *this;
  }
  Asking(const Asking&) = delete;
  Asking& operator=(const Asking&) = delete;
  ~Asking() { drop(); }

  // --- for the driver ---

  /// Runs until nothing more can be done without answers (the first call starts it) and hands out
  /// the questions that have come up since the last call. Empty and not done() means that earlier
  /// questions are still open.
  [[nodiscard]] std::vector<OpenQuestion> take_questions() {
    if (board_ == nullptr) {
      board_ = std::make_unique<detail::Board>();
      frame_.promise().board = board_.get();
      frame_.resume();
    }
    return board_->take_fresh();
  }

  /// Answers an open question and runs on. The id comes from take_questions(); each is answered
  /// once.
  void answer(std::uint64_t id, Answer answer) { board_->answer(id, std::move(answer)); }

  /// True when the result can be taken.
  [[nodiscard]] bool done() const { return board_ != nullptr && frame_.done(); }

  /// The result, once done().
  [[nodiscard]] T take() {
    COUNTERSIGN_ASSERT(done());
    return frame_.promise().take();
  }

  // --- for an evaluation that awaits another ---

  /// Runs this evaluation as a part of the awaiting one.
  auto operator co_await() && { return detail::PartAwaiter<T>{frame_}; }

  /// The frame, for all() and in_own_time() alone.
  [[nodiscard]] Handle frame() const { return frame_; }

 private:
  friend promise_type;
  explicit Asking(Handle frame) : frame_(frame) {}
  void drop() {
    if (frame_) frame_.destroy();
    frame_ = {};
  }

  Handle frame_;
  std::unique_ptr<detail::Board> board_;  // Only at the root.
};

template <class T>
Asking<T> detail::Promise<T>::get_return_object() {
  return Asking<T>(std::coroutine_handle<Promise<T>>::from_promise(*this));
}

/// Asks one question: `Answer answer = co_await ask({name, RecordType::txt});`
[[nodiscard]] inline detail::AskAwaiter ask(Question question) { return {std::move(question), {}}; }

/// The Reader that runs `read`, a function T(const Question&, const Answer&, const Limits&) of
/// whose T octets() estimates the memory.
template <auto read>
[[nodiscard]] Parsed parse_answer(const Question& question, const Answer& answer,
                                  const Limits& limits) {
  using Value = detail::ValueOf<read>;
  auto value = std::make_shared<const Value>(read(question, answer, limits));
  const std::size_t octets = value->octets();
  return {.reader = &parse_answer<read>, .value = std::move(value), .octets = octets};
}

/// Asks one question and reads the answer: gives what `read` makes of it, as a shared_ptr<const T>.
/// Whoever answers may have read it before, in bounds of his own.
///
/// read         as for parse_answer().
/// limits       must outlive the question.
template <auto read>
[[nodiscard]] detail::ParsedAwaiter<read> ask_parsed(Question question, const Limits& limits) {
  question.reader = &parse_answer<read>;
  return {std::move(question), {}, limits};
}

namespace detail {

template <auto read>
std::shared_ptr<const ValueOf<read>> ParsedAwaiter<read>::await_resume() {
  const bool is_read = answer.parsed.reader == question.reader;
  Parsed parsed = is_read ? std::move(answer.parsed) : parse_answer<read>(question, answer, limits);
  return std::static_pointer_cast<const ValueOf<read>>(std::move(parsed.value));
}

/// Awaits a list of evaluations of one kind.
template <class T>
struct ListAwaiter {
  std::vector<Asking<T>> parts;
  Join join;

  [[nodiscard]] bool await_ready() const noexcept { return parts.empty(); }
  template <class P>
  std::coroutine_handle<> await_suspend(std::coroutine_handle<P> parent) {
    JoinStarter<P> starter(join, parent, parts.size());
    for (Asking<T>& part : parts) starter.start(part.frame());
    return starter.arrive();
  }
  std::vector<T> await_resume() {
    std::vector<T> results;
    results.reserve(parts.size());
    for (Asking<T>& part : parts) results.push_back(part.frame().promise().take());
    return results;
  }
};

/// Awaits evaluations of different kinds.
template <class... Ts>
struct TupleAwaiter {
  std::tuple<Asking<Ts>...> parts;
  Join join;

  [[nodiscard]] bool await_ready() const noexcept { return false; }
  template <class P>
  std::coroutine_handle<> await_suspend(std::coroutine_handle<P> parent) {
    JoinStarter<P> starter(join, parent, sizeof...(Ts));
    std::apply([&starter](auto&... part) { (starter.start(part.frame()), ...); }, parts);
    return starter.arrive();
  }
  std::tuple<Ts...> await_resume() {
    return std::apply(
        [](auto&... part) { return std::tuple<Ts...>(part.frame().promise().take()...); }, parts);
  }
};

}  // namespace detail

/// Runs all evaluations of a list side by side, their questions open at once; gives the results in
/// the list's order.
template <class T>
[[nodiscard]] detail::ListAwaiter<T> all(std::vector<Asking<T>> parts) {
  return {std::move(parts), {}};
}

/// Runs evaluations of different kinds side by side; gives a tuple of their results.
template <class... Ts>
[[nodiscard]] detail::TupleAwaiter<Ts...> all(Asking<Ts>... parts) {
  return {std::tuple<Asking<Ts>...>(std::move(parts)...), {}};
}

/// Marks an evaluation, with all that it awaits, as a part that has a time of its own: a driver
/// that knows time may answer its questions with a timeout while the others still have theirs. It
/// is then as if DNS had not answered, which no evaluation takes for anything good.
template <class T>
[[nodiscard]] Asking<T> in_own_time(Asking<T> part) {
  part.frame().promise().in_own_time = true;
  return part;
}

/// Drives an evaluation to its end on this thread; answer_of(const Question&) gives each Answer.
template <class T, class AnswerOf>
[[nodiscard]] T run_with(Asking<T> asking, AnswerOf&& answer_of) {
  for (;;) {
    const std::vector<OpenQuestion> questions = asking.take_questions();
    if (asking.done()) return asking.take();
    COUNTERSIGN_ASSERT(!questions.empty());
    for (const OpenQuestion& open : questions) asking.answer(open.id, answer_of(open.question));
  }
}

}  // namespace countersign::dns
