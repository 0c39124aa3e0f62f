// SPDX-License-Identifier: Apache-2.0
//
// The reader: octets to lines, lines to the fields of a record, fields to values. What a line holds
// is looked at when its record has ended, so that order does not matter.

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "countersign/report/history.hpp"
#include "countersign/report/history_codes.hpp"
#include "countersign/text/abnf.hpp"

namespace countersign::report {
namespace {

using dmarc::AssessmentPolicy;
using Code = HistoryErrorCode;

constexpr std::int64_t time_max = 32'503'680'000;  // The year 3000.
constexpr int percent_max = 100;

/// Keys of which a record has one.
constexpr std::array<std::string_view, 18> single_keys = {
    "job", "reporter", "received",   "ipaddr",    "from",  "mfrom",
    "spf", "pdomain",  "policy",     "pct",       "adkim", "aspf",
    "p",   "sp",       "align_dkim", "align_spf", "arc",   "action"};
constexpr std::string_view arc_policy_key = "arc_policy";

/// The key as a constant; empty for one that nobody reads.
std::string_view known_key(std::string_view key) {
  if (key == arc_policy_key) return arc_policy_key;
  const auto* const found = std::ranges::find(single_keys, key);
  return found == single_keys.end() ? std::string_view() : *found;
}

/// The text to the first space, which goes with it.
std::string_view take_word(std::string_view& text) {
  const std::size_t space = text.find(' ');
  const std::string_view word = text.substr(0, space);
  text.remove_prefix(space == text.npos ? text.size() : space + 1);
  return word;
}

std::optional<std::int64_t> number_in(std::string_view text) {
  std::int64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || stopped != end || text.empty()) return std::nullopt;
  return number;
}

/// The normal form of a domain name; nothing when it is none, or the sign for none.
std::optional<std::string> domain_in(std::string_view text) {
  if (text == "-") return std::nullopt;
  const auto domain = DomainName::parse(text);
  return domain ? std::optional(domain->text()) : std::nullopt;
}

std::optional<AssessmentPolicy> policy_of_letter(std::int64_t letter) {
  if (letter == 'q') return AssessmentPolicy::quarantine;
  if (letter == 'r') return AssessmentPolicy::reject;
  return letter == 'n' ? std::optional(AssessmentPolicy::none) : std::nullopt;
}

/// What is done where a policy is carried out.
ActionDisposition carried_out(AssessmentPolicy policy) {
  switch (policy) {
    case AssessmentPolicy::none:
      return ActionDisposition::none;
    case AssessmentPolicy::quarantine:
      return ActionDisposition::quarantine;
    case AssessmentPolicy::reject:
      return ActionDisposition::reject;
  }
  return ActionDisposition::none;
}

/// What is done where a record gets what it asks for.
ActionDisposition asked_for(std::int64_t policy) {
  if (policy == history::reject) return ActionDisposition::reject;
  return policy == history::quarantine ? ActionDisposition::quarantine : ActionDisposition::none;
}

}  // namespace

/// The values of a record that has ended. The first that is wrong is the error, and what comes
/// after it is of no account.
class HistoryReader::Record {
 public:
  explicit Record(const HistoryReader& reader) : reader_(reader) {}

  Result<std::optional<HistoryRecord>, HistoryError> read() {
    out_.received = number("received", 0, time_max);
    const std::int64_t policy =
        code("policy", {history::no_author, history::absent, history::pass, history::reject,
                        history::quarantine, history::none});
    const std::int64_t action =
        code("action", {history::rejected, history::discarded, history::accepted, history::put_off,
                        history::quarantined});
    const bool is_counted =
        policy != history::no_author && policy != history::absent && action != history::put_off;
    if (!error_ && !is_counted) return std::nullopt;
    out_.job = optional("job");
    out_.reporter = optional("reporter");
    read_message();
    read_policy();
    read_arc();
    read_disposition(policy, action);
    if (error_) return std::unexpected(*error_);
    return std::optional(std::move(out_));
  }

 private:
  void read_message() {
    Evaluation& row = out_.evaluation;
    const Field& address = field("ipaddr");
    if (const auto parsed = IpAddress::parse(address.value))
      row.source_ip = *parsed;
    else
      fail(Code::bad_address, "ipaddr", address);
    row.header_from = domain("from");
    row.dkim_aligned = alignment("align_dkim");
    row.spf_aligned = alignment("align_spf");
    read_mail_from();
    for (const Field& one : reader_.signatures_) read_signature(one);
  }

  /// SPF tells of a domain; that of the null path is the client's HELO, which nobody wrote down.
  void read_mail_from() {
    Evaluation& row = out_.evaluation;
    const std::string value = optional("mfrom");
    if (value.empty())
      row.envelope_from = "";
    else
      row.envelope_from = domain_in(value);
    if (!reader_.fields_.contains("spf")) return;
    const std::string_view result = history::word_of(
        static_cast<int>(number("spf", history::first_result, history::last_result)));
    if (!result.empty() && row.envelope_from && !row.envelope_from->empty())
      row.spf = SpfAuthResult{
          .domain = *row.envelope_from, .result = std::string(result), .human_result = ""};
  }

  /// "D SELECTOR RESULT", and "D RESULT" before OpenDMARC 1.4.
  void read_signature(const Field& line) {
    std::string_view rest = line.value;
    const std::optional<std::string> name = domain_in(take_word(rest));
    std::string_view selector = take_word(rest);
    std::string_view result = take_word(rest);
    if (result.empty()) std::swap(selector, result);
    const std::optional<std::int64_t> number = number_in(result);
    if (!number) return fail(Code::bad_number, "dkim", line);
    if (*number < history::first_result || *number > history::last_result)
      return fail(Code::unknown_code, "dkim", line);
    const std::string_view word = history::word_of(static_cast<int>(*number));
    const std::optional<std::string> label = domain_in(selector);
    const bool is_told = name && label && !word.empty() && word != "softfail";
    if (is_told) out_.evaluation.dkim.push_back({*name, *label, std::string(word), ""});
  }

  void read_policy() {
    PublishedPolicy& published = out_.evaluation.published;
    published.domain = domain("pdomain");
    published.p = policy_of_letter(code("p", {0, 'n', 'q', 'r'})).value_or(AssessmentPolicy::none);
    published.sp = policy_of_letter(code("sp", {0, 'n', 'q', 'r'}));
    published.adkim = strictness("adkim");
    published.aspf = strictness("aspf");
    // Mail of which the policy is to be applied to none is mail on which it is tested.
    published.testing = number("pct", 0, percent_max) == 0;
    published.discovery_method = DiscoveryMethod::psl;
    for (const Field& one : reader_.addresses_) read_address(one.value);
  }

  /// As the record's own reader takes it, so that nothing gets in by this way that could not by
  /// that.
  void read_address(const std::string& uri) {
    std::vector<std::string>& rua = out_.evaluation.published.rua;
    if (uri.find_first_of(";,") != std::string::npos) return;
    if (uri.size() > reader_.limits_.report_uri_bytes_max) return;
    auto record = dmarc::parse_record("v=DMARC1; p=none; rua=" + uri, reader_.limits_);
    if (record && record->rua.size() == 1) rua.push_back(std::move(record->rua.front()));
  }

  void read_arc() {
    const auto arc = reader_.fields_.find("arc");
    if (arc != reader_.fields_.end())
      out_.has_arc_pass = number("arc", history::first_result, history::last_result) == 0;
    const auto use = reader_.fields_.find(arc_policy_key);
    if (use == reader_.fields_.end()) return;
    switch (code(arc_policy_key, {0, 1, 2})) {
      case 0:
        out_.arc_use = HistoryArcUse::pass;
        break;
      case 1:
        out_.arc_use = HistoryArcUse::fail;
        break;
      default:
        out_.arc_use = HistoryArcUse::unused;
    }
  }

  /// What was done, and a reason where that is neither what the record asks for nor what its report
  /// will show as published. RFC 9990 §3.1.1.11
  void read_disposition(std::int64_t policy, std::int64_t action) {
    Evaluation& row = out_.evaluation;
    const ActionDisposition published = carried_out(history::published_for(row));
    if (policy == history::pass) {
      if (published != ActionDisposition::none) row.disposition = ActionDisposition::pass;
      return;
    }
    if (action == history::rejected || action == history::discarded)
      row.disposition = ActionDisposition::reject;
    else if (action == history::quarantined)
      row.disposition = ActionDisposition::quarantine;
    // Nothing was asked for and nothing was done, whatever p= and sp= say: np= may have applied.
    const bool is_none = policy == history::none && row.disposition == ActionDisposition::none;
    const bool is_carried_out =
        row.disposition == asked_for(policy) && row.disposition == published;
    if (is_none || is_carried_out) return;
    const bool is_saved = action == history::accepted && out_.arc_use == HistoryArcUse::pass;
    row.reasons.push_back({OverrideReason::local_policy, is_saved ? "arc=pass" : ""});
  }

  // --- fields ---

  void fail(Code code, std::string_view key, const Field& field) {
    if (!error_) error_ = HistoryError{code, field.line, std::string(key)};
  }
  const Field& field(std::string_view key) {
    static const Field nothing;
    const auto found = reader_.fields_.find(key);
    if (found != reader_.fields_.end()) return found->second;
    fail(Code::missing_key, key, {.value = "", .line = reader_.first_line_});
    return nothing;
  }
  [[nodiscard]] std::string optional(std::string_view key) const {
    const auto found = reader_.fields_.find(key);
    return found == reader_.fields_.end() ? "" : found->second.value;
  }
  std::int64_t number(std::string_view key, std::int64_t least, std::int64_t most) {
    const Field& found = field(key);
    const std::optional<std::int64_t> number = number_in(found.value);
    if (number && *number >= least && *number <= most) return *number;
    fail(Code::bad_number, key, found);
    return least;
  }
  std::int64_t code(std::string_view key, std::initializer_list<std::int64_t> codes) {
    const Field& found = field(key);
    const std::optional<std::int64_t> number = number_in(found.value);
    if (number && std::ranges::find(codes, *number) != codes.end()) return *number;
    fail(number ? Code::unknown_code : Code::bad_number, key, found);
    return *codes.begin();
  }
  std::string domain(std::string_view key) {
    const Field& found = field(key);
    std::optional<std::string> domain = domain_in(found.value);
    if (!domain) fail(Code::bad_domain, key, found);
    return domain.value_or("");
  }
  bool alignment(std::string_view key) {
    return code(key, {history::unknown, history::aligned, history::unaligned}) == history::aligned;
  }
  dmarc::Alignment strictness(std::string_view key) {
    return code(key, {0, 'r', 's'}) == 's' ? dmarc::Alignment::strict : dmarc::Alignment::relaxed;
  }

  const HistoryReader& reader_;
  HistoryRecord out_;
  std::optional<HistoryError> error_;
};

// --- records -------------------------------------------------------------------------------------

void HistoryReader::begin_record() {
  is_open_ = true;
  first_line_ = lines_;
  text_.clear();
  fields_.clear();
  signatures_.clear();
  addresses_.clear();
  error_.reset();
}

void HistoryReader::end_record(std::vector<HistoryItem>& items) {
  if (!std::exchange(is_open_, false)) return;
  HistoryItem item{.line = first_line_, .text = std::exchange(text_, {}), .record = std::nullopt};
  if (error_)
    item.record = std::unexpected(*error_);
  else
    item.record = Record(*this).read();
  items.push_back(std::move(item));
}

void HistoryReader::fail(HistoryErrorCode code, std::string_view key) {
  if (!error_) error_ = HistoryError{code, lines_, std::string(key)};
}

void HistoryReader::keep(std::string_view key, std::string_view value) {
  if (key == "dkim") {
    if (signatures_.size() < limits_.report_signatures_max)
      signatures_.push_back({std::string(value), lines_});
  } else if (key == "rua") {
    if (addresses_.size() < limits_.report_uris_max)
      addresses_.push_back({std::string(value.substr(0, value.find(' '))), lines_});
  } else if (const std::string_view known = known_key(key); !known.empty()) {
    fields_[known] = {std::string(value.substr(0, value.find(' '))), lines_};
  }
}

// --- lines ---------------------------------------------------------------------------------------

void HistoryReader::take_line(std::vector<HistoryItem>& items) {
  ++lines_;
  std::string_view line = line_;
  if (line.ends_with('\r')) line.remove_suffix(1);
  std::string_view value = line;
  const std::string_view key = take_word(value);
  if (key == "job" || (!is_open_ && !key.empty())) {
    end_record(items);
    begin_record();
    if (key != "job") fail(Code::no_job, "");
  }
  if (is_open_) {
    const std::size_t room = limits_.history_record_bytes_max - text_.size();
    if (line_is_long_ || line_.size() >= room) fail(Code::too_long, known_key(key));
    text_.append(line_, 0, room)
        .append(text_.size() < limits_.history_record_bytes_max ? "\n" : "");
    keep(key, value);
  }
  line_.clear();
  line_is_long_ = false;
}

std::vector<HistoryItem> HistoryReader::body(std::string_view chunk) {
  std::vector<HistoryItem> items;
  while (!chunk.empty()) {
    const std::size_t end = chunk.find('\n');
    const std::string_view part = chunk.substr(0, end);
    const std::size_t room = limits_.history_line_bytes_max - line_.size();
    line_is_long_ = line_is_long_ || part.size() > room;
    line_.append(part, 0, room);
    if (end == chunk.npos) break;
    take_line(items);
    chunk.remove_prefix(end + 1);
  }
  return items;
}

std::vector<HistoryItem> HistoryReader::finish() {
  std::vector<HistoryItem> items;
  if (!line_.empty()) take_line(items);
  end_record(items);
  return items;
}

}  // namespace countersign::report
