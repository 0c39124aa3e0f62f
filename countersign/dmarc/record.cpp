// SPDX-License-Identifier: Apache-2.0
//
// Reads DMARC records tag by tag. The tag lists of DKIM (text/tag_list.hpp) are void as a whole
// when one tag is malformed; here only that tag is, so the text is cut at its semicolons first.

#include "countersign/dmarc/record.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "countersign/domain/name.hpp"
#include "countersign/text/abnf.hpp"

namespace countersign::dmarc {

namespace {

using Problem = RecordProblemCode;

// dmarc-value = %x20-3A / %x3C-7E, with tabs where WSP may stand.
constexpr text::CharClass is_value = (text::is_vchar - text::CharClass(";")) | text::is_wsp;
// scheme of RFC 3986 §3.1 after its first letter.
constexpr text::CharClass is_scheme = text::is_alnum | text::CharClass("+-.");
// reserved and unreserved of RFC 3986 §2.2 and §2.3 and "%"; "," and "!" must be encoded in a list.
constexpr text::CharClass is_uri = text::is_alnum | text::CharClass("-._~:/?#[]@$&'()*+;=%");
// A number that no size needs is no size.
constexpr std::size_t size_digits_max = 20;

constexpr std::array<std::string_view, 3> removed_tags = {"pct", "rf", "ri"};

// One piece between semicolons.
struct Piece {
  std::string_view name;   // without white space, as written
  std::string_view value;  // without white space around it
  std::size_t name_offset = 0;
  std::size_t value_offset = 0;
};

template <class List>
bool holds(const List& list, std::string_view word) {
  return std::ranges::find(list, word) != list.end();
}

std::size_t offset_in(std::string_view text, std::string_view part) {
  return static_cast<std::size_t>(part.data() - text.data());
}

Piece read_piece(std::string_view text, std::string_view piece) {
  const std::size_t equals = std::min(piece.find('='), piece.size());
  Piece result;
  result.name = text::trim(piece.substr(0, equals), text::is_fws);
  result.name_offset = offset_in(text, result.name);
  if (equals == piece.size()) {
    result.value_offset = result.name_offset;
    return result;
  }
  result.value = text::trim(piece.substr(equals + 1), text::is_fws);
  result.value_offset = offset_in(text, result.value);
  return result;
}

// Without the white space before v= that read_piece() would forgive.
bool is_version(const Piece& piece) {
  return piece.name_offset == 0 && text::equal_ignoring_case(piece.name, "v") &&
         piece.value == "DMARC1";
}

bool is_percent_encoded(std::string_view text) {
  for (std::size_t at = text.find('%'); at != text.npos; at = text.find('%', at + 1)) {
    const std::string_view digits = text.substr(at + 1, 2);
    if (digits.size() != 2 || !text::is_hex_digit.all_of(digits)) return false;
  }
  return true;
}

// What mailto: names is an address, or several; it must at least have a domain to send to.
bool has_mail_domain(std::string_view rest) {
  const std::string_view address = rest.substr(0, rest.find('?'));
  const std::size_t at = address.rfind('@');
  return at != address.npos && at > 0 && DomainName::parse(address.substr(at + 1)).has_value();
}

bool is_uri_text(std::string_view uri) {
  const std::size_t colon = uri.find(':');
  if (colon == uri.npos || colon == 0 || !text::is_alpha(uri.front())) return false;
  const std::string_view scheme = uri.substr(0, colon);
  const std::string_view rest = uri.substr(colon + 1);
  if (!is_scheme.all_of(scheme) || rest.empty()) return false;
  if (!is_uri.all_of(rest) || !is_percent_encoded(rest)) return false;
  return !text::equal_ignoring_case(scheme, "mailto") || has_mail_domain(rest);
}

// obs-dmarc-report-size = 1*DIGIT ["k" / "m" / "g" / "t"]
bool is_obsolete_size(std::string_view size) {
  constexpr text::CharClass is_unit("kmgtKMGT");
  if (!size.empty() && is_unit(size.back())) size.remove_suffix(1);
  return !size.empty() && size.size() <= size_digits_max && text::is_digit.all_of(size);
}

std::optional<AssessmentPolicy> policy_of(std::string_view word) {
  for (const auto known :
       {AssessmentPolicy::none, AssessmentPolicy::quarantine, AssessmentPolicy::reject})
    if (text::equal_ignoring_case(word, to_string(known))) return known;
  return std::nullopt;
}

// Calls take(item) for each item of a list, trimmed.
template <class Take>
void split(std::string_view list, char separator, Take take) {
  for (;;) {
    const std::size_t end = list.find(separator);
    take(text::trim(list.substr(0, end), text::is_fws));
    if (end == list.npos) return;
    list.remove_prefix(end + 1);
  }
}

// RFC 7489 lets a digit and letters stand together. Of 0 and 1 there may be one; of d and s one
// each.
std::optional<FailureOptions> failure_options_of(std::string_view list) {
  FailureOptions options{.all = false};
  bool has_base = false;
  bool valid = true;
  split(list, ':', [&](std::string_view option) {
    const char letter = option.size() == 1 ? text::to_lower(option.front()) : '\0';
    if (letter == '0' || letter == '1') {
      valid = valid && !std::exchange(has_base, true);
      (letter == '1' ? options.any : options.all) = true;
    } else if (letter == 'd') {
      valid = valid && !std::exchange(options.dkim, true);
    } else if (letter == 's') {
      valid = valid && !std::exchange(options.spf, true);
    } else {
      valid = false;
    }
  });
  return valid ? std::optional(options) : std::nullopt;
}

// The record in the making, one piece after the other.
class RecordReader {
 public:
  RecordReader(std::string_view text, const Limits& limits) : text_(text), limits_(limits) {}

  void read(const Piece& piece) {
    if (!has_grammar(piece)) return note(Problem::bad_tag, piece, piece.name_offset);
    const std::string name = text::to_lower(piece.name);
    if (name == "v" || holds(seen_, name)) return repeat(piece, name);
    seen_.push_back(name);
    if (!read_policy(piece, name) && !read_choice(piece, name)) read_rest(piece, name);
  }

  Record finish() {
    for (const std::string& name : repeated_) reset(name);
    if (!has("p") && !has_problem_of("p")) note({Problem::missing_policy, "p", 0});
    if (has("fo") && !has("ruf")) note({Problem::unused_tag, "fo", 0});
    return std::move(record_);
  }

 private:
  // dmarc-tag = 1*ALPHA equals dmarc-value
  static bool has_grammar(const Piece& piece) {
    return !piece.name.empty() && text::is_alpha.all_of(piece.name) && !piece.value.empty() &&
           is_value.all_of(piece.value);
  }

  [[nodiscard]] bool has(std::string_view name) const { return holds(seen_, name); }
  [[nodiscard]] bool has_problem_of(std::string_view name) const {
    return std::ranges::find(record_.problems, name, &RecordProblem::tag) != record_.problems.end();
  }

  void note(RecordProblem problem) { record_.problems.push_back(std::move(problem)); }
  void note(Problem code, const Piece& piece, std::size_t offset) {
    const bool named = text::is_alpha.all_of(piece.name);
    note({code, named ? text::to_lower(piece.name) : std::string(), offset});
  }

  void repeat(const Piece& piece, const std::string& name) {
    note(Problem::repeated_tag, piece, piece.name_offset);
    if (!holds(repeated_, name)) repeated_.push_back(name);
  }

  bool read_policy(const Piece& piece, std::string_view name) {
    std::optional<AssessmentPolicy>* policy = policy_slot(name);
    if (policy == nullptr) return false;
    *policy = policy_of(piece.value);
    if (!*policy) note(Problem::bad_policy, piece, piece.value_offset);
    return true;
  }

  std::optional<AssessmentPolicy>* policy_slot(std::string_view name) {
    if (name == "p") return &record_.p;
    if (name == "sp") return &record_.sp;
    if (name == "np") return &record_.np;
    return nullptr;
  }

  // The tags of one letter out of a few.
  bool read_choice(const Piece& piece, std::string_view name) {
    const char letter = piece.value.size() == 1 ? text::to_lower(piece.value.front()) : '\0';
    bool known = false;
    if (name == "adkim" || name == "aspf") {
      known = letter == 'r' || letter == 's';
      (name == "adkim" ? record_.adkim : record_.aspf) =
          letter == 's' ? Alignment::strict : Alignment::relaxed;
    } else if (name == "t") {
      known = letter == 'y' || letter == 'n';
      record_.testing = letter == 'y';
    } else if (name == "psd") {
      known = letter == 'y' || letter == 'n' || letter == 'u';
      record_.psd = letter == 'y' ? Psd::y : letter == 'n' ? Psd::n : Psd::u;
    } else {
      return false;
    }
    if (!known) note(Problem::bad_value, piece, piece.value_offset);
    return true;
  }

  void read_rest(const Piece& piece, std::string_view name) {
    if (name == "rua") return read_uris(piece, record_.rua);
    if (name == "ruf") return read_uris(piece, record_.ruf);
    if (name != "fo") {
      const bool removed = holds(removed_tags, name);
      return note(removed ? Problem::removed_tag : Problem::unknown_tag, piece, piece.name_offset);
    }
    const std::optional<FailureOptions> options = failure_options_of(piece.value);
    if (!options) return note(Problem::bad_value, piece, piece.value_offset);
    record_.fo = *options;
  }

  void read_uris(const Piece& piece, std::vector<std::string>& uris) {
    std::size_t items = 0;
    split(piece.value, ',', [&](std::string_view item) {
      if (items++ >= limits_.report_uris_max) return;
      const std::size_t offset = offset_in(text_, item);
      const std::size_t mark = item.find('!');
      const std::string_view uri = text::trim(item.substr(0, mark), text::is_fws);
      const bool has_size = mark != item.npos;
      if (!is_uri_text(uri) || (has_size && !is_obsolete_size(item.substr(mark + 1))))
        return note(Problem::bad_uri, piece, offset);
      if (has_size) note(Problem::obsolete_size, piece, offset + mark);
      uris.emplace_back(uri);
    });
    if (items > limits_.report_uris_max) note(Problem::too_many_uris, piece, piece.value_offset);
  }

  // A tag that was given twice has no value: choosing one would be a guess.
  void reset(std::string_view name) {
    const Record fresh;
    if (auto* policy = policy_slot(name)) *policy = std::nullopt;
    if (name == "adkim") record_.adkim = fresh.adkim;
    if (name == "aspf") record_.aspf = fresh.aspf;
    if (name == "t") record_.testing = fresh.testing;
    if (name == "psd") record_.psd = fresh.psd;
    if (name == "rua") record_.rua.clear();
    if (name == "ruf") record_.ruf.clear();
    if (name == "fo") record_.fo = fresh.fo;
  }

  std::string_view text_;
  const Limits& limits_;
  Record record_;
  std::vector<std::string> seen_;
  std::vector<std::string> repeated_;
};

bool is_policy_tag(std::string_view name) { return name == "p" || name == "sp" || name == "np"; }

}  // namespace

std::string_view to_string(AssessmentPolicy policy) {
  switch (policy) {
    case AssessmentPolicy::none:
      return "none";
    case AssessmentPolicy::quarantine:
      return "quarantine";
    case AssessmentPolicy::reject:
      return "reject";
  }
  return "none";
}

std::string_view to_string(Alignment alignment) {
  return alignment == Alignment::strict ? "s" : "r";
}

std::string_view to_string(Psd psd) {
  switch (psd) {
    case Psd::u:
      return "u";
    case Psd::y:
      return "y";
    case Psd::n:
      return "n";
  }
  return "u";
}

std::string to_string(const FailureOptions& options) {
  std::string result;
  const auto add = [&result](bool is_asked_for, char letter) {
    if (!is_asked_for) return;
    if (!result.empty()) result += ':';
    result += letter;
  };
  add(options.all, '0');
  add(options.any, '1');
  add(options.dkim, 'd');
  add(options.spf, 's');
  return result;
}

std::string_view to_string(RecordProblemCode code) {
  switch (code) {
    case Problem::bad_tag:
      return "this is no \"name=value\" of letters and printable text; it is ignored "
             "(RFC 9989 §4.8)";
    case Problem::repeated_tag:
      return "the tag is there more than once, so none of its values counts; keep one "
             "(RFC 9989 §4.7)";
    case Problem::unknown_tag:
      return "the tag is not registered and read by nobody (RFC 9989 §4.7)";
    case Problem::removed_tag:
      return "the tag belongs to RFC 7489 and is no longer read; for a test phase use t=y "
             "(RFC 9989 §C)";
    case Problem::missing_policy:
      return "p= is missing; without a valid rua= the record asks for nothing (RFC 9989 §4.7)";
    case Problem::bad_policy:
      return "the policy is none of none, quarantine and reject; with a valid rua= the record "
             "counts as p=none, else for nothing (RFC 9989 §4.10.1)";
    case Problem::bad_value:
      return "the tag does not take this value; its default holds (RFC 9989 §4.7)";
    case Problem::bad_uri:
      return "this is no URI such as mailto:reports@example.com; no report goes there "
             "(RFC 9989 §4.7)";
    case Problem::obsolete_size:
      return "a size behind an address is ignored; remove it (RFC 9989 §4.7)";
    case Problem::too_many_uris:
      return "there are more addresses than are used; name fewer (RFC 9989 §4.7)";
    case Problem::unused_tag:
      return "fo= has no effect without ruf= (RFC 9989 §4.7)";
  }
  return "unknown problem";
}

std::string_view name_of(RecordProblemCode code) {
  switch (code) {
    case Problem::bad_tag:
      return "bad_tag";
    case Problem::repeated_tag:
      return "repeated_tag";
    case Problem::unknown_tag:
      return "unknown_tag";
    case Problem::removed_tag:
      return "removed_tag";
    case Problem::missing_policy:
      return "missing_policy";
    case Problem::bad_policy:
      return "bad_policy";
    case Problem::bad_value:
      return "bad_value";
    case Problem::bad_uri:
      return "bad_uri";
    case Problem::obsolete_size:
      return "obsolete_size";
    case Problem::too_many_uris:
      return "too_many_uris";
    case Problem::unused_tag:
      return "unused_tag";
  }
  return "unknown";
}

std::string_view to_string(RecordErrorCode code) {
  switch (code) {
    case RecordErrorCode::no_version:
      return "the text does not begin with \"v=DMARC1\", so it is no DMARC record "
             "(RFC 9989 §4.7)";
    case RecordErrorCode::too_long:
      return "the record is longer than is looked at (RFC 9989 §4.7)";
    case RecordErrorCode::too_many_tags:
      return "the record has more tags than any use of it has names (RFC 9989 §4.7)";
  }
  return "unknown error";
}

bool Record::has_bad_policy() const {
  return std::ranges::any_of(problems, [](const RecordProblem& problem) {
    const bool spoils = problem.code == Problem::bad_policy ||
                        problem.code == Problem::repeated_tag || problem.code == Problem::bad_tag;
    return spoils && is_policy_tag(problem.tag);
  });
}

bool Record::is_usable() const { return (p.has_value() && !has_bad_policy()) || !rua.empty(); }

AssessmentPolicy policy_for_domain(const Record& record) {
  return record.has_bad_policy() ? AssessmentPolicy::none
                                 : record.p.value_or(AssessmentPolicy::none);
}

AssessmentPolicy policy_for_subdomains(const Record& record) {
  if (record.has_bad_policy() || !record.sp) return policy_for_domain(record);
  return *record.sp;
}

AssessmentPolicy policy_for_nonexistent(const Record& record) {
  if (record.has_bad_policy() || !record.np) return policy_for_subdomains(record);
  return *record.np;
}

Result<Record, RecordError> parse_record(std::string_view text, const Limits& limits) {
  // Judged first, so that a record that is too long is still one of several at a name.
  std::size_t begin = std::min(text.find(';'), text.size());
  if (!is_version(read_piece(text, text.substr(0, begin))))
    return std::unexpected(RecordError{RecordErrorCode::no_version, 0});
  if (text.size() > limits.dmarc_record_bytes_max)
    return std::unexpected(RecordError{RecordErrorCode::too_long, limits.dmarc_record_bytes_max});
  RecordReader reader(text, limits);
  std::size_t tags = 1;
  while (begin < text.size()) {
    const std::size_t end = std::min(text.find(';', ++begin), text.size());
    const std::string_view piece = text.substr(begin, end - begin);
    const std::size_t piece_begin = std::exchange(begin, end);
    if (text::trim(piece, text::is_fws).empty()) continue;
    if (++tags > limits.tags_max)
      return std::unexpected(RecordError{RecordErrorCode::too_many_tags, piece_begin});
    reader.read(read_piece(text, piece));
  }
  return reader.finish();
}

}  // namespace countersign::dmarc
