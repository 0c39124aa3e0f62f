// SPDX-License-Identifier: Apache-2.0
//
// Questions about messages: what became of this one, and which were the last.

#include <boost/json.hpp>
#include <cstdint>
#include <optional>

#include "service/control/kept_messages.hpp"
#include "service/control/message_json.hpp"
#include "service/control/requests.hpp"

namespace countersign::service {
namespace {

namespace json = boost::json;
using Answer = std::expected<json::object, ControlError>;

// Of one queue id; an id stands for one or two.
constexpr std::size_t explained_max = 16;
// What their memory may be, so that an answer is no burden; one message is explained whatever it
// is.
constexpr std::size_t explained_octets_max = 4'194'304;
constexpr std::int64_t listed_max = 1'000;
constexpr std::int64_t listed_usually = 20;

Answer explain(const json::object& request, const KeptMessages& kept) {
  const json::value* const queue_id = request.if_contains("queue_id");
  if (queue_id == nullptr || !queue_id->is_string() || queue_id->get_string().empty())
    return std::unexpected(
        ControlError{ControlErrorCode::bad_argument, "queue_id must be the id of a message"});
  const KeptMessages::Found found =
      kept.find(std::string_view(queue_id->get_string()), explained_max + 1);
  json::array messages;
  std::size_t octets = 0;
  for (const auto& message : found) {
    octets += octets_of(*message);
    const bool is_enough =
        messages.size() == explained_max || (octets > explained_octets_max && !messages.empty());
    if (is_enough) break;
    messages.emplace_back(to_json(*message));
  }
  const bool more = messages.size() < found.size();
  return json::object{
      {"messages", std::move(messages)}, {"more", more}, {"kept", to_json(kept.reach())}};
}

Answer last(const json::object& request, const KeptMessages& kept) {
  const json::value* const count = request.if_contains("count");
  const std::int64_t wanted = count != nullptr && count->is_int64() ? count->get_int64() : 0;
  if (count != nullptr && (wanted < 1 || wanted > listed_max))
    return std::unexpected(ControlError{ControlErrorCode::bad_argument,
                                        "count must be from 1 to " + std::to_string(listed_max)});
  const auto most = static_cast<std::size_t>(count == nullptr ? listed_usually : wanted);
  json::array messages;
  for (const auto& message : kept.last(most)) messages.emplace_back(summary_of(*message));
  const KeptReach reach = kept.reach();
  const bool more = messages.size() < reach.messages;
  return json::object{{"messages", std::move(messages)}, {"more", more}, {"kept", to_json(reach)}};
}

}  // namespace

void add_message_requests(ControlRequests& requests, const KeptMessages& kept) {
  requests.add("explain", [&kept](const json::object& request) { return explain(request, kept); });
  requests.add("last", [&kept](const json::object& request) { return last(request, kept); });
}

}  // namespace countersign::service
