// SPDX-License-Identifier: Apache-2.0
//
// DMARC records: the problems that the parser notes, and what a record should say besides.

#include <fmt/format.h>

#include <algorithm>

#include "cli/json_output.hpp"
#include "cli/lint.hpp"
#include "cli/tag_texts.hpp"
#include "countersign/dmarc/record.hpp"
#include "countersign/text/abnf.hpp"

namespace countersign::cli {
namespace {

using dmarc::AssessmentPolicy;
using dmarc::Record;
using Code = dmarc::RecordProblemCode;

Severity severity_of(Code code) {
  switch (code) {
    case Code::unused_tag:
      return Severity::note;
    case Code::unknown_tag:
    case Code::removed_tag:
    case Code::obsolete_size:
    case Code::too_many_uris:
      return Severity::warning;
    default:
      return Severity::error;
  }
}

std::string remedy_of(const dmarc::RecordProblem& problem) {
  switch (problem.code) {
    case Code::bad_tag:
      return "write the tag as name=value, with semicolons between tags";
    case Code::repeated_tag:
      return fmt::format("keep one {}=", problem.tag);
    case Code::unknown_tag:
      return fmt::format("remove {}=, or correct its name", problem.tag);
    case Code::removed_tag:
      return fmt::format("remove {}=", problem.tag);
    case Code::missing_policy:
      return "add p=none, p=quarantine or p=reject behind v=DMARC1";
    case Code::bad_policy:
      return fmt::format("write {0}=none, {0}=quarantine or {0}=reject", problem.tag);
    case Code::bad_value:
      return fmt::format("correct {}=, or remove it", problem.tag);
    case Code::bad_uri:
      return "write an address as mailto:reports@example.org, with commas between several";
    case Code::obsolete_size:
      return "remove the \"!\" and what is behind it";
    case Code::too_many_uris:
      return "name one address that passes reports on";
    case Code::unused_tag:
      return "remove fo=, or add ruf=";
  }
  return "";
}

std::string remedy_of(dmarc::RecordErrorCode code, std::string_view text) {
  if (code != dmarc::RecordErrorCode::no_version) return "shorten the record";
  return text::starts_with_ignoring_case(text::trim(text, text::is_fws), "v=DMARC1")
             ? "begin it with v=DMARC1 in these letters, without white space before it, and a "
               "semicolon behind it"
             : "begin it with v=DMARC1;";
}

/// Where a tag stands; the end of the record when it has none.
std::size_t offset_of(std::string_view name, std::string_view text) {
  for (const TagText& tag : tag_texts(text))
    if (text::equal_ignoring_case(tag.name, name)) return tag.offset;
  return text.size();
}

void judge_policy(const Record& record, std::string_view text, LintReport& report) {
  const AssessmentPolicy policy = policy_for_domain(record);
  if (record.p == AssessmentPolicy::none)
    report.add(Severity::note, offset_of("p", text),
               "p=none asks receivers for reports only; mail that fails is delivered (RFC 9989 "
               "§4.7)",
               "when the reports show that all your mail passes, go on to p=quarantine and "
               "p=reject");
  if (record.sp && *record.sp < policy)
    report.add(Severity::warning, offset_of("sp", text),
               "subdomains are protected less than the domain itself, so forgers use them (RFC "
               "9989 §4.7)",
               fmt::format("write sp={}, or remove sp=", to_string(policy)));
  if (record.np && *record.np < policy_for_subdomains(record))
    report.add(Severity::warning, offset_of("np", text),
               "subdomains that do not exist are protected less than those that do, though no "
               "mail of yours comes from them (RFC 9989 §4.7)",
               "write np=reject, or remove np=");
  if (record.testing && policy != AssessmentPolicy::none)
    report.add(Severity::note, offset_of("t", text),
               fmt::format("while t=y is there, receivers are asked for one step less than p={} "
                           "(RFC 9989 §4.7)",
                           to_string(policy)),
               "remove t=y when the tests are done");
  if (record.psd == dmarc::Psd::y)
    report.add(Severity::note, offset_of("psd", text),
               "psd=y says that the domains below this one belong to others (RFC 9989 §4.7)",
               "remove psd=y unless this is a public suffix");
  const auto tags = tag_texts(text);
  if (record.p && tags.size() > 1 && !text::equal_ignoring_case(tags[1].name, "p"))
    report.add(
        Severity::note, offset_of("p", text),
        "receivers that know RFC 7489 alone want p= right behind v=", "move p= behind v=DMARC1");
}

void judge_reports(const Record& record, std::string_view text, LintReport& report) {
  const std::size_t rua = offset_of("rua", text);
  if (record.rua.empty() && rua == text.size()) {
    const bool asks_nothing = policy_for_domain(record) == AssessmentPolicy::none;
    report.add(asks_nothing ? Severity::warning : Severity::note, rua,
               asks_nothing ? "the record asks for nothing and nobody gets reports"
                            : "nobody gets reports, so nobody sees which of your mail fails",
               "add rua=mailto: with an address that reads them");
  }
  for (const std::string_view name : {"rua", "ruf"}) {
    for (const std::string& uri : name == "rua" ? record.rua : record.ruf) {
      if (text::starts_with_ignoring_case(uri, "mailto:")) continue;
      report.add(
          Severity::warning, offset_of(name, text),
          fmt::format("{} is no mailto:, and receivers send reports by mail (RFC 9989 §4.7)", uri),
          "name an address as mailto:reports@example.org");
    }
  }
}

}  // namespace

LintReport lint_dmarc(std::string_view text, const Limits& limits) {
  LintReport report;
  const auto record = dmarc::parse_record(text, limits);
  report.usable = record && record->is_usable();
  report.facts["usable"] = report.usable;
  boost::json::value& policy = report.facts["policy"];
  if (report.usable) policy = to_string(policy_for_domain(*record));
  boost::json::value& published = report.facts["published"];
  if (record) published = published_tags(text);
  boost::json::value& tags = report.facts["tags"];
  if (!record) {
    report.add(Severity::error, record.error().offset, std::string(to_string(record.error().code)),
               remedy_of(record.error().code, text));
    return report;
  }
  tags = tags_of(*record);
  for (const TagText& tag : tag_texts(text))
    report.parts.push_back({tag.offset, fmt::format("{}={}", tag.name, tag.value), ""});
  for (const dmarc::RecordProblem& problem : record->problems) {
    const std::size_t offset =
        problem.code == Code::unused_tag ? offset_of(problem.tag, text) : problem.offset;
    report.add(
        severity_of(problem.code), offset,
        (problem.tag.empty() ? "" : problem.tag + ": ") + std::string(to_string(problem.code)),
        remedy_of(problem));
  }
  judge_policy(*record, text, report);
  judge_reports(*record, text, report);
  if (text.size() > txt_string_bytes_max)
    report.add(Severity::note, txt_string_bytes_max,
               fmt::format("the record has {} octets, and one string of a TXT record holds {}",
                           text.size(), txt_string_bytes_max),
               "publish it as several strings of one record; they are joined without a space");
  return report;
}

}  // namespace countersign::cli
