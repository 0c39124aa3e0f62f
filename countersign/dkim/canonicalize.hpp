// SPDX-License-Identifier: Apache-2.0
//
// Canonicalization: the form in which header fields and body are hashed, so that a signature
// survives what mail systems do to a message on its way. RFC 6376 §3.4
//
// simple keeps every octet and only forgives what SMTP itself may change: empty lines at the end
// of the body. relaxed also forgives the case of field names, folding, and runs of white space:
//
//   header  "SubJect :  two\r\n  words \r\n"       → "subject:two words\r\n"
//   body    " C \r\nD \t E\r\n\r\n\r\n"            → " C\r\nD E\r\n"
//
// Three things are easy to get wrong, and here they are rules:
//
//   White space is SP and HTAB, nothing else. A CR without LF, or a LF without CR, is content.
//   Empty lines at the end of the body are counted, never stored: a gigabyte of them costs eight
//   octets.
//   A body may arrive in chunks cut anywhere, between CR and LF too; the canonical octets are the
//   same.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "countersign/dkim/signature.hpp"
#include "countersign/message/header_field.hpp"

namespace countersign::dkim {

/// Appends the canonical form of one header field, without its last line end.
///
/// out          is appended to, so that one buffer serves all fields of a signature.
/// Leniency     in a relaxed field a CRLF that no white space follows is kept as content; it cannot
///              stand in a message, but a milter can be handed it.
/// RFC 6376 §3.4.1, §3.4.2
void append_canonical_field(std::string& out, const HeaderField& field,
                            Canonicalization canonicalization);

/// Takes canonical octets as they become known.
class OctetSink {
 public:
  /// The next octets, in pieces of any size; the view holds during the call only.
  virtual void take(std::string_view octets) = 0;

 protected:
  ~OctetSink() = default;
};

/// A body on its way through one canonicalization. Its memory does not grow with the body.
/// RFC 6376 §3.4.3, §3.4.4
class BodyCanonicalizer {
 public:
  explicit BodyCanonicalizer(Canonicalization canonicalization)
      : canonicalization_(canonicalization) {}

  /// The canonicalization that it was made for.
  [[nodiscard]] Canonicalization canonicalization() const { return canonicalization_; }

  /// Feeds body octets, line ends as CRLF, and passes on what is certain to be in the canonical
  /// body. The octets passed on depend on the concatenation of all chunks only.
  void update(std::string_view chunk, OctetSink& sink);

  /// Ends the body: passes on what was held back and adds the last line end where it is missing. An
  /// empty body is CRLF when simple and nothing when relaxed.
  void finish(OctetSink& sink);

 private:
  class RelaxedOutput;

  void update_simple(std::string_view chunk, OctetSink& sink);
  void update_relaxed(std::string_view chunk, OctetSink& sink);
  std::size_t settle_held_cr(std::string_view chunk, RelaxedOutput& output);
  std::size_t settle_held_space(std::string_view chunk, std::size_t at, RelaxedOutput& output);
  void pass_on(std::string_view lines, OctetSink& sink);
  void release_line_ends(OctetSink& sink);

  Canonicalization canonicalization_;
  bool has_content_ = false;     // Something was passed on: the body is not empty.
  bool holds_space_ = false;     // White space was read whose fate the next octets decide.
  bool holds_cr_ = false;        // So was a CR, behind that white space.
  std::uint64_t line_ends_ = 0;  // CRLFs held back: they may be the empty lines of the end.
};

}  // namespace countersign::dkim
