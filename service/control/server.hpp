// SPDX-License-Identifier: Apache-2.0
//
// The control socket: takes one request from each connection, answers it and closes. It has a
// thread of its own, so that no question, however large its answer, makes mail wait.
//
// Few sessions at once, a short time for each step and a short request: whoever may open the socket
// at all can keep others from asking for some seconds, and no more than that.

#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <chrono>
#include <cstddef>
#include <string>
#include <thread>

#include "service/control/requests.hpp"
#include "service/milter/listener.hpp"
#include "service/run/descriptor.hpp"

namespace countersign::service {

class Log;

/// How much of the daemon those who ask may take.
struct ControlLimits {
  std::size_t sessions = 8;                  ///< more wait until one of them has ended
  std::chrono::milliseconds request{5'000};  ///< for a request to come
  std::chrono::milliseconds answer{10'000};  ///< for the answer to be taken
};

/// Serves a listening socket until it is destroyed.
class ControlServer {
 public:
  /// Starts at once.
  ///
  /// socket    listens and does not block; it stays the caller's, and open as long as this object.
  /// requests  answered on the thread of this object.
  /// Throws std::system_error when there is no thread to be had.
  ControlServer(int socket, ControlRequests requests, Log& log, ControlLimits limits = {});
  /// Ends all sessions.
  ~ControlServer();
  ControlServer(const ControlServer&) = delete;
  ControlServer& operator=(const ControlServer&) = delete;

 private:
  using Stream = boost::asio::local::stream_protocol::socket;

  void run();
  void open(Descriptor socket);
  [[nodiscard]] boost::asio::awaitable<void> serve(Stream stream);
  [[nodiscard]] boost::asio::awaitable<std::string> answer_to(Stream& stream);

  boost::asio::io_context context_;
  ControlRequests requests_;
  Log& log_;
  ControlLimits limits_;
  Listener listener_;
  std::jthread thread_;
};

}  // namespace countersign::service
