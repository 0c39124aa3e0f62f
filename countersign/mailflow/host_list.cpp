// SPDX-License-Identifier: Apache-2.0
//
// Entries are read once into names and networks; a look-up then probes from the most specific on.

#include "countersign/mailflow/host_list.hpp"

#include <algorithm>
#include <utility>

#include "countersign/domain/name.hpp"
#include "countersign/text/abnf.hpp"

namespace countersign::mailflow {

namespace {

/// The bits of a network in IPv4 whose octets end in ".*": 8 for "10.*", 16 for "10.1.*.*". Cuts
/// the wildcards off the text.
std::optional<unsigned> take_wildcard_octets(std::string_view& text) {
  std::string_view rest = text;
  unsigned wildcards = 0;
  for (; rest.ends_with(".*"); ++wildcards) rest.remove_suffix(2);
  const auto octets = static_cast<unsigned>(std::ranges::count(rest, '.') + 1);
  if (wildcards == 0 || octets + wildcards > 4) return std::nullopt;
  text = rest;
  return octets * 8;
}

/// The network that "10.*" means.
std::optional<IpNetwork> parse_wildcard_network(std::string_view text) {
  const std::optional<unsigned> bits = take_wildcard_octets(text);
  if (!bits) return std::nullopt;
  return IpNetwork::parse(std::string(text) + "/" + std::to_string(*bits));
}

std::optional<std::string> normal_name(std::string_view text) {
  const bool is_suffix = text.starts_with('.');
  const auto name = DomainName::parse(is_suffix ? text.substr(1) : text);
  if (!name) return std::nullopt;
  return (is_suffix ? "." : "") + name->text();
}

void set_place(std::optional<Place>& slot, Place place) {
  if (!slot) slot = std::move(place);
}

}  // namespace

std::string Place::to_string() const {
  return line == 0 ? file : file + ":" + std::to_string(line);
}

std::size_t HostList::NetworkHash::operator()(const NetworkKey& key) const {
  std::size_t hash = key.prefix_bits;
  for (const std::uint8_t octet : key.address.octets()) hash = hash * 31 + octet;
  return hash;
}

void HostList::add_name(std::string name, bool negated, Place place) {
  Entry& entry = names_[std::move(name)];
  set_place(negated ? entry.denies : entry.grants, std::move(place));
}

void HostList::add_network(const IpNetwork& network, bool negated, Place place) {
  Entry& entry = networks_[{network.prefix_bits, network.address}];
  set_place(negated ? entry.denies : entry.grants, std::move(place));
  const auto at = std::ranges::lower_bound(prefix_lengths_, network.prefix_bits, std::greater());
  if (at == prefix_lengths_.end() || *at != network.prefix_bits)
    prefix_lengths_.insert(at, network.prefix_bits);
}

HostList::Added HostList::add(std::string_view entry, Place place) {
  entry = text::trim(entry, text::is_fws);
  const bool negated = entry.starts_with('!');
  if (negated) entry = text::trim(entry.substr(1), text::is_wsp);

  if (const std::optional<IpNetwork> network = IpNetwork::parse(entry)) {
    add_network(*network, negated, std::move(place));
    const bool never_matched = network->had_host_bits || network->was_loose;
    return never_matched ? Added::with_host_bits : Added::as_network;
  }
  if (const std::optional<IpNetwork> network = parse_wildcard_network(entry)) {
    add_network(*network, negated, std::move(place));
    return Added::as_wildcard;
  }
  const bool is_wildcard = entry.starts_with("*.");
  if (is_wildcard) entry.remove_prefix(1);
  std::optional<std::string> name = normal_name(entry);
  if (!name) return Added::not_an_entry;
  add_name(*std::move(name), negated, std::move(place));
  return is_wildcard ? Added::as_wildcard : Added::as_name;
}

const HostList::Entry* HostList::find_name(std::string_view host) const {
  if (names_.empty()) return nullptr;
  const auto name = DomainName::parse(host);
  if (!name) return nullptr;  // "[192.0.2.1]", or nothing.
  const std::string_view text = name->text();
  for (std::size_t at = 0; at != std::string_view::npos; at = text.find('.', at + 1)) {
    const auto found = names_.find(text.substr(at));
    if (found != names_.end()) return &found->second;
  }
  return nullptr;
}

const HostList::Entry* HostList::find_network(const IpAddress& ip) const {
  for (const unsigned prefix_bits : prefix_lengths_) {
    if (prefix_bits > ip.bits()) continue;
    const auto found = networks_.find({prefix_bits, ip.masked(prefix_bits)});
    if (found != networks_.end()) return &found->second;
  }
  return nullptr;
}

std::optional<Place> HostList::match(std::string_view host,
                                     const std::optional<IpAddress>& ip) const {
  if (const Entry* entry = find_name(host); entry != nullptr && !entry->denies)
    return entry->grants;
  if (ip)
    if (const Entry* entry = find_network(*ip); entry != nullptr && !entry->denies)
      return entry->grants;
  return std::nullopt;
}

bool HostList::denies(std::string_view host) const {
  const Entry* entry = find_name(host);
  return entry != nullptr && entry->denies;
}

}  // namespace countersign::mailflow
