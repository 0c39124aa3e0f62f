// SPDX-License-Identifier: Apache-2.0
//
// Addresses without the people in them. A local part becomes a keyed digest of itself: whoever
// reads several reports sees that the same sender is meant, and not who. RFC 6590

#pragma once

#include <string>
#include <string_view>

#include "countersign/limits.hpp"
#include "countersign/message/header_field.hpp"

namespace countersign::report {

/// Takes local parts out of what strangers are shown.
class Redactor {
 public:
  /// key          a secret of ours; without it nobody can try names until the digest fits.
  explicit Redactor(std::string key) : key_(std::move(key)) {}

  /// What stands for a local part: 20 letters of a digest. RFC 6590 §3
  [[nodiscard]] std::string local_part(std::string_view local_part) const;
  /// A text in which the local part of everything that looks like an address is replaced.
  ///
  /// Leniency     too much may be taken for a local part, never too little: "ab=c@example.com"
  ///              loses "ab=" too. Names of tags and properties stay: "i=", "smtp.mailfrom=".
  [[nodiscard]] std::string text(std::string_view text) const;
  /// The fields of a header that say how the message came and was signed, local parts replaced,
  /// line ends as CRLF. Display names, the subject and all fields that may hold anything are left
  /// out; so are signatures with copies of fields (z=).
  [[nodiscard]] std::string header(const Header& header, const Limits& limits) const;

 private:
  [[nodiscard]] std::string field(const HeaderField& field, const Limits& limits) const;
  std::string key_;
};

}  // namespace countersign::report
