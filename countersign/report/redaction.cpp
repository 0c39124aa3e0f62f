// SPDX-License-Identifier: Apache-2.0

#include "countersign/report/redaction.hpp"

#include <algorithm>
#include <array>

#include "countersign/crypto/digest.hpp"
#include "countersign/message/author.hpp"
#include "countersign/text/abnf.hpp"
#include "countersign/text/tag_list.hpp"

namespace countersign::report {

namespace {

constexpr std::size_t digest_octets = 10;

constexpr std::array<std::string_view, 5> address_fields = {"From", "Sender", "Reply-To", "To",
                                                            "Cc"};
constexpr std::array<std::string_view, 3> signature_fields = {"DKIM-Signature", "ARC-Seal",
                                                              "ARC-Message-Signature"};
constexpr std::array<std::string_view, 4> other_fields = {"Return-Path", "Date", "Message-ID",
                                                          "List-Id"};
constexpr std::array<std::string_view, 4> property_types = {"smtp.", "header.", "body.", "policy."};

bool is_one_of(const HeaderField& field, auto names) {
  return std::ranges::any_of(names, [&field](std::string_view name) { return field.is(name); });
}

/// Where the local part before an "@" begins.
std::size_t begin_of_local_part(std::string_view text, std::size_t at) {
  std::size_t begin = at;
  if (begin > 0 && text[begin - 1] == '"') {
    // Back over quoted text; a quote behind a backslash is part of it.
    for (--begin; begin > 0; --begin)
      if (text[begin - 1] == '"' && (begin < 2 || text[begin - 2] != '\\')) return begin - 1;
    return 0;
  }
  while (begin > 0 && text::is_dot_atom(text[begin - 1])) --begin;
  return begin;
}

/// Octets of a tag or property that lead a value: "i=", "smtp.mailfrom=".
std::size_t length_of_name(std::string_view run) {
  const std::size_t equals = run.find('=');
  if (equals == run.npos) return 0;
  const bool is_tag = equals == 1 && text::is_alpha(run.front());
  const bool is_property = std::ranges::any_of(
      property_types, [run](std::string_view type) { return run.starts_with(type); });
  return is_tag || is_property ? equals + 1 : 0;
}

/// A Received field without the login of whoever sent the message, which is a name even where it is
/// no address. Postfix writes it as "(Authenticated sender: joe)".
std::string without_login(const Redactor& redactor, std::string_view text) {
  constexpr std::string_view label = "(Authenticated sender: ";
  const std::size_t found = text.find(label);
  if (found == text.npos) return std::string(text);
  const std::size_t begin = found + label.size();
  const std::size_t end = std::min(text.find(')', begin), text.size());
  return std::string(text.substr(0, begin)) + redactor.local_part(text.substr(begin, end - begin)) +
         std::string(text.substr(end));
}

}  // namespace

std::string Redactor::local_part(std::string_view local_part) const {
  constexpr std::string_view digits = "0123456789abcdef";
  const crypto::Sha256 digest = crypto::hmac_sha256(key_, local_part);
  std::string letters;
  for (std::size_t i = 0; i < digest_octets; ++i) {
    letters += digits[digest[i] >> 4U];
    letters += digits[digest[i] & 15U];
  }
  return letters;
}

std::string Redactor::text(std::string_view text) const {
  std::string out;
  std::size_t done = 0;
  for (std::size_t at = text.find('@'); at != text.npos; at = text.find('@', at + 1)) {
    std::size_t begin = std::max(begin_of_local_part(text, at), done);
    begin += length_of_name(text.substr(begin, at - begin));
    out += text.substr(done, begin - done);
    if (begin < at) out += local_part(text.substr(begin, at - begin));
    done = at;
  }
  return out.append(text.substr(done));
}

std::string Redactor::field(const HeaderField& field, const Limits& limits) const {
  if (is_one_of(field, address_fields)) {
    std::string out = std::string(field.name()) + ":";
    const auto mailboxes = parse_mailbox_list(field.value(), limits);
    if (!mailboxes) return out + " (redacted)";
    for (const Mailbox& one : *mailboxes) {
      out += &one == &mailboxes->front() ? " " : ",\r\n ";
      out += local_part(one.local_part) + "@" + one.domain.text();
    }
    return out;
  }
  if (is_one_of(field, signature_fields)) {
    const auto tags = text::parse_tag_list(field.value(), limits);
    return !tags || tags->find("z") != nullptr ? "" : text(field.raw());
  }
  if (field.is("Received")) return text(without_login(*this, field.raw()));
  return is_one_of(field, other_fields) ? text(field.raw()) : "";
}

std::string Redactor::header(const Header& header, const Limits& limits) const {
  std::string out;
  for (const HeaderField& one : header) {
    const std::string kept = field(one, limits);
    if (!kept.empty()) out += kept + "\r\n";
  }
  return out;
}

}  // namespace countersign::report
