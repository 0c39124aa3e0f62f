// SPDX-License-Identifier: Apache-2.0
//
// Any octets as a field that is read, written and read again, and as values that a sender smuggles
// into a field of ours: each comes back whole or not at all, and nothing else comes with it. A
// field that bears our id is seen as such, whatever follows.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "countersign/assert.hpp"
#include "countersign/authres/field.hpp"
#include "countersign/authres/removal.hpp"

namespace {

using namespace countersign;
using namespace countersign::authres;

constexpr std::string_view field_name = "Authentication-Results:";
const Limits limits;

Field write_and_read(const Field& field, const FormatOptions& options) {
  const std::string text = format_field(field, options, limits);
  COUNTERSIGN_ASSERT(text.starts_with(field_name));
  const std::string_view value = std::string_view(text).substr(field_name.size());
  std::size_t lines = 0;
  for (std::size_t at = value.find('\n'); at != value.npos; at = value.find('\n', at + 1)) {
    COUNTERSIGN_ASSERT(value.substr(at - 1, 3) == "\r\n\t");
    ++lines;
  }
  COUNTERSIGN_ASSERT(static_cast<std::size_t>(std::ranges::count(value, '\r')) == lines);
  const auto read = parse_field(value, limits);
  COUNTERSIGN_ASSERT(read.has_value());
  COUNTERSIGN_ASSERT(read->authserv_id == field.authserv_id);
  return *read;
}

// True when the parts of one list are among those of the other, in the same order.
template <class T>
bool is_part_of(const std::vector<T>& some, const std::vector<T>& all) {
  auto next = all.begin();
  for (const T& one : some) {
    next = std::find(next, all.end(), one);
    if (next == all.end()) return false;
    ++next;
  }
  return true;
}

void read_and_write(std::string_view text) {
  const auto field = parse_field(text, limits);
  if (!field) {
    COUNTERSIGN_ASSERT(field.error().offset <= text.size());
    return;
  }
  COUNTERSIGN_ASSERT(claims_authserv_id(text, field->authserv_id, limits) ||
                     !is_authserv_id(field->authserv_id));
  if (!is_authserv_id(field->authserv_id)) return;
  const Field again = write_and_read(*field, {.utf8 = true});
  COUNTERSIGN_ASSERT(again.results.size() <= field->results.size());
  // What was written once is written the same way for ever.
  COUNTERSIGN_ASSERT(write_and_read(again, {.utf8 = true}) == again);
}

void smuggle(std::string_view value, const FormatOptions& options) {
  const std::string text(value);
  const MethodResult result{.method = "dkim",
                            .result = "pass",
                            .reason = text,
                            .properties = {{"header", "d", "honest.example"},
                                           {"header", "i", text},
                                           {"smtp", "mailfrom", text}},
                            .comment = text};
  const MethodResult other{
      .method = "spf", .result = "fail", .properties = {{"smtp", "helo", text}}};
  const Field read = write_and_read({"mx.example.org", {result, other}}, options);
  COUNTERSIGN_ASSERT(read.results.size() == 2);
  COUNTERSIGN_ASSERT(read.results[0].method == "dkim" && read.results[0].result == "pass");
  COUNTERSIGN_ASSERT(read.results[1].method == "spf" && read.results[1].result == "fail");
  COUNTERSIGN_ASSERT(!read.results[0].reason || *read.results[0].reason == text);
  COUNTERSIGN_ASSERT(!read.results[1].reason);
  COUNTERSIGN_ASSERT(is_part_of(read.results[0].properties, result.properties));
  COUNTERSIGN_ASSERT(is_part_of(read.results[1].properties, other.properties));
  COUNTERSIGN_ASSERT(read.results[0].find("header", "d") != nullptr);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(data, data + size);
  read_and_write(text);
  for (const FormatOptions& options :
       {FormatOptions{}, FormatOptions{.comments = true}, FormatOptions{.utf8 = true}})
    smuggle(text, options);
  COUNTERSIGN_ASSERT(claims_authserv_id(" mx.example.org;" + text, "mx.example.org", limits));
  return 0;
}
