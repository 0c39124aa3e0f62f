// SPDX-License-Identifier: Apache-2.0
//
// Reads the tags that every signature field of the DKIM family has, each by the rules of its tag.
// DKIM-Signature and the fields of ARC are read with it, so that they agree on what a domain, a
// signature or a number is; what only one of them has stays with its own parser.

#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "countersign/dkim/signature.hpp"
#include "countersign/domain/name.hpp"
#include "countersign/limits.hpp"
#include "countersign/text/abnf.hpp"
#include "countersign/text/tag_list.hpp"

namespace countersign::dkim {

/// The values of a tag list. A value that breaks its rules is recorded and some value returned in
/// its place; whoever reads asks failed() at the end and gets the first error.
class SignatureReader {
 public:
  /// Both must outlive the reader.
  SignatureReader(const text::TagList& tags, const Limits& limits) : tags_(tags), limits_(limits) {}

  /// True when something was wrong so far.
  [[nodiscard]] bool failed() const { return error_.has_value(); }
  /// The first error; only after failed().
  [[nodiscard]] SignatureError error() const { return error_.value_or(SignatureError{}); }
  /// Records an error at the value of a tag, unless one is recorded.
  void fail(SignatureErrorCode code, const text::Tag& tag) { fail(code, tag.value_offset); }
  /// Records an error at an offset, unless one is recorded.
  void fail(SignatureErrorCode code, std::size_t offset) {
    if (!error_) error_ = SignatureError{code, offset};
  }

  /// Records missing_tag unless each of the tags is there.
  void check_required(std::initializer_list<std::string_view> names);
  /// Records unknown_query_method when q= does not offer dns/txt. RFC 6376 §3.5
  void check_query_method();

  /// a=. RFC 6376 §3.3
  [[nodiscard]] Algorithm algorithm();
  /// The octets of b= or bh=, at least one. RFC 6376 §3.5
  [[nodiscard]] std::string base64(std::string_view name);
  /// c= for header and body: simple for what is not said. RFC 6376 §3.5
  [[nodiscard]] std::pair<Canonicalization, Canonicalization> canonicalizations();
  /// d=, which has two labels at least: a top-level domain signs nothing. RFC 6376 §3.5
  [[nodiscard]] std::optional<DomainName> sdid();
  /// s=. RFC 6376 §3.5
  [[nodiscard]] std::optional<DomainName> selector();
  /// The domain name, or nothing: a dot at the end, which DomainName takes, is no part of the
  /// grammar of signatures.
  [[nodiscard]] static std::optional<DomainName> name_of(std::string_view text);

  /// Whether h= may have places without a name.
  enum class EmptyNames : std::uint8_t { refused, kept };
  /// The names of h= in their order. RFC 6376 §3.5
  [[nodiscard]] std::vector<std::string> signed_fields(EmptyNames empty_names);

  /// l=, at most 76 digits; one too large for the type is its largest. RFC 6376 §3.5
  [[nodiscard]] std::optional<std::uint64_t> length() { return number("l", length_digits_max); }
  /// t= or x=, at most 12 digits. RFC 6376 §3.5
  [[nodiscard]] std::optional<std::uint64_t> timestamp(std::string_view name) {
    return number(name, time_digits_max);
  }
  /// Records expires_before_signed when x= is not later than t=. RFC 6376 §3.5
  void check_expiry(const Signature& signature);

 private:
  static constexpr std::size_t time_digits_max = 12;
  static constexpr std::size_t length_digits_max = 76;

  std::optional<DomainName> domain(std::string_view tag_name, SignatureErrorCode code);
  std::optional<std::uint64_t> number(std::string_view name, std::size_t digits_max);

  const text::TagList& tags_;
  const Limits& limits_;
  std::optional<SignatureError> error_;
};

/// Calls take(part) with each part of a list, folding space around it removed.
template <class Take>
void for_each_part(std::string_view list, char separator, Take take) {
  for (;;) {
    const std::size_t end = list.find(separator);
    take(text::trim(list.substr(0, end), text::is_fws));
    if (end == list.npos) return;
    list.remove_prefix(end + 1);
  }
}

}  // namespace countersign::dkim
