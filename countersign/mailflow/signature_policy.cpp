// SPDX-License-Identifier: Apache-2.0

#include "countersign/mailflow/signature_policy.hpp"

#include <algorithm>
#include <cstddef>
#include <string_view>

namespace countersign::mailflow {

namespace {

std::size_t times_in(const Header& header, std::string_view name) {
  return static_cast<std::size_t>(
      std::ranges::count_if(header, [name](const HeaderField& field) { return field.is(name); }));
}

std::size_t times_signed(const dkim::Signature& signature, std::string_view name) {
  return static_cast<std::size_t>(std::ranges::count_if(
      signature.signed_fields, [name](const std::string& one) { return equal_names(one, name); }));
}

bool is_third_party(const dkim::Signature& signature, const Verdict& verdict) {
  const auto& author = verdict.authorship.author_domain;
  return !author ||
         !(signature.sdid.is_at_or_below(*author) || author->is_at_or_below(signature.sdid));
}

/// A field that the signature does not cover as often as the message has it; nullptr: none.
const std::string* find_unsigned(const SignaturePolicy& policy, const Header& header,
                                 const dkim::Signature& signature) {
  const auto found = std::ranges::find_if(policy.fields_to_be_signed, [&](const std::string& name) {
    return times_signed(signature, name) < times_in(header, name);
  });
  return found == policy.fields_to_be_signed.end() ? nullptr : &*found;
}

void refuse(dkim::SignatureResult& result, dkim::Reason reason, std::string detail) {
  result.result = dkim::Result::policy;
  result.reason = reason;
  result.detail = std::move(detail);
}

}  // namespace

void apply_signature_policy(const SignaturePolicy& policy, const Header& header, Verdict& verdict) {
  for (dkim::SignatureResult& result : verdict.signatures) {
    if (result.result != dkim::Result::pass || !result.signature) continue;
    const dkim::Signature& signature = *result.signature;
    // Who is shown the other author must not read the name of the signer beside a pass (S-01).
    if (std::ranges::count(result.added_fields, "From") > 0)
      refuse(result, dkim::Reason::field_not_signed, "a From is not signed");
    else if (policy.third_parties && is_third_party(signature, verdict) &&
             !policy.third_parties->contains(signature.sdid))
      refuse(result, dkim::Reason::third_party, "");
    else if (const std::string* const name = find_unsigned(policy, header, signature))
      refuse(result, dkim::Reason::field_not_signed, *name + " is not signed");
  }
}

}  // namespace countersign::mailflow
