// SPDX-License-Identifier: Apache-2.0
//
// What became of an SPF check: the result in the words of RFC 7208, the reason, and the whole way
// there as a tree, so that a person can see which term of which record decided and what DNS said.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "countersign/dns/question.hpp"
#include "countersign/domain/name.hpp"
#include "countersign/spf/record.hpp"

namespace countersign::spf {

/// The results of check_host(). RFC 7208 §2.6
enum class Result : std::uint8_t { none, neutral, pass, fail, softfail, temperror, permerror };

/// The word on the wire.
[[nodiscard]] std::string_view to_string(Result result);

/// The result that a qualifier gives to a match. RFC 7208 §4.6.2
[[nodiscard]] Result result_of(Qualifier qualifier);

/// Which name of the client's is checked. RFC 7208 §2.3, §2.4
enum class Identity : std::uint8_t { helo, mail_from };

/// The word of the identity in Received-SPF: "helo", "mailfrom". RFC 7208 §9.1
[[nodiscard]] std::string_view to_string(Identity identity);

/// Why a check has its result.
enum class Reason : std::uint8_t {
  matched,                  ///< a mechanism matched and its qualifier decided
  no_match,                 ///< neutral: no mechanism matched and nothing is said about the rest
  bad_helo,                 ///< none: the HELO name is no domain, as an address literal
  bad_mail_from,            ///< permerror: the path is no mailbox, so its domain cannot be told
  no_domain,                ///< none: what stands for the domain is no domain of several labels
  domain_not_found,         ///< none: the domain does not exist
  no_record,                ///< none: the domain exists and has no SPF record
  several_records,          ///< permerror
  bad_record,               ///< permerror; Outcome::detail says which and where
  too_many_lookups,         ///< permerror: over Limits::spf_lookup_terms_max
  too_many_void_lookups,    ///< permerror: over Limits::spf_void_lookups_max
  too_many_mail_exchanges,  ///< permerror: an mx with over Limits::spf_hosts_max hosts
  include_without_record,   ///< permerror: the domain of an include has no SPF record
  redirect_without_record,  ///< permerror: the same for redirect
  dns_failed,               ///< temperror: DNS did not answer
  dns_not_trusted,          ///< temperror: DNSSEC says bogus
};

/// A sentence that an operator can act on, with its section.
[[nodiscard]] std::string_view to_string(Reason reason);
/// The enumerator itself, "several_records", for programs that read our JSON.
[[nodiscard]] std::string_view name_of(Reason reason);

/// A question that was asked, and how it was answered.
struct Lookup {
  dns::Question question;
  dns::AnswerStatus status = dns::AnswerStatus::records;

  friend bool operator==(const Lookup&, const Lookup&) = default;
};

/// What came of a term.
enum class Match : std::uint8_t { not_matched, matched, temperror, permerror };

/// The word for it: "matched", "not matched", "temperror", "permerror".
[[nodiscard]] std::string_view to_string(Match match);

struct Evaluation;

/// A term that was tried.
struct TriedTerm {
  Part text;           ///< where it stands in Evaluation::record
  std::string target;  ///< the name that its domain-spec came to; empty without DNS
  Match match = Match::not_matched;
  std::vector<Lookup> lookups;    ///< in the order in which they were asked
  std::vector<Evaluation> inner;  ///< of include and redirect: what their record came to
};

/// One record evaluated: that of the domain, or of an include or redirect in it.
struct Evaluation {
  std::string domain;           ///< lower case; a name of DNS unless the reason is no_domain
  std::vector<Lookup> lookups;  ///< for the record
  std::string record;           ///< a stranger's text; empty when there is none
  std::vector<TriedTerm> terms;
  Result result = Result::none;
  Reason reason = Reason::no_record;
  /// What is wrong and where, safe to print; empty when the reason says all.
  std::string detail;

  /// The text of one of its terms, as the record has it.
  [[nodiscard]] std::string_view text_of(const TriedTerm& term) const {
    return term.text.in(record);
  }
};

/// What a check came to.
struct Outcome {
  Identity identity = Identity::mail_from;
  /// The domain that was checked, and the only one that the result speaks about; nothing when there
  /// was none to check.
  std::optional<DomainName> domain;
  Result result = Result::none;
  Reason reason = Reason::no_record;
  std::string detail;  ///< as Evaluation::detail
  /// What the domain's owner wants those to read whose mail fails: printable ASCII, and still a
  /// stranger's words that must be named as such. Empty when there is none. RFC 7208 §6.2
  std::string explanation;
  std::vector<Lookup> explanation_lookups;
  Evaluation evaluation;      ///< how it came to that; empty when nothing was asked
  unsigned lookup_terms = 0;  ///< terms that counted against Limits::spf_lookup_terms_max
  unsigned void_lookups = 0;  ///< terms for which DNS had nothing
};

/// The mechanism that decided, as its record has it and of the record that a redirect led to;
/// empty when none did.
[[nodiscard]] std::string_view deciding_mechanism(const Outcome& outcome);

}  // namespace countersign::spf
