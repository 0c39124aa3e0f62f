// SPDX-License-Identifier: Apache-2.0
//
// What `countersign lint` finds in one record or field: its parts, and what is wrong with them.
// Each kind of text has a file of its own that reads it.

#pragma once

#include <boost/json.hpp>
#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "countersign/limits.hpp"
#include "service/config/problem.hpp"

namespace countersign::cli {

using service::config::Severity;

/// Octets of one string of a TXT record at most; longer texts are published as several.
/// RFC 1035 §3.3.14
inline constexpr std::size_t txt_string_bytes_max = 255;

/// What is judged, and what is known besides.
struct LintText {
  std::string_view text;
  /// Where each string of a TXT record begins, when the text was given as a zone file has it, in
  /// strings that are joined without anything between; octets from the start of the text.
  std::vector<std::size_t> string_offsets;
  std::chrono::sys_seconds now;  ///< when it is judged
};

/// One thing that is wrong, or worth a word.
struct LintProblem {
  std::size_t offset = 0;  ///< of what is at fault, octets from the start of the text
  Severity severity = Severity::warning;
  std::string message;  ///< what is wrong and which section says so, without an end stop
  std::string remedy;   ///< what to do about it, without an end stop
};

/// One part of a text.
struct LintPart {
  std::size_t offset = 0;  ///< octets from the start of the text
  std::string text;        ///< a stranger's
  std::string meaning;     ///< for people; may be empty
};

/// A text taken apart.
struct LintReport {
  bool usable = false;  ///< receivers can use it for what it is meant for
  std::vector<LintPart> parts;
  std::vector<LintProblem> problems;  ///< by their places
  /// What programs want to know of this kind of text; `problems` is added to it.
  boost::json::object facts;

  /// Adds a problem.
  void add(Severity severity, std::size_t offset, std::string message, std::string remedy);
};

/// Judges an SPF record. Facts: {valid, terms: [{offset, text, qualifier, name, value, asks_dns}]}.
/// RFC 7208
[[nodiscard]] LintReport lint_spf(const LintText& input, const Limits& limits);

/// Judges a DMARC record. Facts: {usable, policy, published, tags}.
/// RFC 9989 §4.7
[[nodiscard]] LintReport lint_dmarc(const LintText& input, const Limits& limits);

/// Judges a key record, or a DKIM-Signature field when the text has b= or bh=. Facts: {kind,
/// usable, tags} and key_type, key_bits of a key; {kind, usable, tags, algorithm, sdid, selector,
/// signed_fields} of a signature.
/// RFC 6376 §3.5, §3.6.1
[[nodiscard]] LintReport lint_dkim(const LintText& input, const Limits& limits);

/// Judges the value of an Authentication-Results field. Facts: {parses, authserv_id, results}.
/// RFC 8601
[[nodiscard]] LintReport lint_authres(const LintText& input, const Limits& limits);

/// Octets of the name of a field and its colon at the start of a text; 0 when it has another or
/// none.
[[nodiscard]] std::size_t field_name_size(std::string_view text, std::string_view name);

}  // namespace countersign::cli
