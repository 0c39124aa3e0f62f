// SPDX-License-Identifier: Apache-2.0
//
// The one user of spdlog: lines are made here and handed to it whole.

#include "service/log/log.hpp"

#include <fmt/format.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/sinks/syslog_sink.h>
#include <syslog.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cctype>
#include <optional>

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

std::optional<int> find_facility(std::string name) {
  std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::tolower(c); });
  for (const auto& [known, number] : facilities) {
    if (known == name) return number;
  }
  return std::nullopt;
}

spdlog::level::level_enum to_spdlog(LogLevel level) {
  switch (level) {
    case LogLevel::error:
      return spdlog::level::err;
    case LogLevel::warning:
      return spdlog::level::warn;
    case LogLevel::notice:
      return spdlog::level::info;
    case LogLevel::info:
      return spdlog::level::info;
    case LogLevel::debug:
      return spdlog::level::debug;
  }
  return spdlog::level::err;
}

bool needs_quotes(std::string_view value) {
  if (value.empty()) return true;
  return std::ranges::any_of(value, [](char c) {
    const auto octet = static_cast<unsigned char>(c);
    return octet <= 0x20 || octet >= 0x7f || c == '"' || c == '=' || c == '\\';
  });
}

std::string_view shorten(std::string_view value) { return value.substr(0, log_value_octets_max); }

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

}  // namespace

struct Log::Sinks {
  std::shared_ptr<spdlog::logger> logger;
  std::atomic<LogFormat> format;
  std::atomic<LogLevel> level;
};

Log::Log(const LogOptions& options) : sinks_(std::make_unique<Sinks>()) {
  std::vector<spdlog::sink_ptr> sinks;
  const std::optional<int> facility = find_facility(options.syslog_facility);
  if (options.to_syslog) {
    sinks.push_back(std::make_shared<spdlog::sinks::syslog_sink_mt>(
        options.syslog_name, LOG_PID, facility.value_or(LOG_MAIL), false));
  }
  if (options.to_stderr) sinks.push_back(std::make_shared<spdlog::sinks::stderr_sink_mt>());
  sinks_->logger = std::make_shared<spdlog::logger>("countersign", sinks.begin(), sinks.end());
  sinks_->logger->set_pattern("%v");  // Services add time and name themselves; so does syslog.
  sinks_->logger->set_level(spdlog::level::trace);
  sinks_->logger->flush_on(spdlog::level::trace);
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
}

bool Log::is_on(LogLevel level) const { return level <= sinks_->level.load(); }

void Log::write(LogLevel level, std::string_view message, const std::vector<LogField>& fields) {
  if (!is_on(level)) return;
  const std::string line = format_event(sinks_->format.load(), message, fields);
  sinks_->logger->log(to_spdlog(level), spdlog::string_view_t(line.data(), line.size()));
}

std::string format_event(LogFormat format, std::string_view message,
                         const std::vector<LogField>& fields) {
  const auto append = format == LogFormat::json ? append_json : append_logfmt;
  std::string line;
  append(line, "msg", message);
  for (const auto& [key, value] : fields) append(line, key, value);
  if (format == LogFormat::json) line += '}';
  return line;
}

}  // namespace countersign::service
