// SPDX-License-Identifier: Apache-2.0
//
// Runs a coroutine of the service to its end on an I/O context of the test.

#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <exception>
#include <optional>
#include <stdexcept>
#include <utility>

namespace countersign::test {

/// Runs the context until the coroutine has ended, and gives its result or throws its exception.
template <class T>
T run_awaitable(boost::asio::io_context& context, boost::asio::awaitable<T> coroutine) {
  std::optional<T> result;
  std::exception_ptr failure;
  bool ended = false;
  boost::asio::co_spawn(context, std::move(coroutine), [&](std::exception_ptr error, T value) {
    failure = error;
    result = std::move(value);
    ended = true;
  });
  context.restart();
  while (!ended && context.run_one() != 0) {
  }
  if (failure) std::rethrow_exception(failure);
  if (!result) throw std::runtime_error("the coroutine never ended");
  return std::move(*result);
}

}  // namespace countersign::test
