// SPDX-License-Identifier: Apache-2.0

#include "cli/lint_layout.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "countersign/text/abnf.hpp"

namespace countersign::cli {
namespace {

// What an answer over UDP has room for beside the record, where resolvers ask for the 1232 octets
// that pass every network whole.
constexpr std::size_t udp_record_bytes_max = 1'100;
// More than any name of a tag that we know, and the space behind it.
constexpr std::size_t tag_name_bytes_max = 16;
constexpr std::string_view white_space = " \t\r\n";

/// Judges one string of a record, from begin to end.
void judge_string(std::size_t begin, std::size_t end, LintReport& report) {
  if (end - begin > txt_string_bytes_max)
    report.add(Severity::error, begin + txt_string_bytes_max,
               fmt::format("the string has {} octets, and one string of a TXT record holds {} (RFC "
                           "1035 §3.3.14)",
                           end - begin, txt_string_bytes_max),
               "cut it in two; they are joined without a space");
}

void judge_sizes(const LintText& input, LintReport& report) {
  const std::size_t size = input.text.size();
  const auto& offsets = input.string_offsets;
  for (std::size_t i = 0; i < offsets.size(); ++i)
    judge_string(offsets[i], i + 1 < offsets.size() ? offsets[i + 1] : size, report);
  if (offsets.empty() && size > txt_string_bytes_max)
    report.add(Severity::note, txt_string_bytes_max,
               fmt::format("the record has {} octets, and one string of a TXT record holds {} (RFC "
                           "7208 §3.3)",
                           size, txt_string_bytes_max),
               "publish it as several strings of one record; they are joined without a space");
  if (size > udp_record_bytes_max)
    report.add(Severity::warning, udp_record_bytes_max,
               fmt::format("the record has {} octets; with more than {} it does not fit an answer "
                           "over UDP, and receivers that cannot ask over TCP do not see it",
                           size, udp_record_bytes_max),
               "make it shorter");
}

/// The name of the tag that begins a text, in lower case; empty when none does.
std::string name_at(std::string_view text) {
  const std::size_t equals = text.substr(0, tag_name_bytes_max).find('=');
  if (equals == text.npos) return "";
  // The equals signs at the end of base64 are no tag.
  const std::string_view value = text.substr(equals + 1);
  if (value.empty() || std::string_view("=;").contains(value.front())) return "";
  return text::to_lower(text::trim(text.substr(0, equals), text::is_fws));
}

/// True when the last tag of a text is n=, in which people write what they like.
bool is_in_notes(std::string_view text) {
  const std::size_t semicolon = text.rfind(';');
  return name_at(text::trim(text.substr(semicolon == text.npos ? 0 : semicolon + 1),
                            text::is_fws)) == "n";
}

bool is_strange(char c) { return !text::is_vchar(c) && !text::is_fws(c); }

}  // namespace

void judge_layout(const LintText& input, LintReport& report) {
  judge_sizes(input, report);
  const auto strange = std::ranges::find_if(input.text, is_strange);
  if (strange != input.text.end())
    report.add(
        Severity::warning, static_cast<std::size_t>(strange - input.text.begin()),
        "there is an octet that is no ASCII text; typographic quotes, dashes and spaces that "
        "cannot be seen come from editors",
        "type the record anew as plain text");
  const std::size_t quote = input.text.find_first_of("\"\\");
  if (quote != input.text.npos)
    report.add(Severity::warning, quote,
               "a quote or backslash of a zone file has got into the record itself",
               "publish the record without it");
}

void judge_separators(const LintText& input, std::span<const std::string_view> names,
                      LintReport& report) {
  const std::string_view text = input.text;
  for (std::size_t at = 1; at < text.size(); ++at) {
    const bool joins = std::ranges::binary_search(input.string_offsets, at);
    if (text::is_fws(text[at]) || (!joins && !text::is_fws(text[at - 1]))) continue;
    const std::string_view before = text.substr(0, text.find_last_not_of(white_space, at - 1) + 1);
    if (before.empty() || std::string_view(";=").contains(before.back())) continue;
    const std::string name = name_at(text.substr(at));
    if (std::ranges::find(names, name) == names.end() || is_in_notes(before)) continue;
    report.add(Severity::error, at,
               joins ? fmt::format("two strings join here without a semicolon, so {}= is taken for "
                                   "a part of the tag before it",
                                   name)
                     : fmt::format("there is no semicolon before {}=, so it is taken for a part of "
                                   "the tag before it",
                                   name),
               fmt::format("write a semicolon before {}=", name));
  }
}

}  // namespace countersign::cli
