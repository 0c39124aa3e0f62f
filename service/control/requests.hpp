// SPDX-License-Identifier: Apache-2.0
//
// What a running daemon can be asked: one line of JSON comes in, one document goes out.
//
//   {"ask": "explain", "queue_id": "4XyZ…"}   →   {"messages": […], "more": false, "kept": {…}}
//   {"ask": "last", "count": 20}              →   the same, in short
//   anything else                             →   {"error": {"code": "…", "message": "…"}}
//
// Members that a request does not know are ignored, so that an older daemon answers a newer
// program. Who answers registers its word; the socket (server.hpp) knows none of them.

#pragma once

#include <boost/json/fwd.hpp>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace countersign::service {

class KeptMessages;

/// Octets of one request with its line end: a queue id and some words.
inline constexpr std::size_t control_request_octets_max = 4'096;

/// Why a request is not answered.
enum class ControlErrorCode : std::uint8_t {
  bad_request,      ///< no object of JSON with a word in "ask"
  too_long,         ///< over control_request_octets_max
  too_slow,         ///< the line did not come in time
  unknown_request,  ///< nobody answers that word
  bad_argument,     ///< a member is missing or of the wrong kind
  internal,         ///< it was asked well and something went wrong
};

/// The enumerator itself, for JSON.
[[nodiscard]] std::string_view name_of(ControlErrorCode code);

/// An error with a sentence for whoever asked.
struct ControlError {
  ControlErrorCode code{};
  std::string message;
};

/// The error as a document: {error: {code, message}}.
[[nodiscard]] boost::json::object to_json(const ControlError& error);

/// Answers one kind of request; gets the whole request. Called on the thread of the socket, so what
/// it looks at must be for all threads.
using ControlHandler =
    std::function<std::expected<boost::json::object, ControlError>(const boost::json::object&)>;

/// Who answers what.
class ControlRequests {
 public:
  /// Lets `handler` answer requests of that word.
  void add(std::string ask, ControlHandler handler);
  /// Answers a line, with or without its end. Whatever it holds, there is an answer.
  [[nodiscard]] boost::json::object answer(std::string_view line) const;

 private:
  std::map<std::string, ControlHandler, std::less<>> handlers_;
};

/// Registers explain and last, which look into the ring; it must outlive the requests.
void add_message_requests(ControlRequests& requests, const KeptMessages& kept);

}  // namespace countersign::service
