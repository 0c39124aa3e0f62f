// SPDX-License-Identifier: Apache-2.0
//
// Any octets as a request at the control socket: there is always an answer, an error or the
// messages of a ring, on one line of printable ASCII that the asking side can read.

#include <algorithm>
#include <boost/json.hpp>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "countersign/assert.hpp"
#include "service/control/kept_messages.hpp"
#include "service/control/requests.hpp"
#include "service/explain/json_text.hpp"

using namespace countersign;
using namespace countersign::service;

namespace {

KeptMessage message_with_id(const std::string& queue_id) {
  KeptMessage message;
  message.client = "mail.example [192.0.2.1]";
  message.outcome.queue_id = queue_id;
  message.outcome.author = "\xff\x1b\n@example.org";
  return message;
}

bool is_printable(char c) { return c >= ' ' && c <= '~'; }

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view line(reinterpret_cast<const char*>(data), size);
  KeptMessages kept({.messages = 4, .octets = 100'000}, {});
  for (const char* id : {"4AAA", "4BBB", "4AAA"}) kept.keep(message_with_id(id));
  ControlRequests requests;
  add_message_requests(requests, kept);
  const boost::json::object answer = requests.answer(line);
  COUNTERSIGN_ASSERT(answer.contains("error") != answer.contains("messages"));
  const std::string text = ascii_json(answer);
  COUNTERSIGN_ASSERT(std::ranges::all_of(text, is_printable));
  COUNTERSIGN_ASSERT(boost::json::parse(text) == answer);
  return 0;
}
