// SPDX-License-Identifier: Apache-2.0
//
// Every sentence that tells an operator why, in one place, so that they read alike.

#include "countersign/mailflow/explanation.hpp"

#include <string_view>

#include "countersign/text/abnf.hpp"

namespace countersign::mailflow {

namespace {

/// Octets of a detail that are shown: a stranger's text must not fill a log or an SMTP reply.
constexpr std::size_t shown_octets_max = 200;
constexpr text::CharClass is_printable = text::is_vchar | text::CharClass(" ");

/// The sentence of a reason that says which way a message goes; empty for another.
std::string_view sentence_of_direction(Reason reason) {
  switch (reason) {
    case Reason::mta_name:
      return "the MTA's name is in MTA";
    case Reason::macro:
      return "a macro of MacroList is set";
    case Reason::authenticated:
      return "the client is authenticated";
    case Reason::internal_host:
      return "the client is in InternalHosts";
    case Reason::stranger_macro:
      return "a macro marks it as a stranger's";
    case Reason::outside:
      return "neither the client, a login, the MTA's name nor a macro marks it as ours";
    case Reason::outside_uses_our_domain:
      return "an external client sends as one of our authors";
    case Reason::peer:
      return "the client is in PeerList, so its mail is neither signed nor judged";
    case Reason::exempt_domain:
      return "the author's domain is in ExemptDomains";
    default:
      return {};
  }
}

/// The sentence, to be followed by ": " and the detail if there is one.
std::string_view sentence(Reason reason) {
  switch (reason) {
    case Reason::mta_name:
    case Reason::macro:
    case Reason::authenticated:
    case Reason::internal_host:
    case Reason::stranger_macro:
    case Reason::outside:
    case Reason::outside_uses_our_domain:
    case Reason::peer:
    case Reason::exempt_domain:
      return sentence_of_direction(reason);
    case Reason::login_agrees:
      return "the login may use the author's address";
    case Reason::login_unknown:
      return "no line of the table of logins matches the login";
    case Reason::login_not_author:
      return "the login may not use the author's address";
    case Reason::login_not_mail_from:
      return "the login may not use the address of MAIL FROM";
    case Reason::login_shadowed:
      return "logins are only watched, so the message is signed nevertheless";
    case Reason::fallback_signs:
      return "the fallback signs";
    case Reason::fallback_near_author:
      return "the fallback would vouch for the author, so it does not sign";
    case Reason::signing_off:
      return "the mode does not sign";
    case Reason::bad_author:
      return "the author cannot be told";
    case Reason::unsigned_recipient:
      return "a recipient is in DontSignMailTo";
    case Reason::bad_field_count:
      return "the field is missing or repeated (RFC 5322 section 3.6)";
    case Reason::over_limit:
      return "the header is over its limits";
    case Reason::no_line_matches:
      return "no line of the SigningTable matches the author";
    case Reason::domain_not_listed:
      return "the author's domain is not in Domain";
    case Reason::no_key_at_all:
      return "there is neither a SigningTable nor a Domain with its key";
    case Reason::line_matches:
      return "a line of the SigningTable matches the author";
    case Reason::domain_listed:
      return "the author's domain is in Domain";
    case Reason::unknown_key:
      return "the SigningTable names a key that is not in the KeyTable";
    case Reason::no_key_for_domain:
      return "there is no key for the domain at the key's path";
    case Reason::bad_signer:
      return "the signer of a SigningTable line has no \"@\"";
    case Reason::signer_outside:
      return "the signer is not at or below d=, so i= is left out";
    case Reason::same_identity:
      return "the same domain and selector sign already";
    case Reason::too_many:
      return "there are too many signatures already";
    case Reason::forged_results:
      return "results that claim to be ours are removed (RFC 8601 section 5)";
    case Reason::not_sealed:
      return "the message is not sealed";
  }
  return "unknown reason";
}

void append_printable(std::string& out, std::string_view text) {
  for (const char c : text.substr(0, shown_octets_max)) out += is_printable(c) ? c : '?';
  if (text.size() > shown_octets_max) out += "...";
}

}  // namespace

std::string to_string(const Explanation& explanation) {
  std::string out(sentence(explanation.reason));
  if (!explanation.detail.empty()) {
    out += ": ";
    append_printable(out, explanation.detail);
  }
  if (explanation.place && !explanation.place->file.empty()) {  // A default has no place.
    out += " (";
    append_printable(out, explanation.place->to_string());
    out += ')';
  }
  return out;
}

}  // namespace countersign::mailflow
