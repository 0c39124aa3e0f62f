// SPDX-License-Identifier: Apache-2.0

#include "countersign/dkim/key_match.hpp"

namespace countersign::dkim {

std::string_view to_string(KeyMatch match) {
  switch (match) {
    case KeyMatch::matches:
      return "the record and the key match";
    case KeyMatch::other_type:
      return "k= of the record names another type than the key has; publish the record of this key";
    case KeyMatch::other_key:
      return "p= of the record belongs to another key; publish the record of this key";
    case KeyMatch::hash_restricted:
      return "h= of the record does not allow sha256, with which we sign; remove h=";
  }
  return "";
}

KeyMatch match_key(const KeyRecord& record, const crypto::PrivateKey& key) {
  if (record.key.type() != key.type()) return KeyMatch::other_type;
  const crypto::Sha256 trial = crypto::sha256("countersign");
  if (!record.key.verify(trial, key.sign(trial))) return KeyMatch::other_key;
  return record.allows_sha256() ? KeyMatch::matches : KeyMatch::hash_restricted;
}

}  // namespace countersign::dkim
