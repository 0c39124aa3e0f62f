// SPDX-License-Identifier: Apache-2.0

#include "countersign/report/destination.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>
#include <variant>

#include "countersign/dmarc/record.hpp"
#include "countersign/text/abnf.hpp"

namespace countersign::report {

namespace {

constexpr std::size_t local_octets_max = 64;  // RFC 5321 §4.5.3.1.1
constexpr std::string_view scheme = "mailto:";
constexpr std::string_view infix = "._report._dmarc.";

/// Names that no mail leaves the house for. RFC 6761 §6, RFC 6762 §3, RFC 7686 §2
constexpr std::array<std::string_view, 5> local_names = {"localhost", "local", "internal", "onion",
                                                         "invalid"};

unsigned hex_value(char c) {
  if (text::is_digit(c)) return static_cast<unsigned>(c - '0');
  return static_cast<unsigned>(text::to_lower(c) - 'a') + 10U;
}

/// The octets that a text with "%40" stands for.
std::optional<std::string> decode_percent(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const char c = text.front();
    text.remove_prefix(1);
    if (c != '%') {
      out += c;
      continue;
    }
    if (text.size() < 2 || !text::is_hex_digit(text[0]) || !text::is_hex_digit(text[1]))
      return std::nullopt;
    out += static_cast<char>(hex_value(text[0]) * 16U + hex_value(text[1]));
    text.remove_prefix(2);
  }
  return out;
}

bool is_local_part(std::string_view text) {
  return !text.empty() && text.size() <= local_octets_max && text.front() != '.' &&
         text.back() != '.' && !text.contains("..") &&
         (text::is_ascii_atext | text::CharClass(".")).all_of(text);
}

bool is_public(const DomainName& domain) {
  const std::string_view top = domain.suffix(1);
  const bool is_number = text::is_digit.all_of(top);
  return domain.label_count() > 1 && !is_number &&
         std::ranges::find(local_names, top) == local_names.end();
}

/// True when both names have one Organizational Domain; nothing when DNS did not say. A top-level
/// domain is none: its owner published a record without psd=y, and those below it are strangers to
/// one another. RFC 9989 §11.8
dns::Asking<std::optional<bool>> is_internal(DomainName policy_domain, DomainName host,
                                             Limits limits) {
  if (policy_domain == host) co_return true;
  const auto [mine, theirs] = co_await dns::all(dmarc::walk_tree(std::move(policy_domain), limits),
                                                dmarc::walk_tree(std::move(host), limits));
  if (!mine.is_certain || !theirs.is_certain) co_return std::nullopt;
  if (has_top_level_org(mine) || has_top_level_org(theirs)) co_return false;
  co_return mine.org_domain == theirs.org_domain;
}

/// The DMARC records in an answer. One that has v=DMARC1 and nothing else is enough.
std::vector<dmarc::Record> records_of(const dns::Answer& answer, const Limits& limits) {
  std::vector<dmarc::Record> records;
  for (const dns::RecordData& data : answer.records) {
    const auto* const strings = std::get_if<dns::Text>(&data);
    if (strings == nullptr || records.size() == limits.answer_records_max) continue;
    if (auto record = dmarc::parse_record(strings->joined(), limits))
      records.push_back(*std::move(record));
  }
  return records;
}

/// Takes over where the host wants its reports, which may only be at the same host. One that names
/// another gets nothing, and neither does that other. RFC 9990 §4
void replace(const std::vector<std::string>& uris, const Limits& limits,
             CheckedDestination& checked) {
  const DomainName host = checked.mailboxes.front().domain;
  checked.mailboxes.clear();
  checked.authorization = Authorization::replaced;
  for (const std::string& uri : uris) {
    const auto mailbox = parse_destination(uri, limits);
    if (!mailbox) continue;
    if (mailbox->domain != host) {
      checked.authorization = Authorization::other_host;
      checked.mailboxes.clear();
      return;
    }
    checked.mailboxes.push_back(*mailbox);
  }
}

void judge(const dns::Answer& answer, ReportKind kind, const Limits& limits,
           CheckedDestination& checked) {
  const std::vector<dmarc::Record> records = records_of(answer, limits);
  if (records.empty()) {
    checked.authorization =
        answer.is_failure() ? Authorization::dns_failure : Authorization::unauthorized;
    checked.mailboxes.clear();
    return;
  }
  checked.authorization = Authorization::authorized;
  for (const dmarc::Record& record : records) {
    const auto& uris = kind == ReportKind::aggregate ? record.rua : record.ruf;
    if (!uris.empty()) return replace(uris, limits, checked);
  }
}

dns::Asking<CheckedDestination> check_one(DomainName policy_domain, std::string uri,
                                          ReportKind kind, Limits limits) {
  CheckedDestination checked{.uri = std::move(uri)};
  const auto mailbox = parse_destination(checked.uri, limits);
  if (!mailbox) co_return checked;
  const std::optional<bool> internal = co_await is_internal(policy_domain, mailbox->domain, limits);
  if (!internal) {
    checked.authorization = Authorization::dns_failure;
    co_return checked;
  }
  checked.mailboxes.push_back(*mailbox);
  checked.authorization = Authorization::internal;
  if (*internal) co_return checked;
  const auto name =
      DomainName::parse(policy_domain.text() + std::string(infix) + mailbox->domain.text());
  if (!name) {
    checked.authorization = Authorization::name_too_long;
    checked.mailboxes.clear();
    co_return checked;
  }
  const dns::Answer answer = co_await dns::ask({name->text(), dns::RecordType::txt});
  judge(answer, kind, limits, checked);
  co_return checked;
}

}  // namespace

std::string_view to_string(DestinationErrorCode code) {
  switch (code) {
    case DestinationErrorCode::too_long:
      return "the URI is longer than what is read";
    case DestinationErrorCode::not_mailto:
      return "the URI is no mailto (RFC 9990 §3.5)";
    case DestinationErrorCode::bad_encoding:
      return "the URI has a % that is no octet (RFC 3986 §2.1)";
    case DestinationErrorCode::bad_address:
      return "the URI is not one plain address (RFC 6068 §2)";
    case DestinationErrorCode::bad_domain:
      return "the URI's domain is no name on the Internet";
  }
  return "unknown error";
}

Result<Mailbox, DestinationErrorCode> parse_destination(std::string_view uri,
                                                        const Limits& limits) {
  if (uri.size() > limits.report_uri_bytes_max)
    return std::unexpected(DestinationErrorCode::too_long);
  if (!text::starts_with_ignoring_case(uri, scheme))
    return std::unexpected(DestinationErrorCode::not_mailto);
  const std::string_view rest = uri.substr(scheme.size());
  const auto address = decode_percent(rest.substr(0, rest.find_first_of("?#")));
  if (!address) return std::unexpected(DestinationErrorCode::bad_encoding);
  const std::size_t at = address->find('@');
  if (at == address->npos || !is_local_part(std::string_view(*address).substr(0, at)))
    return std::unexpected(DestinationErrorCode::bad_address);
  const auto domain = DomainName::parse(std::string_view(*address).substr(at + 1));
  if (!domain || !is_public(*domain)) return std::unexpected(DestinationErrorCode::bad_domain);
  return Mailbox{address->substr(0, at), *domain};
}

std::vector<std::string> distinct_destinations(const std::vector<std::string>& uris,
                                               const Limits& limits) {
  std::vector<std::string> distinct;
  std::vector<Mailbox> seen;
  for (const std::string& uri : uris) {
    const auto mailbox = parse_destination(uri, limits);
    if (mailbox && std::ranges::find(seen, *mailbox) != seen.end()) continue;
    if (mailbox) seen.push_back(*mailbox);
    if (std::ranges::find(distinct, uri) == distinct.end()) distinct.push_back(uri);
  }
  return distinct;
}

std::string_view to_string(Authorization authorization) {
  switch (authorization) {
    case Authorization::internal:
      return "the address is of the domain's own organization (RFC 9990 §4)";
    case Authorization::authorized:
      return "the host of the address wants the reports of the domain (RFC 9990 §4)";
    case Authorization::replaced:
      return "the host of the address wants the reports at the address that it names "
             "(RFC 9990 §4)";
    case Authorization::malformed:
      return "the URI cannot be used (RFC 9990 §3.5)";
    case Authorization::unauthorized:
      return "the host of the address does not say that it wants the reports of the domain "
             "(RFC 9990 §4)";
    case Authorization::name_too_long:
      return "the host of the address cannot say that it wants the reports, as the name for that "
             "is too long for DNS (RFC 9990 §4)";
    case Authorization::other_host:
      return "the host of the address wants the reports sent to another host, which it may not "
             "(RFC 9990 §4)";
    case Authorization::dns_failure:
      return "DNS did not say whether the host of the address wants the reports (RFC 9990 §4)";
  }
  return "unknown";
}

std::string_view name_of(Authorization authorization) {
  switch (authorization) {
    case Authorization::internal:
      return "internal";
    case Authorization::authorized:
      return "authorized";
    case Authorization::replaced:
      return "replaced";
    case Authorization::malformed:
      return "malformed";
    case Authorization::unauthorized:
      return "unauthorized";
    case Authorization::name_too_long:
      return "name_too_long";
    case Authorization::other_host:
      return "other_host";
    case Authorization::dns_failure:
      return "dns_failure";
  }
  return "unknown";
}

dns::Asking<std::vector<CheckedDestination>> check_destinations(DestinationRequest request,
                                                                Limits limits) {
  if (request.uris.size() > limits.report_uris_max) request.uris.resize(limits.report_uris_max);
  std::vector<CheckedDestination> all;
  // One after another: the answers are in the cache mostly, and a run of reports is in no hurry.
  for (const std::string& uri : request.uris)
    all.push_back(co_await check_one(request.policy_domain, uri, request.kind, limits));
  co_return all;
}

std::vector<Mailbox> recipients_of(const std::vector<CheckedDestination>& checked) {
  std::vector<Mailbox> recipients;
  for (const CheckedDestination& one : checked)
    for (const Mailbox& mailbox : one.mailboxes)
      if (std::ranges::find(recipients, mailbox) == recipients.end()) recipients.push_back(mailbox);
  return recipients;
}

bool LoopGuard::is_own(const Mailbox& mailbox) const {
  return std::ranges::any_of(report_addresses, [&mailbox](const Mailbox& own) {
    return own.domain == mailbox.domain &&
           text::equal_ignoring_case(own.local_part, mailbox.local_part);
  });
}

bool LoopGuard::is_report_traffic(const std::vector<std::string>& recipients) const {
  return !recipients.empty() && std::ranges::all_of(recipients, [this](const std::string& path) {
    const std::size_t at = path.rfind('@');
    if (at == path.npos) return false;
    const auto domain = DomainName::parse(std::string_view(path).substr(at + 1));
    return domain && is_own({path.substr(0, at), *domain});
  });
}

}  // namespace countersign::report
