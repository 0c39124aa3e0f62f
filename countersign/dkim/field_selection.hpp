// SPDX-License-Identifier: Apache-2.0
//
// Which header fields a signature covers: the choice of the signer, and the names that it makes of
// a message for h=.

#pragma once

#include <string>
#include <vector>

#include "countersign/dkim/signed_header.hpp"
#include "countersign/limits.hpp"

namespace countersign::dkim {

/// Which header fields a signature covers. Names compare without regard to case; in `sign` and
/// `omit`, "*" in a name stands for any octets, as in "List-*".
struct FieldSelection {
  /// Signed as often as the message has them. From is always signed. "*" stands for every field but
  /// those that are changed or removed on the way, as Received and Return-Path.
  std::vector<std::string> sign;
  /// Never signed, though `sign` or `oversign` names them; From is signed all the same.
  std::vector<std::string> omit;
  /// Signed, and named once more than the message has them, so that none can be added (RFC 6376
  /// §8.15).
  std::vector<std::string> oversign;
};

/// The fields that RFC 6376 §5.4.1 advises to sign, with those that MIME and one-click
/// unsubscription need (RFC 8058 §4), and those that it advises to protect from additions.
[[nodiscard]] FieldSelection default_field_selection();

/// The names for h=: each field that is selected, from the top of the message down and spelled as
/// it stands there, then the names of `oversign`.
///
/// Returns      limits.signed_fields_max names at most, without the fields that are too many, or
///              whose names cannot stand in h=; From is always among them.
/// RFC 6376 §5.4
[[nodiscard]] std::vector<std::string> select_fields(const FieldIndex& index,
                                                     const FieldSelection& selection,
                                                     const Limits& limits);

}  // namespace countersign::dkim
