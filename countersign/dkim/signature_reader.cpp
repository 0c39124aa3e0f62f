// SPDX-License-Identifier: Apache-2.0
//
// The rules of the shared tags, as strict as RFC 6376 §6.1.1 wants: to be liberal in what one
// accepts is a bad strategy here.

#include "countersign/dkim/signature_reader.hpp"

#include <limits>

#include "countersign/text/abnf.hpp"
#include "countersign/text/base64.hpp"

namespace countersign::dkim {

namespace {

using Code = SignatureErrorCode;
using text::Tag;

std::optional<Canonicalization> canonicalization_of(std::string_view word) {
  for (const Canonicalization known : {Canonicalization::simple, Canonicalization::relaxed})
    if (word == to_string(known)) return known;
  return std::nullopt;
}

// Digits only, at most digits_max of them; a number that is too large for the type is its largest.
std::optional<std::uint64_t> number_of(std::string_view digits, std::size_t digits_max) {
  constexpr std::uint64_t largest = std::numeric_limits<std::uint64_t>::max();
  if (digits.empty() || digits.size() > digits_max || !text::is_digit.all_of(digits))
    return std::nullopt;
  std::uint64_t number = 0;
  for (const char c : digits) {
    const auto digit = static_cast<std::uint64_t>(c - '0');
    if (number > (largest - digit) / 10) return largest;
    number = number * 10 + digit;
  }
  return number;
}

}  // namespace

void SignatureReader::check_required(std::initializer_list<std::string_view> names) {
  for (const std::string_view name : names)
    if (tags_.find(name) == nullptr) fail(Code::missing_tag, 0);
}

void SignatureReader::check_query_method() {
  const Tag* tag = tags_.find("q");
  if (tag == nullptr) return;
  bool known = false;
  for_each_part(tag->value, ':', [&](std::string_view method) { known |= method == "dns/txt"; });
  if (!known) fail(Code::unknown_query_method, *tag);
}

Algorithm SignatureReader::algorithm() {
  const Tag* tag = tags_.find("a");
  if (tag == nullptr) return {};
  for (const Algorithm known :
       {Algorithm::rsa_sha256, Algorithm::ed25519_sha256, Algorithm::rsa_sha1})
    if (tag->value == to_string(known)) return known;
  fail(Code::unknown_algorithm, *tag);
  return {};
}

std::string SignatureReader::base64(std::string_view name) {
  const Tag* tag = tags_.find(name);
  if (tag == nullptr) return {};
  auto octets = text::decode_base64(tag->value);
  if (octets && !octets->empty()) return *std::move(octets);
  fail(Code::bad_base64, tag->value_offset + (octets ? 0 : octets.error().offset));
  return {};
}

std::pair<Canonicalization, Canonicalization> SignatureReader::canonicalizations() {
  constexpr std::pair fallback = {Canonicalization::simple, Canonicalization::simple};
  const Tag* tag = tags_.find("c");
  if (tag == nullptr) return fallback;
  const std::size_t slash = tag->value.find('/');
  const auto header = canonicalization_of(tag->value.substr(0, slash));
  const auto body = slash == tag->value.npos ? Canonicalization::simple
                                             : canonicalization_of(tag->value.substr(slash + 1));
  if (header && body) return {*header, *body};
  fail(Code::unknown_canonicalization, *tag);
  return fallback;
}

std::optional<DomainName> SignatureReader::sdid() {
  // domain-name = sub-domain 1*("." sub-domain)
  std::optional<DomainName> name = domain("d", Code::bad_domain);
  if (name && name->label_count() < 2) {
    fail(Code::bad_domain, *tags_.find("d"));
    return std::nullopt;
  }
  return name;
}

std::optional<DomainName> SignatureReader::selector() { return domain("s", Code::bad_selector); }

std::optional<DomainName> SignatureReader::name_of(std::string_view text) {
  auto name = DomainName::parse_host(text);
  return name && !text.ends_with('.') ? std::optional(*std::move(name)) : std::nullopt;
}

std::vector<std::string> SignatureReader::signed_fields(EmptyNames empty_names) {
  std::vector<std::string> names;
  const Tag* tag = tags_.find("h");
  if (tag == nullptr) return names;
  for_each_part(tag->value, ':', [&](std::string_view name) {
    if (failed()) return;
    if ((name.empty() && empty_names == EmptyNames::refused) || !text::is_ftext.all_of(name))
      return fail(Code::bad_signed_fields, *tag);
    if (names.size() == limits_.signed_fields_max) return fail(Code::too_many_signed_fields, *tag);
    names.emplace_back(name);
  });
  return names;
}

void SignatureReader::check_expiry(const Signature& signature) {
  if (signature.time && signature.expires && *signature.expires <= *signature.time)
    fail(Code::expires_before_signed, *tags_.find("x"));
}

std::optional<DomainName> SignatureReader::domain(std::string_view tag_name, Code code) {
  const Tag* tag = tags_.find(tag_name);
  if (tag == nullptr) return std::nullopt;
  std::optional<DomainName> name = name_of(tag->value);
  if (!name) fail(code, *tag);
  return name;
}

std::optional<std::uint64_t> SignatureReader::number(std::string_view name,
                                                     std::size_t digits_max) {
  const Tag* tag = tags_.find(name);
  if (tag == nullptr) return std::nullopt;
  const std::optional<std::uint64_t> number = number_of(tag->value, digits_max);
  if (!number) fail(Code::bad_number, *tag);
  return number;
}

}  // namespace countersign::dkim
