// SPDX-License-Identifier: Apache-2.0

#include "countersign/mailflow/results_field.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "countersign/authres/removal.hpp"
#include "countersign/text/abnf.hpp"
#include "countersign/text/base64.hpp"

namespace countersign::mailflow {

namespace {

using authres::MethodResult;

/// Octets of b= that tell signatures of one message apart, at least. RFC 6008 §4
constexpr std::size_t signature_octets_min = 8;

constexpr std::string_view results_name = "Authentication-Results";
constexpr std::array<std::string_view, 3> bimi_fields = {"BIMI-Indicator", "BIMI-Location",
                                                         "BIMI-Logo-Preference"};

void add(MethodResult& result, std::string_view ptype, std::string_view name, std::string value) {
  if (!value.empty()) result.properties.push_back({std::string(ptype), std::string(name), value});
}

/// The reverse-path, or its domain alone when the local part is one that some reader of the field
/// may take for something else.
std::string path_for_field(std::string_view path, const DomainName& domain) {
  constexpr text::CharClass is_plain = text::is_let_dig_hyphen | text::CharClass("._+=");
  const std::string_view local_part = path.substr(0, path.rfind('@'));
  const bool is_whole = path.size() > local_part.size() && !local_part.empty();
  if (!is_whole || !is_plain.all_of(local_part)) return domain.text();
  return std::string(local_part) + "@" + domain.text();
}

MethodResult spf_result(const spf::Outcome& outcome) {
  MethodResult result{.method = "spf", .result = std::string(to_string(outcome.result))};
  result.comment = name_of(outcome.reason);
  return result;
}

void add_spf(const Verdict& verdict, const Envelope& envelope, std::vector<MethodResult>& results) {
  if (verdict.helo) {
    MethodResult helo = spf_result(*verdict.helo);
    if (verdict.helo->domain) add(helo, "smtp", "helo", verdict.helo->domain->text());
    results.push_back(std::move(helo));
  }
  if (!verdict.mail_from) return;
  MethodResult mail_from = spf_result(*verdict.mail_from);
  if (const auto& domain = verdict.mail_from->domain) {
    if (verdict.has_null_path)
      add(mail_from, "smtp", "helo", domain->text());
    else
      add(mail_from, "smtp", "mailfrom", path_for_field(envelope.mail_from, *domain));
  }
  results.push_back(std::move(mail_from));
}

/// As many octets of b= as make the value differ from those of all other signatures.
std::string distinct_prefix(std::string_view value, const std::vector<std::string>& all) {
  std::size_t octets = signature_octets_min;
  for (const std::string& other : all) {
    if (other == value) continue;
    const auto [mine, theirs] = std::ranges::mismatch(value, other);
    octets = std::max(octets, static_cast<std::size_t>(mine - value.begin()) + 1);
  }
  return std::string(value.substr(0, octets));
}

MethodResult dkim_result(const dkim::SignatureResult& one) {
  MethodResult result{.method = "dkim", .result = std::string(to_string(one.result))};
  if (one.result != dkim::Result::pass || one.reason != dkim::Reason::valid)
    result.reason = std::string(name_of(one.reason));
  else if (!one.added_fields.empty())
    result.reason = "unsigned_" + text::to_lower(one.added_fields.front());
  if (one.key_bits > 0) result.comment = std::to_string(one.key_bits) + "-bit key";
  if (!one.signature) return result;
  add(result, "header", "d", one.signature->sdid.text());
  if (one.signature->auid != "@" + one.signature->sdid.text())
    add(result, "header", "i", one.signature->auid);
  add(result, "header", "s", one.signature->selector.text());
  add(result, "header", "a", std::string(to_string(one.signature->algorithm)));
  return result;
}

void add_dkim(const Verdict& verdict, const ResultsPolicy& policy,
              std::vector<MethodResult>& results) {
  if (verdict.checked_dkim && verdict.signatures.empty())
    results.push_back({.method = "dkim", .result = "none"});
  std::vector<std::string> values;
  for (const dkim::SignatureResult& one : verdict.signatures)
    values.push_back(one.signature ? text::encode_base64(one.signature->signature) : "");
  for (std::size_t i = 0; i < values.size(); ++i) {
    MethodResult result = dkim_result(verdict.signatures[i]);
    if (policy.signature_values) add(result, "header", "b", distinct_prefix(values[i], values));
    results.push_back(std::move(result));
  }
}

/// The domains of all seals, the newest first: "b.example:a.example".
std::string chain_of(const arc::Outcome& outcome) {
  std::string domains;
  for (auto set = outcome.sets.rbegin(); set != outcome.sets.rend(); ++set) {
    if (!domains.empty()) domains += ':';
    domains += set->sealer.text();
  }
  return domains;
}

void add_arc(const Verdict& verdict, const Envelope& envelope, const ResultsPolicy& policy,
             std::vector<MethodResult>& results) {
  if (!verdict.arc || verdict.arc->status == arc::ChainStatus::none) return;
  MethodResult result{.method = "arc", .result = std::string(to_string(verdict.arc->status))};
  if (verdict.arc->status == arc::ChainStatus::pass)
    add(result, "header", "oldest-pass", std::to_string(verdict.arc->oldest_pass));
  else
    result.reason = std::string(name_of(verdict.arc->reason));
  if (policy.remote_ip && envelope.client_ip)
    add(result, "smtp", "remote-ip", envelope.client_ip->to_string());
  if (policy.arc_chain && verdict.arc->status == arc::ChainStatus::pass)
    add(result, "arc", "chain", chain_of(*verdict.arc));
  results.push_back(std::move(result));
}

void add_dmarc(const Verdict& verdict, std::vector<MethodResult>& results) {
  const std::optional<dmarc::Result> told = verdict.dmarc_result();
  if (!told) return;
  MethodResult result{.method = "dmarc", .result = std::string(to_string(*told))};
  if (!verdict.authorship.ambiguities.empty()) {
    const Ambiguity& first = verdict.authorship.ambiguities.front();
    result.reason = std::string(name_of(first.code));
  } else if (verdict.dmarc) {
    if (*told != dmarc::Result::pass && *told != dmarc::Result::none)
      result.reason = std::string(name_of(verdict.dmarc->reason));
    if (verdict.dmarc->published_policy)
      result.comment = "published: " + std::string(to_string(*verdict.dmarc->published_policy));
    if (verdict.dmarc->policy)
      add(result, "policy", "dmarc", std::string(to_string(*verdict.dmarc->policy)));
  }
  // An author who is uncertain is not named: somebody would take the name for the author (S-23).
  if (verdict.authorship.author_domain && verdict.authorship.ambiguities.empty())
    add(result, "header", "from", verdict.authorship.author_domain->text());
  results.push_back(std::move(result));
}

void append_removals(const Header& header, std::string_view name, std::vector<HeaderEdit>& edits) {
  std::ranges::copy(remove_all(header, name), std::back_inserter(edits));
}

}  // namespace

std::string authserv_id_for(const ResultsPolicy& policy, const Envelope& envelope) {
  if (!policy.authserv_id_with_job_id || envelope.macro("i").empty()) return policy.authserv_id;
  std::string id = policy.authserv_id + "/" + std::string(envelope.macro("i"));
  return authres::is_authserv_id(id) ? id : policy.authserv_id;
}

std::vector<MethodResult> results_of(const Verdict& verdict, const Envelope& envelope,
                                     const ResultsPolicy& policy) {
  std::vector<MethodResult> results;
  if (const std::string_view login = envelope.macro("auth_authen"); !login.empty()) {
    MethodResult auth{.method = "auth", .result = "pass"};
    add(auth, "smtp", "auth", std::string(login));
    results.push_back(std::move(auth));
  }
  if (verdict.iprev && envelope.client_ip) {
    MethodResult iprev{.method = "iprev", .result = std::string(to_string(verdict.iprev->result))};
    add(iprev, "policy", "iprev", envelope.client_ip->to_string());
    iprev.comment = verdict.iprev->name;
    results.push_back(std::move(iprev));
  }
  add_spf(verdict, envelope, results);
  add_dkim(verdict, policy, results);
  add_arc(verdict, envelope, policy, results);
  add_dmarc(verdict, results);
  return results;
}

std::vector<HeaderEdit> forged_fields(const Header& header, const ResultsPolicy& policy,
                                      const Limits& limits) {
  std::vector<HeaderEdit> edits;
  if (policy.removes_all) {
    append_removals(header, results_name, edits);
  } else if (!policy.keeps_all) {
    std::vector<std::string> ids = policy.removed_ids;
    ids.push_back(policy.authserv_id);
    for (const std::size_t number : authres::fields_to_remove(header, ids, limits))
      edits.push_back(
          {.kind = HeaderEdit::Kind::remove, .name = std::string(results_name), .index = number});
  }
  if (policy.removes_bimi)
    for (const std::string_view bimi : bimi_fields) append_removals(header, bimi, edits);
  return edits;
}

bool may_be_forged(std::string_view field_name) {
  const auto is_it = [field_name](std::string_view name) { return equal_names(field_name, name); };
  return is_it(results_name) || std::ranges::any_of(bimi_fields, is_it);
}

}  // namespace countersign::mailflow
