// SPDX-License-Identifier: Apache-2.0
//
// The key record that a selector publishes, both ways.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "countersign/crypto/public_key.hpp"
#include "countersign/limits.hpp"
#include "countersign/result.hpp"

namespace countersign::dkim {

/// What can be wrong with a key record; each makes the signature permerror.
enum class KeyRecordErrorCode : std::uint8_t {
  too_long,          ///< over Limits::key_record_bytes_max
  bad_tag_list,      ///< no tag list, a tag twice, or an empty one
  bad_version,       ///< v= is not DKIM1 or not first (RFC 6376 §3.6.1)
  missing_key,       ///< no p=
  revoked,           ///< p= is empty (RFC 6376 §3.6.1)
  bad_base64,        ///< p= is no base64
  unknown_key_type,  ///< k= is neither rsa nor ed25519
  bad_key,           ///< the octets of p= are no key of the type of k=
  wrong_service,     ///< s= names neither email nor * (RFC 6376 §3.6.1)
};

using KeyRecordError = SyntaxErrorOf<KeyRecordErrorCode>;

/// Says in a sentence what is wrong and which section rules it.
[[nodiscard]] std::string_view to_string(KeyRecordErrorCode code);

/// A usable key record with its key decoded.
struct KeyRecord {
  crypto::PublicKey key;
  /// h=: the hash algorithms that the key may be used with; empty means all.
  std::vector<std::string> hash_algorithms;
  bool testing = false;      ///< t=y
  bool strict_auid = false;  ///< t=s: the domain of i= must be d= itself
  std::string notes;         ///< n=, for people; hostile text

  /// True when h= lets sha256 be used.
  [[nodiscard]] bool allows_sha256() const;
};

/// Parses the joined strings of a key record.
/// Errors       each KeyRecordErrorCode, with the offset in octets.
/// Leniency     g= and unknown tags are ignored; unknown flags in t= are ignored; an empty h= or s=
///              is as none; line ends count as spaces, as people paste them into their zones.
/// RFC 6376 §3.6.1, RFC 8463 §4, RFC 8301 §3.2
[[nodiscard]] countersign::Result<KeyRecord, KeyRecordError> parse_key_record(std::string_view text,
                                                                              const Limits& limits);

/// Everything that a published key record may say, for tools that write one.
struct KeyRecordText {
  crypto::KeyType type = crypto::KeyType::rsa;
  std::string public_octets;                 ///< as crypto::PrivateKey::public_octets() gives them
  std::vector<std::string> hash_algorithms;  ///< h=, left out when empty
  bool restrict_to_email = false;            ///< s=email
  bool testing = false;                      ///< t=y
  bool strict_auid = false;                  ///< t=s
  std::string notes;                         ///< n=, encoded as needed
};

/// Writes the record as one text, its tags in the order of opendkim-genkey:
/// "v=DKIM1; n=…; h=…; k=rsa; t=…; s=…; p=…". RFC 6376 §3.6.1
[[nodiscard]] std::string format_key_record(const KeyRecordText& record);

}  // namespace countersign::dkim
