// SPDX-License-Identifier: Apache-2.0
//
// Lists of hosts that operators trust or exempt: host names, ".domain" suffixes, addresses and
// networks, each possibly negated with "!". The most specific entry wins.

#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
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

/// A host list with OpenDKIM's order of matching: the name, its parent domains from the longest,
/// then the address from the longest prefix; at each step a negated entry first. A negated name
/// ends the names only: an address may still match.
class HostList {
 public:
  /// What became of a text that was added.
  enum class Added {
    as_name,     ///< host or .domain
    as_network,  ///< address or network
    /// network, but the address had bits outside the prefix: OpenDKIM never matches it
    with_host_bits,
    as_wildcard,   ///< "*.domain", taken as ".domain": OpenDKIM misreads it
    not_an_entry,  ///< neither name nor address; not added
  };

  /// Adds one entry as written in a file or a comma list.
  Added add(std::string_view entry, Place place);

  /// The place of the entry that lets the host in, or nothing. Both arguments as the MTA gave them;
  /// either may be missing.
  [[nodiscard]] std::optional<Place> match(std::string_view host,
                                           const std::optional<IpAddress>& ip) const;
  [[nodiscard]] bool empty() const { return names_.empty() && networks_.empty(); }
  [[nodiscard]] std::size_t size() const { return names_.size() + networks_.size(); }

 private:
  struct Entry {
    std::optional<Place> grants;
    std::optional<Place> denies;
  };
  std::map<std::string, Entry, std::less<>> names_;  // Lower case; suffixes with their leading dot.
  /// By prefix length, so that a look-up is one probe a length that occurs.
  std::map<std::pair<unsigned, IpAddress>, Entry> networks_;
};

}  // namespace countersign::mailflow
