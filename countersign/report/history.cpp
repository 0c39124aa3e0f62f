// SPDX-License-Identifier: Apache-2.0

#include "countersign/report/history.hpp"

#include "countersign/report/history_codes.hpp"
#include "countersign/text/abnf.hpp"

namespace countersign::report {
namespace {

using dmarc::AssessmentPolicy;

/// A text that ends no line and no word.
std::string token(std::string_view text) {
  std::string token;
  for (const char c : text) token += text::is_vchar(c) ? c : '?';
  return token;
}

/// The same, where nothing would shift what follows.
std::string token_or_dash(std::string_view text) { return text.empty() ? "-" : token(text); }

int letter_of(AssessmentPolicy policy) {
  switch (policy) {
    case AssessmentPolicy::none:
      return 'n';
    case AssessmentPolicy::quarantine:
      return 'q';
    case AssessmentPolicy::reject:
      return 'r';
  }
  return 'n';
}

int letter_of(dmarc::Alignment alignment) {
  return alignment == dmarc::Alignment::strict ? 's' : 'r';
}

history::Policy policy_of(const Evaluation& row) {
  switch (row.disposition) {
    case ActionDisposition::reject:
      return history::reject;
    case ActionDisposition::quarantine:
      if (history::published_for(row) != AssessmentPolicy::reject) return history::quarantine;
      return history::reject;
    case ActionDisposition::none:
    case ActionDisposition::pass:
      break;
  }
  if (row.dkim_aligned || row.spf_aligned) return history::pass;
  switch (history::published_for(row)) {
    case AssessmentPolicy::none:
      return history::none;
    case AssessmentPolicy::quarantine:
      return history::quarantine;
    case AssessmentPolicy::reject:
      return history::reject;
  }
  return history::none;
}

history::Action action_of(ActionDisposition disposition) {
  if (disposition == ActionDisposition::reject) return history::rejected;
  if (disposition == ActionDisposition::quarantine) return history::quarantined;
  return history::accepted;
}

/// Lines of keys and values.
class Lines {
 public:
  Lines& add(std::string_view key, std::string_view value) {
    text_.append(key).append(" ").append(value).append("\n");
    return *this;
  }
  Lines& add(std::string_view key, std::int64_t number) { return add(key, std::to_string(number)); }
  [[nodiscard]] std::string text() && { return std::move(text_); }

 private:
  std::string text_;
};

void add_policy(Lines& lines, const Evaluation& row) {
  const PublishedPolicy& published = row.published;
  lines.add("pdomain", token_or_dash(published.domain)).add("policy", policy_of(row));
  bool has_address = false;
  for (const std::string& uri : published.rua) {
    if (uri.empty() || !text::is_vchar.all_of(uri)) continue;
    lines.add("rua", uri);
    has_address = true;
  }
  if (!has_address) lines.add("rua", "-");
  lines.add("pct", published.testing ? 0 : 100)
      .add("adkim", letter_of(published.adkim))
      .add("aspf", letter_of(published.aspf))
      .add("p", letter_of(published.p))
      .add("sp", published.sp ? letter_of(*published.sp) : 0)
      .add("align_dkim", row.dkim_aligned ? history::aligned : history::unaligned)
      .add("align_spf", row.spf_aligned ? history::aligned : history::unaligned);
}

/// Zeros where a record would say something.
void add_no_policy(Lines& lines, const Evaluation& row) {
  lines.add("pdomain", token_or_dash(row.published.domain))
      .add("policy", history::absent)
      .add("rua", "-");
  for (const std::string_view key : {"pct", "adkim", "aspf", "p", "sp", "align_dkim", "align_spf"})
    lines.add(key, std::int64_t{0});
}

void add_arc(Lines& lines, const HistoryRecord& record) {
  std::string sets;
  for (const HistoryArcSet& set : record.arc_sets) {
    // What is read as JSON must not end a string of it.
    if (set.domain.find_first_of("\"\\") != std::string::npos ||
        set.selector.find_first_of("\"\\") != std::string::npos)
      continue;
    if (!sets.empty()) sets += ", ";
    sets += R"({ "i": )" + std::to_string(set.instance) + R"(, "d":")" + token(set.domain) +
            R"(", "s":")" + token(set.selector) + R"(", "ip":"" })";
  }
  lines.add("arc", history::number_of(record.has_arc_pass ? "pass" : "fail"))
      .add("arc_policy", std::to_string(static_cast<int>(record.arc_use)) + " json:[" + sets + "]");
}

}  // namespace

std::string format_history(const HistoryRecord& record) {
  const Evaluation& row = record.evaluation;
  Lines lines;
  lines.add("job", token_or_dash(record.job))
      .add("reporter", token_or_dash(record.reporter))
      .add("received", record.received)
      .add("ipaddr", row.source_ip.to_string())
      .add("from", token_or_dash(row.header_from))
      .add("mfrom", token(row.envelope_from.value_or("")));
  for (const DkimAuthResult& one : row.dkim)
    lines.add("dkim", token_or_dash(one.domain) + " " + token_or_dash(one.selector) + " " +
                          std::to_string(history::number_of(one.result)));
  lines.add("spf", row.spf ? history::number_of(row.spf->result) : history::first_result);
  if (record.has_policy) {
    add_policy(lines, row);
  } else {
    add_no_policy(lines, row);
  }
  add_arc(lines, record);
  lines.add("action", action_of(row.disposition));
  return std::move(lines).text();
}

std::string_view to_string(HistoryErrorCode code) {
  switch (code) {
    case HistoryErrorCode::no_job:
      return "no record has begun; a record begins with a line \"job\"";
    case HistoryErrorCode::too_long:
      return "too long for a line or a record of a history file";
    case HistoryErrorCode::missing_key:
      return "it is missing in this record, which may have been cut off";
    case HistoryErrorCode::bad_number:
      return "this is no number, or one out of bounds";
    case HistoryErrorCode::unknown_code:
      return "this number stands for nothing";
    case HistoryErrorCode::bad_domain:
      return "this is no domain name";
    case HistoryErrorCode::bad_address:
      return "this is no IP address";
  }
  return "";
}

}  // namespace countersign::report
