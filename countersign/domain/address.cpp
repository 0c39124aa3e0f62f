// SPDX-License-Identifier: Apache-2.0
//
// Text forms of addresses, read and written without the socket library: that one depends on the
// platform, and takes forms that nobody should list as trusted (octal quads, zone ids).

#include "countersign/domain/address.hpp"

#include <algorithm>
#include <bit>
#include <span>

#include "countersign/text/abnf.hpp"
#include "countersign/text/cursor.hpp"

namespace countersign {

namespace {

using Octets = std::array<std::uint8_t, 16>;
using text::Scanner;

constexpr std::string_view kMappedPrefix("\0\0\0\0\0\0\0\0\0\0\xFF\xFF", 12);
constexpr unsigned kMappedBits = 96;

/// Reads 1..digits_max decimal digits up to `value_max`, without leading zeros.
std::optional<unsigned> read_decimal(Scanner& scanner, std::size_t digits_max, unsigned value_max) {
  const std::string_view digits = scanner.take_while(text::is_digit);
  if (digits.empty() || digits.size() > digits_max) return std::nullopt;
  if (digits.size() > 1 && digits.front() == '0') return std::nullopt;
  unsigned value = 0;
  for (const char digit : digits) value = value * 10 + static_cast<unsigned>(digit - '0');
  if (value > value_max) return std::nullopt;
  return value;
}

/// Reads up to four decimal octets with dots between them; says how many there were.
std::size_t read_quad(Scanner& scanner, std::span<std::uint8_t, 4> out) {
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (i > 0 && !scanner.accept('.')) return i;
    const std::optional<unsigned> octet = read_decimal(scanner, 3, 255);
    if (!octet) return 0;
    out[i] = static_cast<std::uint8_t>(*octet);
  }
  return out.size();
}

/// The groups of one side of "::", as octets.
struct Groups {
  Octets octets{};
  std::size_t size = 0;
};

unsigned hex_value(char c) {
  return static_cast<unsigned>(c <= '9' ? c - '0' : text::to_lower(c) - 'a' + 10);
}

/// Reads one group of hexadecimal digits, or a dotted quad where only that can stand.
bool read_group(Scanner& scanner, Groups& groups) {
  Scanner quad = scanner;
  quad.take_while(text::is_digit);
  if (quad.at('.')) {
    if (groups.size > 12) return false;
    const bool whole =
        read_quad(scanner, std::span<std::uint8_t, 4>(groups.octets.data() + groups.size, 4)) == 4;
    groups.size += 4;
    return whole && scanner.at_end();
  }
  const std::string_view digits = scanner.take_while(text::is_hex_digit);
  if (digits.empty() || digits.size() > 4 || groups.size > 14) return false;
  unsigned value = 0;
  for (const char digit : digits) value = value * 16 + hex_value(digit);
  groups.octets[groups.size++] = static_cast<std::uint8_t>(value >> 8);
  groups.octets[groups.size++] = static_cast<std::uint8_t>(value & 0xFF);
  return true;
}

/// Reads groups with single colons between them, up to "::" or the end.
bool read_groups(Scanner& scanner, Groups& groups) {
  if (scanner.at_end() || scanner.rest().starts_with("::")) return true;
  do {
    if (!read_group(scanner, groups)) return false;
    if (scanner.at_end() || scanner.rest().starts_with("::")) return true;
  } while (scanner.accept(':'));
  return false;
}

/// The octets of an IPv6 address. RFC 4291 §2.2
std::optional<Octets> parse_v6(std::string_view text) {
  Scanner scanner(text);
  Groups head;
  if (!read_groups(scanner, head)) return std::nullopt;
  if (scanner.at_end()) return head.size == 16 ? std::optional(head.octets) : std::nullopt;

  scanner.take(2);  // "::", once, for at least one group of zeros.
  Groups tail;
  if (!read_groups(scanner, tail) || !scanner.at_end()) return std::nullopt;
  if (head.size + tail.size > 14) return std::nullopt;
  std::copy_n(tail.octets.begin(), tail.size, head.octets.end() - static_cast<long>(tail.size));
  return head.octets;
}

std::optional<Octets> parse_v4(std::string_view text) {
  Scanner scanner(text);
  Octets octets{};
  if (read_quad(scanner, std::span<std::uint8_t, 4>(octets.data(), 4)) != 4) return std::nullopt;
  return scanner.at_end() ? std::optional(octets) : std::nullopt;
}

bool is_mapped(const Octets& octets) {
  return std::equal(
      kMappedPrefix.begin(), kMappedPrefix.end(), octets.begin(),
      [](char c, std::uint8_t octet) { return static_cast<std::uint8_t>(c) == octet; });
}

Octets unmapped(const Octets& octets) {
  Octets result{};
  std::copy_n(octets.begin() + 12, 4, result.begin());
  return result;
}

/// The text without the brackets and the "IPv6:" that mail puts around addresses.
std::string_view bare(std::string_view text) {
  if (text.size() >= 2 && text.front() == '[' && text.back() == ']')
    text = text.substr(1, text.size() - 2);
  if (text::starts_with_ignoring_case(text, "IPv6:")) text.remove_prefix(5);
  return text;
}

std::string format_v4(const Octets& octets) {
  std::string out;
  for (std::size_t i = 0; i < 4; ++i) {
    if (i > 0) out += '.';
    out += std::to_string(octets[i]);
  }
  return out;
}

/// Where the longest run of zero groups is that "::" stands for: at least two, the first of equals.
/// RFC 5952 §4.2
std::pair<std::size_t, std::size_t> longest_zero_run(const std::array<unsigned, 8>& groups) {
  std::size_t best_begin = 8;
  std::size_t best_size = 1;
  for (std::size_t begin = 0; begin < 8; ++begin) {
    std::size_t end = begin;
    while (end < 8 && groups[end] == 0) ++end;
    if (end - begin > best_size) {
      best_begin = begin;
      best_size = end - begin;
    }
    begin = std::max(begin, end);
  }
  return {best_begin, best_begin == 8 ? 0 : best_size};
}

void append_hex(std::string& out, unsigned group) {
  constexpr std::string_view digits = "0123456789abcdef";
  bool started = false;
  for (int shift = 12; shift >= 0; shift -= 4) {
    const unsigned digit = (group >> shift) & 0xF;
    started = started || digit != 0 || shift == 0;
    if (started) out += digits[digit];
  }
}

std::string format_v6(const Octets& octets) {
  std::array<unsigned, 8> groups{};
  for (std::size_t i = 0; i < 8; ++i) groups[i] = octets[2 * i] * 256U + octets[2 * i + 1];
  const auto [run_begin, run_size] = longest_zero_run(groups);

  std::string out;
  for (std::size_t i = 0; i < 8; ++i) {
    if (i == run_begin) {
      out += "::";
      i += run_size - 1;
      continue;
    }
    if (!out.empty() && out.back() != ':') out += ':';
    append_hex(out, groups[i]);
  }
  return out;
}

/// The number of leading one bits when no one bit follows a zero bit.
std::optional<unsigned> netmask_length(const Octets& octets) {
  const std::uint32_t mask = (std::uint32_t{octets[0]} << 24) | (std::uint32_t{octets[1]} << 16) |
                             (std::uint32_t{octets[2]} << 8) | octets[3];
  const unsigned length = static_cast<unsigned>(std::countl_one(mask));
  const bool contiguous = length + static_cast<unsigned>(std::countr_zero(mask)) >= 32;
  return contiguous ? std::optional(length) : std::nullopt;
}

/// Clears all bits behind the prefix, and says whether one was set.
bool clear_host_bits(Octets& octets, unsigned prefix_bits) {
  bool had_any = false;
  for (unsigned i = 0; i < octets.size(); ++i) {
    const unsigned kept = std::min(8U, prefix_bits > i * 8 ? prefix_bits - i * 8 : 0U);
    const unsigned mask = (0xFF00U >> kept) & 0xFFU;
    had_any = had_any || (octets[i] & ~mask) != 0;
    octets[i] = static_cast<std::uint8_t>(octets[i] & mask);
  }
  return had_any;
}

/// An address or the beginning of an IPv4 address, before it is known to be mapped.
struct RawAddress {
  Octets octets{};
  bool is_v4 = false;
};

std::optional<RawAddress> parse_raw(std::string_view text) {
  if (text.find(':') != std::string_view::npos) {
    const std::optional<Octets> octets = parse_v6(text);
    return octets ? std::optional(RawAddress{*octets, false}) : std::nullopt;
  }
  const std::optional<Octets> octets = parse_v4(text);
  return octets ? std::optional(RawAddress{*octets, true}) : std::nullopt;
}

/// "10.1" as 10.1.0.0.
std::optional<RawAddress> parse_short_v4(std::string_view text) {
  Scanner scanner(text);
  RawAddress result{{}, true};
  const std::size_t count = read_quad(scanner, std::span<std::uint8_t, 4>(result.octets.data(), 4));
  return count > 0 && scanner.at_end() ? std::optional(result) : std::nullopt;
}

std::optional<unsigned> parse_length(std::string_view text, const RawAddress& address) {
  if (address.is_v4 && text.find('.') != std::string_view::npos) {
    const std::optional<Octets> mask = parse_v4(text);
    return mask ? netmask_length(*mask) : std::nullopt;
  }
  Scanner scanner(text);
  const std::optional<unsigned> length = read_decimal(scanner, 3, address.is_v4 ? 32 : 128);
  return scanner.at_end() ? length : std::nullopt;
}

}  // namespace

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
  const std::optional<RawAddress> raw = parse_raw(bare(text));
  if (!raw) return std::nullopt;
  return from_octets(raw->octets, raw->is_v4);
}

IpAddress IpAddress::from_octets(const std::array<std::uint8_t, 16>& octets, bool is_v4) {
  IpAddress address;
  const bool mapped = !is_v4 && is_mapped(octets);
  address.octets_ = mapped ? unmapped(octets) : octets;
  address.bits_ = is_v4 || mapped ? 32 : 128;
  return address;
}

IpAddress IpAddress::masked(unsigned prefix_bits) const {
  IpAddress result = *this;
  clear_host_bits(result.octets_, prefix_bits);
  return result;
}

std::string IpAddress::to_string() const {
  return is_v4() ? format_v4(octets_) : format_v6(octets_);
}

std::string IpAddress::reverse_name() const {
  constexpr std::string_view hex = "0123456789abcdef";
  std::string name;
  for (std::size_t i = bits_ / 8; i-- > 0;) {
    if (is_v4()) {
      name += std::to_string(octets_[i]) + '.';
      continue;
    }
    const unsigned octet = octets_[i];
    for (const unsigned nibble : {octet & 0xfU, octet >> 4U}) {
      name += hex[nibble];
      name += '.';
    }
  }
  return name + (is_v4() ? "in-addr.arpa" : "ip6.arpa");
}

std::optional<IpNetwork> IpNetwork::parse(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) {
    const std::optional<IpAddress> address = IpAddress::parse(text);
    if (!address) return std::nullopt;
    return IpNetwork{.address = *address, .prefix_bits = address->bits()};
  }

  const std::string_view address_text = bare(text.substr(0, slash));
  const std::string_view length_text = text.substr(slash + 1);
  std::optional<RawAddress> raw = parse_raw(address_text);
  const bool is_short = !raw;
  if (is_short) raw = parse_short_v4(address_text);
  if (!raw) return std::nullopt;
  const std::optional<unsigned> length = parse_length(length_text, *raw);
  if (!length) return std::nullopt;

  IpNetwork network;
  network.was_loose = is_short || length_text.find('.') != std::string_view::npos;
  network.had_host_bits = clear_host_bits(raw->octets, *length);
  network.address = IpAddress::from_octets(raw->octets, raw->is_v4);
  network.prefix_bits = network.address.is_v4() && !raw->is_v4 ? *length - kMappedBits : *length;
  return network;
}

bool IpNetwork::contains(const IpAddress& other) const {
  return other.bits() == address.bits() && other.masked(prefix_bits) == address;
}

}  // namespace countersign
