// SPDX-License-Identifier: Apache-2.0
//
// An aggregate report as a mail: one attachment, packed, and a few words for whoever opens it.
// RFC 9990 §3.5

#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "countersign/message/author.hpp"
#include "countersign/message/compose.hpp"
#include "countersign/report/aggregate.hpp"
#include "countersign/report/tally.hpp"
#include "countersign/result.hpp"

namespace countersign::report {

/// How a report is called, the same each time it is sent:
/// "receiver!policy-domain!begin!end!unique-id.xml.gz". RFC 9990 §3.5.1
[[nodiscard]] std::string report_file_name(const Aggregate& aggregate, const DomainName& submitter);

/// The subject of a report:
/// "Report Domain: example.com Submitter: mx.example.net Report-ID: <id>". RFC 9990 §3.5.2
[[nodiscard]] std::string report_subject(const Aggregate& aggregate, const DomainName& submitter);

/// The envelope of a report mail, for its header.
struct ReportMail {
  Mailbox from;             ///< an address whose domain authenticates it: it must pass DMARC
  std::vector<Mailbox> to;  ///< those that destination.hpp lets through
  std::chrono::sys_seconds date;
  /// Without <>; empty takes the report's identifier, which is right when the report is one mail.
  std::string message_id;
};

/// Writes the mail.
///
/// packed       gzip() of format_aggregate() of the report.
/// Errors       as compose(): a report whose identifier is_report_id() and whose domain is a name
///              has none of its own.
/// RFC 9990 §3.5
[[nodiscard]] Result<std::string, ComposeErrorCode> format_report_mail(const Aggregate& aggregate,
                                                                       const Reporter& reporter,
                                                                       const ReportMail& mail,
                                                                       std::string packed);

}  // namespace countersign::report
