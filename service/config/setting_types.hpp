// SPDX-License-Identifier: Apache-2.0
//
// The types of settings that are more than a number or a text.

#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "countersign/dkim/signature.hpp"
#include "countersign/mailflow/host_list.hpp"

namespace countersign::service::config {

using mailflow::Place;

/// Entries as a setting names them: in a file or a data base, or written out in the settings; or
/// both, where another program has an option for each.
struct DataSet {
  std::string source;              ///< "refile:/etc/…", "/etc/…", "a,b"; empty: none
  std::vector<std::string> lines;  ///< entries written out, each as a line of a file
  Place place;                     ///< of the setting; empty for a default

  [[nodiscard]] bool empty() const { return source.empty() && lines.empty(); }
};

/// A key as the settings name it.
struct KeyReference {
  std::string selector;
  std::string file;  ///< PEM
  Place place;
};

/// A domain whose mail is signed, with its keys: the simple form, without tables.
struct SigningDomain {
  std::string name;
  bool subdomains = false;  ///< also sign for subdomains, with d= this domain
  std::vector<KeyReference> keys;
  Place place;
};

/// OpenDKIM's set-up with a single key.
struct SingleKeySettings {
  DataSet domains;
  std::string selector;
  std::string key_file;
  bool subdomains = false;
};

/// What the daemon does with mail.
enum class Mode : std::uint8_t { sign, verify, both };

/// Permission bits, written in octal.
struct FileMode {
  std::uint32_t bits = 0;
  friend bool operator==(const FileMode&, const FileMode&) = default;
};

/// At most that many events in that time; zero events: no bound.
struct Rate {
  std::uint64_t count = 0;
  std::chrono::seconds period{0};
  friend bool operator==(const Rate&, const Rate&) = default;
};

/// c= of a signature: the header's part and the body's.
struct Canonicalizations {
  dkim::Canonicalization header = dkim::Canonicalization::relaxed;
  dkim::Canonicalization body = dkim::Canonicalization::relaxed;
  friend bool operator==(const Canonicalizations&, const Canonicalizations&) = default;
};

/// Which lists of header fields hold where the settings name none.
enum class FieldDefaults : std::uint8_t {
  advised,   ///< dkim::default_field_selection()
  opendkim,  ///< those of OpenDKIM 2.11, which oversigns nothing
};

}  // namespace countersign::service::config
