// SPDX-License-Identifier: Apache-2.0
//
// A new key and what is published of it: made alike by `countersign keygen` and by opendkim-genkey.

#pragma once

#include <string>

#include "countersign/crypto/private_key.hpp"
#include "countersign/dkim/key_record.hpp"

namespace countersign::cli {

/// What a new key is to be.
struct KeyRequest {
  std::string domain = "localhost";  ///< empty: none is named
  std::string selector = "default";
  std::string directory = ".";
  crypto::KeyType type = crypto::KeyType::rsa;
  unsigned bits = 2'048;
  dkim::KeyRecordText record;   ///< flags, hashes, notes; key and type are filled in
  bool absolute_owner = false;  ///< the zone line names the domain too
  bool overwrite = false;       ///< replace files that exist
};

/// What was made.
struct KeyFiles {
  std::string private_path;  ///< DIRECTORY/SELECTOR.private, mode 0600
  std::string record_path;   ///< DIRECTORY/SELECTOR.txt
  std::string owner;         ///< SELECTOR._domainkey.DOMAIN, without a dot at the end
  std::string text;          ///< the record as one string
  std::string zone_lines;    ///< the record as lines of a zone file
};

/// Makes a key and writes both files: the private key with mode 0600, the record, which is public,
/// with what the umask gives. Throws Failure with the reason when the request makes no sense or a
/// file cannot be written; a private key that exists is never overwritten unless asked.
[[nodiscard]] KeyFiles make_key_files(const KeyRequest& request);

}  // namespace countersign::cli
