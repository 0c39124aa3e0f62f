// SPDX-License-Identifier: Apache-2.0
//
// The plumbing beneath Asking (asking.hpp): the promise that a frame of an evaluation has, where
// its questions are put, and how frames wait for answers and for each other. Written once, so that
// the evaluations themselves read straight down.

#pragma once

#include <coroutine>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include "countersign/assert.hpp"
#include "countersign/dns/question.hpp"

namespace countersign::dns {

template <class T>
class Asking;

/// A question that waits for its answer, with the number under which Asking::answer() takes it.
struct OpenQuestion {
  std::uint64_t id = 0;
  Question question;
  bool in_own_time = false;  ///< asked by a part that has a time of its own; see in_own_time()
};

namespace detail {

/// Where the frames of one tree put their questions. Owned by the root, pointed to by every promise
/// below it.
class Board {
 public:
  void post(Question question, Answer* slot, std::coroutine_handle<> waiter,
            bool in_own_time = false) {
    fresh_.push_back({next_id_, std::move(question), in_own_time});
    waiting_.push_back({next_id_, slot, waiter});
    ++next_id_;
  }

  [[nodiscard]] std::vector<OpenQuestion> take_fresh() { return std::exchange(fresh_, {}); }

  void answer(std::uint64_t id, Answer answer) {
    for (auto waiting = waiting_.begin(); waiting != waiting_.end(); ++waiting) {
      if (waiting->id != id) continue;
      const Waiting found = *waiting;
      waiting_.erase(waiting);
      *found.slot = std::move(answer);
      found.frame.resume();
      return;
    }
    COUNTERSIGN_ASSERT(false && "this question is not open");
  }

 private:
  struct Waiting {
    std::uint64_t id;
    Answer* slot;
    std::coroutine_handle<> frame;
  };
  std::vector<OpenQuestion> fresh_;
  std::vector<Waiting> waiting_;
  std::uint64_t next_id_ = 1;
};

/// Counts the children of one all() down; the last one resumes the parent.
struct Join {
  std::size_t remaining = 0;
  std::coroutine_handle<> parent;

  std::coroutine_handle<> arrive() {
    return --remaining == 0 ? parent : std::coroutine_handle<>(std::noop_coroutine());
  }
};

struct PromiseBase {
  Board* board = nullptr;
  std::coroutine_handle<> continuation;  // The frame that awaits this one, or none at the root.
  Join* join = nullptr;                  // Set instead when this frame is a child of all().
  bool in_own_time = false;              // With all frames that it awaits.
  std::exception_ptr exception;          // Out of memory is the only one; it ends in take().

  struct Final {
    [[nodiscard]] bool await_ready() const noexcept { return false; }
    template <class P>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<P> frame) const noexcept {
      PromiseBase& promise = frame.promise();
      if (promise.join != nullptr) return promise.join->arrive();
      if (promise.continuation) return promise.continuation;
      return std::noop_coroutine();
    }
    void await_resume() const noexcept {}
  };

  /// Makes this frame one of the tree that the other is of.
  void follow(const PromiseBase& parent) {
    board = parent.board;
    in_own_time = in_own_time || parent.in_own_time;
  }
  void post(Question question, Answer* slot, std::coroutine_handle<> waiter) const {
    board->post(std::move(question), slot, waiter, in_own_time);
  }

  [[nodiscard]] std::suspend_always initial_suspend() const noexcept { return {}; }
  [[nodiscard]] Final final_suspend() const noexcept { return {}; }
  void unhandled_exception() { exception = std::current_exception(); }
};

template <class T>
struct Promise : PromiseBase {
  std::optional<T> value;

  Asking<T> get_return_object();
  template <class U>
  void return_value(U&& result) {
    value.emplace(std::forward<U>(result));
  }
  T take() {
    if (exception) std::rethrow_exception(exception);
    COUNTERSIGN_ASSERT(value.has_value());
    return std::move(*value);
  }
};

/// Awaits one answer.
struct AskAwaiter {
  Question question;
  Answer answer;

  [[nodiscard]] bool await_ready() const noexcept { return false; }
  template <class P>
  void await_suspend(std::coroutine_handle<P> frame) {
    frame.promise().post(std::move(question), &answer, frame);
  }
  Answer await_resume() { return std::move(answer); }
};

/// What `read` makes of an answer.
template <auto read>
using ValueOf = std::invoke_result_t<decltype(read), const Question&, const Answer&, const Limits&>;

/// Awaits one answer and what `read` makes of it.
template <auto read>
struct ParsedAwaiter {
  Question question;
  Answer answer;
  const Limits& limits;

  [[nodiscard]] bool await_ready() const noexcept { return false; }
  template <class P>
  void await_suspend(std::coroutine_handle<P> frame) {
    frame.promise().post(question, &answer, frame);
  }
  std::shared_ptr<const ValueOf<read>> await_resume();
};

/// Awaits another evaluation as a part of this one.
template <class T>
struct PartAwaiter {
  std::coroutine_handle<Promise<T>> part;

  [[nodiscard]] bool await_ready() const noexcept { return false; }
  template <class P>
  std::coroutine_handle<> await_suspend(std::coroutine_handle<P> parent) {
    part.promise().follow(parent.promise());
    part.promise().continuation = parent;
    return part;
  }
  T await_resume() { return part.promise().take(); }
};

/// Starts the children of an all(), each until its first question.
template <class P>
class JoinStarter {
 public:
  JoinStarter(Join& join, std::coroutine_handle<P> parent, std::size_t count)
      : join_(join), parent_(parent.promise()) {
    join_.parent = parent;
    // One for the starter, so that children that end at once do not resume the parent.
    join_.remaining = count + 1;
  }
  template <class T>
  void start(std::coroutine_handle<Promise<T>> child) {
    child.promise().follow(parent_);
    child.promise().join = &join_;
    child.resume();
  }
  std::coroutine_handle<> arrive() { return join_.arrive(); }

 private:
  Join& join_;
  const PromiseBase& parent_;
};

}  // namespace detail

}  // namespace countersign::dns
