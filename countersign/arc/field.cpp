// SPDX-License-Identifier: Apache-2.0
//
// Reads and writes the fields of a set. The tags that ARC shares with DKIM are read by DKIM's own
// reader, so a domain or a number that one refuses the other refuses too.

#include "countersign/arc/field.hpp"

#include <algorithm>

#include "countersign/dkim/signature_reader.hpp"
#include "countersign/message/header_field.hpp"
#include "countersign/text/base64.hpp"
#include "countersign/text/cfws.hpp"
#include "countersign/text/fold.hpp"
#include "countersign/text/tag_list.hpp"

namespace countersign::arc {

namespace {

using Code = FieldErrorCode;
using DkimCode = dkim::SignatureErrorCode;
using dkim::SignatureReader;
using text::Tag;
using text::TagList;

// DKIM's code for a tag that both have, in our words.
Code code_of(DkimCode code) {
  switch (code) {
    case DkimCode::missing_tag:
      return Code::missing_tag;
    case DkimCode::unknown_algorithm:
      return Code::unknown_algorithm;
    case DkimCode::unknown_canonicalization:
      return Code::unknown_canonicalization;
    case DkimCode::unknown_query_method:
      return Code::unknown_query_method;
    case DkimCode::bad_base64:
      return Code::bad_base64;
    case DkimCode::bad_domain:
      return Code::bad_domain;
    case DkimCode::bad_selector:
      return Code::bad_selector;
    case DkimCode::bad_number:
      return Code::bad_number;
    case DkimCode::bad_signed_fields:
      return Code::bad_signed_fields;
    case DkimCode::too_many_signed_fields:
      return Code::too_many_signed_fields;
    case DkimCode::expires_before_signed:
      return Code::expires_before_signed;
    case DkimCode::bad_tag_list:
    case DkimCode::bad_version:
    case DkimCode::bad_auid:
    case DkimCode::auid_outside_sdid:
    case DkimCode::from_not_signed:
      break;
  }
  return Code::bad_tag_list;
}

// --- instances ---

constexpr std::size_t instance_digits_max = 2;

// position = 1*2DIGIT; 0 for what is none.
unsigned position_of(std::string_view digits) {
  if (digits.empty() || digits.size() > instance_digits_max || !text::is_digit.all_of(digits))
    return 0;
  unsigned position = 0;
  for (const char c : digits) position = position * 10 + static_cast<unsigned>(c - '0');
  return position;
}

Result<unsigned, FieldError> instance_of(std::string_view digits, std::size_t offset,
                                         const Limits& limits) {
  const unsigned position = position_of(digits);
  if (position == 0) return std::unexpected(FieldError{Code::bad_instance, offset});
  if (position > limits.arc_sets_max)
    return std::unexpected(FieldError{Code::instance_too_large, offset});
  return position;
}

Result<unsigned, FieldError> instance_of(const TagList& tags, const Limits& limits) {
  const Tag* tag = tags.find("i");
  if (tag == nullptr) return std::unexpected(FieldError{Code::bad_instance, 0});
  return instance_of(tag->value, tag->value_offset, limits);
}

// "i=1" of an AAR, up to what follows it.
struct Prefix {
  std::string_view digits;
  std::size_t digits_offset = 0;
  std::size_t payload_offset = 0;  // Behind the ";".
};

Result<Prefix, FieldError> read_prefix(std::string_view field_value, const Limits& limits) {
  text::Cursor<Code> cursor(field_value);
  const auto skip_cfws = [&] {
    if (!text::skip_cfws(cursor, limits)) cursor.fail(Code::bad_instance);
  };
  skip_cfws();
  cursor.expect('i', Code::bad_instance);
  skip_cfws();
  cursor.expect('=', Code::bad_instance);
  skip_cfws();
  Prefix prefix;
  prefix.digits_offset = cursor.offset();
  prefix.digits = cursor.expect_while(text::is_digit, Code::bad_instance);
  skip_cfws();
  cursor.expect(';', Code::missing_payload);
  prefix.payload_offset = cursor.offset();
  if (cursor.failed()) return std::unexpected(cursor.error());
  return prefix;
}

// The text of an AMS or AS as a tag list: comments around the instance, which stands before the
// list in the grammar, become spaces. Octets stay where they are.
std::string list_text_of(std::string_view field_value, const Limits& limits) {
  std::string text(field_value);
  if (!field_value.substr(0, field_value.find(';')).contains('(')) return text;
  const auto prefix = read_prefix(field_value, limits);
  if (!prefix) return text;
  text.replace(0, prefix->payload_offset - 1, prefix->payload_offset - 1, ' ');
  text.replace(prefix->digits_offset, prefix->digits.size(), prefix->digits);
  text.replace(prefix->digits_offset - 2, 2, "i=");
  return text;
}

// --- tag lists ---

Result<TagList, FieldError> parse_tags(std::string_view field_value, const Limits& limits) {
  auto tags = text::parse_tag_list(field_value, limits);
  if (!tags) {
    const bool is_empty_tag = tags.error().code == text::TagListErrorCode::empty_tag;
    return std::unexpected(
        FieldError{is_empty_tag ? Code::empty_tag : Code::bad_tag_list, tags.error().offset});
  }
  if (tags->tags().empty()) return std::unexpected(FieldError{Code::missing_tag, 0});
  return *std::move(tags);
}

// What i= says in a list that may be broken elsewhere.
std::string_view instance_digits_of(std::string_view list) {
  std::string_view digits;
  dkim::for_each_part(list, ';', [&digits](std::string_view tag) {
    const std::size_t equals = tag.find('=');
    if (digits.empty() && equals != tag.npos &&
        text::trim(tag.substr(0, equals), text::is_fws) == "i")
      digits = text::trim(tag.substr(equals + 1), text::is_fws);
  });
  return digits;
}

std::unexpected<FieldError> error_of(const SignatureReader& reader) {
  return std::unexpected(FieldError{code_of(reader.error().code), reader.error().offset});
}

std::optional<ChainStatus> chain_status_of(std::string_view word) {
  for (const ChainStatus known : {ChainStatus::none, ChainStatus::pass, ChainStatus::fail})
    if (word == to_string(known)) return known;
  return std::nullopt;
}

// --- writing ---

// Base64 is one token while its line stays within what a line may have at most.
constexpr std::size_t whole_value_octets_max = 900;

// dkimpy finds the signature of a set by " i=", so no tab may stand before a tag.
constexpr text::Continuation continuation = text::Continuation::space;

void add_tag(text::FoldedField& field, std::string_view name, std::string_view value) {
  std::string token(name);
  (token += '=') += value;
  field.word(token += ';');
}

void add_base64(text::FoldedField& field, std::string_view name, std::string_view octets) {
  const std::string value = text::encode_base64(octets);
  if (value.size() <= whole_value_octets_max) return add_tag(field, name, value);
  field.word(std::string(name) + "=").run(value).part(";");
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
  field.word(token.empty() ? token : token + ';');  // A signature of the body alone.
}

// The last tags, behind which no ";" follows.
void add_selector_and_times(text::FoldedField& field, const DomainName& selector,
                            std::optional<std::uint64_t> time,
                            std::optional<std::uint64_t> expires = std::nullopt) {
  field.word("s=" + selector.text() + (time || expires ? ";" : ""));
  if (time) field.word("t=" + std::to_string(*time) + (expires ? ";" : ""));
  if (expires) field.word("x=" + std::to_string(*expires));
}

}  // namespace

std::string_view name_of(FieldKind kind) {
  switch (kind) {
    case FieldKind::authentication_results:
      return "ARC-Authentication-Results";
    case FieldKind::message_signature:
      return "ARC-Message-Signature";
    case FieldKind::seal:
      return "ARC-Seal";
  }
  return "";
}

std::string_view to_string(FieldErrorCode code) {
  switch (code) {
    case Code::bad_tag_list:
      return "the field is no tag=value list, or has a tag twice (RFC 6376 §3.2)";
    case Code::empty_tag:
      return "a \";\" has no tag before it (RFC 6376 §3.2)";
    case Code::missing_tag:
      return "a tag that the field must have is missing (RFC 8617 §4.1)";
    case Code::bad_instance:
      return "i= is missing, or no number of one or two digits from 1 (RFC 8617 §4.2.1)";
    case Code::instance_too_large:
      return "i= is over 50 (RFC 8617 §4.2.1)";
    case Code::missing_payload:
      return "no \";\" with results follows i= (RFC 8617 §4.1.1)";
    case Code::bad_chain_status:
      return "cv= is not none, pass or fail (RFC 8617 §4.1.3)";
    case Code::seal_with_fields:
      return "an ARC-Seal must not have h= (RFC 8617 §4.1.3)";
    case Code::seal_covered:
      return "h= names ARC-Seal (RFC 8617 §4.1.2)";
    case Code::unknown_algorithm:
      return dkim::to_string(DkimCode::unknown_algorithm);
    case Code::unknown_canonicalization:
      return dkim::to_string(DkimCode::unknown_canonicalization);
    case Code::unknown_query_method:
      return dkim::to_string(DkimCode::unknown_query_method);
    case Code::bad_base64:
      return dkim::to_string(DkimCode::bad_base64);
    case Code::bad_domain:
      return dkim::to_string(DkimCode::bad_domain);
    case Code::bad_selector:
      return dkim::to_string(DkimCode::bad_selector);
    case Code::bad_number:
      return dkim::to_string(DkimCode::bad_number);
    case Code::bad_signed_fields:
      return dkim::to_string(DkimCode::bad_signed_fields);
    case Code::too_many_signed_fields:
      return dkim::to_string(DkimCode::too_many_signed_fields);
    case Code::expires_before_signed:
      return dkim::to_string(DkimCode::expires_before_signed);
  }
  return "unknown error";
}

Result<AuthenticationResults, FieldError> parse_authentication_results(std::string_view field_value,
                                                                       const Limits& limits) {
  const auto prefix = read_prefix(field_value, limits);
  if (!prefix) return std::unexpected(prefix.error());
  const auto instance = instance_of(prefix->digits, prefix->digits_offset, limits);
  if (!instance) return std::unexpected(instance.error());
  const std::string_view payload = field_value.substr(prefix->payload_offset);
  if (text::is_fws.all_of(payload))
    return std::unexpected(FieldError{Code::missing_payload, prefix->payload_offset});
  return AuthenticationResults{*instance, std::string(payload)};
}

Result<MessageSignature, FieldError> parse_message_signature(std::string_view field_value,
                                                             const Limits& limits) {
  const std::string text = list_text_of(field_value, limits);
  const auto tags = parse_tags(text, limits);
  if (!tags) return std::unexpected(tags.error());
  const auto instance = instance_of(*tags, limits);
  if (!instance) return std::unexpected(instance.error());
  SignatureReader reader(*tags, limits);
  reader.check_required({"a", "b", "bh", "d", "h", "s"});
  reader.check_query_method();
  const std::optional<DomainName> sdid = reader.sdid();
  const std::optional<DomainName> selector = reader.selector();
  if (!sdid || !selector) return error_of(reader);
  const auto [header, body] =
      tags->find("c") == nullptr
          ? std::pair(dkim::Canonicalization::relaxed, dkim::Canonicalization::relaxed)
          : reader.canonicalizations();
  dkim::Signature signature{
      .algorithm = reader.algorithm(),
      .signature = reader.base64("b"),
      .body_hash = reader.base64("bh"),
      .header_canonicalization = header,
      .body_canonicalization = body,
      .sdid = *sdid,
      .auid = {},
      .selector = *selector,
      .signed_fields = reader.signed_fields(SignatureReader::EmptyNames::kept),
      .body_length = reader.length(),
      .time = reader.timestamp("t"),
      .expires = reader.timestamp("x"),
      .copied_fields = {}};
  reader.check_expiry(signature);
  if (reader.failed()) return error_of(reader);
  for (const std::string& name : signature.signed_fields)
    if (equal_names(name, name_of(FieldKind::seal)))
      return std::unexpected(FieldError{Code::seal_covered, tags->find("h")->value_offset});
  return MessageSignature{*instance, std::move(signature)};
}

Result<Seal, FieldError> parse_seal(std::string_view field_value, const Limits& limits) {
  const std::string text = list_text_of(field_value, limits);
  const auto tags = parse_tags(text, limits);
  if (!tags) return std::unexpected(tags.error());
  const auto instance = instance_of(*tags, limits);
  if (!instance) return std::unexpected(instance.error());
  if (const Tag* fields = tags->find("h"); fields != nullptr)
    return std::unexpected(FieldError{Code::seal_with_fields, fields->value_offset});
  SignatureReader reader(*tags, limits);
  reader.check_required({"a", "b", "cv", "d", "s"});
  const std::optional<DomainName> sdid = reader.sdid();
  const std::optional<DomainName> selector = reader.selector();
  if (!sdid || !selector) return error_of(reader);
  Seal seal{.instance = *instance,
            .algorithm = reader.algorithm(),
            .signature = reader.base64("b"),
            .sdid = *sdid,
            .selector = *selector,
            .time = reader.timestamp("t")};
  if (reader.failed()) return error_of(reader);
  const Tag* status_tag = tags->find("cv");
  const std::optional<ChainStatus> status = chain_status_of(status_tag->value);
  if (!status) return std::unexpected(FieldError{Code::bad_chain_status, status_tag->value_offset});
  seal.chain_status = *status;
  return seal;
}

std::optional<unsigned> read_instance(FieldKind kind, std::string_view field_value,
                                      const Limits& limits) {
  unsigned position = 0;
  if (kind == FieldKind::authentication_results) {
    if (const auto prefix = read_prefix(field_value, limits))
      position = position_of(prefix->digits);
  } else {
    position = position_of(instance_digits_of(list_text_of(field_value, limits)));
  }
  return position == 0 ? std::nullopt : std::optional(position);
}

std::string format_authentication_results(const AuthenticationResults& results) {
  constexpr text::CharClass separates_words = text::is_ctl | text::CharClass(" ");
  text::FoldedField field("ARC-Authentication-Results:");
  field.word("i=" + std::to_string(results.instance) + ";");
  text::Scanner payload(results.payload);
  while (!payload.at_end()) {
    payload.take_while(separates_words);
    field.word(payload.take_until(separates_words));
  }
  return field.text();
}

std::string format_message_signature(const MessageSignature& message_signature) {
  const dkim::Signature& signature = message_signature.signature;
  text::FoldedField field("ARC-Message-Signature:", continuation);
  add_tag(field, "a", to_string(signature.algorithm));
  add_base64(field, "b", signature.signature);
  add_base64(field, "bh", signature.body_hash);
  add_tag(field, "c",
          std::string(to_string(signature.header_canonicalization)) + "/" +
              std::string(to_string(signature.body_canonicalization)));
  add_tag(field, "d", signature.sdid.text());
  add_signed_fields(field, signature.signed_fields);
  add_tag(field, "i", std::to_string(message_signature.instance));
  add_selector_and_times(field, signature.selector, signature.time, signature.expires);
  return field.text();
}

std::string format_seal(const Seal& seal) {
  text::FoldedField field("ARC-Seal:", continuation);
  add_tag(field, "a", to_string(seal.algorithm));
  add_base64(field, "b", seal.signature);
  add_tag(field, "cv", to_string(seal.chain_status));
  add_tag(field, "d", seal.sdid.text());
  add_tag(field, "i", std::to_string(seal.instance));
  add_selector_and_times(field, seal.selector, seal.time);
  return field.text();
}

}  // namespace countersign::arc
