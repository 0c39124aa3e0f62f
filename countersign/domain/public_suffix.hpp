// SPDX-License-Identifier: Apache-2.0
//
// Organizational Domains by the public suffix list, as RFC 7489 finds them: the suffix under which
// the public registers names, and one label more.
//
//   com        a.mail.example.com    →  example.com
//   *.ck       a.shop.some.ck        →  shop.some.ck
//   !www.ck    a.www.ck              →  www.ck
//
// RFC 9989 finds organizations in DNS and needs no list; this is for those who must agree with
// receivers that still go by one. The list is read and searched by libpsl, which is known to this
// folder alone: docs/decisions/0010. RFC 7489 §3.2

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "countersign/domain/name.hpp"
#include "countersign/result.hpp"

// NOLINTNEXTLINE(readability-identifier-naming): libpsl's name for its own type.
struct psl_ctx_st;

namespace countersign {

/// What makes a text no public suffix list.
enum class PublicSuffixErrorCode : std::uint8_t {
  too_long,  ///< over Limits::public_suffix_bytes_max
  no_rules,  ///< it has no rule at all: another file, or an empty one
};

/// Says in a sentence what is wrong.
[[nodiscard]] std::string_view to_string(PublicSuffixErrorCode code);

/// A public suffix list; immutable, and cheap to copy.
class PublicSuffixList {
 public:
  /// Reads a list in the form of publicsuffix.org: a rule a line, "*." for every label, "!" for an
  /// exception, "//" for comments. The private section counts as the other does: hosting
  /// companies list there what they let their customers register under, and RFC 7489 makes no
  /// difference.
  ///
  /// Errors       too_long, no_rules.
  /// Leniency     a line that is no rule is left out, as libpsl does.
  [[nodiscard]] static Result<PublicSuffixList, PublicSuffixErrorCode> parse(std::string_view text);

  /// The list that libpsl was built with; nothing when it was built without.
  [[nodiscard]] static std::optional<PublicSuffixList> built_in();

  /// The Organizational Domain: the suffix of the longest rule that matches, and one label more. A
  /// name that no rule matches is taken as if its last label were a rule. A public suffix is its
  /// own.
  /// RFC 7489 §3.2
  [[nodiscard]] DomainName org_domain(const DomainName& name) const;

  /// Rules of the list, those with U-labels counted in each of their forms.
  [[nodiscard]] std::size_t rules() const;

 private:
  using Context = std::shared_ptr<const psl_ctx_st>;
  explicit PublicSuffixList(Context context) : context_(std::move(context)) {}
  Context context_;
};

}  // namespace countersign
