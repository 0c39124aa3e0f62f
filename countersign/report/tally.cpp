// SPDX-License-Identifier: Apache-2.0

#include "countersign/report/tally.hpp"

#include <algorithm>
#include <map>
#include <span>
#include <string_view>
#include <utility>

#include "countersign/crypto/digest.hpp"
#include "countersign/encoding/archive.hpp"
#include "countersign/report/aggregate_xml.hpp"

namespace countersign::report {

namespace {

constexpr std::size_t identifier_octets = 12;  // Of the digest, twice as many letters.

/// What was published; tags that were not have their defaults. RFC 9990 §3.1.1.5
PolicyPublished published_in(const PublishedPolicy& policy) {
  const dmarc::AssessmentPolicy sp = policy.sp.value_or(policy.p);
  return {.domain = policy.domain,
          .p = policy.p,
          .sp = sp,
          .np = policy.np.value_or(sp),
          .adkim = policy.adkim,
          .aspf = policy.aspf,
          .discovery_method = policy.discovery_method,
          .fo = policy.fo,
          .testing = policy.testing,
          .pct = {}};
}

DmarcResult result_of(bool is_aligned) {
  return is_aligned ? DmarcResult::pass : DmarcResult::fail;
}

Record record_of(const Evaluation& row, std::uint64_t count) {
  Record record;
  record.row.source_ip = row.source_ip;
  record.row.count = count;
  record.row.policy_evaluated = {.disposition = row.disposition,
                                 .dkim = result_of(row.dkim_aligned),
                                 .spf = result_of(row.spf_aligned),
                                 .reason = row.reasons};
  record.identifiers = {row.header_from, row.envelope_from, row.envelope_to};
  record.auth_results.dkim = row.dkim;
  if (row.spf)
    record.auth_results.spf.push_back(
        {row.spf->domain, SpfScope::mfrom, row.spf->result, row.spf->human_result});
  return record;
}

/// Letters that stand for a text and nothing else.
std::string digest_of(std::string_view text) {
  constexpr std::string_view digits = "0123456789abcdef";
  const crypto::Sha256 digest = crypto::sha256(text);
  std::string letters;
  for (std::size_t i = 0; i < identifier_octets; ++i) {
    letters += digits[digest[i] >> 4U];
    letters += digits[digest[i] & 15U];
  }
  return letters;
}

class Tallying {
 public:
  Tallying(const TallyRequest& request, const Limits& limits)
      : request_(request), limits_(limits) {}

  Tally run(const std::vector<CountedEvaluation>& rows) {
    for (const CountedEvaluation& row : rows)
      if (row.count > 0) counts_[row.evaluation] += row.count;
    for (const auto& [evaluation, count] : counts_) add(evaluation, count);
    finish_report();
    return std::move(out_);
  }

 private:
  void add(const Evaluation& evaluation, std::uint64_t count) {
    Record record = record_of(evaluation, count);
    if (!is_writable(record) || evaluation.published.domain.empty()) {
      out_.dropped += count;
      return;
    }
    // The map has the rows of one policy one after another: it is their first member.
    if (policy_ == nullptr || *policy_ != evaluation.published) {
      finish_report();
      policy_ = &evaluation.published;
    }
    records_.push_back(std::move(record));
  }

  void finish_report() {
    if (policy_ != nullptr) divide(records_);
    records_.clear();
    part_ = 0;
    configuration_ = policy_ != nullptr ? configuration_ + 1 : 0;
  }

  /// Halves what is too large until it is not, so that parts have their rows in order.
  void divide(std::span<const Record> records) {
    Report report = report_of(records);
    if (records.size() > 1 && is_too_large(report)) {
      const std::size_t half = records.size() / 2;
      divide(records.subspan(0, half));
      divide(records.subspan(half));
      return;
    }
    ++part_;
    out_.reports.push_back(std::move(report));
  }

  [[nodiscard]] bool is_too_large(const Report& report) const {
    if (report.aggregate.record.size() > limits_.report_records_max) return true;
    const auto xml = format_aggregate(report.aggregate);
    if (!xml) return false;
    if (xml->size() > limits_.report_bytes_max) return true;
    return request_.packed_bytes_max > 0 && encoding::gzip(*xml).size() > request_.packed_bytes_max;
  }

  [[nodiscard]] Report report_of(std::span<const Record> records) const {
    const Reporter& reporter = request_.reporter;
    Report report;
    report.rua = policy_->rua;
    report.aggregate.version = "1.0";
    report.aggregate.report_metadata = {.org_name = reporter.org_name,
                                        .email = reporter.email,
                                        .extra_contact_info = reporter.extra_contact_info,
                                        .report_id = report_id(),
                                        .date_range = request_.period,
                                        .error = {},
                                        .generator = reporter.generator};
    report.aggregate.policy_published = published_in(*policy_);
    report.aggregate.record.assign(records.begin(), records.end());
    return report;
  }

  /// The same for the same part of the same run, and nothing else's. RFC 9990 §3.5.2
  [[nodiscard]] std::string report_id() const {
    const std::string submitter = request_.reporter.submitter.text();
    std::string text = request_.run + '\n' + submitter + '\n' + policy_->domain;
    for (const std::int64_t number : {request_.period.begin, request_.period.end})
      text += '\n' + std::to_string(number);
    text += '\n' + std::to_string(configuration_) + '\n' + std::to_string(part_);
    return digest_of(text) + "@" + submitter;
  }

  const TallyRequest& request_;
  const Limits& limits_;
  std::map<Evaluation, std::uint64_t> counts_;
  const PublishedPolicy* policy_ = nullptr;
  std::vector<Record> records_;
  std::size_t configuration_ = 0;  // Which policy of this run, so that one domain may have several.
  std::size_t part_ = 0;
  Tally out_;
};

}  // namespace

Tally tally(const std::vector<CountedEvaluation>& rows, const TallyRequest& request,
            const Limits& limits) {
  return Tallying(request, limits).run(rows);
}

}  // namespace countersign::report
