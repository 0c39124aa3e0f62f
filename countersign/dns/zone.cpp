// SPDX-License-Identifier: Apache-2.0
//
// How a zone in memory finds the answer to a question (RFC 1034 §4.3.2, wildcards as RFC 4592).

#include "countersign/dns/zone.hpp"

#include <algorithm>

#include "countersign/dns/presentation.hpp"
#include "countersign/text/abnf.hpp"

namespace countersign::dns {
namespace {

constexpr unsigned aliases_max = 16;
constexpr std::size_t string_octets_max = 255;  // RFC 1035 §3.3
constexpr std::chrono::seconds ttl_of_absence{60};

// "www.example.com" → "com.example.www"; the root, "", is an ancestor of every key.
std::string key_of(std::string_view name) {
  std::string key;
  if (name == ".") return key;
  key.reserve(name.size());
  for (;;) {
    const std::size_t dot = name.rfind('.');
    if (dot == std::string_view::npos) return key.append(name);
    key.append(name.substr(dot + 1)).push_back('.');
    name.remove_suffix(name.size() - dot);
  }
}

}  // namespace

Zone::Node& Zone::node(std::string_view name) { return nodes_[key_of(plain_name(name))]; }

void Zone::add(std::string_view name, RecordType type, RecordData data, std::chrono::seconds ttl) {
  const auto [set, is_new] = node(name).sets.try_emplace(type);
  set->second.records.push_back(std::move(data));
  set->second.ttl = is_new ? ttl : std::min(set->second.ttl, ttl);
}

void Zone::add_txt(std::string_view name, std::string_view text) {
  Text data;
  do {
    data.strings.emplace_back(text.substr(0, string_octets_max));
    text.remove_prefix(data.strings.back().size());
  } while (!text.empty());
  add(name, RecordType::txt, std::move(data));
}

void Zone::add_name(std::string_view name) { node(name); }

void Zone::fail(std::string_view name, RecordType type, AnswerStatus status) {
  node(name).failures[type] = status;
}

void Zone::fail_all(std::string_view name, AnswerStatus status) {
  node(name).failure_of_rest = status;
}

std::optional<AnswerStatus> Zone::Node::failure(RecordType type) const {
  if (const auto found = failures.find(type); found != failures.end()) return found->second;
  return sets.contains(type) ? std::nullopt : failure_of_rest;
}

Answer Zone::answer(const Question& question) const {
  std::string name = plain_name(question.name);
  std::chrono::seconds ttl = std::chrono::seconds::max();
  for (unsigned aliases = 0; aliases <= aliases_max; ++aliases) {
    const Node* node = find(name);
    if (node == nullptr)
      return {.status = AnswerStatus::nxdomain, .ttl = std::min(ttl, ttl_of_absence)};
    if (const auto failure = node->failure(question.type)) return {.status = *failure};
    if (const auto set = node->sets.find(question.type); set != node->sets.end())
      return {.status = AnswerStatus::records,
              .records = set->second.records,
              .ttl = std::min(ttl, set->second.ttl)};
    const auto alias = node->sets.find(RecordType::cname);
    if (alias == node->sets.end())
      return {.status = AnswerStatus::nodata, .ttl = std::min(ttl, ttl_of_absence)};
    ttl = std::min(ttl, alias->second.ttl);
    name = plain_name(std::get<NameData>(alias->second.records.front()).name);
  }
  return {.status = AnswerStatus::servfail};
}

// The node of the name itself or, where the name does not exist, of the wildcard below its closest
// encloser: the longest of its ancestors that exists. RFC 4592 §3.3.1
const Zone::Node* Zone::find(const std::string& name) const {
  std::string key = key_of(name);
  if (const Node* exact = find_existing(key)) return exact;
  while (!key.empty()) {
    const std::size_t dot = key.rfind('.');
    key.resize(dot == std::string::npos ? 0 : dot);
    if (find_existing(key) == nullptr) continue;
    const auto wildcard = nodes_.find(key.empty() ? "*" : key + ".*");
    return wildcard == nodes_.end() ? nullptr : &wildcard->second;
  }
  return nullptr;
}

// The node of a key; an empty one where only names below it exist (RFC 4592 §2.2.2).
const Zone::Node* Zone::find_existing(const std::string& key) const {
  static const Node without_records;
  if (const auto found = nodes_.find(key); found != nodes_.end()) return &found->second;
  if (key.empty()) return &without_records;
  const std::string prefix = key + '.';
  const auto below = nodes_.lower_bound(prefix);
  const bool exists = below != nodes_.end() && below->first.starts_with(prefix);
  return exists ? &without_records : nullptr;
}

Result<Zone, ZoneError> Zone::parse(std::string_view text, const Limits& limits,
                                    std::string_view origin) {
  const std::string_view start = text.substr(0, text.find_first_not_of(" \t\r\n") + 1);
  const bool is_json = !start.empty() && start.back() == '{';
  return is_json ? parse_json(text, limits) : parse_master(text, limits, origin);
}

}  // namespace countersign::dns
