// SPDX-License-Identifier: Apache-2.0
//
// Where reports go. The addresses are a stranger's: they stand in his DNS record, and mail to them
// is sent in our name. So they are read strictly, and an address outside of the domain's own
// organization counts only if its host says that it wants the reports (S-50). Whoever skips that
// floods the mailboxes of others.
//
// RFC 9990 §3.5, §4, RFC 9991 §5

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "countersign/dmarc/discovery.hpp"
#include "countersign/dns/asking.hpp"
#include "countersign/domain/name.hpp"
#include "countersign/limits.hpp"
#include "countersign/message/author.hpp"
#include "countersign/result.hpp"

namespace countersign::report {

/// Why nothing is sent to a URI.
enum class DestinationErrorCode : std::uint8_t {
  too_long,      ///< over Limits::report_uri_bytes_max
  not_mailto,    ///< another scheme: only mailto is known to RFC 9990
  bad_encoding,  ///< "%" and something that is no octet
  bad_address,   ///< not one address of ASCII letters without quotes
  bad_domain,    ///< no domain name of two labels or more, or one that is never on the Internet
};

/// Says in a sentence what is wrong.
[[nodiscard]] std::string_view to_string(DestinationErrorCode code);

/// Reads a URI of rua= or ruf=.
///
///   mailtoURI = "mailto:" local-part "@" domain [ "?" hfields ]
///
/// Errors       each DestinationErrorCode.
/// Leniency     header fields behind "?" are not used: they are somebody else's words in our mail.
/// Strictness   one address, no quoted local part, none that needs SMTPUTF8, no address literal;
///              no name of localhost, .local, .internal, .onion or .invalid.
/// RFC 6068 §2, RFC 9989 §4.8
[[nodiscard]] Result<Mailbox, DestinationErrorCode> parse_destination(std::string_view uri,
                                                                      const Limits& limits);

/// The URIs of a record without those that name an address again: each address is one destination.
/// What cannot be used stays, so that it can be told.
[[nodiscard]] std::vector<std::string> distinct_destinations(const std::vector<std::string>& uris,
                                                             const Limits& limits);

/// Which reports are asked about.
enum class ReportKind : std::uint8_t {
  aggregate,  ///< rua=
  failure,    ///< ruf=
};

/// What came of the question whether a host wants the reports of a domain. RFC 9990 §4
enum class Authorization : std::uint8_t {
  internal,       ///< the host is of the domain's organization: nobody need be asked
  authorized,     ///< the host's record says yes
  replaced,       ///< the host's record says yes, and where to instead
  malformed,      ///< the URI cannot be used: DestinationErrorCode
  unauthorized,   ///< the host has no such record
  name_too_long,  ///< no record can be: the name for it does not fit into DNS
  other_host,     ///< the host's record names another host, which it has no right to
  dns_failure,    ///< DNS did not say: it may be tried again
};

/// A sentence for people, with its section.
[[nodiscard]] std::string_view to_string(Authorization authorization);
/// The enumerator itself, "unauthorized", for logs and JSON.
[[nodiscard]] std::string_view name_of(Authorization authorization);

/// A URI, and whom mail goes to for it.
struct CheckedDestination {
  std::string uri;  ///< as published: a stranger's text
  Authorization authorization = Authorization::malformed;
  /// Where to; empty unless internal, authorized or replaced.
  std::vector<Mailbox> mailboxes;

  friend bool operator==(const CheckedDestination&, const CheckedDestination&) = default;
};

/// What is to be checked.
struct DestinationRequest {
  DomainName policy_domain;       ///< whose record has the URIs
  std::vector<std::string> uris;  ///< at most Limits::report_uris_max are looked at
  ReportKind kind = ReportKind::aggregate;
};

/// Checks every URI; gives one answer for each, in their order. All are to be tried, not the first
/// alone.
/// RFC 9990 §3.5, §4
[[nodiscard]] dns::Asking<std::vector<CheckedDestination>> check_destinations(
    DestinationRequest request, Limits limits);

/// The mailboxes of all that may be sent to, each once, in their order.
[[nodiscard]] std::vector<Mailbox> recipients_of(const std::vector<CheckedDestination>& checked);

/// Who we are to ourselves, so that reports about reports do not run in circles.
struct LoopGuard {
  std::vector<Mailbox> report_addresses;  ///< that we send reports from, or take them at

  /// True when a report to that mailbox would come back to the address that it is sent from.
  [[nodiscard]] bool is_own(const Mailbox& mailbox) const;
  /// True for mail to our report addresses alone: reports and answers to ours. It is not counted,
  /// or two reporters would write to each other for ever.
  ///
  /// recipients   forward-paths without <>.
  [[nodiscard]] bool is_report_traffic(const std::vector<std::string>& recipients) const;
};

}  // namespace countersign::report
