// SPDX-License-Identifier: Apache-2.0
//
// The one user of spdlog: lines are made here and handed to it whole.

#include "service/log/log.hpp"

#include <fmt/format.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <syslog.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <mutex>
#include <optional>

#include "countersign/text/abnf.hpp"
#include "service/log/escape.hpp"

namespace countersign::service {
namespace {

constexpr std::array<std::pair<std::string_view, int>, 20> facilities{{
    {"auth", LOG_AUTH},     {"authpriv", LOG_AUTHPRIV}, {"cron", LOG_CRON},
    {"daemon", LOG_DAEMON}, {"ftp", LOG_FTP},           {"kern", LOG_KERN},
    {"lpr", LOG_LPR},       {"mail", LOG_MAIL},         {"news", LOG_NEWS},
    {"syslog", LOG_SYSLOG}, {"user", LOG_USER},         {"uucp", LOG_UUCP},
    {"local0", LOG_LOCAL0}, {"local1", LOG_LOCAL1},     {"local2", LOG_LOCAL2},
    {"local3", LOG_LOCAL3}, {"local4", LOG_LOCAL4},     {"local5", LOG_LOCAL5},
    {"local6", LOG_LOCAL6}, {"local7", LOG_LOCAL7},
}};

std::optional<int> find_facility(std::string_view name) {
  const auto* const found = std::ranges::find_if(facilities, [name](const auto& facility) {
    return text::equal_ignoring_case(facility.first, name);
  });
  if (found == facilities.end()) return std::nullopt;
  return found->second;
}

/// spdlog has no notice, and we have nothing that is critical.
spdlog::level::level_enum to_spdlog(LogLevel level) {
  switch (level) {
    case LogLevel::error:
      return spdlog::level::err;
    case LogLevel::warning:
      return spdlog::level::warn;
    case LogLevel::notice:
      return spdlog::level::critical;
    case LogLevel::info:
      return spdlog::level::info;
    case LogLevel::debug:
      return spdlog::level::debug;
  }
  return spdlog::level::err;
}

int syslog_priority(spdlog::level::level_enum level) {
  switch (level) {
    case spdlog::level::err:
      return LOG_ERR;
    case spdlog::level::warn:
      return LOG_WARNING;
    case spdlog::level::critical:
      return LOG_NOTICE;
    case spdlog::level::info:
      return LOG_INFO;
    default:
      return LOG_DEBUG;
  }
}

std::string_view to_word(LogLevel level) {
  switch (level) {
    case LogLevel::error:
      return "error";
    case LogLevel::warning:
      return "warning";
    case LogLevel::notice:
      return "notice";
    case LogLevel::info:
      return "info";
    case LogLevel::debug:
      return "debug";
  }
  return "error";
}

/// syslog(3), with severities as RFC 5424 has them. The socket is opened at once: later the root
/// directory may have changed.
class SyslogSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  SyslogSink(std::string name, int facility) : name_(std::move(name)) {
    ::openlog(name_.c_str(), LOG_PID | LOG_NDELAY, facility);
  }
  ~SyslogSink() override { ::closelog(); }
  SyslogSink(const SyslogSink&) = delete;
  SyslogSink& operator=(const SyslogSink&) = delete;

 private:
  void sink_it_(const spdlog::details::log_msg& line) override {
    const int size = static_cast<int>(std::min<std::size_t>(line.payload.size(), 64UL * 1024));
    ::syslog(syslog_priority(line.level), "%.*s", size, line.payload.data());
  }
  void flush_() override {}

  std::string name_;  // openlog(3) keeps the pointer.
};

bool needs_quotes(std::string_view value) {
  if (value.empty()) return true;
  return std::ranges::any_of(value, [](char c) {
    const auto octet = static_cast<unsigned char>(c);
    return octet <= 0x20 || octet >= 0x7f || c == '"' || c == '=' || c == '\\';
  });
}

/// The front of a value that is too long, without half a character at its end.
std::string_view shorten(std::string_view value) {
  if (value.size() <= log_value_octets_max) return value;
  std::size_t end = log_value_octets_max;
  const auto is_continuation = [&] { return (static_cast<unsigned char>(value[end]) >> 6U) == 2; };
  while (end > log_value_octets_max - 3 && is_continuation()) --end;
  return value.substr(0, end);
}

void append_logfmt(std::string& line, std::string_view key, std::string_view value) {
  if (!line.empty()) line += ' ';
  line += key;
  line += '=';
  const std::string_view kept = shorten(value);
  if (!needs_quotes(kept) && kept.size() == value.size()) {
    line += kept;
    return;
  }
  line += '"';
  append_escaped(line, kept);
  if (kept.size() != value.size()) line += "…";
  line += '"';
}

void append_json(std::string& line, std::string_view key, std::string_view value) {
  line += line.empty() ? "{\"" : ",\"";
  line += key;
  line += "\":\"";
  const std::string_view kept = shorten(value);
  append_json_escaped(line, kept);
  if (kept.size() != value.size()) line += "…";
  line += '"';
}

std::vector<LogField> without_queue_id(std::vector<LogField> fields) {
  std::erase_if(fields, [](const LogField& field) { return field.first == "queue_id"; });
  return fields;
}

using StreamSink = spdlog::sinks::stdout_sink_base<spdlog::details::console_mutex>;

}  // namespace

struct Log::Sinks {
  std::shared_ptr<spdlog::logger> logger;
  std::atomic<LogFormat> format;
  std::atomic<LogLevel> level;
  std::atomic<bool> queue_id;
};

Log::Log(const LogOptions& options) : sinks_(std::make_unique<Sinks>()) {
  std::vector<spdlog::sink_ptr> sinks;
  const std::optional<int> facility = find_facility(options.syslog_facility);
  if (options.to_syslog) {
    sinks.push_back(std::make_shared<SyslogSink>(options.syslog_name, facility.value_or(LOG_MAIL)));
  }
  if (options.to_stderr) sinks.push_back(std::make_shared<StreamSink>(options.stderr_stream));
  sinks_->logger = std::make_shared<spdlog::logger>("countersign", sinks.begin(), sinks.end());
  sinks_->logger->set_pattern("%v");  // Services add time and name themselves; so does syslog.
  sinks_->logger->set_level(spdlog::level::trace);
  adjust(options);
  if (!facility) {
    write(LogLevel::warning, "unknown syslog facility; mail is used",
          {{"facility", options.syslog_facility}});
  }
}

Log::~Log() = default;

void Log::adjust(const LogOptions& options) {
  sinks_->format = options.format;
  sinks_->level = options.level;
  sinks_->queue_id = options.queue_id;
}

bool Log::is_on(LogLevel level) const { return level <= sinks_->level.load(); }

void Log::write(LogLevel level, std::string_view message, const std::vector<LogField>& fields) {
  if (!is_on(level)) return;
  const LogFormat format = sinks_->format.load();
  const std::string line = sinks_->queue_id
                               ? format_event(format, level, message, fields)
                               : format_event(format, level, message, without_queue_id(fields));
  sinks_->logger->log(to_spdlog(level), spdlog::string_view_t(line.data(), line.size()));
}

std::string format_event(LogFormat format, LogLevel level, std::string_view message,
                         const std::vector<LogField>& fields) {
  const auto append = format == LogFormat::json ? append_json : append_logfmt;
  std::string line;
  append(line, "level", to_word(level));
  append(line, "msg", message);
  for (const auto& [key, value] : fields) append(line, key, value);
  if (format == LogFormat::json) line += '}';
  return line;
}

}  // namespace countersign::service
