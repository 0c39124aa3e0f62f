// SPDX-License-Identifier: Apache-2.0

#include "service/config/value.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <span>

#include "countersign/text/abnf.hpp"

namespace countersign::service::config {
namespace {

using Expected = std::optional<std::string>;

// --- words of the enumerations, in the order of their enumerators ---

using Words = std::span<const std::string_view>;

constexpr std::array<std::string_view, 3> mode_words{"sign", "verify", "both"};
constexpr std::array<std::string_view, 5> action_words{"accept", "discard", "quarantine", "reject",
                                                       "tempfail"};
constexpr std::array<std::string_view, 3> reject_policy_words{"quarantine", "corroborated",
                                                              "reject"};
constexpr std::array<std::string_view, 6> refuse_words{"no_check", "never",    "null_sender",
                                                       "fail",     "softfail", "not_pass"};
constexpr std::array<std::string_view, 3> field_words{"none", "received_spf",
                                                      "authentication_results"};
constexpr std::array<std::string_view, 3> mismatch_words{"unsigned", "fallback", "reject"};
constexpr std::array<std::string_view, 3> smtp_tls_words{"none", "opportunistic", "required"};
constexpr std::array<std::string_view, 2> discovery_words{"treewalk", "psl"};
constexpr std::array<std::string_view, 2> log_format_words{"logfmt", "json"};
// LogLevel begins at 3, syslog's number for an error.
constexpr std::array<std::string_view, 8> log_level_words{"",        "",       "",     "error",
                                                          "warning", "notice", "info", "debug"};
constexpr std::array<std::string_view, 2> store_engine_words{"sqlite", "postgresql"};
constexpr std::array<std::string_view, 3> privacy_words{"never", "redacted", "full_headers"};

Words words_of(const Mode* /*slot*/) { return mode_words; }
Words words_of(const mailflow::Action* /*slot*/) { return action_words; }
Words words_of(const mailflow::RejectPolicy* /*slot*/) { return reject_policy_words; }
Words words_of(const mailflow::RefuseFrom* /*slot*/) { return refuse_words; }
Words words_of(const mailflow::AddedField* /*slot*/) { return field_words; }
Words words_of(const mailflow::MismatchAction* /*slot*/) { return mismatch_words; }
Words words_of(const SmtpTls* /*slot*/) { return smtp_tls_words; }
Words words_of(const dmarc::DiscoveryMethod* /*slot*/) { return discovery_words; }
Words words_of(const LogFormat* /*slot*/) { return log_format_words; }
Words words_of(const LogLevel* /*slot*/) { return log_level_words; }
Words words_of(const StoreEngine* /*slot*/) { return store_engine_words; }
Words words_of(const report::Privacy* /*slot*/) { return privacy_words; }

std::string join(Words words) {
  std::string joined;
  for (const std::string_view word : words) {
    if (word.empty()) continue;
    if (!joined.empty()) joined += ", ";
    joined += word;
  }
  return joined;
}

// --- reading ---

std::optional<std::uint64_t> parse_number(std::string_view text, int base = 10) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::string expected_number(const Range& range) {
  constexpr Range all;
  if (range.most == all.most) return "expected a number of at least " + std::to_string(range.least);
  return "expected a number from " + std::to_string(range.least) + " to " +
         std::to_string(range.most);
}

Expected assign_to(bool* slot, const Value& value, const Range& /*range*/) {
  const bool* read = std::get_if<bool>(&value.data);
  if (!read) return "expected true or false";
  *slot = *read;
  return std::nullopt;
}

Expected assign_to(std::uint64_t* slot, const Value& value, const Range& range) {
  const std::int64_t* read = std::get_if<std::int64_t>(&value.data);
  if (!read || *read < 0) return expected_number(range);
  const auto number = static_cast<std::uint64_t>(*read);
  if (number < range.least || number > range.most) return expected_number(range);
  *slot = number;
  return std::nullopt;
}

Expected assign_to(std::chrono::seconds* slot, const Value& value, const Range& range) {
  std::optional<std::chrono::seconds> read;
  if (const auto* number = std::get_if<std::int64_t>(&value.data)) {
    read = std::chrono::seconds(*number);
  } else if (const auto* text = std::get_if<std::string>(&value.data)) {
    read = parse_duration(*text);
  }
  if (!read || read->count() < 0) return "expected seconds, or a text like \"90s\", \"5m\", \"2h\"";
  const auto count = static_cast<std::uint64_t>(read->count());
  if (count < range.least || count > range.most) return expected_number(range) + " of seconds";
  *slot = *read;
  return std::nullopt;
}

Expected assign_to(Rate* slot, const Value& value, const Range& /*range*/) {
  const auto* text = std::get_if<std::string>(&value.data);
  const std::optional<Rate> read = text ? parse_rate(*text) : std::nullopt;
  if (!read) return "expected a count and a time, like \"10/1h\"";
  *slot = *read;
  return std::nullopt;
}

Expected assign_to(FileMode* slot, const Value& value, const Range& /*range*/) {
  std::optional<std::uint64_t> read;
  if (const auto* number = std::get_if<std::int64_t>(&value.data); number && *number >= 0) {
    read = static_cast<std::uint64_t>(*number);
  } else if (const auto* text = std::get_if<std::string>(&value.data)) {
    read = parse_number(*text, 8);
  }
  if (!read || *read > 0777) return "expected permission bits in octal, like \"0007\"";
  slot->bits = static_cast<std::uint32_t>(*read);
  return std::nullopt;
}

Expected assign_to(std::string* slot, const Value& value, const Range& /*range*/) {
  const auto* text = std::get_if<std::string>(&value.data);
  if (!text) return "expected a text in quotes";
  *slot = *text;
  return std::nullopt;
}

Expected assign_to(std::vector<std::string>* slot, const Value& value, const Range& range) {
  std::vector<std::string> read;
  if (const auto* list = std::get_if<Value::List>(&value.data)) {
    for (const Value& item : *list) {
      std::string text;
      if (assign_to(&text, item, range)) return "expected a list of texts in quotes";
      read.push_back(std::move(text));
    }
  } else if (const auto* text = std::get_if<std::string>(&value.data)) {
    read.push_back(*text);
  } else {
    return "expected a list of texts in quotes";
  }
  *slot = std::move(read);
  return std::nullopt;
}

Expected assign_to(std::vector<SocketSpec>* slot, const Value& value, const Range& range) {
  std::vector<std::string> texts;
  if (Expected expected = assign_to(&texts, value, range)) return expected;
  std::vector<SocketSpec> sockets;
  for (const std::string& text : texts) {
    auto socket = parse_socket(text);
    if (!socket) return "'" + text + "': " + socket.error();
    sockets.push_back(std::move(*socket));
  }
  *slot = std::move(sockets);
  return std::nullopt;
}

Expected assign_to(DataSet* slot, const Value& value, const Range& range) {
  DataSet read{.place = value.place};
  if (const auto* text = std::get_if<std::string>(&value.data)) {
    read.source = *text;
  } else if (assign_to(&read.lines, value, range)) {
    return "expected a data set, like \"file:/path\", or a list of entries";
  }
  *slot = std::move(read);
  return std::nullopt;
}

std::optional<dkim::Canonicalization> parse_canonicalization(std::string_view word) {
  if (text::equal_ignoring_case(word, "relaxed")) return dkim::Canonicalization::relaxed;
  if (text::equal_ignoring_case(word, "simple")) return dkim::Canonicalization::simple;
  return std::nullopt;
}

Expected assign_to(Canonicalizations* slot, const Value& value, const Range& /*range*/) {
  const auto* text = std::get_if<std::string>(&value.data);
  const std::string_view words = text ? std::string_view(*text) : std::string_view();
  const std::size_t slash = words.find('/');
  const auto header = parse_canonicalization(words.substr(0, slash));
  const auto body = slash == std::string_view::npos
                        ? std::nullopt
                        : parse_canonicalization(words.substr(slash + 1));
  if (!header || !body) {
    return "expected header/body, each simple or relaxed, like \"relaxed/relaxed\"";
  }
  *slot = {*header, *body};
  return std::nullopt;
}

template <class Enum>
  requires std::is_enum_v<Enum>
Expected assign_to(Enum* slot, const Value& value, const Range& /*range*/) {
  const Words words = words_of(slot);
  if (const auto* text = std::get_if<std::string>(&value.data)) {
    for (std::size_t i = 0; i < words.size(); ++i) {
      if (words[i].empty() || !text::equal_ignoring_case(words[i], *text)) continue;
      *slot = static_cast<Enum>(i);
      return std::nullopt;
    }
  }
  return "expected one of " + join(words);
}

template <class T>
Expected assign_to(std::optional<T>* slot, const Value& value, const Range& range) {
  T read{};
  if (Expected expected = assign_to(&read, value, range)) return expected;
  *slot = read;
  return std::nullopt;
}

// Tables have a reader of their own (load.cpp).
Expected assign_to(std::vector<SigningDomain>* /*slot*/, const Value& /*value*/,
                   const Range& /*range*/) {
  return "expected tables that begin with [[signing.domain]]";
}

// --- writing ---

std::string quoted(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    result += c;
  }
  return result + "\"";
}

std::string quoted_list(const std::vector<std::string>& texts) {
  std::string result;
  for (const std::string& text : texts) result += (result.empty() ? "" : ", ") + quoted(text);
  return "[" + result + "]";
}

std::string write(const bool& value) { return value ? "true" : "false"; }
std::string write(const std::uint64_t& value) { return std::to_string(value); }
std::string write(const std::string& value) { return value.empty() ? "" : quoted(value); }
std::string write(const std::vector<std::string>& value) { return quoted_list(value); }

std::string write(const std::chrono::seconds& value) {
  const auto count = value.count();
  if (count != 0 && count % 3'600 == 0) return quoted(std::to_string(count / 3'600) + "h");
  return quoted(std::to_string(count) + "s");
}

std::string write(const FileMode& value) { return quoted(fmt::format("{:04o}", value.bits)); }

std::string write(const Rate& value) {
  if (value.count == 0) return "";
  return quoted(std::to_string(value.count) + "/" + std::to_string(value.period.count()) + "s");
}

std::string write(const std::vector<SocketSpec>& value) {
  std::vector<std::string> texts;
  texts.reserve(value.size());
  for (const SocketSpec& socket : value) texts.push_back(to_string(socket));
  return quoted_list(texts);
}

std::string write(const DataSet& value) {
  return value.source.empty() ? quoted_list(value.lines) : quoted(value.source);
}

std::string write(const Canonicalizations& value) {
  return quoted(std::string(dkim::to_string(value.header)) + "/" +
                std::string(dkim::to_string(value.body)));
}

template <class Enum>
  requires std::is_enum_v<Enum>
std::string write(const Enum& value) {
  return quoted(words_of(&value)[static_cast<std::size_t>(value)]);
}

template <class T>
std::string write(const std::optional<T>& value) {
  return value ? write(*value) : "";
}

std::string write(const std::vector<SigningDomain>& /*value*/) { return ""; }

// --- names of types ---

std::string type_name(const bool* /*slot*/) { return "true or false"; }
std::string type_name(const std::uint64_t* /*slot*/) { return "number"; }
std::string type_name(const std::chrono::seconds* /*slot*/) { return "time"; }
std::string type_name(const FileMode* /*slot*/) { return "permission bits"; }
std::string type_name(const Rate* /*slot*/) { return "rate"; }
std::string type_name(const std::string* /*slot*/) { return "text"; }
std::string type_name(const std::vector<std::string>* /*slot*/) { return "list of texts"; }
std::string type_name(const std::vector<SocketSpec>* /*slot*/) { return "list of sockets"; }
std::string type_name(const DataSet* /*slot*/) { return "data set or list"; }
std::string type_name(const Canonicalizations* /*slot*/) { return "header/body"; }
std::string type_name(const std::vector<SigningDomain>* /*slot*/) { return "tables"; }

template <class Enum>
  requires std::is_enum_v<Enum>
std::string type_name(const Enum* slot) {
  return join(words_of(slot));
}

template <class T>
std::string type_name(const std::optional<T>* /*slot*/) {
  return type_name(static_cast<const T*>(nullptr));
}

}  // namespace

std::optional<std::string> assign(const Slot& slot, const Value& value, const Range& range) {
  return std::visit([&](auto* target) { return assign_to(target, value, range); }, slot);
}

std::string to_toml(const Slot& slot) {
  return std::visit([](const auto* source) { return write(*source); }, slot);
}

std::string type_of(const Slot& slot) {
  return std::visit([](const auto* source) { return type_name(source); }, slot);
}

std::optional<std::chrono::seconds> parse_duration(std::string_view text) {
  constexpr std::array<std::pair<char, std::uint64_t>, 5> units{
      {{'s', 1}, {'m', 60}, {'h', 3'600}, {'d', 86'400}, {'w', 604'800}}};
  constexpr std::uint64_t weeks_max = 52'000;  // A thousand years, so that no product overflows.
  std::uint64_t factor = 1;
  if (!text.empty() && text::is_alpha(text.back())) {
    factor = 0;
    for (const auto& [letter, seconds] : units) {
      if (text::to_lower(text.back()) == letter) factor = seconds;
    }
    text.remove_suffix(1);
  }
  const std::optional<std::uint64_t> count = parse_number(text);
  if (!count || factor == 0 || *count > weeks_max * 604'800 / factor) return std::nullopt;
  return std::chrono::seconds(*count * factor);
}

std::optional<Rate> parse_rate(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const std::optional<std::uint64_t> count = parse_number(text.substr(0, slash));
  const std::optional<std::chrono::seconds> period = parse_duration(text.substr(slash + 1));
  if (!count || !period || *count == 0 || period->count() == 0) return std::nullopt;
  return Rate{*count, *period};
}

}  // namespace countersign::service::config
