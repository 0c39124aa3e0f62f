// SPDX-License-Identifier: Apache-2.0
//
// The one user of libidn2. It is asked about single labels that hold 8-bit octets or begin with
// "xn--", and whatever it answers is judged again by the rules for ASCII labels: its mapping can
// make dots, parentheses and spaces of code points that look like them.

#include "countersign/domain/name.hpp"

#include <idn2.h>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <utility>

#include "countersign/assert.hpp"
#include "countersign/text/abnf.hpp"
#include "countersign/text/utf8.hpp"

namespace countersign {

namespace {

using Code = DomainNameErrorCode;

constexpr std::size_t label_octets_max = 63;  // RFC 1035 §2.3.4
constexpr std::size_t name_octets_max = 253;  // RFC 1035 §2.3.4: 255 with lengths and root label.

// A code point is at most four octets of UTF-8 and at least one of an A-label; twice that leaves
// room for decomposed text. Longer labels are refused before libidn2 works on them.
constexpr std::size_t mapped_label_octets_max = label_octets_max * 4 * 2;
constexpr std::size_t mapped_name_octets_max = name_octets_max * 4 * 2;

constexpr text::CharClass is_label = text::is_let_dig_hyphen | text::CharClass("_");
constexpr text::CharClass is_label_or_8bit = is_label | text::is_8bit;

constexpr std::string_view ace_prefix = "xn--";
constexpr int idna_flags = IDN2_NONTRANSITIONAL | IDN2_NFC_INPUT;

struct FreeIdn2 {
  void operator()(void* memory) const { idn2_free(memory); }
};

// What libidn2 makes of a label: a text, or its error code.
using Idn2Result = Result<std::string, int>;

Idn2Result to_a_label(const std::string& label) {
  std::uint8_t* made = nullptr;
  const auto* octets = reinterpret_cast<const std::uint8_t*>(label.c_str());
  const int code = idn2_lookup_u8(octets, &made, idna_flags);
  const std::unique_ptr<std::uint8_t, FreeIdn2> owner(made);
  if (code != IDN2_OK) return std::unexpected(code);
  return std::string(reinterpret_cast<const char*>(made));
}

Idn2Result to_u_label(const std::string& a_label) {
  char* made = nullptr;
  const int code = idn2_to_unicode_8z8z(a_label.c_str(), &made, idna_flags);
  const std::unique_ptr<char, FreeIdn2> owner(made);
  if (code != IDN2_OK) return std::unexpected(code);
  return std::string(made);
}

// A label that only looks encoded would be shown as something that it is not.
bool is_true_a_label(const std::string& label) {
  const Idn2Result u_label = to_u_label(label);
  return u_label && to_a_label(*u_label) == label;
}

struct CodePointRange {
  char32_t first;
  char32_t last;
};

// Default_Ignorable_Code_Point of Unicode without U+200C and U+200D, which IDNA2008 allows where
// scripts need them and libidn2 judges by context (RFC 5892 §A.1, §A.2).
constexpr std::array<CodePointRange, 18> invisible_ranges = {{
    {0x00AD, 0x00AD},
    {0x034F, 0x034F},
    {0x061C, 0x061C},
    {0x115F, 0x1160},
    {0x17B4, 0x17B5},
    {0x180B, 0x180F},
    {0x200B, 0x200B},
    {0x200E, 0x200F},
    {0x202A, 0x202E},
    {0x2060, 0x206F},
    {0x3164, 0x3164},
    {0xFE00, 0xFE0F},
    {0xFEFF, 0xFEFF},
    {0xFFA0, 0xFFA0},
    {0xFFF0, 0xFFF8},
    {0x1BCA0, 0x1BCA3},
    {0x1D173, 0x1D17A},
    {0xE0000, 0xE0FFF},
}};

bool is_invisible(char32_t point) {
  return std::ranges::any_of(invisible_ranges, [point](const CodePointRange& range) {
    return range.first <= point && point <= range.last;
  });
}

// True for malformed UTF-8 too: what it would show is nobody's guess.
bool has_invisible(std::string_view label) {
  while (const std::optional<char32_t> point = text::take_code_point(label))
    if (is_invisible(*point)) return true;
  return !label.empty();
}

// libidn2 names the step at which a label ran out of room.
bool is_too_long(int code) {
  return code == IDN2_TOO_BIG_LABEL || code == IDN2_TOO_BIG_DOMAIN ||
         code == IDN2_PUNYCODE_BIG_OUTPUT;
}

Result<std::string, Code> encode_label(std::string_view label) {
  if (label.size() > mapped_label_octets_max) return std::unexpected(Code::label_too_long);
  if (has_invisible(label)) return std::unexpected(Code::bad_idna);
  Idn2Result a_label = to_a_label(std::string(label));
  if (!a_label && is_too_long(a_label.error())) return std::unexpected(Code::label_too_long);
  if (!a_label || a_label->empty() || !is_label.all_of(*a_label))
    return std::unexpected(Code::bad_idna);
  return *std::move(a_label);
}

// One label in the form in which it is compared; whether it is a true A-label is asked apart.
Result<std::string, Code> normalize_label(std::string_view label) {
  if (label.empty()) return std::unexpected(Code::empty_label);
  if (!is_label_or_8bit.all_of(label)) return std::unexpected(Code::bad_character);
  Result<std::string, Code> normal =
      is_label.all_of(label) ? text::to_lower(label) : encode_label(label);
  if (!normal) return normal;
  if (normal->size() > label_octets_max) return std::unexpected(Code::label_too_long);
  return normal;
}

bool is_fake_a_label(const std::string& label) {
  return label.starts_with(ace_prefix) && !is_true_a_label(label);
}

std::size_t end_of_label(std::string_view name, std::size_t begin) {
  return std::min(name.find('.', begin), name.size());
}

}  // namespace

std::string_view to_string(DomainNameErrorCode code) {
  switch (code) {
    case DomainNameErrorCode::empty:
      return "the domain name is empty (RFC 5321 §4.1.2)";
    case DomainNameErrorCode::empty_label:
      return "the domain name has two dots in a row or begins with a dot (RFC 5321 §4.1.2)";
    case DomainNameErrorCode::label_too_long:
      return "a label of the domain name has more than 63 octets (RFC 1035 §2.3.4)";
    case DomainNameErrorCode::name_too_long:
      return "the domain name has more than 253 octets (RFC 1035 §2.3.4)";
    case DomainNameErrorCode::bad_character:
      return "the domain name holds something but letters, digits, \"-\" and \"_\" (RFC 5321 "
             "§4.1.2)";
    case DomainNameErrorCode::bad_idna:
      return "a label of the domain name is not valid as internationalized label (RFC 5891 §5)";
  }
  return "unknown error";
}

Result<DomainName, DomainNameError> DomainName::parse(std::string_view text) {
  return parse(text, FakeLabels::refused);
}

Result<DomainName, DomainNameError> DomainName::parse_host(std::string_view text) {
  return parse(text, FakeLabels::taken);
}

Result<DomainName, DomainNameError> DomainName::parse(std::string_view text, FakeLabels fakes) {
  if (text.ends_with('.')) text.remove_suffix(1);
  if (text.empty()) return std::unexpected(DomainNameError{Code::empty, 0});
  if (text.size() > mapped_name_octets_max)
    return std::unexpected(DomainNameError{Code::name_too_long, 0});
  std::string name;
  name.reserve(text.size());
  for (std::size_t begin = 0, end = 0; begin <= text.size(); begin = end + 1) {
    end = end_of_label(text, begin);
    const std::string_view given = text.substr(begin, end - begin);
    Result<std::string, Code> label = normalize_label(given);
    const bool may_be_fake = fakes == FakeLabels::taken && is_label.all_of(given);
    if (label && !may_be_fake && is_fake_a_label(*label)) label = std::unexpected(Code::bad_idna);
    if (!label) return std::unexpected(DomainNameError{label.error(), begin});
    if (begin != 0) name += '.';
    name += *label;
  }
  if (name.size() > name_octets_max)
    return std::unexpected(DomainNameError{Code::name_too_long, 0});
  return DomainName(std::move(name));
}

std::string DomainName::display() const {
  std::string shown;
  for (std::size_t begin = 0, end = 0; begin <= text_.size(); begin = end + 1) {
    end = end_of_label(text_, begin);
    const std::string label = text_.substr(begin, end - begin);
    if (begin != 0) shown += '.';
    const bool has_u_label = label.starts_with(ace_prefix) && is_true_a_label(label);
    shown += has_u_label ? to_u_label(label).value_or(label) : label;
  }
  return shown;
}

std::size_t DomainName::label_count() const {
  return static_cast<std::size_t>(std::ranges::count(text_, '.')) + 1;
}

std::string_view DomainName::suffix(std::size_t count) const {
  std::string_view name = text_;
  for (std::size_t labels = label_count(); labels > count; --labels)
    name.remove_prefix(std::min(end_of_label(name, 0) + 1, name.size()));
  return name;
}

DomainName DomainName::ancestor(std::size_t count) const {
  COUNTERSIGN_ASSERT(count > 0);
  return DomainName(std::string(suffix(count)));
}

bool DomainName::is_at_or_below(const DomainName& other) const {
  if (!text_.ends_with(other.text_)) return false;
  const std::size_t surplus = text_.size() - other.text_.size();
  return surplus == 0 || text_[surplus - 1] == '.';
}

}  // namespace countersign
