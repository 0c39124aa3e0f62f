// SPDX-License-Identifier: Apache-2.0
//
// The log: one line an event, as key=value pairs (logfmt) or JSON, to syslog, standard error or
// both. Text in a line may be a stranger's, so every value is escaped here, in one place, and
// nobody else formats a line.

#pragma once

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace countersign::service {

/// How much an event matters; the numbers are syslog's severities (RFC 5424 §6.2.1).
enum class LogLevel : std::uint8_t { error = 3, warning = 4, notice = 5, info = 6, debug = 7 };

/// How a line is written.
enum class LogFormat : std::uint8_t { logfmt, json };

/// Where lines go and how they look.
struct LogOptions {
  bool to_syslog = false;
  bool to_stderr = true;
  std::FILE* stderr_stream = stderr;  ///< what stands for standard error; tests read their own
  std::string syslog_name = "countersign";
  std::string syslog_facility = "mail";  ///< name without "LOG_", any case
  LogFormat format = LogFormat::logfmt;
  LogLevel level = LogLevel::info;  ///< events that matter less are dropped
  bool queue_id = true;             ///< write the fields of that key
};

/// One key and its value; the value may hold any octets.
using LogField = std::pair<std::string_view, std::string>;

/// Writes events; may be used by all threads.
class Log {
 public:
  /// Opens the sinks. An unknown facility falls back to mail and says so in the first line.
  explicit Log(const LogOptions& options);
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  /// Writes one event: `message` is a short fixed text of ours, `fields` hold what varies.
  void write(LogLevel level, std::string_view message, const std::vector<LogField>& fields = {});
  /// True when an event of that level would be written; lets callers save the work of its fields.
  [[nodiscard]] bool is_on(LogLevel level) const;
  /// Takes over level, format and queue_id of new settings; the sinks stay.
  void adjust(const LogOptions& options);

 private:
  struct Sinks;
  std::unique_ptr<Sinks> sinks_;
};

/// Formats one event as a line without its end, exactly as Log writes it.
///
///   logfmt: level=info msg="key table reloaded" file=/etc/keys lines=12
///   json:   {"level":"info","msg":"key table reloaded","file":"/etc/keys","lines":"12"}
///
/// Control octets, quotes and backslashes in values are escaped, octets that are no UTF-8 become
/// \xHH (JSON: U+FFFD).
/// A value longer than 1,024 octets is cut and ends in "…".
[[nodiscard]] std::string format_event(LogFormat format, LogLevel level, std::string_view message,
                                       const std::vector<LogField>& fields);

}  // namespace countersign::service
