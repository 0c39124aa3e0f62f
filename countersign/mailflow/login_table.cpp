// SPDX-License-Identifier: Apache-2.0
//
// A hosting company has a line for each of a million mailboxes, or one for all of them; so logins
// are kept under keys, and a look-up is a few probes:
//
//   =alice@example.org   @example.org   @.org   @*   *
//
// The "=" keeps what strangers may call themselves apart from the patterns.

#include "countersign/mailflow/login_table.hpp"

#include <algorithm>
#include <utility>

#include "countersign/limits.hpp"
#include "countersign/text/abnf.hpp"
#include "countersign/text/glob.hpp"

namespace countersign::mailflow {

namespace {

constexpr text::CharClass is_separator = text::CharClass(", \t\r\v\f");

/// The key of a login pattern; nothing for what is none.
std::optional<std::string> key_of(std::string_view pattern) {
  if (pattern.empty() || pattern.size() > Limits{}.signing_pattern_bytes_max) return std::nullopt;
  if (pattern == "*") return "*";
  if (!pattern.starts_with("*@")) {
    if (pattern.find('*') != std::string_view::npos) return std::nullopt;
    return "=" + Login::parse(pattern).text;
  }
  std::string_view domain = pattern.substr(2);
  if (domain == "*") return "@*";
  if (domain.starts_with("*.")) domain.remove_prefix(1);
  const bool is_below = domain.starts_with('.');
  const auto name = DomainName::parse(domain.substr(is_below ? 1 : 0));
  if (!name) return std::nullopt;
  return (is_below ? "@." : "@") + name->text();
}

std::string_view take_item(std::string_view& text) {
  std::size_t begin = 0;
  while (begin < text.size() && is_separator(text[begin])) ++begin;
  std::size_t end = begin;
  while (end < text.size() && !is_separator(text[end])) ++end;
  const std::string_view item = text.substr(begin, end - begin);
  text.remove_prefix(end);
  return item;
}

std::string quote(std::string_view text) { return "'" + std::string(text) + "'"; }

}  // namespace

Login Login::parse(std::string_view text) {
  Login login{.text = text::to_lower(text), .local_part = {}, .domain = {}};
  const std::size_t at = text.find('@');
  if (at == std::string_view::npos || at == 0 || at != text.rfind('@')) return login;
  const auto domain = DomainName::parse(text.substr(at + 1));
  if (!domain) return login;
  login.local_part = text::to_lower(text.substr(0, at));
  login.text = login.local_part + "@" + domain->text();
  login.domain = *domain;
  return login;
}

// --- what a login may use ------------------------------------------------------------------------

std::optional<SenderPattern> SenderPattern::parse_domain(std::string_view text) {
  SenderPattern pattern;
  if (text == "*") return pattern;
  if (text.starts_with("*.")) text.remove_prefix(1);
  pattern.below_ = text.starts_with('.');
  if (pattern.below_) text.remove_prefix(1);
  pattern.domain_ = text == "%d" ? Domain::login : Domain::name;
  if (pattern.domain_ == Domain::login) return pattern;
  auto name = DomainName::parse(text);
  if (!name) return std::nullopt;
  pattern.name_ = *std::move(name);
  return pattern;
}

std::optional<SenderPattern> SenderPattern::parse(std::string_view text) {
  if (text.size() > Limits{}.signing_pattern_bytes_max) return std::nullopt;
  if (text == "%s") {
    SenderPattern itself;
    itself.local_ = Local::login_local_part;
    itself.domain_ = Domain::login;
    return itself;
  }
  const std::size_t at = text.rfind('@');
  if (at == std::string_view::npos) return parse_domain(text);
  std::optional<SenderPattern> pattern = parse_domain(text.substr(at + 1));
  const std::string_view local_part = text.substr(0, at);
  if (!pattern || local_part.empty() || local_part == "*") return pattern;
  pattern->local_ = local_part == "%s" ? Local::login : Local::glob;
  if (pattern->local_ == Local::login) return pattern;
  // Other tables have more than "%s": what is meant must not be taken for an address.
  if (local_part.find('%') != std::string_view::npos) return std::nullopt;
  pattern->glob_ = local_part;
  return pattern;
}

bool SenderPattern::matches_local_part(const Login& login, std::string_view local_part) const {
  switch (local_) {
    case Local::any:
      return true;
    case Local::glob:
      return text::glob_matches(glob_, local_part);
    case Local::login:
      return text::equal_ignoring_case(login.text, local_part);
    case Local::login_local_part:
      return text::equal_ignoring_case(login.local_part, local_part);
  }
  return false;
}

bool SenderPattern::matches_domain(const Login& login, const DomainName& domain) const {
  if (domain_ == Domain::any) return true;
  const std::optional<DomainName>& wanted = domain_ == Domain::login ? login.domain : name_;
  if (!wanted) return false;
  return below_ ? domain != *wanted && domain.is_at_or_below(*wanted) : domain == *wanted;
}

bool SenderPattern::matches(const Login& login, const Mailbox& sender) const {
  return matches_domain(login, sender.domain) && matches_local_part(login, sender.local_part);
}

bool SenderPattern::is_everything() const { return local_ == Local::any && domain_ == Domain::any; }

bool LoginLine::allows(const Login& who, const Mailbox& sender) const {
  return std::ranges::any_of(
      senders, [&](const SenderPattern& pattern) { return pattern.matches(who, sender); });
}

bool LoginLine::allows_everything() const {
  return std::ranges::any_of(senders, &SenderPattern::is_everything);
}

// --- the table -----------------------------------------------------------------------------------

LoginTable LoginTable::own_domains() {
  LoginTable table;
  static_cast<void>(table.add("*@*", "%d", {}));
  static_cast<void>(table.add("*", "*", {}));
  return table;
}

std::optional<std::string> LoginTable::add(std::string_view login, std::string_view senders,
                                           Place place) {
  std::optional<std::string> key = key_of(login);
  if (!key)
    return quote(login) + " is no login: write it whole, or *@domain, *@.domain, *@* or * for all";
  LoginLine line{.login = std::string(login), .senders = {}, .place = std::move(place)};
  std::optional<std::string> error;
  for (std::string_view item = take_item(senders); !item.empty(); item = take_item(senders)) {
    if (auto pattern = SenderPattern::parse(item))
      line.senders.push_back(*std::move(pattern));
    else if (!error)
      error = quote(item) +
              " is neither an address nor a domain: there are user@domain, domain, .domain for "
              "what is below it, %d for the domain of the login, %s for the login, * for all";
  }
  if (line.senders.empty() && !error)
    error = "the line of " + quote(login) + " names no address and no domain that it may use";
  by_key_[*std::move(key)].push_back(lines_.size());
  lines_.push_back(std::move(line));
  return error;
}

std::vector<const LoginLine*> LoginTable::find(const Login& login) const {
  const auto lines_of = [this](std::string_view key) {
    std::vector<const LoginLine*> found;
    if (const auto at = by_key_.find(key); at != by_key_.end())
      for (const std::size_t number : at->second) found.push_back(&lines_[number]);
    return found;
  };
  if (auto found = lines_of("=" + login.text); !found.empty()) return found;
  if (login.domain) {
    const std::string& domain = login.domain->text();
    if (auto found = lines_of("@" + domain); !found.empty()) return found;
    for (std::size_t dot = domain.find('.'); dot != std::string::npos;
         dot = domain.find('.', dot + 1))
      if (auto found = lines_of("@" + domain.substr(dot)); !found.empty()) return found;
    if (auto found = lines_of("@*"); !found.empty()) return found;
  }
  return lines_of("*");
}

}  // namespace countersign::mailflow
