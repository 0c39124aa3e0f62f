// SPDX-License-Identifier: Apache-2.0
//
// Reads and writes DKIM-Signature fields. One tag is read after the other, each by its own rules,
// and the first thing that is wrong is kept. What ARC has too is in signature_reader.

#include "countersign/dkim/signature.hpp"

#include <algorithm>

#include "countersign/dkim/quoted_printable.hpp"
#include "countersign/dkim/signature_reader.hpp"
#include "countersign/text/abnf.hpp"
#include "countersign/text/base64.hpp"
#include "countersign/text/fold.hpp"
#include "countersign/text/tag_list.hpp"

namespace countersign::dkim {

namespace {

using Code = SignatureErrorCode;
using text::Tag;

void check_version(const text::TagList& tags, SignatureReader& reader) {
  if (const Tag* tag = tags.find("v"); tag != nullptr && tag->value != "1")
    reader.fail(Code::bad_version, *tag);
}

std::string read_auid(const text::TagList& tags, SignatureReader& reader, const DomainName& sdid) {
  const Tag* tag = tags.find("i");
  if (tag == nullptr) return "@" + sdid.text();
  const std::string text = decode_quoted_printable(tag->value);
  const std::size_t at = text.rfind('@');
  const auto domain =
      at == text.npos ? std::nullopt : SignatureReader::name_of(text.substr(at + 1));
  if (!domain) {
    reader.fail(Code::bad_auid, *tag);
    return {};
  }
  if (!domain->is_at_or_below(sdid)) reader.fail(Code::auid_outside_sdid, *tag);
  return text.substr(0, at + 1) + domain->text();
}

std::vector<std::string> read_signed_fields(const text::TagList& tags, SignatureReader& reader) {
  std::vector<std::string> names = reader.signed_fields(SignatureReader::EmptyNames::refused);
  const Tag* tag = tags.find("h");
  const bool names_from = std::ranges::any_of(
      names, [](const std::string& name) { return text::equal_ignoring_case(name, "from"); });
  if (tag != nullptr && !names_from) reader.fail(Code::from_not_signed, *tag);
  return names;
}

// Copies that cannot be read are left out: z= is for people who look for a fault and decides
// nothing (RFC 6376 §3.5).
std::vector<std::pair<std::string, std::string>> read_copied_fields(const text::TagList& tags,
                                                                    const Limits& limits) {
  std::vector<std::pair<std::string, std::string>> copies;
  const Tag* tag = tags.find("z");
  if (tag == nullptr) return copies;
  for_each_part(tag->value, '|', [&](std::string_view copy) {
    const std::size_t colon = copy.find(':');
    if (colon == copy.npos || copies.size() == limits.header_fields_max) return;
    const std::string_view name = text::trim(copy.substr(0, colon), text::is_fws);
    if (name.empty() || !text::is_ftext.all_of(name)) return;
    copies.emplace_back(name, decode_quoted_printable(copy.substr(colon + 1)));
  });
  return copies;
}

bool requests_reports(const text::TagList& tags) {
  const Tag* tag = tags.find("r");
  return tag != nullptr && tag->value == "y";
}

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

// One token while it fits into a line of a message: no grammar lets a domain name be folded, and
// not every verifier unfolds it before it compares.
void add_auid(text::FoldedField& field, std::string_view auid) {
  constexpr std::size_t whole_auid_octets_max = 900;
  const std::string value = encode_quoted_printable(auid);
  if (value.size() <= whole_auid_octets_max) return add_tag(field, "i", value);
  field.word("i=");
  add_quoted_printable(field, value);
  field.part(";");
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
      return "the field is no tag=value list, has a tag twice, or a \";\" too many (RFC 6376 §3.2)";
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
  reader.check_required({"v", "a", "b", "bh", "d", "h", "s"});
  check_version(*tags, reader);
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
                      .auid = read_auid(*tags, reader, *sdid),
                      .selector = *selector,
                      .signed_fields = read_signed_fields(*tags, reader),
                      .body_length = reader.length(),
                      .time = reader.timestamp("t"),
                      .expires = reader.timestamp("x"),
                      .copied_fields = read_copied_fields(*tags, limits),
                      .requests_reports = requests_reports(*tags)};
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
  if (!signature.auid.empty()) add_auid(field, signature.auid);
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
