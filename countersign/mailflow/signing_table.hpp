// SPDX-License-Identifier: Apache-2.0
//
// Which keys sign for which address: KeyTable and SigningTable as values. Files are read elsewhere
// (service/config); what matches is decided here, because it decides for whom we vouch.

#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

#include "countersign/crypto/private_key.hpp"
#include "countersign/domain/name.hpp"
#include "countersign/mailflow/host_list.hpp"

namespace countersign::mailflow {

/// One key of the KeyTable.
struct KeyEntry {
  std::string name;                  ///< case-sensitive
  std::optional<DomainName> domain;  ///< nothing stands for "%": the domain of the author
  DomainName selector;
  /// The key; with a "%" in its path, the keys that were found, by d=.
  std::variant<crypto::PrivateKey, std::unordered_map<std::string, crypto::PrivateKey>> key;
  Place place;
};

/// Key names to keys. Names are case-sensitive.
class KeyTable {
 public:
  /// False when the name is there already; the first one stays.
  bool add(KeyEntry entry);
  /// The key of that name, or nullptr.
  [[nodiscard]] const KeyEntry* find(std::string_view name) const;
  /// All keys, in the order in which they were added.
  [[nodiscard]] const std::vector<KeyEntry>& entries() const { return entries_; }

 private:
  std::vector<KeyEntry> entries_;
  std::unordered_map<std::string, std::size_t, TextHash, std::equal_to<>> by_name_;
};

/// One line of the SigningTable.
struct SigningEntry {
  std::string pattern;   ///< as written
  std::string key_name;  ///< "%" stands for the author's domain
  /// i= to write, "%" standing for the author's domain; empty: none given.
  std::string signer;
  Place place;
};

/// Author addresses to key names.
///
/// Leniency     lines that OpenDKIM takes and never matches mean what they evidently mean: "*@host"
///              and "*.domain" in a keyed table, a bare "host" or "user@.domain" in a table of
///              patterns, A-labels and U-labels in either; a key that a keyed table repeats counts
///              each time.
class SigningTable {
 public:
  /// How patterns are read.
  enum class Kind {
    /// refile: wildcards and POSIX extended expressions, matched in file order.
    patterns,
    /// file: and comma lists: user@host, host, then for each superdomain user@.dom and .dom, then
    /// user@*, then *.
    keys,
  };

  explicit SigningTable(Kind kind = Kind::keys);
  ~SigningTable();
  SigningTable(const SigningTable& other);
  SigningTable& operator=(const SigningTable& other);
  SigningTable(SigningTable&&) noexcept;
  SigningTable& operator=(SigningTable&&) noexcept;

  /// Adds a line; an error sentence when the pattern cannot be read or the key is not named.
  [[nodiscard]] std::optional<std::string> add(SigningEntry entry);

  /// The lines that match the address, in the order in which they count; first_only stops at the
  /// first. Both sides are compared as A-labels without regard to case.
  [[nodiscard]] std::vector<const SigningEntry*> match(std::string_view local_part,
                                                       const DomainName& domain,
                                                       bool first_only) const;
  /// All lines, in the order in which they were added.
  [[nodiscard]] const std::vector<SigningEntry>& entries() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace countersign::mailflow
