// SPDX-License-Identifier: Apache-2.0
//
// KeyTable and SigningTable, and the simple form that stands for both.
//
//   KeyTable      name  domain:selector:key[:algorithm]
//   SigningTable  pattern  name[:signer]
//
// A line that cannot be used is told with its place and left out; the rest still signs. A line of
// the SigningTable whose key is not there stays: its mail must not leave unsigned in silence.

#pragma once

#include <string_view>
#include <vector>

#include "countersign/mailflow/signing_table.hpp"
#include "service/config/data_set.hpp"
#include "service/config/files.hpp"
#include "service/config/key_store.hpp"
#include "service/config/problem.hpp"
#include "service/config/settings.hpp"

namespace countersign::service::config {

/// Keys and the lines that name them.
struct Tables {
  mailflow::KeyTable keys;
  mailflow::SigningTable lines;
};

/// Reads both tables and tells names that do not resolve.
[[nodiscard]] Tables read_tables(const SigningSettings& settings, const Files& files,
                                 KeyStore& store, Problems& problems);

/// Makes the tables that [[signing.domain]] stands for: every key of a domain signs, RSA first.
[[nodiscard]] Tables make_tables(const std::vector<SigningDomain>& domains, KeyStore& store,
                                 Problems& problems);

/// The value of a KeyTable line in its parts, views of it.
struct KeyLine {
  std::string_view domain;  ///< "%": the author's
  std::string_view selector;
  std::string_view key;        ///< a path, PEM or base64
  std::string_view algorithm;  ///< empty unless a fourth field names one
};

/// Cuts the value of a KeyTable line; missing parts are empty.
[[nodiscard]] KeyLine cut_key_line(std::string_view value);

/// True when the key of a line is a path: it begins with "/", "./" or "../".
[[nodiscard]] bool is_key_path(std::string_view key);

}  // namespace countersign::service::config
