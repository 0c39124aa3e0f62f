// SPDX-License-Identifier: Apache-2.0
//
// The settings of what the daemon keeps of its work, and of whom it tells: the store, the control
// socket, metrics, reports. A part of Settings.

#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "countersign/report/failure.hpp"
#include "service/config/setting_types.hpp"
#include "service/config/socket_spec.hpp"
#include "service/reporting/mail_sender.hpp"

namespace countersign::service::config {

/// What keeps the judged messages.
enum class StoreEngine : std::uint8_t { sqlite, postgresql };

/// Where judged messages are counted, for reports.
struct StoreSettings {
  StoreEngine engine = StoreEngine::sqlite;
  std::string path;        ///< of SQLite's file
  std::string connection;  ///< to PostgreSQL, as libpq reads it
  std::chrono::seconds retention{90 * 86'400};
  std::uint64_t queue = 100'000;  ///< messages in memory
  std::string spool_directory = "/var/lib/countersign/spool";
  std::uint64_t spool_octets = 1'073'741'824;
  std::chrono::seconds durability{1};
  bool history_all = false;  ///< mail of domains without a DMARC record too
  std::string history_file;  ///< a line and more a message, as OpenDMARC writes it; empty: none

  /// Nothing is stored until it is said where.
  [[nodiscard]] bool is_on() const {
    return engine == StoreEngine::sqlite ? !path.empty() : !connection.empty();
  }
};

/// Where the daemon is asked what it does, and what it keeps for that.
struct ControlSettings {
  std::string socket = "/run/countersign/control.sock";  ///< a path; empty: none
  /// A busy server's last half hour, a small one's last days.
  std::uint64_t kept_messages = 2'000;
  /// Judged messages take some 10 KiB each, so that the count decides as long as nobody sends
  /// monsters.
  std::uint64_t kept_octets = 33'554'432;
};

/// Where metrics and health are served over HTTP.
struct MetricsSettings {
  std::vector<SocketSpec> sockets;  ///< inet and inet6; empty: nowhere
};

/// Reports of single messages that failed, to the owners of domains.
struct FailureReportSettings {
  report::Privacy privacy = report::Privacy::never;  ///< of domains that no list has
  DataSet never;
  DataSet redacted;
  DataSet full_headers;
  std::chrono::seconds grouped{300};   ///< failures of a kind within it are one report
  std::uint64_t destination_cap = 10;  ///< reports that a destination gets an hour
  std::string redaction_key_file;      ///< a secret; empty: one that each start draws anew
  bool on_none = true;                 ///< also of domains whose policy is none
  std::vector<std::string> bcc;        ///< addresses of ours that get a copy of each report
};

/// Reports to the owners of domains.
struct ReportSettings {
  bool sends = false;         ///< the daemon sends them itself each day
  std::string from;           ///< address that they come from
  std::string org_name;       ///< empty: the domain of `from`
  std::string extra_contact;  ///< empty for none
  std::string mail_from;      ///< reverse-path; empty: the null path
  DataSet opted_out;          ///< domains that get none
  DataSet own_addresses;      ///< mail to these alone is not counted
  std::uint64_t packed_octets_max = 10'485'760;
  std::uint64_t destination_cap = 10'000;
  std::chrono::seconds after_midnight{3'600};
  std::string smtp_host = "localhost";
  std::uint64_t smtp_port = 25;
  SmtpTls smtp_tls = SmtpTls::opportunistic;
  std::string smtp_user;
  std::string smtp_password_file;
  FailureReportSettings failures;
};

}  // namespace countersign::service::config
