// SPDX-License-Identifier: Apache-2.0
//
// Lists of hosts that operators trust or exempt: host names, ".domain" suffixes, addresses and
// networks, each possibly negated with "!". The most specific entry wins.

#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "countersign/domain/address.hpp"

namespace countersign::mailflow {

/// Where a line of a table stands, for explanations: "/etc/opendkim/TrustedHosts:3".
struct Place {
  std::string file;
  std::size_t line = 0;

  /// "file:line", or "file" when there is no line.
  [[nodiscard]] std::string to_string() const;
  friend bool operator==(const Place&, const Place&) = default;
};

/// Lets a map of texts be asked with a view.
struct TextHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const {
    return std::hash<std::string_view>()(text);
  }
};

/// A host list with OpenDKIM's order of matching: the name, its parent domains from the longest,
/// then the address from the longest prefix; at each step a negated entry first. A negated name
/// ends the names only: an address may still match.
///
/// Leniency     what OpenDKIM takes and never matches does what it evidently means: networks with
///              host bits, netmasks, "10.1/16", "192.168.*"; and "*.domain", which it takes for a
///              trust in everyone or no one, is ".domain". add() says so, for a warning: each of
///              them widens the trust.
class HostList {
 public:
  /// What became of a text that was added.
  enum class Added {
    as_name,     ///< host or .domain
    as_network,  ///< address or network
    /// network in a form that OpenDKIM never matches: bits set outside the prefix, a netmask, or
    /// the short form of 10.1/16
    with_host_bits,
    as_wildcard,   ///< "*.domain" taken as ".domain", or "10.*" as 10.0.0.0/8
    not_an_entry,  ///< neither name nor address; not added
  };

  /// Adds one entry as written in a file or a comma list. An entry that is there already keeps its
  /// first place.
  Added add(std::string_view entry, Place place);

  /// The place of the entry that lets the host in, or nothing. Both arguments as the MTA gave them;
  /// either may be missing.
  [[nodiscard]] std::optional<Place> match(std::string_view host,
                                           const std::optional<IpAddress>& ip) const;

  /// True when the most specific entry for that name is negated, so that "all but these" can be
  /// said.
  [[nodiscard]] bool denies(std::string_view host) const;

  [[nodiscard]] bool empty() const { return names_.empty() && networks_.empty(); }
  /// Names and networks, a negated one and its opposite counted once.
  [[nodiscard]] std::size_t size() const { return names_.size() + networks_.size(); }

 private:
  struct Entry {
    std::optional<Place> grants;
    std::optional<Place> denies;
  };
  struct NetworkKey {
    unsigned prefix_bits = 0;
    IpAddress address;
    friend bool operator==(const NetworkKey&, const NetworkKey&) = default;
  };
  struct NetworkHash {
    std::size_t operator()(const NetworkKey& key) const;
  };

  void add_name(std::string name, bool negated, Place place);
  void add_network(const IpNetwork& network, bool negated, Place place);
  [[nodiscard]] const Entry* find_name(std::string_view host) const;
  [[nodiscard]] const Entry* find_network(const IpAddress& ip) const;

  /// A-labels; suffixes with their leading dot.
  std::unordered_map<std::string, Entry, TextHash, std::equal_to<>> names_;
  std::unordered_map<NetworkKey, Entry, NetworkHash> networks_;
  /// The prefix lengths that occur, longest first, so that a look-up is one probe for each.
  std::vector<unsigned> prefix_lengths_;
};

}  // namespace countersign::mailflow
