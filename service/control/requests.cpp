// SPDX-License-Identifier: Apache-2.0

#include "service/control/requests.hpp"

#include <boost/json.hpp>
#include <exception>
#include <utility>

#include "service/explain/json_text.hpp"

namespace countersign::service {
namespace {

namespace json = boost::json;

// A request is flat; nobody needs more.
constexpr std::size_t depth_max = 8;

std::string listed(const std::map<std::string, ControlHandler, std::less<>>& handlers) {
  std::string words;
  for (const auto& [word, handler] : handlers) words += words.empty() ? word : ", " + word;
  return words;
}

}  // namespace

std::string_view name_of(ControlErrorCode code) {
  switch (code) {
    case ControlErrorCode::bad_request:
      return "bad_request";
    case ControlErrorCode::too_long:
      return "too_long";
    case ControlErrorCode::too_slow:
      return "too_slow";
    case ControlErrorCode::unknown_request:
      return "unknown_request";
    case ControlErrorCode::bad_argument:
      return "bad_argument";
    case ControlErrorCode::internal:
      return "internal";
  }
  return "internal";
}

json::object to_json(const ControlError& error) {
  return {{"error", {{"code", name_of(error.code)}, {"message", json_text(error.message)}}}};
}

void ControlRequests::add(std::string ask, ControlHandler handler) {
  handlers_.insert_or_assign(std::move(ask), std::move(handler));
}

json::object ControlRequests::answer(std::string_view line) const {
  const auto refuse = [](ControlErrorCode code, std::string message) {
    return to_json(ControlError{code, std::move(message)});
  };
  if (line.size() > control_request_octets_max)
    return refuse(
        ControlErrorCode::too_long,
        "a request has at most " + std::to_string(control_request_octets_max) + " octets");
  json::error_code error;
  const json::value document = json::parse(line, error, {}, {.max_depth = depth_max});
  if (error)
    return refuse(ControlErrorCode::bad_request, "the request is no JSON: " + error.message());
  const json::object* const request = document.if_object();
  const json::value* const ask = request == nullptr ? nullptr : request->if_contains("ask");
  if (ask == nullptr || !ask->is_string())
    return refuse(ControlErrorCode::bad_request,
                  R"(a request is an object like {"ask": "explain", "queue_id": "…"})");
  const auto handler = handlers_.find(std::string_view(ask->get_string()));
  if (handler == handlers_.end())
    return refuse(ControlErrorCode::unknown_request,
                  "this daemon cannot be asked that; it knows: " + listed(handlers_));
  try {
    auto answer = handler->second(*request);
    return answer ? *std::move(answer) : to_json(answer.error());
  } catch (const std::exception& failure) {
    return refuse(ControlErrorCode::internal, failure.what());
  }
}

}  // namespace countersign::service
