// SPDX-License-Identifier: Apache-2.0

#include "countersign/report/tally.hpp"

#include <algorithm>
#include <iterator>
#include <map>
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

/// About as many octets as a row takes in memory.
std::size_t octets_of(const Record& record) {
  std::size_t octets = sizeof(Record) + record.identifiers.header_from.size();
  for (const auto* text : {&record.identifiers.envelope_from, &record.identifiers.envelope_to})
    if (*text) octets += (*text)->size();
  for (const PolicyOverride& one : record.row.policy_evaluated.reason)
    octets += sizeof(PolicyOverride) + one.comment.size();
  for (const DkimAuthResult& one : record.auth_results.dkim)
    octets += sizeof(DkimAuthResult) + one.domain.size() + one.selector.size() + one.result.size() +
              one.human_result.size();
  for (const SpfResult& one : record.auth_results.spf)
    octets += sizeof(SpfResult) + one.domain.size() + one.result.size() + one.human_result.size();
  return octets;
}

}  // namespace

PolicyTally::PolicyTally(TallyRequest request, const Limits& limits, std::size_t configuration)
    : request_(std::move(request)), limits_(limits), configuration_(configuration) {}

bool PolicyTally::add(const Evaluation& evaluation, std::uint64_t count) {
  if (count == 0) return false;
  Record record = record_of(evaluation, count);
  if (!is_writable(record) || evaluation.published.domain.empty()) {
    dropped_ += count;
    return false;
  }
  if (!policy_) policy_ = evaluation.published;
  octets_ += octets_of(record);
  records_.push_back(std::move(record));
  // A row takes up to twice as many octets in XML, and what is cut here need not be halved.
  return records_.size() >= limits_.report_records_max || octets_ >= limits_.report_bytes_max / 2;
}

std::vector<Report> PolicyTally::take() {
  std::vector<Report> reports;
  if (!records_.empty()) divide(std::move(records_), reports);
  records_.clear();
  octets_ = 0;
  return reports;
}

/// Halves what is too large until it is not, so that parts have their rows in order.
void PolicyTally::divide(std::vector<Record> records, std::vector<Report>& parts) {
  Report report = report_of(std::move(records));
  std::vector<Record>& held = report.aggregate.record;
  if (held.size() > 1 && is_too_large(report.aggregate)) {
    const auto half = held.begin() + static_cast<std::ptrdiff_t>(held.size() / 2);
    std::vector<Record> rest(std::move_iterator(half), std::move_iterator(held.end()));
    held.erase(half, held.end());
    divide(std::move(held), parts);
    divide(std::move(rest), parts);
    return;
  }
  ++part_;
  parts.push_back(std::move(report));
}

bool PolicyTally::is_too_large(const Aggregate& aggregate) const {
  if (aggregate.record.size() > limits_.report_records_max) return true;
  const auto xml = format_aggregate(aggregate);
  if (!xml) return false;
  if (xml->size() > limits_.report_bytes_max) return true;
  return request_.packed_bytes_max > 0 && encoding::gzip(*xml).size() > request_.packed_bytes_max;
}

Report PolicyTally::report_of(std::vector<Record> records) const {
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
  report.aggregate.record = std::move(records);
  return report;
}

/// The same for the same part of the same run, and nothing else's. RFC 9990 §3.5.2
std::string PolicyTally::report_id() const {
  const std::string submitter = request_.reporter.submitter.text();
  std::string text = request_.run + '\n' + submitter + '\n' + policy_->domain;
  for (const std::int64_t number : {request_.period.begin, request_.period.end})
    text += '\n' + std::to_string(number);
  text += '\n' + std::to_string(configuration_) + '\n' + std::to_string(part_);
  return digest_of(text) + "@" + submitter;
}

Tally tally(const std::vector<CountedEvaluation>& rows, const TallyRequest& request,
            const Limits& limits) {
  std::map<Evaluation, std::uint64_t> counts;
  for (const CountedEvaluation& row : rows)
    if (row.count > 0) counts[row.evaluation] += row.count;
  Tally out;
  std::size_t configuration = 0;
  const auto take = [&out](PolicyTally& from) {
    std::ranges::move(from.take(), std::back_inserter(out.reports));
  };
  // The map has the rows of one policy one after another: it is their first member.
  for (auto row = counts.begin(); row != counts.end();) {
    const PublishedPolicy& policy = row->first.published;
    PolicyTally of_policy(request, limits, configuration++);
    for (; row != counts.end() && row->first.published == policy; ++row)
      if (of_policy.add(row->first, row->second)) take(of_policy);
    take(of_policy);
    out.dropped += of_policy.dropped();
  }
  return out;
}

}  // namespace countersign::report
