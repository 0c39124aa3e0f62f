// SPDX-License-Identifier: Apache-2.0
//
// The reader, which follows the grammar with a cursor, and the writer, which lets nothing through
// that it does not know to be harmless.

#include "countersign/authres/field.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "countersign/assert.hpp"
#include "countersign/text/cfws.hpp"
#include "countersign/text/utf8.hpp"

namespace countersign::authres {

namespace {

using Code = FieldErrorCode;
using FieldCursor = text::Cursor<Code>;

// Keyword of RFC 5321 §4.1.2, and the underscore of deployed names.
constexpr text::CharClass is_keyword = text::is_let_dig_hyphen;
constexpr text::CharClass is_lenient_keyword = is_keyword | text::CharClass("_");
// What has a meaning outside of quotes, and so belongs to no value without them.
constexpr text::CharClass is_value = (text::is_vchar - text::CharClass("\"\\();")) | text::is_8bit;
constexpr text::CharClass is_id = is_value - text::CharClass("=");
// What may follow a word; a comment may follow a keyword at once, but not a value.
constexpr text::CharClass ends_value = text::is_fws | text::CharClass(";");
constexpr text::CharClass ends_keyword = ends_value | text::CharClass("(");

// --- reading ---

class FieldReader {
 public:
  FieldReader(std::string_view text, const Limits& limits) : cursor_(text), limits_(limits) {}

  Result<Field, FieldError> read() {
    Field field;
    skip_cfws();
    field.authserv_id = read_authserv_id();
    read_version();
    read_results(field);
    if (cursor_.failed()) return std::unexpected(cursor_.error());
    return field;
  }

 private:
  void skip_cfws() {
    if (!text::skip_cfws(cursor_, limits_)) cursor_.fail(Code::bad_comment);
  }

  // True when the word that was just read ends where it should.
  bool at_end_of(const text::CharClass& end) { return cursor_.at_end() || cursor_.at(end); }

  std::string read_authserv_id() {
    std::string id;
    if (cursor_.at('"')) {
      id = read_quoted(Code::bad_authserv_id);
    } else {
      id = cursor_.expect_while(is_id, Code::bad_authserv_id);
    }
    if (id.empty() || !at_end_of(ends_keyword)) cursor_.fail(Code::bad_authserv_id);
    skip_cfws();
    return id;
  }

  // authres-version = 1*DIGIT [CFWS]
  void read_version() {
    if (!cursor_.at(text::is_digit)) return;
    const std::size_t begin = cursor_.offset();
    const std::string_view version = cursor_.take_while(text::is_digit);
    if (version != "1" || !at_end_of(ends_keyword)) cursor_.fail(Code::unknown_version, begin);
    skip_cfws();
  }

  void read_results(Field& field) {
    bool has_none = false;
    std::size_t begin = cursor_.offset();
    cursor_.expect(';', Code::missing_results);
    while (skip_to_result()) {
      begin = cursor_.offset();
      if (has_none) cursor_.fail(Code::none_with_results);
      std::optional<MethodResult> result = read_result();
      has_none = !result;
      if (has_none && !field.results.empty()) cursor_.fail(Code::none_with_results, begin);
      if (field.results.size() == limits_.authres_results_max) cursor_.fail(Code::too_many, begin);
      if (result) field.results.push_back(*std::move(result));
    }
    if (!has_none && field.results.empty()) cursor_.fail(Code::missing_results, begin);
  }

  // Goes to the next result over any number of separators; false at the end.
  bool skip_to_result() {
    do {
      skip_cfws();
    } while (cursor_.accept(';'));
    return !cursor_.at_end();
  }

  // One result, or nothing for the word "none" alone.
  std::optional<MethodResult> read_result() {
    MethodResult result;
    result.method = read_keyword(Code::bad_method);
    skip_cfws();
    if (result.method == "none" && (cursor_.at_end() || cursor_.at(';'))) return std::nullopt;
    if (cursor_.accept('/')) result.version = read_method_version();
    cursor_.expect('=', Code::bad_method);
    skip_cfws();
    result.result = read_keyword(Code::bad_result);
    if (!at_end_of(ends_keyword)) cursor_.fail(Code::bad_result);
    for (skip_cfws(); !cursor_.at_end() && !cursor_.at(';'); skip_cfws()) read_detail(result);
    return result;
  }

  // method-version = 1*DIGIT [CFWS]
  std::uint32_t read_method_version() {
    constexpr std::size_t digits_max = 9;
    skip_cfws();
    const std::string_view digits = cursor_.expect_while(text::is_digit, Code::bad_method);
    if (digits.size() > digits_max) cursor_.fail(Code::bad_method);
    skip_cfws();
    std::uint32_t version = 0;
    for (const char c : digits.substr(0, digits_max))
      version = version * 10 + static_cast<std::uint32_t>(c - '0');
    return version;
  }

  // reasonspec = "reason" [CFWS] "=" [CFWS] value
  // propspec = ptype [CFWS] "." [CFWS] property [CFWS] "=" pvalue
  void read_detail(MethodResult& result) {
    const std::size_t begin = cursor_.offset();
    Property property;
    property.name = read_keyword(Code::bad_property);
    skip_cfws();
    if (cursor_.accept('.')) {
      skip_cfws();
      property.ptype = std::exchange(property.name, read_keyword(Code::bad_property));
      skip_cfws();
    }
    cursor_.expect('=', Code::bad_property);
    property.value = read_value();
    if (property.ptype.empty() && property.name == "reason") {
      if (result.reason) cursor_.fail(Code::bad_property, begin);
      result.reason = std::move(property.value);
      return;
    }
    if (result.properties.size() == limits_.authres_results_max)
      cursor_.fail(Code::too_many, begin);
    result.properties.push_back(std::move(property));
  }

  std::string read_keyword(Code code) {
    return text::to_lower(cursor_.expect_while(is_lenient_keyword, code));
  }

  // pvalue = [CFWS] ((value / [[local-part] "@"] domain-name) [CFWS])
  std::string read_value() {
    // Nothing at all is a null reverse-path to some writers.
    if (at_end_of(text::CharClass(";"))) return {};
    skip_cfws();
    std::string value;
    if (cursor_.at('"')) {
      value = read_quoted(Code::bad_value);
      // A quoted local-part keeps its quotes, so that its end stays visible.
      if (cursor_.at('@')) {
        value = text::quote(value).value_or("");
        value += cursor_.take_while(is_value);
      }
    } else {
      value = cursor_.expect_while(is_value, Code::bad_value);
    }
    if (!at_end_of(ends_value)) cursor_.fail(Code::bad_value);
    return value;
  }

  std::string read_quoted(Code code) {
    std::optional<std::string> content = text::read_quoted_string(cursor_);
    if (!content) cursor_.fail(code);
    return std::move(content).value_or("");
  }

  FieldCursor cursor_;
  const Limits& limits_;
};

// --- writing ---

// Tokens of MIME (RFC 2045 §5.1) without what some reader takes for a quote or an operator.
constexpr text::CharClass is_plain = text::is_alnum | text::CharClass("-._+");

// Keyword = Ldh-str: does not end in a hyphen.
bool is_keyword_text(std::string_view text) {
  return !text.empty() && is_keyword.all_of(text) && text.back() != '-';
}

bool is_dot_atom(std::string_view text) {
  return !text.empty() && !text.starts_with('.') && !text.ends_with('.') && !text.contains("..");
}

// True for a value that every reader ends at the same octet.
bool is_plain_value(std::string_view value) {
  const std::size_t at = value.find('@');
  if (at == value.npos) return !value.empty() && is_plain.all_of(value);
  const std::string_view local_part = value.substr(0, at);
  const std::string_view domain = value.substr(at + 1);
  constexpr text::CharClass is_domain = text::is_let_dig_hyphen | text::CharClass(".");
  return is_plain.all_of(local_part) && (local_part.empty() || is_dot_atom(local_part)) &&
         is_domain.all_of(domain) && is_dot_atom(domain);
}

// The value as it is written, or nothing when it cannot be.
std::optional<std::string> written(std::string_view value, const FormatOptions& options,
                                   const Limits& limits) {
  if (value.size() > limits.authres_value_bytes_max) return std::nullopt;
  if (is_plain_value(value)) return std::string(value);
  const bool has_8bit = std::ranges::any_of(value, [](char c) { return text::is_8bit(c); });
  if (has_8bit && !(options.utf8 && text::is_utf8(value))) return std::nullopt;
  return text::quote(value);
}

// A comment of printable ASCII, its parentheses and backslashes quoted; empty when it is not.
std::string comment_of(std::string_view text, const Limits& limits) {
  constexpr text::CharClass is_comment = text::is_vchar | text::CharClass(" ");
  if (text.empty() || text.size() > limits.authres_value_bytes_max || !is_comment.all_of(text))
    return {};
  std::string comment = "(";
  for (const char c : text) {
    if (!text::is_ctext(c) && c != ' ') comment += '\\';
    comment += c;
  }
  return comment + ')';
}

// The words of one result; none when it cannot be written.
std::vector<std::string> words_of(const MethodResult& result, const FormatOptions& options,
                                  const Limits& limits) {
  std::vector<std::string> words;
  if (!is_keyword_text(result.method) || !is_keyword_text(result.result)) return words;
  const std::string version = result.version == 1 ? "" : "/" + std::to_string(result.version);
  words.push_back(result.method + version + "=" + result.result);
  if (std::string comment = comment_of(result.comment, limits);
      options.comments && !comment.empty())
    words.push_back(std::move(comment));
  if (result.reason)
    if (const auto value = written(*result.reason, options, limits))
      words.push_back("reason=" + *value);
  for (const Property& property : result.properties) {
    if (!is_keyword_text(property.ptype) || !is_keyword_text(property.name)) continue;
    const auto value = written(property.value, options, limits);
    if (value) words.push_back(property.ptype + "." + property.name + "=" + *value);
  }
  return words;
}

}  // namespace

std::string_view to_string(FieldErrorCode code) {
  switch (code) {
    case Code::bad_authserv_id:
      return "the field does not begin with an authserv-id (RFC 8601 §2.2)";
    case Code::unknown_version:
      return "the version behind the authserv-id is not 1, so the field must be ignored "
             "(RFC 8601 §2.2)";
    case Code::missing_results:
      return "no \";\" with a result or \"none\" follows the authserv-id (RFC 8601 §2.2)";
    case Code::none_with_results:
      return "\"none\" stands beside results (RFC 8601 §2.2)";
    case Code::bad_comment:
      return "a comment has no end, or is nested too deep (RFC 5322 §3.2.2)";
    case Code::bad_method:
      return "a result does not begin with a method and \"=\" (RFC 8601 §2.2)";
    case Code::bad_result:
      return "no result word stands behind the \"=\" of a method (RFC 8601 §2.2)";
    case Code::bad_property:
      return "behind a result stands neither reason= nor ptype.property= (RFC 8601 §2.2)";
    case Code::bad_value:
      return "a value is missing or does not end at white space or \";\"; quote it "
             "(RFC 8601 §2.2)";
    case Code::too_many:
      return "the field has more results or properties than are looked at (RFC 8601 §2.2)";
  }
  return "unknown error";
}

const std::string* MethodResult::find(std::string_view ptype, std::string_view name) const {
  const auto found = std::ranges::find_if(properties, [&](const Property& property) {
    return property.ptype == ptype && property.name == name;
  });
  return found == properties.end() ? nullptr : &found->value;
}

Result<Field, FieldError> parse_field(std::string_view field_value, const Limits& limits) {
  return FieldReader(field_value, limits).read();
}

bool is_authserv_id(std::string_view text) {
  constexpr std::size_t octets_max = 255;
  constexpr text::CharClass is_printable = text::is_vchar | text::CharClass(" ");
  return text.size() <= octets_max && is_printable.all_of(text) &&
         std::ranges::any_of(text, [](char c) { return text::is_alnum(c); });
}

std::string format_field(const Field& field, const FormatOptions& options, const Limits& limits) {
  text::FoldedField line("Authentication-Results:");
  append_payload(line, field, options, limits);
  return line.text();
}

void append_payload(text::FoldedField& line, const Field& field, const FormatOptions& options,
                    const Limits& limits) {
  COUNTERSIGN_ASSERT(is_authserv_id(field.authserv_id));
  const bool is_plain_id = is_plain.all_of(field.authserv_id);
  line.word((is_plain_id ? field.authserv_id : text::quote(field.authserv_id).value_or("")) + ";");
  std::vector<std::string> all;
  for (const MethodResult& result : field.results) {
    std::vector<std::string> words = words_of(result, options, limits);
    if (words.empty()) continue;
    if (!all.empty()) all.back() += ';';
    std::ranges::move(words, std::back_inserter(all));
  }
  if (all.empty()) all.emplace_back("none");
  for (const std::string& word : all) line.word(word);
}

}  // namespace countersign::authres
