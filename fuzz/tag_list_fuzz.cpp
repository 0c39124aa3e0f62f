// SPDX-License-Identifier: Apache-2.0
//
// Tag lists from any octets, and again with the octets mapped onto the alphabet of the grammar, so
// that the fuzzer gets past the first name. What parses is written out and read back the same.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "countersign/assert.hpp"
#include "countersign/text/tag_list.hpp"

using namespace countersign;
using namespace countersign::text;

namespace {

std::string format(const TagList& list) {
  std::string text;
  for (const Tag& tag : list.tags())
    text += std::string(tag.name) + "=" + std::string(tag.value) + ";";
  return text;
}

void check(std::string_view text) {
  const Limits limits;
  const Result<TagList, TagListError> list = parse_tag_list(text, limits);
  if (!list) {
    COUNTERSIGN_ASSERT(list.error().offset <= text.size());
    return;
  }
  COUNTERSIGN_ASSERT(list->tags().size() <= limits.tags_max);
  for (const Tag& tag : list->tags()) {
    COUNTERSIGN_ASSERT(list->find(tag.name) == &tag);
    COUNTERSIGN_ASSERT(text.substr(tag.value_offset, tag.value.size()) == tag.value);
  }
  const std::string written = format(*list);
  const Result<TagList, TagListError> again = parse_tag_list(written, limits);
  COUNTERSIGN_ASSERT(again && format(*again) == written);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view octets(reinterpret_cast<const char*>(data), size);
  check(octets);

  constexpr std::string_view grammar = "ab_1===;;; \t\r\n\n\xC3";
  std::string mapped(octets);
  for (char& c : mapped) c = grammar[static_cast<unsigned char>(c) % grammar.size()];
  check(mapped);
  return 0;
}
