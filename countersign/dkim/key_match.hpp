// SPDX-License-Identifier: Apache-2.0
//
// Does a published key record belong to our private key, and may that key sign with it? What a
// verifier would find out about every message, found out before the first.

#pragma once

#include <cstdint>
#include <string_view>

#include "countersign/crypto/private_key.hpp"
#include "countersign/dkim/key_record.hpp"

namespace countersign::dkim {

/// How a key record and a private key go together.
enum class KeyMatch : std::uint8_t {
  matches,          ///< signatures of the key verify with the record
  other_type,       ///< k= names another type than the key has
  other_key,        ///< p= is the public half of another key
  hash_restricted,  ///< h= does not let sha256 be used, so no signature verifies
};

/// Says in a sentence what is wrong and what to do.
[[nodiscard]] std::string_view to_string(KeyMatch match);

/// Compares by signing and verifying a trial digest, so that the form of p= does not matter.
/// RFC 6376 §3.6.1
[[nodiscard]] KeyMatch match_key(const KeyRecord& record, const crypto::PrivateKey& key);

}  // namespace countersign::dkim
