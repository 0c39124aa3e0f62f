// SPDX-License-Identifier: Apache-2.0
//
// Reads and writes DKIM-Signature fields. The reader takes one tag after the other, each by its own
// rules, and keeps the first thing that is wrong. It is as strict as RFC 6376 §6.1.1 wants: to be
// liberal in what one accepts is a bad strategy here.

#include "countersign/dkim/signature.hpp"

#include <limits>

#include "countersign/dkim/quoted_printable.hpp"
#include "countersign/text/abnf.hpp"
#include "countersign/text/base64.hpp"
#include "countersign/text/fold.hpp"
#include "countersign/text/tag_list.hpp"

namespace countersign::dkim {

namespace {

using Code = SignatureErrorCode;
using text::Tag;

// Calls take(part) with each part of a list, folding space around it removed.
template <class Take>
void split(std::string_view list, char separator, Take take) {
  for (;;) {
    const std::size_t end = list.find(separator);
    take(text::trim(list.substr(0, end), text::is_fws));
    if (end == list.npos) return;
    list.remove_prefix(end + 1);
  }
}

std::optional<Canonicalization> canonicalization_of(std::string_view word) {
  for (const Canonicalization known : {Canonicalization::simple, Canonicalization::relaxed})
    if (word == to_string(known)) return known;
  return std::nullopt;
}

// Digits only, at most max_digits of them; a number that is too large for the type is its largest.
std::optional<std::uint64_t> number_of(std::string_view digits, std::size_t max_digits) {
  constexpr std::uint64_t largest = std::numeric_limits<std::uint64_t>::max();
  if (digits.empty() || digits.size() > max_digits || !text::is_digit.all_of(digits))
    return std::nullopt;
  std::uint64_t number = 0;
  for (const char c : digits) {
    const auto digit = static_cast<std::uint64_t>(c - '0');
    if (number > (largest - digit) / 10) return largest;
    number = number * 10 + digit;
  }
  return number;
}

// The values of a tag list, each with the rules of its tag. A value that breaks them is recorded
// and some value returned in its place; whoever reads asks failed() at the end.
class SignatureReader {
 public:
  SignatureReader(const text::TagList& tags, const Limits& limits) : tags_(tags), limits_(limits) {}

  [[nodiscard]] bool failed() const { return error_.has_value(); }
  [[nodiscard]] SignatureError error() const { return error_.value_or(SignatureError{}); }

  void check_required() {
    for (const std::string_view name : {"v", "a", "b", "bh", "d", "h", "s"})
      if (tags_.find(name) == nullptr) fail(Code::missing_tag, 0);
  }

  void check_version() {
    if (const Tag* tag = tags_.find("v"); tag != nullptr && tag->value != "1")
      fail(Code::bad_version, *tag);
  }

  void check_query_method() {
    const Tag* tag = tags_.find("q");
    if (tag == nullptr) return;
    bool known = false;
    split(tag->value, ':', [&](std::string_view method) { known |= method == "dns/txt"; });
    if (!known) fail(Code::unknown_query_method, *tag);
  }

  std::optional<DomainName> sdid() {
    // domain-name = sub-domain 1*("." sub-domain), so a top-level domain signs nothing.
    std::optional<DomainName> name = domain("d", Code::bad_domain);
    if (name && name->label_count() < 2) {
      fail(Code::bad_domain, *tags_.find("d"));
      return std::nullopt;
    }
    return name;
  }

  std::optional<DomainName> selector() { return domain("s", Code::bad_selector); }

  Algorithm algorithm() {
    const Tag* tag = tags_.find("a");
    if (tag == nullptr) return {};
    for (const Algorithm known :
         {Algorithm::rsa_sha256, Algorithm::ed25519_sha256, Algorithm::rsa_sha1})
      if (tag->value == to_string(known)) return known;
    fail(Code::unknown_algorithm, *tag);
    return {};
  }

  std::string base64(std::string_view name) {
    const Tag* tag = tags_.find(name);
    if (tag == nullptr) return {};
    auto octets = text::decode_base64(tag->value);
    if (octets && !octets->empty()) return *std::move(octets);
    fail(Code::bad_base64, tag->value_offset + (octets ? 0 : octets.error().offset));
    return {};
  }

  // Header and body; the body's is simple when only one is given.
  std::pair<Canonicalization, Canonicalization> canonicalizations() {
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

  std::string auid(const DomainName& sdid) {
    const Tag* tag = tags_.find("i");
    if (tag == nullptr) return "@" + sdid.text();
    const std::string text = decode_quoted_printable(tag->value);
    const std::size_t at = text.rfind('@');
    const auto domain = at == text.npos ? std::nullopt : name_of(text.substr(at + 1));
    if (!domain) {
      fail(Code::bad_auid, *tag);
      return {};
    }
    if (!domain->is_at_or_below(sdid)) fail(Code::auid_outside_sdid, *tag);
    return text.substr(0, at + 1) + domain->text();
  }

  std::vector<std::string> signed_fields() {
    std::vector<std::string> names;
    const Tag* tag = tags_.find("h");
    if (tag == nullptr) return names;
    bool names_from = false;
    split(tag->value, ':', [&](std::string_view name) {
      if (failed()) return;
      if (name.empty() || !text::is_ftext.all_of(name)) return fail(Code::bad_signed_fields, *tag);
      if (names.size() == limits_.signed_fields_max)
        return fail(Code::too_many_signed_fields, *tag);
      names_from |= text::equal_ignoring_case(name, "from");
      names.emplace_back(name);
    });
    if (!names_from) fail(Code::from_not_signed, *tag);
    return names;
  }

  std::optional<std::uint64_t> number(std::string_view name, std::size_t max_digits) {
    const Tag* tag = tags_.find(name);
    if (tag == nullptr) return std::nullopt;
    const std::optional<std::uint64_t> number = number_of(tag->value, max_digits);
    if (!number) fail(Code::bad_number, *tag);
    return number;
  }

  void check_expiry(const Signature& signature) {
    if (signature.time && signature.expires && *signature.expires <= *signature.time)
      fail(Code::expires_before_signed, *tags_.find("x"));
  }

  // Copies that cannot be read are left out: z= is for people who look for a fault and decides
  // nothing (RFC 6376 §3.5).
  std::vector<std::pair<std::string, std::string>> copied_fields() {
    std::vector<std::pair<std::string, std::string>> copies;
    const Tag* tag = tags_.find("z");
    if (tag == nullptr) return copies;
    split(tag->value, '|', [&](std::string_view copy) {
      const std::size_t colon = copy.find(':');
      if (colon == copy.npos || copies.size() == limits_.header_fields_max) return;
      const std::string_view name = text::trim(copy.substr(0, colon), text::is_fws);
      if (name.empty() || !text::is_ftext.all_of(name)) return;
      copies.emplace_back(name, decode_quoted_printable(copy.substr(colon + 1)));
    });
    return copies;
  }

  bool requests_reports() {
    const Tag* tag = tags_.find("r");
    return tag != nullptr && tag->value == "y";
  }

 private:
  void fail(Code code, const Tag& tag) { fail(code, tag.value_offset); }
  void fail(Code code, std::size_t offset) {
    if (!error_) error_ = SignatureError{code, offset};
  }

  // A dot at the end, which DomainName takes, is no part of the grammar here.
  static std::optional<DomainName> name_of(std::string_view text) {
    auto name = DomainName::parse(text);
    return name && !text.ends_with('.') ? std::optional(*std::move(name)) : std::nullopt;
  }

  std::optional<DomainName> domain(std::string_view tag_name, Code code) {
    const Tag* tag = tags_.find(tag_name);
    if (tag == nullptr) return std::nullopt;
    std::optional<DomainName> name = name_of(tag->value);
    if (!name) fail(code, *tag);
    return name;
  }

  const text::TagList& tags_;
  const Limits& limits_;
  std::optional<SignatureError> error_;
};

// A time or date: at most 12 digits. A length: at most 76. RFC 6376 §3.5
constexpr std::size_t time_digits_max = 12;
constexpr std::size_t length_digits_max = 76;

// Adds text that may be folded anywhere but inside "=XX".
void add_quoted_printable(text::FoldedField& field, std::string_view text) {
  constexpr std::size_t hex_octet = 3;
  while (!text.empty()) {
    const std::string_view piece = text.substr(0, text.front() == '=' ? hex_octet : 1);
    field.part(piece);
    text.remove_prefix(piece.size());
  }
}

void add_tag(text::FoldedField& field, std::string_view name, std::string_view value) {
  std::string token;
  token.reserve(name.size() + value.size() + 2);
  ((token += name) += '=') += value;
  field.word(token += ';');
}

void add_number(text::FoldedField& field, std::string_view name,
                std::optional<std::uint64_t> value) {
  if (value) add_tag(field, name, std::to_string(*value));
}

void add_signed_fields(text::FoldedField& field, const std::vector<std::string>& names) {
  std::string token = "h=";
  for (std::size_t i = 0; i < names.size(); ++i) {
    token += names[i];
    token += i + 1 == names.size() ? ';' : ':';
    if (i == 0)
      field.word(token);
    else
      field.part(token);
    token.clear();
  }
}

void add_copied_fields(text::FoldedField& field, const Signature& signature) {
  if (signature.copied_fields.empty()) return;
  std::string_view separator = "z=";
  for (const auto& [name, value] : signature.copied_fields) {
    const std::string token = std::string(separator) + name + ":";
    if (separator == "|")
      field.part(token);
    else
      field.word(token);
    add_quoted_printable(field, encode_quoted_printable(value));
    separator = "|";
  }
  field.part(";");
}

}  // namespace

std::string_view to_string(Algorithm algorithm) {
  switch (algorithm) {
    case Algorithm::rsa_sha256:
      return "rsa-sha256";
    case Algorithm::ed25519_sha256:
      return "ed25519-sha256";
    case Algorithm::rsa_sha1:
      return "rsa-sha1";
  }
  return "unknown algorithm";
}

std::string_view to_string(Canonicalization canonicalization) {
  return canonicalization == Canonicalization::simple ? "simple" : "relaxed";
}

std::string_view to_string(SignatureErrorCode code) {
  switch (code) {
    case Code::bad_tag_list:
      return "the field is no tag=value list, or has a tag twice (RFC 6376 §3.2)";
    case Code::missing_tag:
      return "one of the tags v, a, b, bh, d, h and s is missing (RFC 6376 §3.5)";
    case Code::bad_version:
      return "v= is not 1 (RFC 6376 §3.5)";
    case Code::unknown_algorithm:
      return "a= names no algorithm that is known (RFC 6376 §3.3, RFC 8463 §3)";
    case Code::unknown_canonicalization:
      return "c= is not made of simple and relaxed (RFC 6376 §3.4)";
    case Code::unknown_query_method:
      return "q= does not offer dns/txt (RFC 6376 §3.5)";
    case Code::bad_base64:
      return "b= or bh= is empty or no base64 (RFC 6376 §2.10)";
    case Code::bad_domain:
      return "d= is no domain name of two labels or more (RFC 6376 §3.5)";
    case Code::bad_selector:
      return "s= is no selector (RFC 6376 §3.1)";
    case Code::bad_auid:
      return "i= has no domain name behind an @ (RFC 6376 §3.5)";
    case Code::auid_outside_sdid:
      return "the domain of i= is neither that of d= nor below it (RFC 6376 §3.5)";
    case Code::bad_number:
      return "l=, t= or x= is no number, or too long (RFC 6376 §3.5)";
    case Code::bad_signed_fields:
      return "h= holds something that is no field name (RFC 6376 §3.5)";
    case Code::too_many_signed_fields:
      return "h= names more fields than are looked at (RFC 6376 §8.4)";
    case Code::from_not_signed:
      return "h= does not name From (RFC 6376 §5.4)";
    case Code::expires_before_signed:
      return "x= is not later than t= (RFC 6376 §3.5)";
  }
  return "unknown error";
}

countersign::Result<Signature, SignatureError> parse_signature(std::string_view field_value,
                                                               const Limits& limits) {
  const auto tags = text::parse_tag_list(field_value, limits);
  if (!tags) return std::unexpected(SignatureError{Code::bad_tag_list, tags.error().offset});
  SignatureReader reader(*tags, limits);
  reader.check_required();
  reader.check_version();
  reader.check_query_method();
  const std::optional<DomainName> sdid = reader.sdid();
  const std::optional<DomainName> selector = reader.selector();
  if (!sdid || !selector) return std::unexpected(reader.error());
  const auto [header, body] = reader.canonicalizations();
  Signature signature{.algorithm = reader.algorithm(),
                      .signature = reader.base64("b"),
                      .body_hash = reader.base64("bh"),
                      .header_canonicalization = header,
                      .body_canonicalization = body,
                      .sdid = *sdid,
                      .auid = reader.auid(*sdid),
                      .selector = *selector,
                      .signed_fields = reader.signed_fields(),
                      .body_length = reader.number("l", length_digits_max),
                      .time = reader.number("t", time_digits_max),
                      .expires = reader.number("x", time_digits_max),
                      .copied_fields = reader.copied_fields(),
                      .requests_reports = reader.requests_reports()};
  reader.check_expiry(signature);
  if (reader.failed()) return std::unexpected(reader.error());
  return signature;
}

text::FoldedField format_unsigned(const Signature& signature) {
  text::FoldedField field("DKIM-Signature:");
  add_tag(field, "v", "1");
  add_tag(field, "a", to_string(signature.algorithm));
  add_tag(field, "c",
          std::string(to_string(signature.header_canonicalization)) + "/" +
              std::string(to_string(signature.body_canonicalization)));
  add_tag(field, "d", signature.sdid.text());
  add_tag(field, "s", signature.selector.text());
  if (!signature.auid.empty()) {
    field.word("i=");
    add_quoted_printable(field, encode_quoted_printable(signature.auid));
    field.part(";");
  }
  add_number(field, "t", signature.time);
  add_number(field, "x", signature.expires);
  if (signature.requests_reports) add_tag(field, "r", "y");
  add_number(field, "l", signature.body_length);
  add_tag(field, "bh", text::encode_base64(signature.body_hash));
  add_signed_fields(field, signature.signed_fields);
  add_copied_fields(field, signature);
  field.word("b=");
  return field;
}

std::string format_signature(const Signature& signature) {
  return format_unsigned(signature).run(text::encode_base64(signature.signature)).text();
}

}  // namespace countersign::dkim
