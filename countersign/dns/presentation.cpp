// SPDX-License-Identifier: Apache-2.0
//
// The spellings of DNS data in text, with the registry of record types.

#include "countersign/dns/presentation.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "countersign/domain/address.hpp"
#include "countersign/text/abnf.hpp"

namespace countersign::dns {
namespace {

constexpr std::array known_types{
    RecordType::a,  RecordType::ns,  RecordType::cname, RecordType::soa,  RecordType::ptr,
    RecordType::mx, RecordType::txt, RecordType::aaaa,  RecordType::tlsa,
};

// The registry of DNS parameters without what is above, sorted; questions-only types left out.
constexpr std::array<std::string_view, 80> other_types{
    "A6",       "AFSDB",   "AMTRELAY", "APL",        "ATMA",  "AVC",      "CAA",    "CDNSKEY",
    "CDS",      "CERT",    "CLA",      "CSYNC",      "DHCID", "DLV",      "DNAME",  "DNSKEY",
    "DOA",      "DS",      "DSYNC",    "EID",        "EUI48", "EUI64",    "GID",    "GPOS",
    "HHIT",     "HINFO",   "HIP",      "HTTPS",      "IPN",   "IPSECKEY", "ISDN",   "KEY",
    "KX",       "L32",     "L64",      "LOC",        "LP",    "MB",       "MD",     "MF",
    "MG",       "MINFO",   "MR",       "NAPTR",      "NID",   "NIMLOC",   "NINFO",  "NSAP",
    "NSAP-PTR", "NSEC",    "NSEC3",    "NSEC3PARAM", "NULL",  "NXNAME",   "NXT",    "OPENPGPKEY",
    "PX",       "RESINFO", "RKEY",     "RP",         "RRSIG", "RT",       "SIG",    "SINK",
    "SMIMEA",   "SPF",     "SRV",      "SSHFP",      "SVCB",  "TA",       "TALINK", "UID",
    "UINFO",    "UNSPEC",  "URI",      "WALLET",     "WKS",   "X25",      "ZONEMD", "ZONEVERSION",
};
static_assert(std::ranges::is_sorted(other_types));

// The number of "TYPE123".
std::optional<std::uint16_t> type_number(std::string_view mnemonic) {
  if (!text::starts_with_ignoring_case(mnemonic, "TYPE")) return std::nullopt;
  const std::string_view digits = mnemonic.substr(4);
  std::uint16_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return number;
}

std::string upper(std::string_view word) {
  std::string result(word);
  for (char& c : result)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return result;
}

}  // namespace

std::string plain_name(std::string_view text) {
  if (text.size() > 1 && text.ends_with('.')) text.remove_suffix(1);
  return text::to_lower(text);
}

std::string escape_label(std::string_view label) {
  std::string escaped;
  for (const char c : label) {
    if (c == '.' || c == '\\') {
      escaped += {'\\', c};
    } else if (text::is_vchar(c)) {
      escaped += text::to_lower(c);
    } else {
      const std::string number = std::to_string(1'000 + static_cast<unsigned char>(c));
      escaped += '\\' + number.substr(1);
    }
  }
  return escaped;
}

std::string escape_name(std::string_view name) {
  if (name.empty() || name == ".") return ".";
  std::string escaped;
  for (;;) {
    const std::string_view label = name.substr(0, name.find('.'));
    escaped += escape_label(label);
    if (label.size() == name.size()) return escaped;
    escaped += '.';
    name.remove_prefix(label.size() + 1);
  }
}

std::optional<RecordType> parse_type(std::string_view mnemonic) {
  const std::optional<std::uint16_t> number = type_number(mnemonic);
  for (const RecordType type : known_types) {
    if (text::equal_ignoring_case(mnemonic, to_string(type))) return type;
    if (number == static_cast<std::uint16_t>(type)) return type;
  }
  return std::nullopt;
}

bool is_type_mnemonic(std::string_view word) {
  return parse_type(word) || type_number(word) ||
         std::ranges::binary_search(other_types, upper(word));
}

std::optional<Address> parse_address(RecordType type, std::string_view text) {
  constexpr text::CharClass is_address = text::is_hex_digit | text::CharClass(".:");
  const bool looks_v6 = text.find(':') != std::string_view::npos;
  if (!is_address.all_of(text) || looks_v6 != (type == RecordType::aaaa)) return std::nullopt;
  const std::optional<IpAddress> parsed = IpAddress::parse(text);
  if (!parsed) return std::nullopt;

  Address address;
  address.length = looks_v6 ? 16 : 4;
  if (looks_v6 && parsed->is_v4()) {  // ::ffff:192.0.2.1, which IpAddress holds as IPv4.
    address.octets[10] = address.octets[11] = 0xFF;
    std::copy_n(parsed->octets().begin(), 4, address.octets.begin() + 12);
  } else {
    address.octets = parsed->octets();
  }
  return address;
}

}  // namespace countersign::dns
