// SPDX-License-Identifier: Apache-2.0
//
// Reads and writes key records.

#include "countersign/dkim/key_record.hpp"

#include <algorithm>

#include "countersign/dkim/quoted_printable.hpp"
#include "countersign/text/abnf.hpp"
#include "countersign/text/base64.hpp"
#include "countersign/text/tag_list.hpp"

namespace countersign::dkim {

namespace {

using Code = KeyRecordErrorCode;
using text::Tag;
using Outcome = countersign::Result<KeyRecord, KeyRecordError>;

std::unexpected<KeyRecordError> error(Code code, std::size_t offset) {
  return std::unexpected(KeyRecordError{code, offset});
}

// The words of a list with ":" between them; none for a tag that is absent or empty.
std::vector<std::string> words_of(const Tag* tag) {
  std::vector<std::string> words;
  std::string_view rest = tag != nullptr ? tag->value : std::string_view();
  while (!rest.empty()) {
    const std::size_t colon = std::min(rest.find(':'), rest.size());
    const std::string_view word = text::trim(rest.substr(0, colon), text::is_fws);
    if (!word.empty()) words.emplace_back(word);
    rest.remove_prefix(std::min(colon + 1, rest.size()));
  }
  return words;
}

bool has(const std::vector<std::string>& words, std::string_view word) {
  return std::ranges::find(words, word) != words.end();
}

// v= may be absent. If present it comes first, and is compared octet by octet.
std::optional<std::size_t> misplaced_version(const text::TagList& tags) {
  const Tag* version = tags.find("v");
  if (version == nullptr) return std::nullopt;
  if (version == &tags.tags().front() && version->value == "DKIM1") return std::nullopt;
  return version->value_offset;
}

bool serves_email(const Tag* service) {
  const std::vector<std::string> services = words_of(service);
  return services.empty() || has(services, "*") || has(services, "email");
}

std::optional<crypto::KeyType> key_type_of(const Tag* type) {
  if (type == nullptr) return crypto::KeyType::rsa;
  for (const crypto::KeyType known : {crypto::KeyType::rsa, crypto::KeyType::ed25519})
    if (type->value == crypto::to_string(known)) return known;
  return std::nullopt;
}

countersign::Result<crypto::PublicKey, KeyRecordError> decode_key(const Tag& data,
                                                                  crypto::KeyType type,
                                                                  const Limits& limits) {
  const auto octets = text::decode_base64(data.value);
  if (!octets) return error(Code::bad_base64, data.value_offset + octets.error().offset);
  auto key = type == crypto::KeyType::rsa ? crypto::PublicKey::parse_rsa(*octets, limits)
                                          : crypto::PublicKey::parse_ed25519(*octets);
  if (!key) return error(Code::bad_key, data.value_offset);
  return *std::move(key);
}

void append_tag(std::string& text, std::string_view name, std::string_view value) {
  if (!text.empty()) text += "; ";
  ((text += name) += '=') += value;
}

std::string joined(const std::vector<std::string>& words) {
  std::string list;
  for (const std::string& word : words) {
    if (!list.empty()) list += ':';
    list += word;
  }
  return list;
}

}  // namespace

std::string_view to_string(KeyRecordErrorCode code) {
  switch (code) {
    case Code::too_long:
      return "the key record is longer than any key needs";
    case Code::bad_tag_list:
      return "the key record is no tag=value list, has a tag twice, or a \";\" too many (RFC 6376 "
             "§3.6.1)";
    case Code::bad_version:
      return "v= of the key record is not DKIM1 or does not come first (RFC 6376 §3.6.1)";
    case Code::missing_key:
      return "the key record has no p= (RFC 6376 §3.6.1)";
    case Code::revoked:
      return "the key was revoked: p= is empty (RFC 6376 §3.6.1)";
    case Code::bad_base64:
      return "p= of the key record is no base64 (RFC 6376 §3.6.1)";
    case Code::unknown_key_type:
      return "k= of the key record is neither rsa nor ed25519 (RFC 6376 §3.6.1, RFC 8463 §4)";
    case Code::bad_key:
      return "p= of the key record holds no key of the type of k= (RFC 6376 §3.6.1)";
    case Code::wrong_service:
      return "s= of the key record does not name email (RFC 6376 §3.6.1)";
  }
  return "unknown error";
}

bool KeyRecord::allows_sha256() const {
  return hash_algorithms.empty() || has(hash_algorithms, "sha256");
}

countersign::Result<KeyRecord, KeyRecordError> parse_key_record(std::string_view text,
                                                                const Limits& limits) {
  if (text.size() > limits.key_record_bytes_max)
    return error(Code::too_long, limits.key_record_bytes_max);
  // Octet for octet, so that offsets stay those of the record.
  std::string spaced(text);
  for (char& c : spaced)
    if (c == '\r' || c == '\n') c = ' ';
  const auto tags = text::parse_tag_list(spaced, limits);
  if (!tags) return error(Code::bad_tag_list, tags.error().offset);
  if (const auto offset = misplaced_version(*tags)) return error(Code::bad_version, *offset);

  const Tag* service = tags->find("s");
  if (!serves_email(service)) return error(Code::wrong_service, service->value_offset);
  const Tag* data = tags->find("p");
  if (data == nullptr) return error(Code::missing_key, text.size());
  if (data->value.empty()) return error(Code::revoked, data->value_offset);
  const Tag* type_tag = tags->find("k");
  const auto type = key_type_of(type_tag);
  if (!type) return error(Code::unknown_key_type, type_tag->value_offset);
  auto key = decode_key(*data, *type, limits);
  if (!key) return std::unexpected(key.error());

  const std::vector<std::string> flags = words_of(tags->find("t"));
  const Tag* notes = tags->find("n");
  return KeyRecord{.key = *std::move(key),
                   .hash_algorithms = words_of(tags->find("h")),
                   .testing = has(flags, "y"),
                   .strict_auid = has(flags, "s"),
                   .notes = notes != nullptr ? decode_quoted_printable(notes->value) : ""};
}

std::string format_key_record(const KeyRecordText& record) {
  std::string text;
  append_tag(text, "v", "DKIM1");
  if (!record.notes.empty()) append_tag(text, "n", encode_quoted_printable(record.notes));
  if (!record.hash_algorithms.empty()) append_tag(text, "h", joined(record.hash_algorithms));
  append_tag(text, "k", crypto::to_string(record.type));
  if (record.testing || record.strict_auid)
    append_tag(text, "t",
               record.testing && record.strict_auid ? "y:s"
               : record.testing                     ? "y"
                                                    : "s");
  if (record.restrict_to_email) append_tag(text, "s", "email");
  append_tag(text, "p", text::encode_base64(record.public_octets));
  return text;
}

}  // namespace countersign::dkim
