// SPDX-License-Identifier: Apache-2.0
//
// Does the world find the keys that we sign with? For each key its record is looked up and judged,
// many at a time; shared by `testkey`, `config check --dns` and opendkim-testkey, which only word
// it differently.

#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "cli/dns_options.hpp"
#include "countersign/crypto/private_key.hpp"
#include "countersign/dkim/key_lookup.hpp"
#include "countersign/dkim/key_match.hpp"
#include "countersign/domain/name.hpp"
#include "service/config/problem.hpp"

namespace countersign::cli {

/// A key whose record is to be checked.
struct PublishedKey {
  DomainName domain;                      ///< d=
  DomainName selector;                    ///< s=
  std::optional<crypto::PrivateKey> key;  ///< none: the record is judged alone
  service::config::Place place;           ///< who names the key; empty: the command line
};

/// What was found out about one key.
struct KeyReport {
  std::string name;  ///< of its record: "june._domainkey.example.org"
  dns::AnswerStatus status = dns::AnswerStatus::servfail;  ///< how DNS answered
  dkim::KeyLookup lookup;
  std::optional<dkim::KeyMatch> match;  ///< none without a record or without a private key
  /// Errors keep receivers from verifying; warnings are worth a look; DNS that failed is a warning.
  std::vector<service::config::Problem> problems;

  /// True when DNS failed, so that nothing is known.
  [[nodiscard]] bool is_unknown() const;
  /// True when receivers can verify with this key.
  [[nodiscard]] bool is_good() const;
};

/// Looks up and judges all keys, many questions open at once; reports in the order of the keys.
/// on_progress   called with the number of keys done, now and then.
[[nodiscard]] std::vector<KeyReport> check_keys(
    const std::vector<PublishedKey>& keys, Lookups& lookups,
    const std::function<void(std::size_t)>& on_progress = {});

}  // namespace countersign::cli
