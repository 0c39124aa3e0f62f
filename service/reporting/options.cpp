// SPDX-License-Identifier: Apache-2.0

#include "service/reporting/options.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <string_view>
#include <utility>

#include "countersign/mailflow/identities.hpp"
#include "countersign/message/author.hpp"
#include "service/config/lists.hpp"
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

}  // namespace

Result<SmtpServer, std::string> smtp_server(const config::Snapshot& snapshot) {
  const config::ReportSettings& settings = snapshot.settings.reports;
  const config::Machine machine = config::this_machine();
  std::string password;
  if (!settings.smtp_password_file.empty()) {
    auto text = machine.files.read(settings.smtp_password_file);
    if (!text)
      return std::unexpected(fmt::format("reports.smtp_password_file: cannot read {}: {}",
                                         settings.smtp_password_file, text.error()));
    password = text->substr(0, text->find_first_of("\r\n"));
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
  if (mailflow::find_identities(*snapshot.policy, *from).chosen.empty())
    return std::unexpected(
        fmt::format("no key signs for {} (reports.from), so receivers would not believe the "
                    "reports: add its domain to [signing]",
                    settings.from));
  config::Problems problems;
  return OutboxOptions{
      .reporter = {.submitter = from->domain,
                   .org_name = settings.org_name.empty() ? from->domain.text() : settings.org_name,
                   .email = settings.from,
                   .extra_contact_info = settings.extra_contact,
                   .generator = std::string("countersign ") + version},
      .from = *from,
      .mail_from = settings.mail_from,
      .policy = snapshot.policy,
      .opted_out = config::read_domain_set(settings.opted_out, machine.files, problems),
      .packed_octets_max = settings.packed_octets_max,
      .destination_cap = settings.destination_cap,
      .now = std::move(now),
      .owner = owner_name(machine.host_name)};
}

}  // namespace countersign::service
