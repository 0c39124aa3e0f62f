// SPDX-License-Identifier: Apache-2.0
//
// Addresses without the people in them. A local part becomes a keyed digest of itself: whoever
// reads several reports sees that the same sender is meant, and not who. RFC 6590

#pragma once

#include <string>
#include <string_view>
#include <utility>

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
  /// An address, or what should be one, without <>: all before its last "@" is replaced, the domain
  /// as A-labels; all of it where no "@" stands, or no domain or address literal behind it.
  [[nodiscard]] std::string address(std::string_view address) const;
  /// A text in which the local part of everything that looks like an address is replaced.
  ///
  /// Leniency     too much may be taken for a local part, never too little: "ab=c@example.com"
  ///              loses "ab=" too, and a quoted string all before its "@". Names of tags and
  ///              properties stay: "i=", "smtp.mailfrom=".
  [[nodiscard]] std::string text(std::string_view text) const;
  /// The fields of a header that say how the message came and was signed, line ends as CRLF. They
  /// are written anew from what is recognized in them, and local parts replaced. Display names, the
  /// subject, copies of fields (z=), unknown tags and all else that may hold anything are left out.
  [[nodiscard]] std::string header(const Header& header, const Limits& limits) const;

 private:
  [[nodiscard]] std::string field(const HeaderField& field, const Limits& limits) const;
  [[nodiscard]] std::string mailboxes(std::string_view value, const Limits& limits) const;
  [[nodiscard]] std::string signature(const HeaderField& field, const Limits& limits) const;
  [[nodiscard]] std::string received(std::string_view value, const Limits& limits) const;
  std::string key_;
};

}  // namespace countersign::report
