// SPDX-License-Identifier: Apache-2.0
//
// A reader of DER: elements that are a tag, a length and contents. It knows the few tags that keys
// are made of and only the one encoding that DER permits for each value, so that two readers of a
// key can never see two different keys. It allocates nothing.
//
//   30 06  02 01 0F  02 01 03        SEQUENCE { INTEGER 15, INTEGER 3 }
//   ↑  ↑   ↑  ↑  ↑
//   |  |   |  |  contents
//   |  |   tag and length of an element inside
//   tag and length of the contents
//
// X.690 §8, §10

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace countersign::crypto::der {

/// The identifier octets of the elements that keys are made of.
enum class Tag : std::uint8_t {
  integer = 0x02,
  bit_string = 0x03,
  octet_string = 0x04,
  null = 0x05,
  object_identifier = 0x06,
  sequence = 0x30,
  context_0 = 0xA0,            ///< [0], constructed
  context_1_primitive = 0x81,  ///< [1], primitive
};

/// Reads the elements of a view one after the other. It remembers that something was malformed:
/// every later read is then empty, and complete() is false, so a caller reads straight down and
/// asks once at the end.
class Reader {
 public:
  /// Begins at the first octet of a view, which must outlive what is read from it.
  explicit Reader(std::string_view der) : rest_(der) {}

  /// The contents of the next element, which must have this tag.
  [[nodiscard]] std::string_view read(Tag tag);
  /// A reader over the contents of the next element. It has failed if this reader has.
  [[nodiscard]] Reader enter(Tag tag);
  /// The big-endian magnitude of the next INTEGER without leading zeros: empty for 0. A negative
  /// number is malformed here.
  [[nodiscard]] std::string_view read_unsigned();
  /// The contents of the next BIT STRING, which must end at an octet.
  [[nodiscard]] std::string_view read_octets_of_bit_string();
  /// Passes over the next element if it has this tag.
  void skip_optional(Tag tag);

  /// Tells whether everything was well-formed and nothing is left over.
  [[nodiscard]] bool complete() const { return !failed_ && rest_.empty(); }
  /// Tells whether something was malformed.
  [[nodiscard]] bool failed() const { return failed_; }

 private:
  [[nodiscard]] std::optional<std::size_t> take_length();
  std::string_view take(std::size_t octets);
  std::string_view fail();

  std::string_view rest_;
  bool failed_ = false;
};

}  // namespace countersign::crypto::der
