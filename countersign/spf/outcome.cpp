// SPDX-License-Identifier: Apache-2.0
//
// The words of results, and for each reason a sentence that says what happened and who can act.

#include "countersign/spf/outcome.hpp"

#include "countersign/text/abnf.hpp"

namespace countersign::spf {

std::string_view to_string(Result result) {
  switch (result) {
    case Result::none:
      return "none";
    case Result::neutral:
      return "neutral";
    case Result::pass:
      return "pass";
    case Result::fail:
      return "fail";
    case Result::softfail:
      return "softfail";
    case Result::temperror:
      return "temperror";
    case Result::permerror:
      return "permerror";
  }
  return "permerror";
}

Result result_of(Qualifier qualifier) {
  switch (qualifier) {
    case Qualifier::pass:
      return Result::pass;
    case Qualifier::fail:
      return Result::fail;
    case Qualifier::softfail:
      return Result::softfail;
    case Qualifier::neutral:
      return Result::neutral;
  }
  return Result::permerror;
}

std::string_view to_string(Identity identity) {
  return identity == Identity::helo ? "helo" : "mailfrom";
}

std::string_view to_string(Reason reason) {
  switch (reason) {
    case Reason::matched:
      return "a mechanism of the record matched the client (RFC 7208 §4.6.2)";
    case Reason::no_match:
      return "no mechanism matched, and the record says nothing about the rest (RFC 7208 §4.7)";
    case Reason::bad_helo:
      return "the HELO name is no domain name, so there is nothing to check (RFC 7208 §2.3)";
    case Reason::bad_mail_from:
      return "MAIL FROM is no mailbox, so nobody can tell its domain (RFC 5321 §4.1.2)";
    case Reason::no_domain:
      return "the domain is no DNS name of several labels (RFC 7208 §4.3)";
    case Reason::domain_not_found:
      return "the domain does not exist in DNS (RFC 7208 §4.3)";
    case Reason::no_record:
      return "the domain publishes no SPF record (RFC 7208 §4.5)";
    case Reason::several_records:
      return "the domain publishes more than one SPF record; its owner must leave one (RFC 7208 "
             "§4.5)";
    case Reason::bad_record:
      return "the SPF record has a syntax error that its owner must mend (RFC 7208 §4.6)";
    case Reason::too_many_lookups:
      return "the record needs more than ten terms that ask DNS; its owner must flatten it (RFC "
             "7208 §4.6.4)";
    case Reason::too_many_void_lookups:
      return "the record asks for more than two names that do not exist; its owner must remove "
             "them (RFC 7208 §4.6.4)";
    case Reason::too_many_mail_exchanges:
      return "a domain in mx has more than ten mail exchanges (RFC 7208 §4.6.4)";
    case Reason::include_without_record:
      return "a domain that the record includes publishes no SPF record (RFC 7208 §5.2)";
    case Reason::redirect_without_record:
      return "the domain that the record redirects to publishes no SPF record (RFC 7208 §6.1)";
    case Reason::dns_failed:
      return "DNS did not answer; the client may try again later (RFC 7208 §4.4)";
    case Reason::dns_not_trusted:
      return "DNSSEC validation failed for a name that the check needs (RFC 4035 §4.3)";
  }
  return "unknown reason";
}

std::string_view name_of(Reason reason) {
  switch (reason) {
    case Reason::matched:
      return "matched";
    case Reason::no_match:
      return "no_match";
    case Reason::bad_helo:
      return "bad_helo";
    case Reason::bad_mail_from:
      return "bad_mail_from";
    case Reason::no_domain:
      return "no_domain";
    case Reason::domain_not_found:
      return "domain_not_found";
    case Reason::no_record:
      return "no_record";
    case Reason::several_records:
      return "several_records";
    case Reason::bad_record:
      return "bad_record";
    case Reason::too_many_lookups:
      return "too_many_lookups";
    case Reason::too_many_void_lookups:
      return "too_many_void_lookups";
    case Reason::too_many_mail_exchanges:
      return "too_many_mail_exchanges";
    case Reason::include_without_record:
      return "include_without_record";
    case Reason::redirect_without_record:
      return "redirect_without_record";
    case Reason::dns_failed:
      return "dns_failed";
    case Reason::dns_not_trusted:
      return "dns_not_trusted";
  }
  return "unknown_reason";
}

std::string_view to_string(Match match) {
  switch (match) {
    case Match::not_matched:
      return "not matched";
    case Match::matched:
      return "matched";
    case Match::temperror:
      return "temperror";
    case Match::permerror:
      return "permerror";
  }
  return "permerror";
}

std::string_view deciding_mechanism(const Outcome& outcome) {
  const Evaluation* evaluation = &outcome.evaluation;
  while (evaluation->reason == Reason::matched && !evaluation->terms.empty()) {
    const TriedTerm& last = evaluation->terms.back();
    const std::string_view text = evaluation->text_of(last);
    if (!text::starts_with_ignoring_case(text, "redirect=")) return text;
    if (last.inner.empty()) break;
    evaluation = &last.inner.front();
  }
  return {};
}

}  // namespace countersign::spf
