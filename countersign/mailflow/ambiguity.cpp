// SPDX-License-Identifier: Apache-2.0

#include "countersign/mailflow/ambiguity.hpp"

#include <algorithm>
#include <utility>

#include "countersign/text/abnf.hpp"

namespace countersign::mailflow {

namespace {

constexpr text::CharClass is_field_name = text::is_vchar - text::CharClass(":");

/// Text of a stranger with "?" for all that is not printable, cut to a length that a log can bear.
std::string printable(std::string_view stranger) {
  constexpr std::size_t octets_max = 64;
  std::string out(stranger.substr(0, octets_max));
  std::ranges::replace_if(out, [](char c) { return !text::is_vchar(c) && c != ' '; }, '?');
  return out;
}

/// True when the octets have a NUL, or a CR or LF that is no part of a fold.
bool has_control_octet(std::string_view raw) {
  for (std::size_t at = raw.find_first_of(std::string_view("\0\r\n", 3)); at != raw.npos;
       at = raw.find_first_of(std::string_view("\0\r\n", 3), at)) {
    if (!raw.substr(at).starts_with("\r\n")) return true;
    at += 2;
  }
  return false;
}

/// What is wrong with a field as such, whatever its name means.
std::optional<AmbiguityCode> find_fault(const HeaderField& field) {
  if (has_control_octet(field.raw())) return AmbiguityCode::control_octet;
  if (!field.has_colon()) return AmbiguityCode::stray_line;
  // White space before the colon is obsolete and has to be taken (RFC 5322 §4.5.8).
  const std::string_view before_colon = field.raw().substr(0, field.raw().find(':'));
  const std::string_view name = before_colon.substr(0, before_colon.find_last_not_of(" \t") + 1);
  if (name.empty() || !is_field_name.all_of(name)) return AmbiguityCode::odd_field_name;
  return std::nullopt;
}

void read_author(const Header& header, const Limits& limits, Authorship& authorship) {
  const auto authors = find_authors(header, limits);
  if (!authors) {
    authorship.ambiguities.push_back(
        {AmbiguityCode::unknown_author, std::string(to_string(authors.error().code))});
    return;
  }
  const DomainName& first = authors->front().domain;
  authorship.author = authors->front().address();
  const auto other = std::ranges::find_if(
      *authors, [&first](const Mailbox& author) { return author.domain != first; });
  if (other == authors->end())
    authorship.author_domain = first;
  else
    authorship.ambiguities.push_back(
        {AmbiguityCode::several_author_domains, first.text() + " and " + other->domain.text()});
}

}  // namespace

std::string_view name_of(AmbiguityCode code) {
  switch (code) {
    case AmbiguityCode::unknown_author:
      return "unknown_author";
    case AmbiguityCode::several_author_domains:
      return "several_author_domains";
    case AmbiguityCode::control_octet:
      return "control_octet";
    case AmbiguityCode::stray_line:
      return "stray_line";
    case AmbiguityCode::odd_field_name:
      return "odd_field_name";
    case AmbiguityCode::header_over_limit:
      return "header_over_limit";
  }
  return "unknown";
}

std::string to_string(const Ambiguity& ambiguity) {
  switch (ambiguity.code) {
    case AmbiguityCode::unknown_author:
      return "the author cannot be told: " + ambiguity.detail;
    case AmbiguityCode::several_author_domains:
      return "From has several domains, " + ambiguity.detail + " (RFC 9989 §11.5)";
    case AmbiguityCode::control_octet:
      return "a header field has NUL, or CR or LF alone: " + ambiguity.detail;
    case AmbiguityCode::stray_line:
      return "a line of the header is no field: " + ambiguity.detail;
    case AmbiguityCode::odd_field_name:
      return "a name of a field is none: " + ambiguity.detail;
    case AmbiguityCode::header_over_limit:
      return "the header is not read to its end: " + ambiguity.detail;
  }
  return ambiguity.detail;
}

Authorship find_authorship(const Header& header, std::optional<SplitErrorCode> over_limit,
                           const Limits& limits) {
  Authorship authorship;
  // What was cut off may have been another From.
  if (over_limit)
    authorship.ambiguities.push_back(
        {AmbiguityCode::header_over_limit, std::string(to_string(*over_limit))});
  read_author(header, limits, authorship);
  for (const HeaderField& field : header) {
    const std::optional<AmbiguityCode> fault = find_fault(field);
    if (!fault) continue;
    authorship.ambiguities.push_back({*fault, printable(field.raw())});
    break;  // One is enough, and a message may have a thousand.
  }
  return authorship;
}

void LineEndWatch::body(std::string_view chunk) {
  if (found_ || chunk.empty()) return;
  found_ = (cr_waits_ && chunk.front() != '\n') || chunk.find('\0') != chunk.npos;
  for (std::size_t lf = chunk.find('\n'); lf != chunk.npos && !found_;
       lf = chunk.find('\n', lf + 1))
    found_ = lf == 0 ? !cr_waits_ : chunk[lf - 1] != '\r';
  for (std::size_t cr = chunk.find('\r'); cr != chunk.npos && cr + 1 < chunk.size() && !found_;
       cr = chunk.find('\r', cr + 1))
    found_ = chunk[cr + 1] != '\n';
  cr_waits_ = chunk.back() == '\r';
}

}  // namespace countersign::mailflow
