// SPDX-License-Identifier: Apache-2.0

#include "service/explain/tag_texts.hpp"

#include <algorithm>
#include <boost/json.hpp>
#include <optional>
#include <string>

#include "countersign/text/abnf.hpp"
#include "service/explain/json_text.hpp"

namespace countersign::service {
namespace {

namespace json = boost::json;

json::value word_or_null(const std::optional<dmarc::AssessmentPolicy>& policy) {
  return policy ? json::value(to_string(*policy)) : json::value(nullptr);
}

json::array texts(const std::vector<std::string>& uris) {
  json::array array;
  for (const std::string& uri : uris) array.emplace_back(json_text(uri));
  return array;
}

}  // namespace

std::vector<TagText> tag_texts(std::string_view list) {
  std::vector<TagText> tags;
  for (std::size_t begin = 0; begin < list.size();) {
    const std::size_t end = std::min(list.find(';', begin), list.size());
    const std::string_view piece = text::trim(list.substr(begin, end - begin), text::is_fws);
    begin = end + 1;
    if (piece.empty()) continue;
    const std::size_t equals = std::min(piece.find('='), piece.size());
    const std::size_t behind = std::min(equals + 1, piece.size());
    tags.push_back({.offset = static_cast<std::size_t>(piece.data() - list.data()),
                    .name = text::trim(piece.substr(0, equals), text::is_fws),
                    .value = text::trim(piece.substr(behind), text::is_fws)});
  }
  return tags;
}

json::object published_tags(std::string_view list) {
  json::object object;
  for (const TagText& tag : tag_texts(list))
    object.emplace(json_text(text::to_lower(tag.name)), json_text(tag.value));
  return object;
}

json::object tags_of(const dmarc::Record& record) {
  return {{"p", word_or_null(record.p)},    {"sp", word_or_null(record.sp)},
          {"np", word_or_null(record.np)},  {"t", record.testing ? "y" : "n"},
          {"psd", to_string(record.psd)},   {"adkim", to_string(record.adkim)},
          {"aspf", to_string(record.aspf)}, {"rua", texts(record.rua)},
          {"ruf", texts(record.ruf)},       {"fo", to_string(record.fo)}};
}

}  // namespace countersign::service
