// SPDX-License-Identifier: Apache-2.0

#include "service/reporting/options.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

#include "countersign/mailflow/identities.hpp"
#include "countersign/message/author.hpp"
#include "countersign/message/compose.hpp"
#include "service/config/lists.hpp"
#include "service/reporting/random.hpp"
#include "service/run/version.hpp"

namespace countersign::service {
namespace {

/// A name that no other process has: hosts, processes and starts differ.
std::string owner_name(const std::string& host_name) {
  const auto now = std::chrono::system_clock::now().time_since_epoch().count();
  return fmt::format("{} {} {}", host_name, ::getpid(), now);
}

Result<Mailbox, std::string> read_from(const config::ReportSettings& settings) {
  if (settings.from.empty())
    return std::unexpected("reports.from is not set: give the address that reports come from");
  auto mailbox = first_mailbox(settings.from);
  if (!mailbox)
    return std::unexpected(
        fmt::format("reports.from is no address: {}", to_string(mailbox.error().code)));
  return *std::move(mailbox);
}

/// True when a key signs for a domain that receivers take for the author's: a report whose
/// signatures are all another's does not pass DMARC. That one is at or below the other is as much
/// as can be told without DNS. RFC 9989 §4.4
bool is_signed_for(const mailflow::Policy& policy, const Mailbox& from) {
  const std::vector<dkim::SigningIdentity> identities =
      mailflow::find_identities(policy, from).chosen;
  return std::ranges::any_of(identities, [&from](const dkim::SigningIdentity& one) {
    return one.sdid.is_at_or_below(from.domain) || from.domain.is_at_or_below(one.sdid);
  });
}

/// The reverse-path without a name that may stand beside it; empty for the null path.
Result<std::string, std::string> read_mail_from(const config::ReportSettings& settings) {
  if (settings.mail_from.empty()) return "";
  const auto mailbox = first_mailbox(settings.mail_from);
  if (mailbox) return format_address(*mailbox);
  return std::unexpected(
      fmt::format("reports.mail_from is no address: {}", to_string(mailbox.error().code)));
}

report::Reporter reporter_of(const config::ReportSettings& settings, const Mailbox& from) {
  return {.submitter = from.domain,
          .org_name = settings.org_name.empty() ? from.domain.text() : settings.org_name,
          .email = format_address(from),  // Without a name that may stand beside it.
          .extra_contact_info = settings.extra_contact,
          .generator = std::string("countersign ") + version};
}

/// The first line of a file that holds a secret.
Result<std::string, std::string> read_secret(std::string_view key, const std::string& file,
                                             const config::Files& files) {
  auto text = files.read(file);
  if (!text) return std::unexpected(fmt::format("{}: cannot read {}: {}", key, file, text.error()));
  return text->substr(0, text->find_first_of("\r\n"));
}

Result<std::string, std::string> redaction_key(const config::FailureReportSettings& settings,
                                               const config::Files& files) {
  constexpr std::size_t drawn_octets = 32;
  if (settings.redaction_key_file.empty()) return random_hex(drawn_octets);
  auto key = read_secret("reports.failures.redaction_key_file", settings.redaction_key_file, files);
  if (key && key->empty())
    return std::unexpected("reports.failures.redaction_key_file: the first line is empty");
  return key;
}

Result<std::vector<Mailbox>, std::string> read_copies(const std::vector<std::string>& addresses) {
  std::vector<Mailbox> mailboxes;
  for (const std::string& address : addresses) {
    auto mailbox = first_mailbox(address);
    if (!mailbox)
      return std::unexpected(fmt::format("reports.failures.bcc: '{}' is no address", address));
    mailboxes.push_back(*std::move(mailbox));
  }
  return mailboxes;
}

}  // namespace

Result<SmtpServer, std::string> smtp_server(const config::Snapshot& snapshot) {
  const config::ReportSettings& settings = snapshot.settings.reports;
  const config::Machine machine = config::this_machine();
  std::string password;
  if (!settings.smtp_password_file.empty()) {
    auto read =
        read_secret("reports.smtp_password_file", settings.smtp_password_file, machine.files);
    if (!read) return std::unexpected(std::move(read.error()));
    password = *std::move(read);
  }
  return SmtpServer{.host = settings.smtp_host,
                    .port = static_cast<std::uint16_t>(settings.smtp_port),
                    .helo_name = machine.host_name,
                    .tls = settings.smtp_tls,
                    .user = settings.smtp_user,
                    .password = std::move(password)};
}

Result<OutboxOptions, std::string> outbox_options(const config::Snapshot& snapshot,
                                                  std::function<std::chrono::sys_seconds()> now) {
  const config::ReportSettings& settings = snapshot.settings.reports;
  const config::Machine machine = config::this_machine();
  Result<Mailbox, std::string> from = read_from(settings);
  if (!from) return std::unexpected(from.error());
  Result<std::string, std::string> mail_from = read_mail_from(settings);
  if (!mail_from) return std::unexpected(std::move(mail_from.error()));
  if (!is_signed_for(*snapshot.policy, *from))
    return std::unexpected(
        fmt::format("no key signs for {} (reports.from), so receivers would not believe the "
                    "reports: add its domain to [signing]",
                    settings.from));
  config::Problems problems;
  return OutboxOptions{
      .reporter = reporter_of(settings, *from),
      .from = *from,
      .mail_from = *std::move(mail_from),
      .policy = snapshot.policy,
      .opted_out = config::read_domain_set(settings.opted_out, machine.files, problems),
      .packed_octets_max = settings.packed_octets_max,
      .destination_cap = settings.destination_cap,
      .now = std::move(now),
      .owner = owner_name(machine.host_name)};
}

Result<FailureReporterOptions, std::string> failure_reporter_options(
    const config::Snapshot& snapshot,
    std::function<std::shared_ptr<const mailflow::Policy>()> policy,
    std::function<std::chrono::sys_seconds()> now) {
  const config::ReportSettings& settings = snapshot.settings.reports;
  const config::Machine machine = config::this_machine();
  const Result<Mailbox, std::string> from = read_from(settings);
  if (!from) return std::unexpected(from.error());
  Result<std::string, std::string> mail_from = read_mail_from(settings);
  if (!mail_from) return std::unexpected(std::move(mail_from.error()));
  Result<std::vector<Mailbox>, std::string> bcc = read_copies(settings.failures.bcc);
  if (!bcc) return std::unexpected(std::move(bcc.error()));
  Result<std::string, std::string> key = redaction_key(settings.failures, machine.files);
  if (!key) return std::unexpected(std::move(key.error()));
  config::Problems problems;
  return FailureReporterOptions{
      .outbox = {.reporter = reporter_of(settings, *from),
                 .from = *from,
                 .mail_from = *std::move(mail_from),
                 .bcc = *std::move(bcc),
                 .opted_out = config::read_domain_set(settings.opted_out, machine.files, problems),
                 .redaction_key = *std::move(key),
                 .policy = std::move(policy),
                 .now = std::move(now),
                 .destination_cap = settings.failures.destination_cap},
      .grouped = settings.failures.grouped};
}

}  // namespace countersign::service
