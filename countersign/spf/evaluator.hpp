// SPDX-License-Identifier: Apache-2.0
//
// One check under way: what all its records share, and the functions of RFC 7208 that call each
// other. §4 and §6 are in check_host.cpp, §5 is in mechanisms.cpp; nothing outside of these two
// needs this header.

#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "countersign/dns/asking.hpp"
#include "countersign/limits.hpp"
#include "countersign/result.hpp"
#include "countersign/spf/check_host.hpp"
#include "countersign/spf/macro.hpp"
#include "countersign/spf/outcome.hpp"
#include "countersign/spf/record.hpp"
#include "countersign/spf/sender.hpp"

namespace countersign::spf {

/// True for an answer that says that there is no such record: what makes a lookup void.
/// RFC 7208 §4.6.4
[[nodiscard]] inline bool is_void(dns::AnswerStatus status) {
  return status == dns::AnswerStatus::nodata || status == dns::AnswerStatus::nxdomain;
}

/// What a record comes to. A mechanism concludes only when it ends the check with an error.
struct Conclusion {
  Result result = Result::permerror;
  Reason reason = Reason::bad_record;
  std::string detail;
};

/// The temperror for a question that DNS did not answer.
[[nodiscard]] Conclusion dns_failure(const dns::Question& question, dns::AnswerStatus status);

/// Whether a mechanism matched.
using Matched = countersign::Result<bool, Conclusion>;

/// The name that a term asks for; nothing when its domain-spec came to no name of DNS.
using Target = countersign::Result<std::optional<std::string>, Conclusion>;

/// The names that the client has in DNS.
struct ClientNames {
  dns::AnswerStatus status = dns::AnswerStatus::records;  ///< of the question for them
  std::vector<std::string> validated;                     ///< those that lead back to the client
};

/// What the terms of one record see of it. It refers to the frame that evaluates the record.
struct Scope {
  std::string_view record;  ///< its text
  std::string_view domain;  ///< <domain> of RFC 7208 §4.1
  TriedTerm& tried;         ///< the term at hand
};

/// What a failed evaluation wants to say: only the record of the domain itself, or the one that it
/// redirects to, explains a fail. RFC 7208 §6.2
enum class Explains : bool { no, yes };

/// The state of one check, and its steps. The frame that owns it outlives all that its functions
/// make; so they refer to it.
class Evaluator {
 public:
  /// For one request; all three must outlive it.
  Evaluator(const CheckHost& request, const Sender& sender, const Limits& limits);

  /// Evaluates the record of a domain. RFC 7208 §4
  [[nodiscard]] dns::Asking<Evaluation> check_host(std::string domain, Explains explains);

  /// Adds to an outcome what this check has learned besides its evaluation.
  void finish(Outcome& outcome);

 private:
  // --- check_host.cpp ---
  dns::Asking<Matched> match(const Directive& directive, Scope scope);
  dns::Asking<Conclusion> conclude(Evaluation& evaluation, Explains explains);
  dns::Asking<Conclusion> redirect(Part spec, Scope scope, Explains explains);
  dns::Asking<std::string> explain(std::string_view spec, std::string_view domain);
  dns::Asking<Target> target_of(Part spec, Scope scope);
  std::optional<Conclusion> count_lookup_term();
  Matched count_void_lookup();

  // --- mechanisms.cpp ---
  [[nodiscard]] bool is_in_network(const Directive& directive) const;
  [[nodiscard]] bool is_client(const dns::Answer& answer, const Directive& directive) const;
  dns::Asking<Matched> match_include(std::string target, TriedTerm& tried);
  dns::Asking<Matched> match_a(std::string target, const Directive& directive, TriedTerm& tried);
  dns::Asking<Matched> match_mx(std::string target, const Directive& directive, TriedTerm& tried);
  dns::Asking<Matched> match_ptr(std::string target, TriedTerm& tried);
  dns::Asking<Matched> match_exists(std::string target, TriedTerm& tried);
  dns::Asking<ClientNames> ask_client_names(std::vector<Lookup>& lookups);
  dns::Asking<std::vector<dns::Answer>> addresses_of(std::vector<std::string> names,
                                                     std::vector<Lookup>& lookups);
  [[nodiscard]] dns::RecordType address_type() const;

  // --- macros, in check_host.cpp ---
  [[nodiscard]] bool needs_client_names(std::string_view text) const;
  [[nodiscard]] bool is_unmatchable(std::string_view spec) const;
  [[nodiscard]] std::string_view client_name(std::string_view domain) const;
  [[nodiscard]] MacroValues values_for(std::string_view domain) const;
  [[nodiscard]] std::optional<std::string> target_name(std::string_view spec,
                                                       std::string_view domain) const;

  const CheckHost& request_;
  const Sender& sender_;
  const Limits& limits_;
  std::string helo_;  // As macros say it: with A-labels.
  unsigned lookup_terms_ = 0;
  unsigned void_lookups_ = 0;
  std::optional<ClientNames> client_names_;  // Nothing before the lookup.
  std::string explanation_;
  std::vector<Lookup> explanation_lookups_;
};

}  // namespace countersign::spf
