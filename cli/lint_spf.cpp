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
#include "cli/lint_layout.hpp"
#include "cli/shared_networks.hpp"
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
// As many addresses as such a network has.
constexpr std::uint64_t addresses4_max = 1U << (32 - prefix4_min);

/// A term without its qualifier.
std::string_view unqualified(std::string_view term) {
  const bool qualified = !term.empty() && std::string_view("+-~?").contains(term.front());
  return qualified ? term.substr(1) : term;
}

/// The mechanism or modifier that somebody meant by an unknown name, with its colon or equals sign.
std::string_view meant_by(std::string_view term) {
  using text::starts_with_ignoring_case;
  if (starts_with_ignoring_case(term, "ipv4:") || starts_with_ignoring_case(term, "ip:"))
    return "ip4:";
  if (starts_with_ignoring_case(term, "ipv6:")) return "ip6:";
  if (starts_with_ignoring_case(term, "redirect:")) return "redirect=";
  if (starts_with_ignoring_case(term, "exp:")) return "exp=";
  return "";
}

std::string remedy_of(const spf::RecordError& error, std::string_view text) {
  const std::string_view meant = meant_by(unqualified(text.substr(error.offset)));
  if (!meant.empty()) return fmt::format("write {}", meant);
  switch (error.code) {
    case Code::not_spf:
      if (text::starts_with_ignoring_case(text, "spf2.0"))
        return "remove it: that is Sender ID, which nobody reads; SPF begins with v=spf1";
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
  term = unqualified(term);
  const std::size_t end = std::min(term.find_first_of(":=/"), term.size());
  const std::size_t behind = end < term.size() && term[end] != '/' ? end + 1 : end;
  return {term.substr(0, end), term.substr(behind)};
}

bool is_mechanism(std::string_view name) {
  constexpr std::string_view names[] = {"all", "include", "a", "mx", "ptr", "ip4", "ip6", "exists"};
  return std::ranges::find(names, text::to_lower(name)) != std::end(names);
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

/// How sure it is that a term begins where a string does.
enum class Beginning : std::uint8_t { none, likely, certain };

/// Tells whether a string that follows another without a space begins with a term. A record may
/// also be cut within a term, and a piece of a name may look like one: "…us" "a -all".
Beginning beginning_of(std::string_view text) {
  const std::string_view term = text.substr(0, text.find(' '));
  const auto [name, value] = split_term(term);
  if (is_redirect(name) || text::equal_ignoring_case(name, "exp"))
    return term.contains('=') ? Beginning::certain : Beginning::none;
  if (!is_mechanism(name)) return Beginning::none;
  const bool is_qualified = unqualified(term).size() < term.size();
  const bool has_domain = term.contains(':') && name.size() > 1;
  return is_qualified || has_domain ? Beginning::certain : Beginning::likely;
}

/// Says where the space between two terms got lost as the strings of a record were joined: what
/// comes of it may obey the grammar and name another domain.
void judge_joins(const LintText& input, LintReport& report) {
  for (const std::size_t at : input.string_offsets) {
    // Behind these the term before is not at its end, so it goes on.
    if (at == 0 || at >= input.text.size() ||
        std::string_view(" .:=/%{").contains(input.text[at - 1]))
      continue;
    const Beginning beginning = beginning_of(input.text.substr(at));
    if (beginning == Beginning::none) continue;
    const bool certain = beginning == Beginning::certain;
    report.add(certain ? Severity::error : Severity::warning, at,
               fmt::format("two strings join here without a space, so two terms {} one (RFC 7208 "
                           "§3.3)",
                           certain ? "become" : "may become"),
               "put a space at the end of the string before");
  }
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
    judge_spaces();
  }

 private:
  void add(Severity severity, std::size_t offset, std::string message, std::string remedy) {
    report_.add(severity, offset, std::move(message), std::move(remedy));
  }

  void judge_directive(const Directive& directive) {
    const std::size_t offset = directive.text.offset;
    const std::string_view domain = directive.domain_spec.in(text_);
    if (!seen_.insert(text::to_lower(unqualified(directive.text.in(text_)))).second)
      add(Severity::warning, offset, "the term stands there before already", "remove it");
    else
      judge_cover(directive);
    if (directive.mechanism == Mechanism::ptr || spf::uses_macro(domain, "p"))
      add(Severity::warning, offset,
          "the name of the client is slow to find, and many receivers do not look for it "
          "(RFC 7208 §5.5)",
          "name the networks with ip4: and ip6:, or the hosts with a:");
    if (spf::uses_macro(domain, "h"))
      add(Severity::warning, offset,
          "%{h} is what the client calls itself, so a client decides what is asked for (RFC 7208 "
          "§7.2)",
          "use %{i} or %{d}");
    if (directive.mechanism == Mechanism::exists && !domain.contains('%'))
      add(Severity::warning, offset,
          "exists: without a macro is the same for every client (RFC 7208 §5.7)",
          "use %{i} in it, or remove it");
    const bool must_be_name = directive.mechanism == Mechanism::include;
    judge_name(directive.domain_spec, must_be_name ? Severity::error : Severity::warning);
    if (directive.qualifier != Qualifier::pass) return;
    judge_network(directive);
    if (directive.mechanism == Mechanism::include)
      judge_sharing(
          offset, domain,
          "sign with DKIM in your own domain, and write ?include: so that it is DKIM that "
          "DMARC rests on");
  }

  /// Says when a domain obeys the grammar and yet is no name: an include or redirect of it is a
  /// permerror, and nothing else comes of it.
  void judge_name(spf::Part spec, Severity severity) {
    const std::string_view domain = spec.in(text_);
    if (domain.empty() || domain.contains('%') || spf::query_name(domain)) return;
    add(severity, spec.offset,
        "this is no name of DNS: a label is empty or has more than 63 octets (RFC 7208 §4.3)",
        "correct the domain");
  }

  /// Says when the networks of another record are those of many customers.
  void judge_sharing(std::size_t offset, std::string_view domain, std::string_view remedy) {
    const std::string_view owner = owner_of_shared_networks(domain);
    if (owner.empty()) return;
    add(Severity::warning, offset,
        fmt::format("all customers of {} send from these networks, so strangers may pass as you "
                    "(RFC 7208 §11.4)",
                    owner),
        std::string(remedy));
  }

  /// Says when a network lies in one before it, which decides.
  void judge_cover(const Directive& directive) {
    if (directive.mechanism != Mechanism::ip4 && directive.mechanism != Mechanism::ip6) return;
    const auto prefix = [](const Directive& one) {
      return one.mechanism == Mechanism::ip4 ? one.prefix4 : one.prefix6;
    };
    const auto covers = [&](const Directive* before) {
      return before->mechanism == directive.mechanism &&
             before->network.is_v4() == directive.network.is_v4() &&
             prefix(*before) <= prefix(directive) &&
             before->network.masked(prefix(*before)) == directive.network.masked(prefix(*before));
    };
    const auto before = std::ranges::find_if(networks_, covers);
    if (before != networks_.end())
      add(Severity::note, directive.text.offset,
          fmt::format("the network lies in {}, which stands before it and decides",
                      (*before)->text.in(text_)),
          "remove it");
    networks_.push_back(&directive);
  }

  void judge_network(const Directive& directive) {
    const bool is_v4 = directive.mechanism == Mechanism::ip4;
    const bool is_v6 = directive.mechanism == Mechanism::ip6;
    const bool has_hosts =
        directive.mechanism == Mechanism::a || directive.mechanism == Mechanism::mx;
    const unsigned prefix4 = is_v4 || has_hosts ? directive.prefix4 : 32;
    const unsigned prefix6 = is_v6 || has_hosts ? directive.prefix6 : 128;
    if (prefix4 == 0 || prefix6 == 0)
      add(Severity::error, directive.text.offset,
          "every client of the world passes, so the record protects nobody (RFC 7208 §5.1)",
          "name the networks that you send from");
    else if (prefix4 < prefix4_min || prefix6 < prefix6_min)
      add(Severity::warning, directive.text.offset,
          "the network is so large that strangers may send from it as well",
          "name the networks that you send from");
    else if (is_v4)
      judge_sum(directive);
    if (is_v4 || is_v6) judge_address(directive, is_v4 ? prefix4 : prefix6);
  }

  /// Says it once when networks that are not large by themselves come to more than a large one.
  void judge_sum(const Directive& directive) {
    const bool was_large = addresses4_ > addresses4_max;
    addresses4_ += std::uint64_t{1} << (32 - directive.prefix4);
    if (!was_large && addresses4_ > addresses4_max)
      add(Severity::warning, directive.text.offset,
          fmt::format("up to here {} addresses may send, so many that strangers have some of them",
                      addresses4_),
          "name the networks that you send from");
  }

  void judge_address(const Directive& directive, unsigned bits) {
    const std::size_t offset = directive.text.offset;
    const bool is_v4 = directive.mechanism == Mechanism::ip4;
    if (!is_v4 && directive.network.is_v4()) {
      add(Severity::warning, offset, "an IPv4 address in ip6: matches no client (RFC 7208 §5)",
          fmt::format("write ip4:{}", directive.network.to_string()));
      return;
    }
    const IpAddress network = directive.network.masked(bits);
    if (network != directive.network)
      add(Severity::note, offset, "the address has bits behind the prefix, which do not count",
          fmt::format("write {}:{}/{}", is_v4 ? "ip4" : "ip6", network.to_string(), bits));
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
    if (record_.redirect && spf::uses_macro(record_.redirect->value.in(text_), "hp"))
      add(Severity::warning, record_.redirect->text.offset,
          "the client's own words decide which record counts (RFC 7208 §7.2)",
          "name a domain without macros");
    if (record_.redirect) judge_name(record_.redirect->value, Severity::error);
    if (record_.explanation) judge_name(record_.explanation->value, Severity::warning);
    if (record_.redirect && find_all() == nullptr)
      judge_sharing(record_.redirect->text.offset, record_.redirect->value.in(text_),
                    "sign with DKIM in your own domain, and write ?include: and ~all instead");
    for (const spf::Modifier& modifier : record_.unknown_modifiers) {
      const std::string_view name = split_term(modifier.text.in(text_)).first;
      if (is_mechanism(name))
        add(Severity::warning, modifier.text.offset,
            fmt::format("{}= is no mechanism, so nobody looks at it (RFC 7208 §4.6.1)", name),
            fmt::format("write {}:", name));
      else
        add(Severity::note, modifier.text.offset, "nobody reads this modifier (RFC 7208 §6)",
            "remove it");
    }
  }

  void judge_spaces() {
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
    if (!text_.starts_with("v=spf1"))
      add(Severity::note, 0, "there may be readers who take v=spf1 in small letters alone",
          "begin the record with v=spf1");
  }

  std::string_view text_;
  const spf::Record& record_;
  LintReport& report_;
  std::set<std::string> seen_;
  std::vector<const Directive*> networks_;  // ip4 and ip6 so far.
  std::uint64_t addresses4_ = 0;            // That may send, so far.
};

}  // namespace

LintReport lint_spf(const LintText& input, const Limits& limits) {
  const std::string_view text = input.text;
  LintReport report;
  for (const spf::RecordError& error : spf::record_errors(text, limits))
    report.add(Severity::error, error.offset, std::string(to_string(error)),
               remedy_of(error, text));
  report.usable = report.problems.empty();
  judge_layout(input, report);
  judge_joins(input, report);
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
