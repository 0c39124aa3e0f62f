// SPDX-License-Identifier: Apache-2.0

#include "countersign/mailflow/verdict.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <string_view>

namespace countersign::mailflow {

namespace {

using dmarc::Authentication;
using dmarc::Identifier;
using dmarc::Mechanism;

void add_spf(const Verdict& verdict, std::vector<Identifier>& identifiers) {
  if (!verdict.mail_from || !verdict.mail_from->domain || verdict.has_shared_client) return;
  const spf::Outcome& spf = *verdict.mail_from;
  if (spf.result == spf::Result::pass)
    identifiers.push_back({Mechanism::spf, *spf.domain, Authentication::pass});
  if (spf.result == spf::Result::temperror)
    identifiers.push_back({Mechanism::spf, *spf.domain, Authentication::temperror});
}

/// What a reader is shown of a message, or what decides how its body is read: with a second one of
/// these a signed message says what its signer never said (S-26).
constexpr std::array<std::string_view, 9> telling_fields = {
    "From",    "Sender",       "Reply-To",
    "To",      "Cc",           "Date",
    "Subject", "Content-Type", "Content-Transfer-Encoding"};

bool says_what_was_signed(const dkim::SignatureResult& one) {
  return std::ranges::none_of(one.added_fields, [](std::string_view name) {
    return std::ranges::find(telling_fields, name) != telling_fields.end();
  });
}

void add_dkim(const Verdict& verdict, std::vector<Identifier>& identifiers) {
  for (const dkim::SignatureResult& one : verdict.signatures) {
    if (!one.signature) continue;
    if (one.covers_body() && says_what_was_signed(one))
      identifiers.push_back({Mechanism::dkim, one.signature->sdid, Authentication::pass});
    if (one.result == dkim::Result::temperror)
      identifiers.push_back({Mechanism::dkim, one.signature->sdid, Authentication::temperror});
  }
}

}  // namespace

std::optional<dmarc::Result> Verdict::dmarc_result() const {
  if (!checked_dmarc) return std::nullopt;
  if (!authorship.ambiguities.empty() || !dmarc) return dmarc::Result::permerror;
  return dmarc->result;
}

bool Verdict::is_authenticated() const {
  const auto passes = [](const std::optional<spf::Outcome>& spf) {
    return spf && spf->result == spf::Result::pass;
  };
  return passes(mail_from) || passes(helo) ||
         std::ranges::any_of(signatures, &dkim::SignatureResult::covers_body);
}

std::vector<Identifier> authenticated_identifiers(const Verdict& verdict,
                                                  const DomainName& author_domain) {
  std::vector<Identifier> identifiers;
  add_spf(verdict, identifiers);
  add_dkim(verdict, identifiers);
  const auto is_near = [&author_domain](const Identifier& one) {
    return one.domain.is_at_or_below(author_domain) || author_domain.is_at_or_below(one.domain);
  };
  std::vector<Identifier> ordered;
  for (const bool wanted : {true, false})
    std::ranges::copy_if(identifiers, std::back_inserter(ordered),
                         [&](const Identifier& one) { return is_near(one) == wanted; });
  return ordered;
}

}  // namespace countersign::mailflow
