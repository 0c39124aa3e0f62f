// SPDX-License-Identifier: Apache-2.0
//
// Nearly every line of every table means one of six things, so both kinds of table keep them under
// one set of keys and a look-up is a few probes however long the table is:
//
//   user@host   @host   user@.superdomain   @.superdomain   user@*   @*
//
// What differs is the order: a keyed table asks from the most to the least specific, a table of
// patterns goes by its lines.

#include "countersign/mailflow/signing_table.hpp"

#include <algorithm>
#include <functional>
#include <utility>

#include "countersign/limits.hpp"
#include "countersign/mailflow/pattern.hpp"
#include "countersign/text/abnf.hpp"

namespace countersign::mailflow {

namespace {

using LineNumbers = std::vector<std::size_t>;

/// A line that only a matcher can answer.
struct PatternLine {
  std::size_t line;
  Pattern pattern;
};

struct PatternParts {
  std::string_view local_part;  ///< "*" when there is none
  std::string_view domain;
};

/// Cuts "user@host" in two; what has no "@" is a domain, as in the keyed tables.
PatternParts cut(std::string_view pattern) {
  const std::size_t at = pattern.rfind('@');
  if (at == std::string_view::npos) return {"*", pattern};
  return {pattern.substr(0, at), pattern.substr(at + 1)};
}

/// The part of a key behind "@": "*", a host, or a superdomain with its dot; "*.domain" stands for
/// the latter.
std::optional<std::string> domain_key(std::string_view domain) {
  if (domain == "*") return "*";
  if (domain.starts_with("*.")) domain.remove_prefix(1);
  const bool is_suffix = domain.starts_with('.');
  const auto name = DomainName::parse(is_suffix ? domain.substr(1) : domain);
  if (!name) return std::nullopt;
  return (is_suffix ? "." : "") + name->text();
}

/// The key under which a pattern is looked up; nothing when no key can stand for it.
std::optional<std::string> key_of(std::string_view pattern) {
  const auto [local_part, domain] = cut(pattern);
  const bool any = local_part == "*";
  if (!any && local_part.find('*') != std::string_view::npos) return std::nullopt;
  const std::optional<std::string> key = domain_key(domain);
  if (!key) return std::nullopt;
  return (any ? "" : text::to_lower(local_part)) + "@" + *key;
}

void append_numbers(LineNumbers& lines, const LineNumbers& more) {
  lines.insert(lines.end(), more.begin(), more.end());
}

}  // namespace

// --- keys ----------------------------------------------------------------------------------------

bool KeyTable::add(KeyEntry entry) {
  const bool is_new = by_name_.try_emplace(entry.name, entries_.size()).second;
  if (is_new) entries_.push_back(std::move(entry));
  return is_new;
}

const KeyEntry* KeyTable::find(std::string_view name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : &entries_[found->second];
}

// --- lines ---------------------------------------------------------------------------------------

struct SigningTable::State {
  Kind kind = Kind::keys;
  std::vector<SigningEntry> entries;
  std::unordered_map<std::string, LineNumbers, TextHash, std::equal_to<>> by_key;
  std::vector<PatternLine> patterns;

  /// Calls `take` with the lines under each key that stands for the address, from the most specific
  /// on, until it says that this is enough.
  template <class Take>
  void probe(std::string_view local_part, const DomainName& domain, const Take& take) const {
    std::string key = text::to_lower(local_part);
    const std::size_t user_size = key.size();
    const auto ask = [&](std::string_view domain_part) {
      key.resize(user_size);
      key += '@';
      key += domain_part;
      return take_lines(key, take) || take_lines(std::string_view(key).substr(user_size), take);
    };
    const std::string_view host = domain.text();
    if (ask(host)) return;
    for (std::size_t dot = host.find('.'); dot != std::string_view::npos;
         dot = host.find('.', dot + 1))
      if (ask(host.substr(dot))) return;
    ask("*");
  }

  template <class Take>
  bool take_lines(std::string_view key, const Take& take) const {
    const auto found = by_key.find(key);
    return found != by_key.end() && take(found->second);
  }

  /// Lines in the order of specificity.
  LineNumbers match_keys(std::string_view local_part, const DomainName& domain,
                         bool first_only) const {
    LineNumbers lines;
    probe(local_part, domain, [&](const LineNumbers& found) {
      append_numbers(lines, found);
      return first_only;
    });
    return lines;
  }

  /// Lines in the order of the file.
  LineNumbers match_patterns(std::string_view local_part, const DomainName& domain,
                             bool first_only) const {
    LineNumbers lines;
    probe(local_part, domain, [&](const LineNumbers& found) {
      append_numbers(lines, found);
      return false;
    });
    std::ranges::sort(lines);
    if (!patterns.empty()) add_pattern_lines(local_part, domain, first_only, lines);
    return lines;
  }

  void add_pattern_lines(std::string_view local_part, const DomainName& domain, bool first_only,
                         LineNumbers& lines) const {
    const std::string user = text::to_lower(local_part) + "@";
    const std::string address = user + domain.text();
    const std::string shown = user + domain.display();  // OpenDKIM's files have U-labels.
    for (const PatternLine& candidate : patterns) {
      if (first_only && !lines.empty() && lines.front() < candidate.line) return;
      const bool matches = candidate.pattern.matches(address) ||
                           (shown != address && candidate.pattern.matches(shown));
      if (matches) lines.insert(std::ranges::upper_bound(lines, candidate.line), candidate.line);
    }
  }
};

SigningTable::SigningTable(Kind kind) : state_(std::make_unique<State>()) { state_->kind = kind; }
SigningTable::~SigningTable() = default;
SigningTable::SigningTable(const SigningTable& other)
    : state_(std::make_unique<State>(*other.state_)) {}
SigningTable& SigningTable::operator=(const SigningTable& other) {
  return *this = SigningTable(other);
}
SigningTable::SigningTable(SigningTable&&) noexcept = default;
SigningTable& SigningTable::operator=(SigningTable&&) noexcept = default;

std::optional<std::string> SigningTable::add(SigningEntry entry) {
  const std::string_view pattern = entry.pattern;
  if (pattern.empty()) return "the line has no pattern";
  if (entry.key_name.empty()) return "the line names no key";
  if (pattern.size() > Limits{}.signing_pattern_bytes_max) return "the pattern is too long";

  const std::size_t line = state_->entries.size();
  const bool is_expression = state_->kind == Kind::patterns && has_live_octets(pattern);
  if (std::optional<std::string> key = is_expression ? std::nullopt : key_of(pattern)) {
    state_->by_key[*std::move(key)].push_back(line);
  } else {
    const bool has_star = pattern.find('*') != std::string_view::npos;
    if (!is_expression && (state_->kind == Kind::keys || !has_star))
      return "\"" + entry.pattern + "\" is no address and no domain";
    std::optional<Pattern> compiled = Pattern::compile(pattern);
    if (!compiled) return "\"" + entry.pattern + "\" is no pattern that can be used";
    state_->patterns.push_back({line, *std::move(compiled)});
  }
  state_->entries.push_back(std::move(entry));
  return std::nullopt;
}

std::vector<const SigningEntry*> SigningTable::match(std::string_view local_part,
                                                     const DomainName& domain,
                                                     bool first_only) const {
  LineNumbers lines = state_->kind == Kind::keys
                          ? state_->match_keys(local_part, domain, first_only)
                          : state_->match_patterns(local_part, domain, first_only);
  if (first_only && lines.size() > 1) lines.resize(1);
  std::vector<const SigningEntry*> matches;
  matches.reserve(lines.size());
  for (const std::size_t line : lines) matches.push_back(&state_->entries[line]);
  return matches;
}

const std::vector<SigningEntry>& SigningTable::entries() const { return state_->entries; }

}  // namespace countersign::mailflow
