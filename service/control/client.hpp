// SPDX-License-Identifier: Apache-2.0
//
// The other end of the control socket: asks a running daemon one question and waits for the answer.

#pragma once

#include <boost/json.hpp>
#include <chrono>
#include <cstdint>
#include <expected>
#include <string>

namespace countersign::service {

/// Why there is no answer.
enum class ControlFailureCode : std::uint8_t {
  no_daemon,    ///< nobody listens there
  not_allowed,  ///< the socket is for others
  no_answer,    ///< somebody listens and does not answer in time, or not as the daemon does
  refused,      ///< the daemon says that it cannot be asked that
};

/// A failure in a sentence, with what to do about it.
struct ControlFailure {
  ControlFailureCode code{};
  std::string message;  ///< may hold the daemon's words: to be made printable
};

/// Asks the daemon that listens at a path.
///
/// request  {ask: …}, as service/control/requests.hpp has it.
/// within   for the whole of it.
[[nodiscard]] std::expected<boost::json::object, ControlFailure> ask_daemon(
    const std::string& path, const boost::json::object& request,
    std::chrono::milliseconds within = std::chrono::seconds{30});

}  // namespace countersign::service
