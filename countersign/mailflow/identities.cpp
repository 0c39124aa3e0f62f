// SPDX-License-Identifier: Apache-2.0
//
// The walk from an author over the tables to keys. What a line asks for and cannot have is an
// error, never a smaller signature.

#include "countersign/mailflow/identities.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <variant>

namespace countersign::mailflow {

namespace {

dkim::SigningIdentity identity(const Policy& policy, DomainName sdid, DomainName selector,
                               crypto::PrivateKey key) {
  return {.sdid = std::move(sdid),
          .selector = std::move(selector),
          .key = std::move(key),
          .auid = {},
          .header_canonicalization = policy.header_canonicalization,
          .body_canonicalization = policy.body_canonicalization,
          .fields = policy.fields,
          .lifetime = policy.signature_lifetime,
          .body_length_max = policy.signed_octets_max,
          .copies_fields = policy.copies_fields,
          .requests_reports = policy.requests_reports};
}

std::string record_name(const dkim::SigningIdentity& identity) {
  return identity.selector.text() + "._domainkey." + identity.sdid.text();
}

/// The text with every "%" replaced by the domain.
std::string with_domain(std::string_view text, const DomainName& domain) {
  std::string result;
  for (const char c : text) {
    if (c == '%')
      result += domain.text();
    else
      result += c;
  }
  return result;
}

using KeysByDomain = std::unordered_map<std::string, crypto::PrivateKey>;

/// The key of the entry for that d=, or nullptr.
const crypto::PrivateKey* key_for(const KeyEntry& entry, const DomainName& sdid) {
  if (const auto* key = std::get_if<crypto::PrivateKey>(&entry.key)) return key;
  const auto& keys = std::get<KeysByDomain>(entry.key);
  const auto found = keys.find(sdid.text());
  return found == keys.end() ? nullptr : &found->second;
}

/// The domain that the single key signs as for an author: the author's own, or with SubDomains the
/// nearest parent that is listed.
std::optional<DomainName> listed_domain(const SingleKey& single, const DomainName& domain) {
  if (single.domains.contains(domain)) return domain;
  if (!single.subdomains) return std::nullopt;
  for (std::size_t labels = domain.label_count() - 1; labels > 0; --labels) {
    const auto parent = DomainName::parse(domain.suffix(labels));
    if (parent && single.domains.contains(*parent)) return *parent;
  }
  return std::nullopt;
}

/// True when the line is about that domain, and does not merely match it as it matches every other:
/// a relay that signs for all comers has "*".
bool is_about(const Policy& policy, const SigningEntry& line, const DomainName& domain) {
  const KeyEntry* entry =
      policy.key_table.find(line.key_name == "%" ? domain.text() : line.key_name);
  if (entry != nullptr && entry->domain) return domain.is_at_or_below(*entry->domain);
  const bool matches_all = line.pattern == "*" || line.pattern == "*@*";
  if (!matches_all || entry == nullptr) return !matches_all;
  return std::holds_alternative<KeysByDomain>(entry->key) && key_for(*entry, domain) != nullptr;
}

/// Gathers identities line by line.
class Chooser {
 public:
  Chooser(const Policy& policy, const Mailbox& author) : policy_(policy), author_(author) {}

  void add_lines(const std::vector<const SigningEntry*>& lines) {
    if (lines.empty()) explain(Reason::no_line_matches, author_.address());
    for (const SigningEntry* line : lines) add_line(*line);
  }

  void add_single_key(const SingleKey& single) {
    const std::optional<DomainName> sdid = listed_domain(single, author_.domain);
    if (!sdid) return explain(Reason::domain_not_listed, author_.domain.text());
    explain(Reason::domain_listed, sdid->text(), single.place);
    dkim::SigningIdentity made = identity(policy_, *sdid, single.selector, single.key);
    if (*sdid != author_.domain) made.auid = "@" + sdid->text();
    add(std::move(made));
  }

  /// Adds a key of the fallback, unless it is near one of the authors.
  void add_fallback(const KeyEntry& entry, const std::vector<Mailbox>& authors) {
    const DomainName& sdid = entry.domain ? *entry.domain : author_.domain;
    const auto is_near = [&sdid](const Mailbox& author) {
      return author.domain.suffix(2) == sdid.suffix(2);
    };
    const auto near = std::ranges::find_if(authors, is_near);
    if (near != authors.end())
      return explain(Reason::fallback_near_author, sdid.text() + " for " + near->address(),
                     entry.place);
    const crypto::PrivateKey* key = key_for(entry, sdid);
    if (key == nullptr) return fail(Reason::no_key_for_domain, sdid.text(), entry.place);
    dkim::SigningIdentity made = identity(policy_, sdid, entry.selector, *key);
    made.auid = policy_.logins.fallback_signer;
    explain(Reason::fallback_signs, record_name(made), entry.place);
    add(std::move(made));
  }

  void explain(Reason reason, std::string detail, std::optional<Place> place = std::nullopt) {
    result_.reasons.push_back({reason, std::move(detail), std::move(place)});
  }

  Identities take() { return std::move(result_); }

 private:
  void fail(Reason reason, std::string detail, const Place& place) {
    explain(reason, std::move(detail), place);
    result_.has_error = true;
  }

  void add_line(const SigningEntry& line) {
    explain(Reason::line_matches, author_.address(), line.place);
    const std::string key_name = line.key_name == "%" ? author_.domain.text() : line.key_name;
    const KeyEntry* entry = policy_.key_table.find(key_name);
    if (entry == nullptr) return fail(Reason::unknown_key, key_name, line.place);

    const DomainName& sdid = entry->domain ? *entry->domain : author_.domain;
    const crypto::PrivateKey* key = key_for(*entry, sdid);
    if (key == nullptr) return fail(Reason::no_key_for_domain, sdid.text(), entry->place);

    dkim::SigningIdentity made = identity(policy_, sdid, entry->selector, *key);
    if (!set_signer(line, made)) return;
    add(std::move(made));
  }

  /// Sets i= from the line; false when its signer is none.
  bool set_signer(const SigningEntry& line, dkim::SigningIdentity& made) {
    if (line.signer.empty()) return true;
    std::string signer = with_domain(line.signer, author_.domain);
    const std::size_t at = signer.rfind('@');
    if (at == std::string::npos) {
      fail(Reason::bad_signer, std::move(signer), line.place);
      return false;
    }
    const auto domain = DomainName::parse(std::string_view(signer).substr(at + 1));
    if (domain && domain->is_at_or_below(made.sdid))
      made.auid = std::move(signer);
    else
      explain(Reason::signer_outside, std::move(signer), line.place);
    return true;
  }

  void add(dkim::SigningIdentity made) {
    const bool is_there = std::ranges::any_of(result_.chosen, [&](const auto& other) {
      return other.sdid == made.sdid && other.selector == made.selector;
    });
    if (is_there) return explain(Reason::same_identity, record_name(made));
    if (result_.chosen.size() == policy_.limits.signatures_made_max)
      return explain(Reason::too_many, record_name(made));
    result_.chosen.push_back(std::move(made));
  }

  const Policy& policy_;
  const Mailbox& author_;
  Identities result_;
};

}  // namespace

Identities find_identities(const Policy& policy, const Mailbox& author) {
  Chooser chooser(policy, author);
  if (policy.signing_table)
    chooser.add_lines(
        policy.signing_table->match(author.local_part, author.domain, !policy.multiple_signatures));
  else if (policy.single_key)
    chooser.add_single_key(*policy.single_key);
  else
    chooser.explain(Reason::no_key_at_all, {});
  return chooser.take();
}

Identities find_fallback(const Policy& policy, const std::vector<Mailbox>& authors) {
  Chooser chooser(policy, authors.front());
  for (const KeyEntry& entry : policy.logins.fallback) chooser.add_fallback(entry, authors);
  return chooser.take();
}

bool is_one_of_ours(const Policy& policy, const Mailbox& author) {
  if (!policy.signing_table)
    return policy.single_key && listed_domain(*policy.single_key, author.domain);
  return std::ranges::any_of(
      policy.signing_table->match(author.local_part, author.domain, false),
      [&](const SigningEntry* line) { return is_about(policy, *line, author.domain); });
}

}  // namespace countersign::mailflow
