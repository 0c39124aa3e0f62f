// SPDX-License-Identifier: Apache-2.0
//
// DMARC records: the problems that the parser notes, and what a record should say besides.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "cli/json_output.hpp"
#include "cli/lint.hpp"
#include "cli/lint_layout.hpp"
#include "cli/tag_texts.hpp"
#include "countersign/dmarc/record.hpp"
#include "countersign/text/abnf.hpp"

namespace countersign::cli {
namespace {

using dmarc::AssessmentPolicy;
using dmarc::Record;
using Code = dmarc::RecordProblemCode;

// RFC 9989 §4.7, and those that it removed
constexpr std::array<std::string_view, 14> dmarc_tags = {
    "v", "p", "sp", "np", "t", "psd", "adkim", "aspf", "rua", "ruf", "fo", "pct", "rf", "ri"};
// RFC 7489 §6.2 asked receivers for so many; to further addresses they need not send.
constexpr std::size_t report_uris_served = 2;

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
      return problem.tag == "pct" ? "remove pct=, which old receivers alone obey; for a test write "
                                    "t=y"
                                  : fmt::format("remove {}=", problem.tag);
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
  if (!record.np && policy != AssessmentPolicy::none && policy_for_subdomains(record) < policy)
    report.add(
        Severity::note, offset_of("sp", text),
        "sp= holds for subdomains that do not exist as well, and no mail of yours comes from "
        "them (RFC 9989 §4.7)",
        "add np=reject");
  if (record.testing && policy == AssessmentPolicy::none)
    report.add(Severity::note, offset_of("t", text),
               "t=y changes nothing where the policy is none (RFC 9989 §4.7)", "remove t=y");
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

/// Judges the addresses of rua= or ruf=, whichever is named.
void judge_uris(const std::vector<std::string>& uris, std::string_view name, std::string_view text,
                LintReport& report) {
  const std::size_t offset = offset_of(name, text);
  std::set<std::string> seen;
  for (const std::string& uri : uris) {
    if (!text::starts_with_ignoring_case(uri, "mailto:"))
      report.add(
          Severity::warning, offset,
          fmt::format("{} is no mailto:, and receivers send reports by mail (RFC 9989 §4.7)", uri),
          "name an address as mailto:reports@example.org");
    if (!seen.insert(text::to_lower(uri)).second)
      report.add(Severity::warning, offset, fmt::format("{} stands there before already", uri),
                 "remove it");
  }
  if (seen.size() > report_uris_served)
    report.add(Severity::note, offset,
               fmt::format("receivers may send reports to the first {} addresses of {}= alone",
                           report_uris_served, name),
               "name one address that passes reports on");
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
  judge_uris(record.rua, "rua", text, report);
  judge_uris(record.ruf, "ruf", text, report);
}

}  // namespace

LintReport lint_dmarc(const LintText& input, const Limits& limits) {
  const std::string_view text = input.text;
  LintReport report;
  const auto record = dmarc::parse_record(text, limits);
  report.usable = record && record->is_usable();
  judge_layout(input, report);
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
  judge_separators(input, dmarc_tags, report);
  return report;
}

}  // namespace countersign::cli
