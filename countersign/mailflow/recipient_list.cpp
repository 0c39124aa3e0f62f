// SPDX-License-Identifier: Apache-2.0

#include "countersign/mailflow/recipient_list.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "countersign/text/abnf.hpp"

namespace countersign::mailflow {

namespace {

/// What a pattern means without its wildcard, if anything: "*@host" is host, "*@*.host" is ".host".
std::string_view without_wildcards(std::string_view entry) {
  if (entry.starts_with("*@")) entry.remove_prefix(2);
  if (entry.starts_with("*.")) entry.remove_prefix(1);
  return entry;
}

}  // namespace

RecipientList::RecipientList(std::initializer_list<std::string_view> entries) {
  for (const std::string_view entry : entries) static_cast<void>(add(entry));
}

bool RecipientList::add(std::string_view entry) {
  const std::string_view plain = without_wildcards(entry);
  if (plain.find('*') == std::string_view::npos && !has_live_octets(plain)) {
    plain_.insert(text::to_lower(plain));
    return true;
  }
  std::optional<Pattern> pattern = Pattern::compile(entry);
  if (pattern) patterns_.push_back(*std::move(pattern));
  return pattern.has_value();
}

bool RecipientList::contains(std::string_view recipient) const {
  const std::string address = text::to_lower(recipient);
  if (plain_.contains(address)) return true;
  const auto matches = [&](const Pattern& pattern) { return pattern.matches(address); };
  if (std::ranges::any_of(patterns_, matches)) return true;
  const std::size_t at = address.rfind('@');
  if (at == std::string::npos) return false;
  const std::string domain = address.substr(at + 1);
  if (plain_.contains(domain)) return true;
  for (std::size_t dot = domain.find('.'); dot != std::string::npos;
       dot = domain.find('.', dot + 1))
    if (plain_.contains(domain.substr(dot))) return true;
  return false;
}

}  // namespace countersign::mailflow
