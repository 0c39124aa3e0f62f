// SPDX-License-Identifier: Apache-2.0

#include "countersign/report/redaction.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <optional>

#include "countersign/crypto/digest.hpp"
#include "countersign/dkim/quoted_printable.hpp"
#include "countersign/domain/address.hpp"
#include "countersign/domain/name.hpp"
#include "countersign/message/author.hpp"
#include "countersign/report/trace.hpp"
#include "countersign/text/abnf.hpp"
#include "countersign/text/fold.hpp"
#include "countersign/text/tag_list.hpp"

namespace countersign::report {

namespace {

constexpr std::size_t digest_octets = 10;

constexpr std::array<std::string_view, 5> address_fields = {"From", "Sender", "Reply-To", "To",
                                                            "Cc"};
constexpr std::array<std::string_view, 3> signature_fields = {"DKIM-Signature", "ARC-Seal",
                                                              "ARC-Message-Signature"};
constexpr std::array<std::string_view, 2> path_fields = {"Return-Path", "Message-ID"};
constexpr std::array<std::string_view, 4> property_types = {"smtp.", "header.", "body.", "policy."};

/// What the tags of a signature may be made of. RFC 6376 §3.5, RFC 6651 §3.1, RFC 8617 §4.1
struct KnownTags {
  std::string_view names;
  text::CharClass octets;
};
constexpr std::array<KnownTags, 4> known_tags = {{
    {" v a c q r cv ", text::is_alnum | text::CharClass("-/:")},
    {" t x l i ", text::is_digit},
    {" b bh ", text::is_base64 | text::CharClass("=")},
    {" h ", text::is_alnum | text::CharClass("-_:")},
}};

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

/// Finds the quoted string that an octet is in, for ever later octets of one text.
class Quotes {
 public:
  explicit Quotes(std::string_view text) : text_(text) {}

  /// Where the string begins, behind its quote; nothing for an octet in none.
  std::optional<std::size_t> begin_at(std::size_t at) {
    for (; done_ < at; ++done_) {
      if (begin_ && text_[done_] == '\\')
        ++done_;
      else if (text_[done_] == '"')
        begin_ = begin_ ? std::nullopt : std::optional(done_ + 1);
    }
    return begin_;
  }

 private:
  std::string_view text_;
  std::size_t done_ = 0;
  std::optional<std::size_t> begin_;
};

/// Octets of a tag or property that lead a value: "i=", "smtp.mailfrom=".
std::size_t length_of_name(std::string_view run) {
  const std::size_t equals = run.find('=');
  if (equals == run.npos) return 0;
  const bool is_tag = equals == 1 && text::is_alpha(run.front());
  const bool is_property = std::ranges::any_of(
      property_types, [run](std::string_view type) { return run.starts_with(type); });
  return is_tag || is_property ? equals + 1 : 0;
}

/// A domain as A-labels or an address literal; empty for anything else.
std::string domain_or_literal(std::string_view text) {
  if (text.starts_with('[') && IpAddress::parse(text)) return std::string(text);
  const auto name = DomainName::parse_host(text);
  return name ? name->text() : "";
}

/// What stands between the last "<" and the last ">"; nothing without them.
std::optional<std::string_view> in_angles(std::string_view value) {
  const std::size_t begin = value.rfind('<');
  const std::size_t end = value.rfind('>');
  if (begin == value.npos || end == value.npos || end < begin) return std::nullopt;
  return value.substr(begin + 1, end - begin - 1);
}

/// The identifier of a list without the phrase before it; empty without one. RFC 2919 §3
std::string list_id(std::string_view value) {
  const auto name = DomainName::parse(in_angles(value).value_or(""));
  return name ? "<" + name->text() + ">" : "";
}

std::string without_folding(std::string_view value) {
  std::string out;
  std::ranges::copy_if(value, std::back_inserter(out), [](char c) { return !text::is_fws(c); });
  return out;
}

/// The value of a tag that can hold no name of a person; nothing when it is none of these.
std::optional<std::string> known_value(const text::Tag& tag) {
  const std::string value = without_folding(tag.value);
  if (tag.name == "d" || tag.name == "s") {
    const auto name = DomainName::parse_host(value);
    return name ? std::optional(name->text()) : std::nullopt;
  }
  const std::string name = " " + std::string(tag.name) + " ";
  for (const KnownTags& known : known_tags)
    if (known.names.contains(name) && known.octets.all_of(value)) return value;
  return std::nullopt;
}

/// Adds a tag that may be longer than a line, broken where its grammar lets it be.
void add_tag(text::FoldedField& field, std::string_view name, std::string_view value) {
  const std::string tag = std::string(name) + "=";
  if (name == "b" || name == "bh") {
    field.word(tag).run(value);
  } else if (name == "h") {
    field.word(tag);
    while (!value.empty()) {
      const std::size_t end = std::min(value.find(':'), value.size() - 1) + 1;
      field.part(value.substr(0, end));
      value.remove_prefix(end);
    }
  } else {
    field.word(tag + std::string(value));
  }
  field.part(";");
}

/// The client of a "from" clause: "a.example (b.example [192.0.2.1])".
void add_client(text::FoldedField& field, const Trace& trace) {
  if (!trace.client_ip) return;
  const std::string address = recognized_host(trace.client_ip->to_string());
  const std::string& name = trace.from.empty() ? address : trace.from;
  const std::string host = trace.client_host.empty() ? "" : trace.client_host + " ";
  field.word("from " + name);
  if (!host.empty() || name != address) field.word("(" + host + address + ")");
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

std::string Redactor::address(std::string_view address) const {
  if (address.empty()) return {};
  const std::size_t at = address.rfind('@');
  const std::string domain = at == address.npos ? "" : domain_or_literal(address.substr(at + 1));
  if (domain.empty()) return local_part(address);
  return (at == 0 ? "" : local_part(address.substr(0, at))) + "@" + domain;
}

std::string Redactor::text(std::string_view text) const {
  std::string out;
  std::size_t done = 0;
  Quotes quotes(text);
  for (std::size_t at = text.find('@'); at != text.npos; at = text.find('@', at + 1)) {
    const std::size_t quote = quotes.begin_at(at).value_or(at);
    std::size_t begin = std::max(quote < at ? quote : begin_of_local_part(text, at), done);
    begin += length_of_name(text.substr(begin, at - begin));
    out += text.substr(done, begin - done);
    if (begin < at) out += local_part(text.substr(begin, at - begin));
    done = at;
  }
  return out.append(text.substr(done));
}

std::string Redactor::mailboxes(std::string_view value, const Limits& limits) const {
  const auto mailboxes = parse_mailbox_list(value, limits);
  if (!mailboxes) return "(redacted)";
  std::string out;
  for (const Mailbox& one : *mailboxes) {
    if (!out.empty()) out += ",\r\n ";
    out += local_part(one.local_part) + "@" + one.domain.text();
  }
  return out;
}

std::string Redactor::signature(const HeaderField& field, const Limits& limits) const {
  const auto tags = text::parse_tag_list(field.value(), limits);
  if (!tags) return {};
  const std::string name = std::string(field.name()) + ":";
  text::FoldedField out(name);
  for (const text::Tag& tag : tags->tags()) {
    const bool is_auid = tag.name == "i" && field.is("DKIM-Signature");
    const std::optional<std::string> value =
        is_auid ? address(dkim::decode_quoted_printable(tag.value)) : known_value(tag);
    if (value) add_tag(out, tag.name, *value);
  }
  return out.text() == name ? "" : out.text();
}

std::string Redactor::received(std::string_view value, const Limits& limits) const {
  const Trace trace = parse_received(value, limits);
  constexpr std::string_view name = "Received:";
  text::FoldedField field(name);
  add_client(field, trace);
  if (!trace.login.empty()) field.word("(Authenticated sender: " + local_part(trace.login) + ")");
  if (!trace.by.empty()) field.word("by " + trace.by);
  if (!trace.with.empty()) field.word("with " + trace.with);
  if (!trace.recipient.empty()) field.word("for <" + address(trace.recipient) + ">");
  if (!trace.date.empty()) field.part(";").word(trace.date);
  if (field.text() == name) field.word("(redacted)");
  return field.text();
}

std::string Redactor::field(const HeaderField& field, const Limits& limits) const {
  if (is_one_of(field, signature_fields)) return signature(field, limits);
  const std::string_view value = text::trim(field.value(), text::is_fws);
  if (field.is("Received")) return received(value, limits);
  std::string kept;
  if (is_one_of(field, address_fields)) kept = mailboxes(field.value(), limits);
  if (is_one_of(field, path_fields)) kept = "<" + address(in_angles(value).value_or(value)) + ">";
  if (field.is("List-Id")) kept = list_id(value);
  if (field.is("Date")) kept = recognized_date(value, limits);
  return kept.empty() ? "" : std::string(field.name()) + ": " + kept;
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
