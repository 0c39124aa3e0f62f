// SPDX-License-Identifier: Apache-2.0
//
// The ambiguity gate: what makes it uncertain who wrote a message, or where it begins and ends.
// Such mail is made that way on purpose, so that a filter reads one author and the reader's program
// shows another. It never passes DMARC, whatever was signed (S-01 to S-08).

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "countersign/domain/name.hpp"
#include "countersign/limits.hpp"
#include "countersign/message/author.hpp"
#include "countersign/message/header_field.hpp"
#include "countersign/message/splitter.hpp"

namespace countersign::mailflow {

/// What is uncertain.
enum class AmbiguityCode : std::uint8_t {
  unknown_author,          ///< From is missing, repeated or unreadable
  several_author_domains,  ///< From has addresses of more than one domain (RFC 9989 §11.5)
  control_octet,           ///< NUL, bare CR or bare LF in a header field
  stray_line,              ///< a line of the header that is no field
  odd_field_name,          ///< white space before a colon, or octets that no name has
  header_over_limit,       ///< the header is larger than what is looked at
};

/// One thing that is uncertain, and what it is about in words that are safe to print.
struct Ambiguity {
  AmbiguityCode code{};
  std::string detail;

  friend bool operator==(const Ambiguity&, const Ambiguity&) = default;
};

/// The enumerator itself, "several_author_domains", for programs that read our JSON.
[[nodiscard]] std::string_view name_of(AmbiguityCode code);
/// A sentence with the detail.
[[nodiscard]] std::string to_string(const Ambiguity& ambiguity);

/// Who wrote the message, as far as it can be told, and what speaks against it.
struct Authorship {
  /// The Author Domain; nothing when From does not give exactly one. RFC 9989 §3.2
  std::optional<DomainName> author_domain;
  std::string author;  ///< the first address, for the log
  /// Empty when nothing is uncertain. The author domain may be known nevertheless.
  std::vector<Ambiguity> ambiguities;
};

/// Looks the header over.
///
/// over_limit   the limit at which the header was cut off, if it was.
/// RFC 9989 §5.3.1, §11.5, RFC 5322 §2.2
[[nodiscard]] Authorship find_authorship(const Header& header,
                                         std::optional<SplitErrorCode> over_limit,
                                         const Limits& limits);

/// Watches a body for octets that make its end uncertain: CR or LF alone, and NUL. Some servers
/// take "LF . LF" for the end of a message, and what follows for another message (S-08).
class LineEndWatch {
 public:
  /// Feeds octets of the body.
  void body(std::string_view chunk);
  /// True when such an octet was there; call it at the end, since a CR may be the last octet.
  [[nodiscard]] bool has_bare_line_end() const { return found_ || cr_waits_; }

 private:
  bool found_ = false;
  bool cr_waits_ = false;
};

}  // namespace countersign::mailflow
