// SPDX-License-Identifier: Apache-2.0
//
// Reads a master file (RFC 1035 §5) into a Zone. The files come from people and from
// opendkim-genkey, so each error names the line and what to write there; what a mail checker never
// asks for (SOA, DNSSEC and service records) is read over, and its name exists.

#include <charconv>
#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "countersign/dns/master_lexer.hpp"
#include "countersign/dns/presentation.hpp"
#include "countersign/dns/zone.hpp"
#include "countersign/text/abnf.hpp"

namespace countersign::dns {
namespace {

using Words = std::span<const MasterWord>;

constexpr std::size_t string_octets_max = 255;   // RFC 1035 §3.3
constexpr std::size_t data_octets_max = 65'535;  // RDLENGTH, RFC 1035 §3.2.1
constexpr std::size_t label_octets_max = 63;     // RFC 1035 §2.3.4
constexpr std::size_t name_octets_max = 253;     // RFC 1035 §2.3.4, without the dot at the end
constexpr std::uint64_t ttl_seconds_max = 2'147'483'647;  // RFC 2181 §8

std::optional<std::uint64_t> seconds_of_unit(char unit) {
  switch (text::to_lower(unit)) {
    case 's':
      return 1;
    case 'm':
      return 60;
    case 'h':
      return 3'600;
    case 'd':
      return 86'400;
    case 'w':
      return 604'800;
    default:
      return std::nullopt;
  }
}

// "3600", "1h", "1h30m".
std::optional<std::chrono::seconds> parse_ttl(std::string_view text) {
  if (text.empty()) return std::nullopt;
  std::uint64_t total = 0;
  while (!text.empty()) {
    std::uint32_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc()) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    std::optional<std::uint64_t> unit = 1;
    if (!text.empty()) {
      unit = seconds_of_unit(text.front());
      text.remove_prefix(1);
    }
    if (!unit) return std::nullopt;
    total += number * *unit;
    if (total > ttl_seconds_max) return std::nullopt;
  }
  return std::chrono::seconds(total);
}

// Why labels cannot be a name on the wire; nothing when they can.
std::optional<std::string> wrong_name(std::string_view name) {
  if (name.size() > name_octets_max) return "a name has more than 253 octets; shorten it";
  for (;;) {
    const std::string_view label = name.substr(0, name.find('.'));
    if (label.empty())
      return "a name has an empty label; remove the dot in front or the second dot";
    if (label.size() > label_octets_max) return "a label has more than 63 octets; shorten it";
    if (label.size() == name.size()) return std::nullopt;
    name.remove_prefix(label.size() + 1);
  }
}

std::string quote(std::string_view word) { return '"' + std::string(word.substr(0, 80)) + '"'; }

// Reads entry after entry. The first failure is kept and ends the reading, so that the functions
// read straight down.
class MasterReader {
 public:
  MasterReader(const Limits& limits, std::string_view origin) : limits_(limits) {
    if (!origin.empty()) origin_ = plain_name(origin);
  }

  Result<Zone, ZoneError> read(std::string_view text) {
    MasterLexer lexer(text);
    while (!error_) {
      const auto entry = lexer.next();
      if (!entry) return std::unexpected(entry.error());
      if (!entry->has_value()) return std::move(zone_);
      read_entry(**entry);
    }
    return std::unexpected(*error_);
  }

 private:
  void fail(std::size_t line, std::string message) {
    if (!error_) error_ = ZoneError{line, std::move(message)};
  }

  void read_entry(const MasterEntry& entry);
  void read_directive(const MasterEntry& entry);
  void read_record(std::size_t line, Words words);
  bool read_ttl_or_class(const MasterWord& word);
  void read_data(std::size_t line, RecordType type, Words data);
  std::optional<RecordData> parse_data(std::size_t line, RecordType type, Words data);
  std::optional<RecordData> parse_text(Words data);
  std::optional<RecordData> parse_exchange(std::size_t line, Words data);
  std::optional<std::string> parse_name(const MasterWord& word);

  const Limits& limits_;
  Zone zone_;
  std::optional<ZoneError> error_;
  std::optional<std::string> origin_;  // Plain; "." for the root.
  std::optional<std::string> owner_;
  std::optional<std::chrono::seconds> default_ttl_;
  std::optional<std::chrono::seconds> last_ttl_;
  std::optional<std::chrono::seconds> ttl_;  // Of the record being read.
  bool has_class_ = false;                   // Likewise.
  std::size_t records_ = 0;
};

void MasterReader::read_entry(const MasterEntry& entry) {
  const MasterWord& first = entry.words.front();
  if (!entry.begins_blank && !first.quoted && first.raw.starts_with('$')) {
    read_directive(entry);
    return;
  }
  if (++records_ > limits_.zone_records_max) {
    fail(entry.line, "the file has more than " + std::to_string(limits_.zone_records_max) +
                         " records; split it");
    return;
  }
  Words words = entry.words;
  if (!entry.begins_blank) {
    owner_ = parse_name(first);
    words = words.subspan(1);
  } else if (!owner_) {
    fail(entry.line,
         "the line begins with a blank, but there is no record whose name it could "
         "share; begin it with a name");
  }
  if (!error_) read_record(entry.line, words);
}

void MasterReader::read_directive(const MasterEntry& entry) {
  const std::string directive = text::to_lower(entry.words.front().raw);
  const bool has_one_argument = entry.words.size() == 2;
  if (directive == "$origin" && has_one_argument) {
    origin_ = parse_name(entry.words[1]);
  } else if (directive == "$ttl" && has_one_argument) {
    default_ttl_ = parse_ttl(entry.words[1].raw);
    if (!default_ttl_)
      fail(entry.line, "$TTL takes seconds or a time such as 1h30m, at most 68 years");
  } else if (directive == "$origin" || directive == "$ttl") {
    fail(entry.line, "write one word after " + quote(entry.words.front().raw));
  } else if (directive == "$include") {
    fail(entry.line, "$INCLUDE is not read; put the text of that file here instead");
  } else {
    fail(entry.line, quote(entry.words.front().raw) +
                         " is not read; write the records out ($ORIGIN and $TTL are known)");
  }
}

void MasterReader::read_record(std::size_t line, Words words) {
  ttl_.reset();
  has_class_ = false;
  while (!words.empty() && read_ttl_or_class(words.front())) words = words.subspan(1);
  if (error_) return;
  if (words.empty() || words.front().quoted) {
    fail(line, "the record has no type; write it as: name TXT \"text\"");
    return;
  }
  const std::string_view mnemonic = words.front().raw;
  if (!is_type_mnemonic(mnemonic)) {
    fail(words.front().line,
         quote(mnemonic) + " is no record type; write it as: name TXT \"text\"");
    return;
  }
  zone_.add_name(*owner_);
  if (const std::optional<RecordType> type = parse_type(mnemonic))
    read_data(line, *type, words.subspan(1));
}

// Both may stand before the type, each once, in either order. RFC 1035 §5.1
bool MasterReader::read_ttl_or_class(const MasterWord& word) {
  if (word.quoted || word.raw.empty()) return false;
  if (text::is_digit(word.raw.front())) {
    if (ttl_) fail(word.line, "the record has two TTLs; remove one");
    ttl_ = last_ttl_ = parse_ttl(word.raw);
    if (!ttl_)
      fail(word.line, quote(word.raw) + " is no TTL; write seconds or a time such as 1h30m");
    return !error_;
  }
  const std::string word_lower = text::to_lower(word.raw);
  if (word_lower == "ch" || word_lower == "hs" || word_lower == "cs")
    fail(word.line, "only class IN is read; remove the record");
  if (word_lower != "in") return false;
  if (std::exchange(has_class_, true)) fail(word.line, "the record has two classes; remove one");
  return !error_;
}

void MasterReader::read_data(std::size_t line, RecordType type, Words data) {
  if (type == RecordType::soa || type == RecordType::tlsa) return;
  if (data.empty()) {
    fail(line, "the record has no data after its type");
    return;
  }
  if (!data.front().quoted && data.front().raw == "\\#") {
    fail(data.front().line, "data in the form \\# is not read; write it as " +
                                std::string(to_string(type)) + " data is written");
    return;
  }
  std::optional<RecordData> parsed = parse_data(line, type, data);
  // RFC 2308 §4: $TTL counts for records without one; without $TTL, RFC 1035's last stated one.
  const auto ttl = ttl_ ? ttl_ : default_ttl_ ? default_ttl_ : last_ttl_;
  if (parsed && !error_)
    zone_.add(*owner_, type, std::move(*parsed), ttl.value_or(std::chrono::seconds{60}));
}

std::optional<RecordData> MasterReader::parse_data(std::size_t line, RecordType type, Words data) {
  if (type == RecordType::txt) return parse_text(data);
  if (type == RecordType::mx) return parse_exchange(line, data);
  if (data.size() > 1) {
    fail(data[1].line, quote(data[1].raw) + " is too much; " + std::string(to_string(type)) +
                           " data is one word");
    return std::nullopt;
  }
  if (type == RecordType::a || type == RecordType::aaaa) {
    const std::optional<Address> address = parse_address(type, data.front().raw);
    if (!address)
      fail(data.front().line, quote(data.front().raw) +
                                  (type == RecordType::a ? " is no IPv4 address, as 192.0.2.1"
                                                         : " is no IPv6 address, as 2001:db8::1"));
    return address;
  }
  const std::optional<std::string> name = parse_name(data.front());
  if (!name) return std::nullopt;
  return NameData{*name};
}

std::optional<RecordData> MasterReader::parse_text(Words data) {
  Text result;
  std::size_t octets = 0;
  for (const MasterWord& word : data) {
    std::optional<std::string> text = unescape(word.raw);
    if (!text) {
      fail(word.line, "a backslash needs a character or three digits up to 255 after it");
      return std::nullopt;
    }
    octets += 1 + text->size();
    if (text->size() > string_octets_max)
      fail(word.line, "a string has more than 255 octets; cut it into several quoted strings");
    else if (octets > data_octets_max)
      fail(word.line, "the strings of the record have more than 65535 octets together");
    result.strings.push_back(std::move(*text));
  }
  return result;
}

std::optional<RecordData> MasterReader::parse_exchange(std::size_t line, Words data) {
  MailExchange result;
  const std::string_view number = data.front().raw;
  const auto [end, error] =
      std::from_chars(number.data(), number.data() + number.size(), result.preference);
  if (error != std::errc() || end != number.data() + number.size() || data.size() != 2) {
    fail(line, "MX data is a number up to 65535 and a name, as: 10 mail.example.com.");
    return std::nullopt;
  }
  const std::optional<std::string> name = parse_name(data[1]);
  if (!name) return std::nullopt;
  result.exchange = *name;
  return result;
}

// An absolute name from a word: "@", relative names completed with the origin. Escaped dots are
// refused, as names are kept with dots between their labels.
std::optional<std::string> MasterReader::parse_name(const MasterWord& word) {
  const std::string_view raw = word.raw;
  if (raw == ".") return ".";
  std::optional<std::string> name = raw == "@" ? "" : unescape(raw);
  if (word.quoted || !name || raw.contains("\\.") || raw.contains("\\046")) {
    fail(word.line, "a name is written without quotes and without escaped dots");
    return std::nullopt;
  }
  if (raw.ends_with('.')) {
    name->pop_back();
  } else if (!origin_) {
    fail(word.line, "the name " + quote(raw) +
                        " is relative: end it with a dot, or state the domain before it, as in "
                        "$ORIGIN example.com.");
    return std::nullopt;
  } else if (*origin_ != ".") {
    if (raw != "@") name->push_back('.');
    name->append(*origin_);
  } else if (raw == "@") {
    return ".";
  }
  if (const std::optional<std::string> wrong = wrong_name(*name)) {
    fail(word.line, *wrong);
    return std::nullopt;
  }
  return plain_name(*name);
}

}  // namespace

Result<Zone, ZoneError> Zone::parse_master(std::string_view text, const Limits& limits,
                                           std::string_view origin) {
  return MasterReader(limits, origin).read(text);
}

}  // namespace countersign::dns
