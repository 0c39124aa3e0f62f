// SPDX-License-Identifier: Apache-2.0
//
// Every key of a configuration under the names that the world looks it up by, for the tools that
// compare keys with DNS.

#pragma once

#include <vector>

#include "countersign/crypto/private_key.hpp"
#include "countersign/domain/name.hpp"
#include "service/config/problem.hpp"
#include "service/config/snapshot.hpp"

namespace countersign::service::config {

/// A key that signs, and under which name the world looks for it.
struct SigningKey {
  DomainName domain;    ///< d=
  DomainName selector;  ///< s=
  crypto::PrivateKey key;
  Place place;
};

/// Every key of a configuration with every domain that it signs as, as far as the tables name
/// them: a "%" stands for domains that only mail will tell. Empty when there is no policy.
[[nodiscard]] std::vector<SigningKey> signing_keys(const Snapshot& snapshot,
                                                   const Machine& machine);

}  // namespace countersign::service::config
