// SPDX-License-Identifier: Apache-2.0
//
// The lenient reader of aggregate reports. It looks for what it knows and steps over the rest: each
// element's children are sorted by name once, so that order, repetition and extensions cost nothing
// but a note.

#include <algorithm>
#include <array>
#include <charconv>
#include <initializer_list>
#include <optional>
#include <span>
#include <utility>

#include "countersign/domain/name.hpp"
#include "countersign/report/aggregate_xml.hpp"
#include "countersign/text/abnf.hpp"

namespace countersign::report {

namespace {

using encoding::XmlElement;
using Names = std::initializer_list<std::string_view>;

constexpr std::int64_t time_max = 32'503'680'000;       // The year 3000.
constexpr std::uint64_t count_max = 1'000'000'000'000;  // More mail a day than there is.
constexpr std::int64_t period_max = 31LL * 86'400;

/// Elements that RFC 7489 or its drafts had.
constexpr std::array<std::string_view, 1> removed_elements = {"pct"};

/// A word of the wire and what it means.
template <class T>
struct Word {
  std::string_view text;
  T value;
};

constexpr Word<dmarc::AssessmentPolicy> policies[] = {
    {"none", dmarc::AssessmentPolicy::none},
    {"quarantine", dmarc::AssessmentPolicy::quarantine},
    {"reject", dmarc::AssessmentPolicy::reject},
};
constexpr Word<dmarc::Alignment> alignments[] = {
    {"r", dmarc::Alignment::relaxed},
    {"s", dmarc::Alignment::strict},
};
constexpr Word<DiscoveryMethod> methods[] = {
    {"psl", DiscoveryMethod::psl},
    {"treewalk", DiscoveryMethod::treewalk},
};
constexpr Word<bool> yes_or_no[] = {{"y", true}, {"n", false}};
constexpr Word<ActionDisposition> dispositions[] = {
    {"none", ActionDisposition::none},
    {"pass", ActionDisposition::pass},
    {"quarantine", ActionDisposition::quarantine},
    {"reject", ActionDisposition::reject},
};
constexpr Word<DmarcResult> dmarc_results[] = {
    {"pass", DmarcResult::pass},
    {"fail", DmarcResult::fail},
};
constexpr Word<OverrideReason> override_reasons[] = {
    {"local_policy", OverrideReason::local_policy},
    {"mailing_list", OverrideReason::mailing_list},
    {"other", OverrideReason::other},
    {"policy_test_mode", OverrideReason::policy_test_mode},
    {"trusted_forwarder", OverrideReason::trusted_forwarder},
};
constexpr Word<SpfScope> scopes[] = {{"mfrom", SpfScope::mfrom}, {"helo", SpfScope::helo}};
constexpr std::array<std::string_view, 8> results = {
    "none", "pass", "fail", "softfail", "neutral", "temperror", "permerror", "policy"};

/// The children of one element by their names.
class Children {
 public:
  explicit Children(Names names) {
    for (const std::string_view name : names) found_.push_back({name, {}});
  }
  /// Keeps a child; false when it is none of those wanted.
  bool add(XmlElement child) {
    for (auto& [name, elements] : found_) {
      if (name != child.name()) continue;
      elements.push_back(child);
      return true;
    }
    return false;
  }
  [[nodiscard]] const std::vector<XmlElement>& all(std::string_view name) const {
    return std::ranges::find(found_, name, &Found::name)->elements;
  }

 private:
  struct Found {
    std::string_view name;
    std::vector<XmlElement> elements;
  };
  std::vector<Found> found_;
};

class Reader {
 public:
  Reader(XmlElement root, const Limits& limits) : root_(root), limits_(limits) {}

  Result<ReadAggregate, AggregateError> read() {
    if (root_.name() != "feedback") return fail(AggregateErrorCode::no_feedback);
    read_namespace();
    const Children parts =
        sort(root_, {"version", "report_metadata", "policy_published", "extension", "record"});
    out_.aggregate.version = text(first(parts, "version"));
    if (out_.aggregate.version != "1.0") note(LeniencyCode::other_version, "version");
    read_metadata(first(parts, "report_metadata"));
    read_policy(first(parts, "policy_published"));
    const std::vector<XmlElement>& records = parts.all("record");
    if (records.empty()) note(LeniencyCode::missing, "record");
    if (records.size() > limits_.report_records_max) error(AggregateErrorCode::too_many_records);
    for (const XmlElement record : records) {
      if (error_) break;
      out_.aggregate.record.push_back(read_record(record));
    }
    if (error_) return fail(*error_);
    return std::move(out_);
  }

 private:
  static std::unexpected<AggregateError> fail(AggregateErrorCode code) {
    return std::unexpected(AggregateError{.code = code, .xml = {}});
  }
  void error(AggregateErrorCode code) {
    if (!error_) error_ = code;
  }
  void note(LeniencyCode code, std::string_view element) {
    Leniency one{code, std::string(element)};
    if (out_.leniencies.size() >= limits_.report_leniencies_max) return;
    if (std::ranges::find(out_.leniencies, one) == out_.leniencies.end())
      out_.leniencies.push_back(std::move(one));
  }

  void read_namespace() {
    const std::string_view prefix = root_.prefix();
    const std::string attribute = prefix.empty() ? "xmlns" : "xmlns:" + std::string(prefix);
    out_.xml_namespace = root_.attribute(attribute).substr(0, limits_.report_text_bytes_max);
    if (out_.xml_namespace.empty())
      note(LeniencyCode::no_namespace, "");
    else if (out_.xml_namespace != aggregate_namespace)
      note(LeniencyCode::other_namespace, "");
  }

  /// True for an element of the report itself; others are extensions. RFC 9990 §3.1.1.15
  [[nodiscard]] bool is_ours(XmlElement element) const {
    const std::string_view own = element.attribute("xmlns");
    if (!own.empty() && own != out_.xml_namespace) return false;
    return element.prefix().empty() || element.prefix() == root_.prefix();
  }

  Children sort(XmlElement parent, Names names) {
    Children children(names);
    for (XmlElement child = parent.first_child(); child; child = child.next_sibling()) {
      if (!is_ours(child) || children.add(child)) continue;
      const auto removed = std::ranges::find(removed_elements, child.name());
      if (removed != removed_elements.end())
        note(LeniencyCode::removed, *removed);
      else
        note(LeniencyCode::unknown, "");
    }
    return children;
  }

  XmlElement first(const Children& children, std::string_view name) {
    const std::vector<XmlElement>& all = children.all(name);
    if (all.size() > 1) note(LeniencyCode::repeated, name);
    return all.empty() ? XmlElement() : all.front();
  }

  std::string text(XmlElement element) {
    if (!element) return {};
    encoding::XmlText found = element.text(limits_.report_text_bytes_max);
    // A known name: elements get here by being looked for.
    if (!found.is_utf8) note(LeniencyCode::not_utf8, element.name());
    if (found.is_cut) note(LeniencyCode::too_long, element.name());
    return std::move(found.text);
  }
  std::string needed_text(XmlElement element, std::string_view name) {
    std::string found = text(element);
    if (found.empty()) note(LeniencyCode::missing, name);
    return found;
  }

  template <class T, std::size_t count>
  std::optional<T> word(XmlElement element, const Word<T> (&words)[count]) {
    const std::string found = text(element);
    for (const Word<T>& one : words)
      if (text::equal_ignoring_case(found, one.text)) return one.value;
    if (!found.empty()) note(LeniencyCode::bad_value, element.name());
    return std::nullopt;
  }
  template <class T, std::size_t count>
  std::optional<T> needed_word(XmlElement element, std::string_view name,
                               const Word<T> (&words)[count]) {
    const std::optional<T> found = word(element, words);
    if (!found && text(element).empty()) note(LeniencyCode::missing, name);
    return found;
  }

  /// A domain in its normal form, or as it stands there.
  std::string domain(XmlElement element) {
    std::string found = text(element);
    if (found.empty()) return found;
    if (const auto name = DomainName::parse(found)) return name->text();
    note(LeniencyCode::bad_value, element.name());
    return found;
  }
  std::string needed_domain(XmlElement element, std::string_view name) {
    std::string found = domain(element);
    if (found.empty()) note(LeniencyCode::missing, name);
    return found;
  }

  std::string result(XmlElement element) {
    std::string found = text::to_lower(needed_text(element, "result"));
    if (found.empty() || std::ranges::find(results, found) != results.end()) return found;
    note(LeniencyCode::bad_value, "result");
    return {};
  }

  /// Digits and nothing else. (S-48)
  template <class T>
  std::optional<T> number(XmlElement element, T most) {
    const std::string found = text(element);
    T value{};
    if (found.empty() || !text::is_digit.all_of(found)) return std::nullopt;
    const auto [end, problem] = std::from_chars(found.data(), found.data() + found.size(), value);
    if (problem != std::errc{} || end != found.data() + found.size() || value > most)
      return std::nullopt;
    return value;
  }

  void read_metadata(XmlElement element) {
    ReportMetadata& metadata = out_.aggregate.report_metadata;
    const Children parts = sort(element, {"org_name", "email", "extra_contact_info", "report_id",
                                          "date_range", "error", "generator"});
    metadata.org_name = needed_text(first(parts, "org_name"), "org_name");
    metadata.email = needed_text(first(parts, "email"), "email");
    metadata.extra_contact_info = text(first(parts, "extra_contact_info"));
    metadata.report_id = text(first(parts, "report_id"));
    if (metadata.report_id.empty()) error(AggregateErrorCode::no_report_id);
    metadata.error = text(first(parts, "error"));
    metadata.generator = text(first(parts, "generator"));
    read_date_range(first(parts, "date_range"), metadata.date_range);
  }

  void read_date_range(XmlElement element, DateRange& range) {
    const Children parts = sort(element, {"begin", "end"});
    const auto begin = number<std::int64_t>(first(parts, "begin"), time_max);
    const auto end = number<std::int64_t>(first(parts, "end"), time_max);
    if (!begin || !end || *end < *begin) return error(AggregateErrorCode::bad_date_range);
    range = {*begin, *end};
    if (*end == *begin || *end - *begin > period_max) note(LeniencyCode::odd_period, "date_range");
  }

  void read_policy(XmlElement element) {
    PolicyPublished& policy = out_.aggregate.policy_published;
    const Children parts = sort(
        element, {"domain", "p", "sp", "np", "adkim", "aspf", "discovery_method", "fo", "testing"});
    policy.domain = domain(first(parts, "domain"));
    if (policy.domain.empty()) error(AggregateErrorCode::no_domain);
    policy.p = needed_word(first(parts, "p"), "p", policies);
    policy.sp = word(first(parts, "sp"), policies);
    policy.np = word(first(parts, "np"), policies);
    policy.adkim = word(first(parts, "adkim"), alignments);
    policy.aspf = word(first(parts, "aspf"), alignments);
    policy.discovery_method = word(first(parts, "discovery_method"), methods);
    policy.fo = text(first(parts, "fo"));
    policy.testing = word(first(parts, "testing"), yes_or_no);
    for (XmlElement child = element.first_child(); child; child = child.next_sibling())
      if (child.name() == "pct" && is_ours(child)) policy.pct = text(child);
  }

  Record read_record(XmlElement element) {
    Record record;
    const Children parts = sort(element, {"row", "identifiers", "auth_results"});
    read_row(first(parts, "row"), record.row);
    const Children who =
        sort(first(parts, "identifiers"), {"header_from", "envelope_from", "envelope_to"});
    record.identifiers.header_from = needed_domain(first(who, "header_from"), "header_from");
    if (const XmlElement from = first(who, "envelope_from"))
      record.identifiers.envelope_from = domain(from);
    if (const XmlElement to = first(who, "envelope_to"))
      record.identifiers.envelope_to = domain(to);
    read_auth_results(first(parts, "auth_results"), record.auth_results);
    return record;
  }

  void read_row(XmlElement element, Row& row) {
    const Children parts = sort(element, {"source_ip", "count", "policy_evaluated"});
    const std::string address = needed_text(first(parts, "source_ip"), "source_ip");
    row.source_ip = IpAddress::parse(address);
    if (!row.source_ip && !address.empty()) note(LeniencyCode::bad_value, "source_ip");
    const auto count = number<std::uint64_t>(first(parts, "count"), count_max);
    if (!count) return error(AggregateErrorCode::bad_count);
    row.count = *count;
    read_evaluated(first(parts, "policy_evaluated"), row.policy_evaluated);
  }

  void read_evaluated(XmlElement element, PolicyEvaluated& evaluated) {
    const Children parts = sort(element, {"disposition", "dkim", "spf", "reason"});
    evaluated.disposition = needed_word(first(parts, "disposition"), "disposition", dispositions);
    evaluated.dkim = needed_word(first(parts, "dkim"), "dkim", dmarc_results);
    evaluated.spf = needed_word(first(parts, "spf"), "spf", dmarc_results);
    for (const XmlElement reason : parts.all("reason")) {
      if (evaluated.reason.size() == limits_.report_reasons_max)
        return note(LeniencyCode::too_long, "reason");
      if (auto one = read_reason(reason)) evaluated.reason.push_back(*std::move(one));
    }
  }

  /// A reason; one that RFC 9990 has no more is `other`, with its word in the comment.
  std::optional<PolicyOverride> read_reason(XmlElement element) {
    const Children parts = sort(element, {"type", "comment"});
    const std::string type = text(first(parts, "type"));
    std::string comment = text(first(parts, "comment"));
    if (type.empty() && comment.empty()) {
      note(LeniencyCode::missing, "reason");
      return std::nullopt;
    }
    for (const Word<OverrideReason>& one : override_reasons)
      if (text::equal_ignoring_case(type, one.text)) return PolicyOverride{one.value, comment};
    const bool is_removed = type == "forwarded" || type == "sampled_out";
    note(is_removed ? LeniencyCode::removed : LeniencyCode::bad_value, "type");
    const bool has_both = !type.empty() && !comment.empty();
    std::string whole = type + (has_both ? ": " : "") + comment;
    if (whole.size() > limits_.report_text_bytes_max) {
      note(LeniencyCode::too_long, "comment");
      whole = type;
    }
    return PolicyOverride{OverrideReason::other, std::move(whole)};
  }

  void read_auth_results(XmlElement element, AuthResults& found) {
    const Children parts = sort(element, {"dkim", "spf"});
    for (const XmlElement one : parts.all("dkim")) {
      if (found.dkim.size() == limits_.report_signatures_max)
        return note(LeniencyCode::too_long, "auth_results");
      found.dkim.push_back(read_dkim(one));
    }
    if (parts.all("spf").size() > 1) note(LeniencyCode::removed, "spf");
    for (const XmlElement one : parts.all("spf")) {
      if (found.spf.size() == limits_.report_signatures_max)
        return note(LeniencyCode::too_long, "auth_results");
      SpfResult spf = read_spf(one);
      if (!spf.domain.empty() || !spf.result.empty()) found.spf.push_back(std::move(spf));
    }
  }

  DkimAuthResult read_dkim(XmlElement element) {
    const Children parts = sort(element, {"domain", "selector", "result", "human_result"});
    DkimAuthResult one;
    one.domain = needed_domain(first(parts, "domain"), "domain");
    one.selector = needed_text(first(parts, "selector"), "selector");
    one.result = result(first(parts, "result"));
    one.human_result = text(first(parts, "human_result"));
    return one;
  }

  SpfResult read_spf(XmlElement element) {
    const Children parts = sort(element, {"domain", "scope", "result", "human_result"});
    SpfResult one;
    one.domain = needed_domain(first(parts, "domain"), "domain");
    one.scope = word(first(parts, "scope"), scopes);
    if (one.scope == SpfScope::helo) note(LeniencyCode::removed, "scope");
    one.result = result(first(parts, "result"));
    one.human_result = text(first(parts, "human_result"));
    return one;
  }

  XmlElement root_;
  const Limits& limits_;
  ReadAggregate out_;
  std::optional<AggregateErrorCode> error_;
};

}  // namespace

Result<ReadAggregate, AggregateError> parse_aggregate(std::string_view xml, const Limits& limits) {
  const Result<encoding::XmlDocument, encoding::XmlError> document =
      encoding::XmlDocument::parse(xml, limits);
  if (!document)
    return std::unexpected(AggregateError{AggregateErrorCode::bad_xml, document.error()});
  return Reader(document->root(), limits).read();
}

}  // namespace countersign::report
