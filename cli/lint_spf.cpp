// SPDX-License-Identifier: Apache-2.0
//
// SPF records: what the parser refuses, and what it takes though nobody can have meant it.

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "cli/json_output.hpp"
#include "cli/lint.hpp"
#include "countersign/spf/outcome.hpp"
#include "countersign/spf/record.hpp"
#include "countersign/text/abnf.hpp"

namespace countersign::cli {
namespace {

namespace json = boost::json;
using spf::Directive;
using spf::Mechanism;
using spf::Qualifier;
using Code = spf::RecordErrorCode;

// What fits an answer over UDP with all that is around it. RFC 7208 §3.4
constexpr std::size_t record_bytes_advised = 450;
// From here on a change at somebody we include breaks the record.
constexpr std::size_t lookup_terms_near = 8;
// Networks larger than this hold more hosts than anybody sends from.
constexpr unsigned prefix4_min = 16;
constexpr unsigned prefix6_min = 32;

std::string remedy_of(const spf::RecordError& error, std::string_view text) {
  switch (error.code) {
    case Code::not_spf:
      return spf::is_spf_record(text::trim(text, text::is_fws))
                 ? "remove the white space around the record"
                 : "begin the record with v=spf1 and a space";
    case Code::too_long:
      return "move parts of it into records that it includes";
    case Code::unknown_mechanism:
      return "correct the name, or remove the term; terms have one space between them";
    case Code::missing_argument:
      return "name the domain or the network behind a colon, as include:_spf.example.org";
    case Code::unexpected_argument:
      return "remove what stands behind the name";
    case Code::bad_domain:
    case Code::bad_modifier_value:
      return "write a domain as _spf.example.org; a macro is %{i} and the like";
    case Code::bad_network:
      return "write the network as ip4:192.0.2.0/24 or ip6:2001:db8::/32";
    case Code::bad_prefix_length:
      return "correct the number behind the slash";
    case Code::bad_modifier_name:
      return "correct the name before the equals sign, or remove the term";
    case Code::duplicate_modifier:
      return "keep one of them";
  }
  return "";
}

bool asks_dns(Mechanism mechanism) {
  return mechanism != Mechanism::all && mechanism != Mechanism::ip4 && mechanism != Mechanism::ip6;
}

/// A term that the record has, with what it is; the terms of a record in their order.
struct Term {
  spf::Part text;
  const Directive* directive = nullptr;  ///< nullptr: a modifier, or what is neither
};

std::vector<Term> terms_of(std::string_view text, const spf::Record* record) {
  std::vector<Term> terms;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find(' ', begin), text.size());
    if (end > begin) terms.push_back({.text = {begin, end - begin}});
    begin = end + 1;
  }
  if (record == nullptr) return terms;
  // Both are in the order of the text.
  auto next = record->directives.begin();
  for (Term& term : terms)
    if (next != record->directives.end() && next->text.offset == term.text.offset)
      term.directive = &*next++;
  return terms;
}

/// What stands before and behind the first of ":", "=" and "/", the qualifier left out.
std::pair<std::string_view, std::string_view> split_term(std::string_view term) {
  if (!term.empty() && std::string_view("+-~?").contains(term.front())) term.remove_prefix(1);
  const std::size_t end = std::min(term.find_first_of(":=/"), term.size());
  const std::size_t behind = end < term.size() && term[end] != '/' ? end + 1 : end;
  return {term.substr(0, end), term.substr(behind)};
}

bool is_redirect(std::string_view name) { return text::equal_ignoring_case(name, "redirect"); }

json::object to_json(const Term& term, std::string_view text) {
  const auto [name, value] = split_term(term.text.in(text));
  json::object object;
  object["offset"] = term.text.offset;
  object["text"] = json_text(term.text.in(text));
  json::value& qualifier = object["qualifier"];
  if (term.directive != nullptr) qualifier = to_string(result_of(term.directive->qualifier));
  object["name"] = json_text(text::to_lower(name));
  json::value& argument = object["value"];
  if (!value.empty()) argument = json_text(value);
  object["asks_dns"] =
      term.directive != nullptr ? asks_dns(term.directive->mechanism) : is_redirect(name);
  return object;
}

std::string meaning_of(const Term& term, std::string_view text) {
  if (term.directive == nullptr)
    return is_redirect(split_term(term.text.in(text)).first) ? "asks DNS" : "";
  std::string meaning(to_string(result_of(term.directive->qualifier)));
  if (asks_dns(term.directive->mechanism)) meaning += ", asks DNS";
  return meaning;
}

/// Judges a record that obeys the grammar.
class Judge {
 public:
  Judge(std::string_view text, const spf::Record& record, LintReport& report)
      : text_(text), record_(record), report_(report) {}

  void judge(const Limits& limits) {
    for (const Directive& directive : record_.directives) judge_directive(directive);
    judge_end();
    judge_lookups(limits);
    judge_modifiers();
    judge_layout();
  }

 private:
  void add(Severity severity, std::size_t offset, std::string message, std::string remedy) {
    report_.add(severity, offset, std::move(message), std::move(remedy));
  }

  void judge_directive(const Directive& directive) {
    if (!seen_.insert(text::to_lower(directive.text.in(text_))).second)
      add(Severity::warning, directive.text.offset, "the term stands there before already",
          "remove it");
    if (directive.mechanism == Mechanism::ptr ||
        spf::uses_macro(directive.domain_spec.in(text_), "p"))
      add(Severity::warning, directive.text.offset,
          "the name of the client is slow to find, and many receivers do not look for it "
          "(RFC 7208 §5.5)",
          "name the networks with ip4: and ip6:, or the hosts with a:");
    if (directive.qualifier == Qualifier::pass) judge_network(directive);
  }

  void judge_network(const Directive& directive) {
    const std::size_t offset = directive.text.offset;
    const bool is_v4 = directive.mechanism == Mechanism::ip4;
    const bool is_v6 = directive.mechanism == Mechanism::ip6;
    const bool has_hosts =
        directive.mechanism == Mechanism::a || directive.mechanism == Mechanism::mx;
    if (((is_v4 || has_hosts) && directive.prefix4 < prefix4_min) ||
        ((is_v6 || has_hosts) && directive.prefix6 < prefix6_min))
      add(Severity::warning, offset,
          "the network is so large that strangers may send from it as well",
          "name the networks that you send from");
    if (is_v6 && directive.network.is_v4()) {
      add(Severity::warning, offset, "an IPv4 address in ip6: matches no client (RFC 7208 §5)",
          fmt::format("write ip4:{}", directive.network.to_string()));
    } else if (is_v4 || is_v6) {
      const unsigned bits = is_v4 ? directive.prefix4 : directive.prefix6;
      const IpAddress network = directive.network.masked(bits);
      if (network != directive.network)
        add(Severity::note, offset, "the address has bits behind the prefix, which do not count",
            fmt::format("write {}:{}/{}", is_v4 ? "ip4" : "ip6", network.to_string(), bits));
    }
  }

  const Directive* find_all() const {
    const auto found = std::ranges::find(record_.directives, Mechanism::all, &Directive::mechanism);
    return found == record_.directives.end() ? nullptr : &*found;
  }

  void judge_end() {
    const Directive* const all = find_all();
    if (all == nullptr) {
      if (!record_.redirect)
        add(Severity::warning, text_.size(),
            "the record does not say what to do with other clients (RFC 7208 §4.7)",
            "end it with -all or ~all");
      return;
    }
    if (all->qualifier == Qualifier::pass)
      add(Severity::error, all->text.offset,
          "every client of the world passes, so the record protects nobody (RFC 7208 §5.1)",
          "end it with -all or ~all");
    if (all->qualifier == Qualifier::neutral)
      add(Severity::warning, all->text.offset,
          "the record says nothing about other clients (RFC 7208 §8.2)",
          "end it with -all or ~all");
    if (all != &record_.directives.back())
      add(Severity::warning, (all + 1)->text.offset,
          "what stands behind all is never looked at (RFC 7208 §5.1)",
          "move it before all, or remove it");
    if (record_.redirect)
      add(Severity::warning, record_.redirect->text.offset,
          "redirect= is ignored where there is an all (RFC 7208 §5.1)", "keep one of the two");
  }

  void judge_lookups(const Limits& limits) {
    std::size_t count = record_.redirect && find_all() == nullptr ? 1 : 0;
    std::size_t last = record_.redirect ? record_.redirect->text.offset : 0;
    for (const Directive& directive : record_.directives) {
      if (!asks_dns(directive.mechanism)) continue;
      ++count;
      if (count == limits.spf_lookup_terms_max + 1) last = directive.text.offset;
    }
    if (count > limits.spf_lookup_terms_max)
      add(Severity::error, last,
          fmt::format("the record has {} terms that ask DNS; with more than {} it is a permerror "
                      "(RFC 7208 §4.6.4)",
                      count, limits.spf_lookup_terms_max),
          "remove what is not used, and give senders subdomains of their own");
    else if (count >= lookup_terms_near)
      add(Severity::note, 0,
          fmt::format("the record has {} of {} terms that may ask DNS, those of included records "
                      "not counted (RFC 7208 §4.6.4)",
                      count, limits.spf_lookup_terms_max),
          "countersign spf counts them all");
  }

  void judge_modifiers() {
    for (const spf::Modifier& modifier : record_.unknown_modifiers)
      add(Severity::note, modifier.text.offset, "nobody reads this modifier (RFC 7208 §6)",
          "remove it");
  }

  void judge_layout() {
    if (text_.ends_with(' '))
      add(Severity::note, text_.find_last_not_of(' ') + 1, "there is white space at the end",
          "remove it");
    const std::size_t twice = text_.find("  ");
    if (twice < text_.find_last_not_of(' '))
      add(Severity::note, twice, "one space between terms is enough", "remove the others");
    if (text_.size() > record_bytes_advised)
      add(Severity::warning, record_bytes_advised,
          fmt::format("the record has {} octets; with more than {} it may not fit an answer of DNS "
                      "(RFC 7208 §3.4)",
                      text_.size(), record_bytes_advised),
          "move parts of it into records that it includes");
    if (text_.size() > txt_string_bytes_max)
      add(Severity::note, txt_string_bytes_max,
          fmt::format("the record has {} octets, and one string of a TXT record holds {} (RFC 7208 "
                      "§3.3)",
                      text_.size(), txt_string_bytes_max),
          "publish it as several strings of one record; they are joined without a space");
  }

  std::string_view text_;
  const spf::Record& record_;
  LintReport& report_;
  std::set<std::string> seen_;
};

}  // namespace

LintReport lint_spf(std::string_view text, const Limits& limits) {
  LintReport report;
  for (const spf::RecordError& error : spf::record_errors(text, limits))
    report.add(Severity::error, error.offset, std::string(to_string(error)),
               remedy_of(error, text));
  report.usable = report.problems.empty();
  const auto record = spf::parse_record(text, limits);
  if (record) Judge(text, *record, report).judge(limits);
  report.facts["valid"] = report.usable;
  json::array& terms = report.facts["terms"].emplace_array();
  if (text.size() > limits.spf_record_bytes_max) return report;
  for (const Term& term : terms_of(text, record ? &*record : nullptr)) {
    report.parts.push_back(
        {term.text.offset, std::string(term.text.in(text)), meaning_of(term, text)});
    // The version is no term.
    if (term.text.offset > 0) terms.emplace_back(to_json(term, text));
  }
  return report;
}

}  // namespace countersign::cli
