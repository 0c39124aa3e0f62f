// SPDX-License-Identifier: Apache-2.0
//
// Reads a zone written in JSON. It is the neutral form in which test data describes DNS, failures
// included, which a master file cannot express. The only file of the library that knows
// Boost.JSON.

#include <array>
#include <boost/json/parser.hpp>
#include <boost/json/value.hpp>
#include <optional>
#include <string>
#include <utility>

#include "countersign/dns/presentation.hpp"
#include "countersign/dns/zone.hpp"
#include "countersign/text/abnf.hpp"

namespace countersign::dns {
namespace {

namespace json = boost::json;

constexpr std::size_t string_octets_max = 255;  // RFC 1035 §3.3

// Turns code points U+0000..U+00FF back into the octets that they stand for; the JSON parser has
// checked the UTF-8.
std::optional<std::string> octets_of(std::string_view utf8) {
  std::string octets;
  octets.reserve(utf8.size());
  for (std::size_t i = 0; i < utf8.size(); ++i) {
    const auto first = static_cast<unsigned char>(utf8[i]);
    if (first < 0x80) {
      octets.push_back(utf8[i]);
    } else if ((first == 0xC2 || first == 0xC3) && i + 1 < utf8.size()) {
      const auto second = static_cast<unsigned char>(utf8[++i]);
      octets.push_back(static_cast<char>(((first & 0x03U) << 6U) | (second & 0x3FU)));
    } else {
      return std::nullopt;
    }
  }
  return octets;
}

std::optional<AnswerStatus> parse_rcode(std::string_view word) {
  if (word == "SERVFAIL") return AnswerStatus::servfail;
  if (word == "REFUSED") return AnswerStatus::refused;
  if (word == "TIMEOUT") return AnswerStatus::timeout;
  return std::nullopt;
}

// Reads the two lists. The first failure is kept, with the list and the index at which it is.
class JsonReader {
 public:
  explicit JsonReader(const Limits& limits) : limits_(limits) {}

  Result<Zone, ZoneError> read(const json::value& root) {
    const json::object* zone = root.if_object();
    if (zone == nullptr || (!zone->contains("records") && !zone->contains("errors")))
      fail("a zone is an object with \"records\" or \"errors\"");
    else
      read_lists(*zone);
    if (error_) return std::unexpected(*error_);
    return std::move(zone_);
  }

 private:
  void fail(const std::string& message) {
    if (!error_) error_ = ZoneError{0, place_ + message};
  }

  void read_lists(const json::object& zone);
  void read_record(const json::object& record);
  void read_error(const json::object& error);
  std::string string_at(const json::object& object, std::string_view key);
  std::optional<RecordData> parse_data(RecordType type, const json::object& record);
  std::optional<RecordData> parse_text(const json::object& record);
  std::optional<RecordData> parse_exchange(const json::object& record);

  const Limits& limits_;
  Zone zone_;
  std::string place_;
  std::optional<ZoneError> error_;
};

void JsonReader::read_lists(const json::object& zone) {
  std::size_t count = 0;
  for (const auto& [key, read_one] :
       {std::pair{"records", &JsonReader::read_record}, {"errors", &JsonReader::read_error}}) {
    const json::value* list = zone.if_contains(key);
    if (list == nullptr) continue;
    place_ = std::string("\"") + key + "\": ";
    if (!list->is_array()) return fail("write an array here");
    std::size_t index = 0;
    for (const json::value& item : list->get_array()) {
      place_ = std::string("\"") + key + "\", item " + std::to_string(++index) + ": ";
      if (++count > limits_.zone_records_max)
        return fail("the zone has more than " + std::to_string(limits_.zone_records_max) +
                    " records; split it");
      if (!item.is_object()) return fail("write an object here");
      (this->*read_one)(item.get_object());
      if (error_) return;
    }
  }
}

std::string JsonReader::string_at(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  const json::string* text = value == nullptr ? nullptr : value->if_string();
  std::optional<std::string> octets =
      text == nullptr ? std::nullopt : octets_of({text->data(), text->size()});
  if (!octets)
    fail("\"" + std::string(key) + "\" must be a string of code points U+0000 to U+00FF");
  return std::move(octets).value_or(std::string());
}

void JsonReader::read_record(const json::object& record) {
  const std::string name = string_at(record, "name");
  const std::string mnemonic = string_at(record, "type");
  if (error_) return;
  if (!is_type_mnemonic(mnemonic)) return fail("\"type\" is no record type, as \"TXT\"");
  zone_.add_name(name);
  const std::optional<RecordType> type = parse_type(mnemonic);
  if (!type || *type == RecordType::soa || *type == RecordType::tlsa) return;  // Never asked for.
  std::optional<RecordData> data = parse_data(*type, record);
  if (data && !error_) zone_.add(name, *type, std::move(*data));
}

std::optional<RecordData> JsonReader::parse_data(RecordType type, const json::object& record) {
  if (type == RecordType::txt) return parse_text(record);
  if (type == RecordType::mx) return parse_exchange(record);
  const std::string data = string_at(record, "data");
  if (type != RecordType::a && type != RecordType::aaaa) return NameData{plain_name(data)};
  const std::optional<Address> address = parse_address(type, data);
  if (!address) fail("\"data\" is no address of that type");
  return address;
}

std::optional<RecordData> JsonReader::parse_text(const json::object& record) {
  const json::value* value = record.if_contains("strings");
  const json::array* strings = value == nullptr ? nullptr : value->if_array();
  if (strings == nullptr || strings->empty()) {
    fail("a TXT record needs \"strings\", an array of at least one string");
    return std::nullopt;
  }
  Text text;
  for (const json::value& item : *strings) {
    const json::string* string = item.if_string();
    std::optional<std::string> octets =
        string == nullptr ? std::nullopt : octets_of({string->data(), string->size()});
    if (!octets || octets->size() > string_octets_max) {
      fail("each of \"strings\" must have at most 255 code points, U+0000 to U+00FF");
      return std::nullopt;
    }
    text.strings.push_back(std::move(*octets));
  }
  return text;
}

std::optional<RecordData> JsonReader::parse_exchange(const json::object& record) {
  const json::value* preference = record.if_contains("preference");
  json::error_code error;
  const auto number =
      preference == nullptr ? std::uint16_t{0} : preference->to_number<std::uint16_t>(error);
  if (preference == nullptr || error) {
    fail("an MX record needs \"preference\", a number up to 65535");
    return std::nullopt;
  }
  return MailExchange{number, plain_name(string_at(record, "data"))};
}

void JsonReader::read_error(const json::object& error) {
  const std::string name = string_at(error, "name");
  const std::string mnemonic = string_at(error, "type");
  const std::optional<AnswerStatus> status = parse_rcode(string_at(error, "rcode"));
  if (error_) return;
  if (!status) return fail("\"rcode\" must be SERVFAIL, REFUSED or TIMEOUT");
  if (mnemonic == "*") return zone_.fail_all(name, *status);
  const std::optional<RecordType> type = parse_type(mnemonic);
  if (!type) return fail("\"type\" must be \"*\" or a record type that is asked for, as \"TXT\"");
  zone_.fail(name, *type, *status);
}

}  // namespace

Result<Zone, ZoneError> Zone::parse_json(std::string_view text, const Limits& limits) {
  json::parse_options options;
  options.max_depth = 8;  // A zone has four levels; more is not one.
  json::parser parser({}, options);
  json::error_code error;
  const std::size_t read = parser.write_some(text.data(), text.size(), error);
  constexpr text::CharClass is_json_blank{" \t\r\n"};
  if (error || !is_json_blank.all_of(text.substr(read)))
    return std::unexpected(ZoneError{
        0, "the JSON is malformed or ends early at octet " + std::to_string(read) + "; mend it"});
  return JsonReader(limits).read(parser.release());
}

}  // namespace countersign::dns
