// SPDX-License-Identifier: Apache-2.0
//
// The words of the model and of its errors, and the writer; aggregate_reader.cpp reads.

#include "countersign/report/aggregate_xml.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "countersign/encoding/xml_writer.hpp"
#include "countersign/text/abnf.hpp"

namespace countersign::report {

namespace {

using encoding::XmlWriter;

constexpr std::array<std::string_view, 8> results = {
    "none", "pass", "fail", "policy", "neutral", "temperror", "permerror", "softfail"};

bool is_dkim_result(std::string_view word) {
  return word != "softfail" && std::ranges::find(results, word) != results.end();
}

bool is_spf_result(std::string_view word) {
  return std::ranges::find(results, word) != results.end();
}

std::optional<AggregateFault> fault_of(const ReportMetadata& metadata) {
  if (metadata.org_name.empty() || metadata.email.empty()) return AggregateFault::bad_metadata;
  if (!is_report_id(metadata.report_id)) return AggregateFault::bad_report_id;
  const DateRange& range = metadata.date_range;
  if (range.begin < 0 || range.end < range.begin) return AggregateFault::bad_date_range;
  return std::nullopt;
}

std::optional<AggregateFault> fault_of(const AuthResults& found) {
  for (const DkimAuthResult& one : found.dkim)
    if (one.domain.empty() || one.selector.empty() || !is_dkim_result(one.result))
      return AggregateFault::bad_result;
  if (found.spf.size() > 1) return AggregateFault::several_spf;
  for (const SpfResult& one : found.spf) {
    if (one.scope == SpfScope::helo) return AggregateFault::several_spf;
    if (one.domain.empty() || !is_spf_result(one.result)) return AggregateFault::bad_result;
  }
  return std::nullopt;
}

std::optional<AggregateFault> fault_of(const Record& record) {
  const PolicyEvaluated& evaluated = record.row.policy_evaluated;
  const bool is_whole = record.row.source_ip && record.row.count > 0 && evaluated.disposition &&
                        evaluated.dkim && evaluated.spf && !record.identifiers.header_from.empty();
  if (!is_whole) return AggregateFault::bad_row;
  return fault_of(record.auth_results);
}

std::optional<AggregateFault> fault_of(const Aggregate& aggregate) {
  if (const auto fault = fault_of(aggregate.report_metadata)) return fault;
  if (aggregate.policy_published.domain.empty()) return AggregateFault::bad_metadata;
  if (!aggregate.policy_published.p) return AggregateFault::no_policy;
  if (aggregate.record.empty()) return AggregateFault::no_record;
  for (const Record& record : aggregate.record)
    if (const auto fault = fault_of(record)) return fault;
  return std::nullopt;
}

void write_if(XmlWriter& xml, std::string_view name, std::string_view text) {
  if (!text.empty()) xml.element(name, text);
}

template <class Word>
void write_word(XmlWriter& xml, std::string_view name, const std::optional<Word>& word) {
  if (word) xml.element(name, to_string(*word));
}

void write(XmlWriter& xml, const ReportMetadata& metadata) {
  xml.open("report_metadata");
  xml.element("org_name", metadata.org_name).element("email", metadata.email);
  write_if(xml, "extra_contact_info", metadata.extra_contact_info);
  xml.element("report_id", metadata.report_id);
  xml.open("date_range")
      .element("begin", std::to_string(metadata.date_range.begin))
      .element("end", std::to_string(metadata.date_range.end))
      .close();
  write_if(xml, "error", metadata.error);
  write_if(xml, "generator", metadata.generator);
  xml.close();
}

/// In the order of RFC 7489 where that has the element: the schema takes any, and old readers may
/// not.
void write(XmlWriter& xml, const PolicyPublished& policy) {
  xml.open("policy_published").element("domain", policy.domain);
  write_word(xml, "adkim", policy.adkim);
  write_word(xml, "aspf", policy.aspf);
  write_word(xml, "p", policy.p);
  write_word(xml, "sp", policy.sp);
  write_word(xml, "np", policy.np);
  write_if(xml, "fo", policy.fo);
  if (policy.testing) xml.element("testing", *policy.testing ? "y" : "n");
  write_word(xml, "discovery_method", policy.discovery_method);
  xml.close();
}

void write(XmlWriter& xml, const Row& row) {
  xml.open("row");
  xml.element("source_ip", row.source_ip->to_string());
  xml.element("count", std::to_string(row.count));
  xml.open("policy_evaluated");
  write_word(xml, "disposition", row.policy_evaluated.disposition);
  write_word(xml, "dkim", row.policy_evaluated.dkim);
  write_word(xml, "spf", row.policy_evaluated.spf);
  for (const PolicyOverride& one : row.policy_evaluated.reason) {
    xml.open("reason").element("type", to_string(one.type));
    write_if(xml, "comment", one.comment);
    xml.close();
  }
  xml.close().close();
}

void write(XmlWriter& xml, const Identifiers& identifiers) {
  xml.open("identifiers");
  if (identifiers.envelope_to) xml.element("envelope_to", *identifiers.envelope_to);
  if (identifiers.envelope_from) xml.element("envelope_from", *identifiers.envelope_from);
  xml.element("header_from", identifiers.header_from).close();
}

void write(XmlWriter& xml, const AuthResults& found) {
  xml.open("auth_results");
  for (const DkimAuthResult& one : found.dkim) {
    xml.open("dkim").element("domain", one.domain).element("selector", one.selector);
    xml.element("result", one.result);
    write_if(xml, "human_result", one.human_result);
    xml.close();
  }
  for (const SpfResult& one : found.spf) {
    xml.open("spf").element("domain", one.domain);
    write_word(xml, "scope", one.scope);
    xml.element("result", one.result);
    write_if(xml, "human_result", one.human_result);
    xml.close();
  }
  xml.close();
}

bool is_dot_atom_text(std::string_view text) {
  return !text.empty() && text.front() != '.' && text.back() != '.' && !text.contains("..") &&
         (text::is_ascii_atext | text::CharClass(".")).all_of(text);
}

}  // namespace

std::string_view to_string(DmarcResult result) {
  return result == DmarcResult::pass ? "pass" : "fail";
}

std::string_view to_string(SpfScope scope) { return scope == SpfScope::mfrom ? "mfrom" : "helo"; }

std::string_view to_string(AggregateFault fault) {
  switch (fault) {
    case AggregateFault::bad_metadata:
      return "the report does not say who reports to which domain (RFC 9990 §3.1.1.2)";
    case AggregateFault::bad_report_id:
      return "the report's identifier is no dot-atom (RFC 9990 §3.5.2)";
    case AggregateFault::bad_date_range:
      return "the report's period ends before it begins (RFC 9990 §3.1.1.4)";
    case AggregateFault::no_policy:
      return "the report does not say which policy it is about (RFC 9990 §3.1.1.5)";
    case AggregateFault::no_record:
      return "the report has no record (RFC 9990 §3.1.1.6)";
    case AggregateFault::bad_row:
      return "a record lacks its source, its count or its results (RFC 9990 §3.1.1.7)";
    case AggregateFault::bad_result:
      return "a record has a result that the format does not know (RFC 9990 §3.1.1.13)";
    case AggregateFault::several_spf:
      return "a record has more of SPF than the result for MAIL FROM (RFC 9990 §3.1.1.14)";
  }
  return "unknown fault";
}

bool is_report_id(std::string_view text) {
  const std::size_t at = text.find('@');
  if (at == text.npos) return is_dot_atom_text(text);
  return is_dot_atom_text(text.substr(0, at)) && is_dot_atom_text(text.substr(at + 1));
}

bool is_writable(const Record& record) { return !fault_of(record); }

Result<std::string, AggregateFault> format_aggregate(const Aggregate& aggregate) {
  if (const auto fault = fault_of(aggregate)) return std::unexpected(*fault);
  XmlWriter xml;
  xml.open("feedback", "xmlns", aggregate_namespace).element("version", "1.0");
  write(xml, aggregate.report_metadata);
  write(xml, aggregate.policy_published);
  for (const Record& record : aggregate.record) {
    xml.open("record");
    write(xml, record.row);
    write(xml, record.identifiers);
    write(xml, record.auth_results);
    xml.close();
  }
  xml.close();
  return xml.text();
}

std::string_view to_string(LeniencyCode code) {
  switch (code) {
    case LeniencyCode::no_namespace:
      return "the elements belong to no namespace (RFC 9990 §3.1)";
    case LeniencyCode::other_namespace:
      return "the elements belong to another namespace (RFC 9990 §3.1)";
    case LeniencyCode::other_version:
      return "the version is not 1.0 (RFC 9990 §3.1.1.1)";
    case LeniencyCode::missing:
      return "the element is missing or empty";
    case LeniencyCode::repeated:
      return "the element stands more often than it may";
    case LeniencyCode::bad_value:
      return "the value is none of those that the element may have";
    case LeniencyCode::removed:
      return "RFC 7489 had this, and RFC 9990 has it no more";
    case LeniencyCode::unknown:
      return "there are elements that no document knows";
    case LeniencyCode::not_utf8:
      return "the text is not UTF-8";
    case LeniencyCode::too_long:
      return "there is more than what is read";
    case LeniencyCode::odd_period:
      return "the period is empty or longer than a month (RFC 9990 §3.1.1.4)";
  }
  return "unknown leniency";
}

std::string_view name_of(LeniencyCode code) {
  switch (code) {
    case LeniencyCode::no_namespace:
      return "no_namespace";
    case LeniencyCode::other_namespace:
      return "other_namespace";
    case LeniencyCode::other_version:
      return "other_version";
    case LeniencyCode::missing:
      return "missing";
    case LeniencyCode::repeated:
      return "repeated";
    case LeniencyCode::bad_value:
      return "bad_value";
    case LeniencyCode::removed:
      return "removed";
    case LeniencyCode::unknown:
      return "unknown";
    case LeniencyCode::not_utf8:
      return "not_utf8";
    case LeniencyCode::too_long:
      return "too_long";
    case LeniencyCode::odd_period:
      return "odd_period";
  }
  return "unknown";
}

std::string_view to_string(AggregateErrorCode code) {
  switch (code) {
    case AggregateErrorCode::bad_xml:
      return "the report cannot be read as XML";
    case AggregateErrorCode::no_feedback:
      return "the document is no aggregate report: its outermost element is not feedback";
    case AggregateErrorCode::no_report_id:
      return "the report has no report_id, so it cannot be told from others";
    case AggregateErrorCode::no_domain:
      return "the report does not say which domain it is about";
    case AggregateErrorCode::bad_date_range:
      return "the report's period has no sense";
    case AggregateErrorCode::bad_count:
      return "a count of the report has no sense";
    case AggregateErrorCode::too_many_records:
      return "the report has more records than what is read";
  }
  return "unknown error";
}

std::string to_string(const AggregateError& error) {
  std::string text(to_string(error.code));
  if (error.code != AggregateErrorCode::bad_xml) return text;
  text += ": ";
  text += encoding::to_string(error.xml.code);
  if (error.xml.offset > 0) text += ", at octet " + std::to_string(error.xml.offset);
  return text;
}

}  // namespace countersign::report
