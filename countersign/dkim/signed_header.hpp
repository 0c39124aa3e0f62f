// SPDX-License-Identifier: Apache-2.0
//
// What of the header a signature covers: which fields the names in h= stand for, and their
// canonical octets in the order in which they are hashed.
//
// A name in h= stands for the lowest field of that name in the message, the same name again for the
// next one above it, and so on; when there are no more it stands for nothing, which is how a signer
// says that there are no more. Fields are prepended on the way, so counting from the bottom keeps
// finding those that were there when the message was signed. RFC 6376 §5.4.2

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "countersign/crypto/digest.hpp"
#include "countersign/dkim/canonicalize.hpp"
#include "countersign/message/header_field.hpp"

namespace countersign::dkim {

/// The fields of a header by name, made once for all signatures of a message. It views the header,
/// which must outlive it and stay as it is.
class FieldIndex {
 public:
  explicit FieldIndex(const Header& header);

  [[nodiscard]] const Header& header() const { return *header_; }
  /// The name of the field at that place; empty for a line without a colon, which is no field and
  /// which no name stands for.
  [[nodiscard]] std::string_view name_at(std::size_t place) const;
  /// How many fields have that name.
  [[nodiscard]] std::size_t count(std::string_view name) const;
  /// A number that is equal for equal names in any case, and seldom for others.
  [[nodiscard]] static std::uint32_t hash_of(std::string_view name);
  /// hash_of() name_at() that place.
  [[nodiscard]] std::uint32_t hash_at(std::size_t place) const { return hashes_[place]; }

 private:
  const Header* header_;
  std::vector<std::uint32_t> hashes_;
};

/// The place in a header that is no place.
inline constexpr std::size_t no_place = static_cast<std::size_t>(-1);

/// What a signature covers of a header.
struct SignedHeader {
  const std::vector<std::string>& names;  ///< h=
  Canonicalization canonicalization = Canonicalization::simple;
  /// The field that will hold or holds the signature, b= still or again empty.
  const HeaderField& signature_field;
  /// Where that field is in the header, as its own h= never stands for it; no_place when it is not
  /// in there yet.
  std::size_t own_place = no_place;
};

/// Appends the canonical octets of the fields that the names stand for, each with its line end. An
/// empty name stands for nothing.
/// RFC 6376 §3.7, §5.4.2
void append_signed_fields(std::string& out, const FieldIndex& index, const SignedHeader& covered);

/// The hash that is signed: over the fields that the names stand for, and then the signature field
/// without a line end. RFC 6376 §3.7
[[nodiscard]] crypto::Sha256 hash_signed_header(const FieldIndex& index,
                                                const SignedHeader& covered);

/// Names of the fields that came after the signature, by all appearance: fields that a message has
/// once at most, that the names of h= cover, and of which the message has more than they cover. A
/// reader may be shown the unsigned one. RFC 6376 §8.15, RFC 5322 §3.6
[[nodiscard]] std::vector<std::string_view> find_added_fields(
    const FieldIndex& index, const std::vector<std::string>& names);

/// A signature field as it was when it was signed: the value of b= and the folding space around it
/// gone. RFC 6376 §3.7
[[nodiscard]] HeaderField without_signature_value(const HeaderField& field);

}  // namespace countersign::dkim
