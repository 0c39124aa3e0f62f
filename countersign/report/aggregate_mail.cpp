// SPDX-License-Identifier: Apache-2.0

#include "countersign/report/aggregate_mail.hpp"

#include <cstdint>
#include <string_view>
#include <utility>

#include "countersign/text/abnf.hpp"

namespace countersign::report {

namespace {

/// Letters and digits of the identifier's first half: what tells two reports of one period apart.
std::string unique_id(std::string_view report_id) {
  std::string unique;
  for (const char c : report_id.substr(0, report_id.find('@')))
    if (text::is_alnum(c)) unique += c;
  return unique;
}

std::string date_text(std::int64_t seconds) {
  return format_date(std::chrono::sys_seconds(std::chrono::seconds(seconds)));
}

std::string human_part(const Aggregate& aggregate, const Reporter& reporter) {
  const ReportMetadata& metadata = aggregate.report_metadata;
  std::string out = "This is a DMARC aggregate report (RFC 9990), for programs to read.\n\n";
  out += "Domain:    " + aggregate.policy_published.domain + "\n";
  out += "Submitter: " + reporter.submitter.text() + "\n";
  out += "Report-ID: " + metadata.report_id + "\n";
  out += "From:      " + date_text(metadata.date_range.begin) + "\n";
  out += "To:        " + date_text(metadata.date_range.end) + "\n";
  out += "\nIt was asked for by rua= in the DMARC record of the domain.\n";
  if (!metadata.email.empty()) out += "Questions about it: " + metadata.email + "\n";
  return out;
}

}  // namespace

std::string report_file_name(const Aggregate& aggregate, const DomainName& submitter) {
  const ReportMetadata& metadata = aggregate.report_metadata;
  std::string name = submitter.text() + "!" + aggregate.policy_published.domain;
  name += "!" + std::to_string(metadata.date_range.begin);
  name += "!" + std::to_string(metadata.date_range.end);
  const std::string unique = unique_id(metadata.report_id);
  if (!unique.empty()) name += "!" + unique;
  return name + ".xml.gz";
}

std::string report_subject(const Aggregate& aggregate, const DomainName& submitter) {
  return "Report Domain: " + aggregate.policy_published.domain + " Submitter: " + submitter.text() +
         " Report-ID: <" + aggregate.report_metadata.report_id + ">";
}

Result<std::string, ComposeErrorCode> format_report_mail(const Aggregate& aggregate,
                                                         const Reporter& reporter,
                                                         const ReportMail& mail,
                                                         std::string packed) {
  std::string id = mail.message_id.empty() ? aggregate.report_metadata.report_id : mail.message_id;
  if (!id.contains('@')) id += "@" + reporter.submitter.text();
  Mail written{.from_name = reporter.org_name,
               .from = mail.from,
               .to = mail.to,
               .subject = report_subject(aggregate, reporter.submitter),
               .date = mail.date,
               .message_id = std::move(id),
               .more_fields = {},
               .multipart = "mixed",
               .parts = {}};
  written.parts.push_back({.content_type = "text/plain",
                           .file_name = {},
                           .content = human_part(aggregate, reporter),
                           .is_text = true});
  written.parts.push_back({.content_type = "application/gzip",
                           .file_name = report_file_name(aggregate, reporter.submitter),
                           .content = std::move(packed),
                           .is_text = false});
  return compose(written);
}

}  // namespace countersign::report
