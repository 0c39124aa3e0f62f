// SPDX-License-Identifier: Apache-2.0

#include "cli/key_check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <span>

#include "countersign/limits.hpp"

namespace countersign::cli {
namespace {

using service::config::Problem;
using service::config::Severity;

// Questions open at once: enough to hide the way to the name servers, few enough that a resolver
// takes us for a client and not for an attack.
constexpr std::size_t questions_at_once = 500;
constexpr unsigned rsa_bits_advised = 2'048;  // RFC 8301 §3.2

std::string remedy_of(dkim::Reason reason) {
  switch (reason) {
    case dkim::Reason::key_not_found:
      return "publish it: countersign keygen wrote it to SELECTOR.txt beside the key; new records "
             "take some minutes to be seen";
    case dkim::Reason::several_key_records:
      return "remove all but one of them";
    case dkim::Reason::key_unavailable:
      return "try again; if it stays, look at the domain's name servers";
    case dkim::Reason::key_not_trusted:
      return "the domain's DNSSEC is broken: renew the signatures of the zone, or its DS record";
    case dkim::Reason::key_revoked:
      return "make a new key with a new selector: countersign keygen";
    default:
      return "publish the record anew, as countersign keygen writes it";
  }
}

// What a record that can be read says against itself.
void judge_record(const dkim::KeyRecord& record, const std::string& name, KeyReport& report,
                  const PublishedKey& key) {
  const auto add = [&](Severity severity, std::string message, std::string remedy) {
    report.problems.push_back(
        {severity, key.place, name + ": " + std::move(message), std::move(remedy)});
  };
  const bool rsa = record.key.type() == crypto::KeyType::rsa;
  if (rsa && record.key.bits() < Limits().rsa_verify_bits_min) {
    add(Severity::error,
        fmt::format("the key has {} bits; receivers refuse fewer than {} (RFC 8301 §3.2)",
                    record.key.bits(), Limits().rsa_verify_bits_min),
        "make a new key: countersign keygen");
  } else if (rsa && record.key.bits() < rsa_bits_advised) {
    add(Severity::warning,
        fmt::format("the key has {} bits; {} are advised (RFC 8301 §3.2)", record.key.bits(),
                    rsa_bits_advised),
        "make a new key: countersign keygen");
  }
  if (record.testing) {
    add(Severity::warning,
        "t=y says that the domain is testing, so receivers may take its mail "
        "for unsigned (RFC 6376 §3.6.1)",
        "remove t=y when the tests are done");
  }
}

void judge_match(KeyReport& report, const PublishedKey& key) {
  const dkim::KeyRecord& record = *report.lookup.record;
  if (key.key) report.match = dkim::match_key(record, *key.key);
  const dkim::KeyMatch match = report.match.value_or(
      record.allows_sha256() ? dkim::KeyMatch::matches : dkim::KeyMatch::hash_restricted);
  if (match == dkim::KeyMatch::matches) return;
  report.problems.push_back(
      {Severity::error, key.place, report.name + ": " + std::string(to_string(match)), ""});
}

KeyReport judge(const PublishedKey& key, const dns::Answer& answer) {
  KeyReport report;
  report.name = dkim::key_name(key.selector, key.domain);
  report.status = answer.status;
  report.lookup = dns::run_with(dkim::look_up_key(report.name, Limits()),
                                [&answer](const dns::Question&) { return answer; });
  if (!report.lookup.record) {
    const bool failed = report.lookup.result == dkim::Result::temperror;
    report.problems.push_back({failed ? Severity::warning : Severity::error, key.place,
                               "key record: " + report.lookup.detail,
                               remedy_of(report.lookup.reason)});
    return report;
  }
  judge_match(report, key);
  judge_record(*report.lookup.record, report.name, report, key);
  return report;
}

}  // namespace

bool KeyReport::is_unknown() const {
  return !lookup.record && lookup.result == dkim::Result::temperror;
}

bool KeyReport::is_good() const {
  return lookup.record && std::ranges::none_of(problems, [](const Problem& problem) {
           return problem.severity >= Severity::error;
         });
}

std::vector<KeyReport> check_keys(const std::vector<PublishedKey>& keys, Lookups& lookups,
                                  const std::function<void(std::size_t)>& on_progress) {
  std::vector<KeyReport> reports;
  reports.reserve(keys.size());
  while (reports.size() < keys.size()) {
    const auto batch = std::span(keys).subspan(
        reports.size(), std::min(questions_at_once, keys.size() - reports.size()));
    std::vector<dns::OpenQuestion> questions;
    for (const PublishedKey& key : batch) {
      questions.push_back(
          {questions.size(), {dkim::key_name(key.selector, key.domain), dns::RecordType::txt}});
    }
    const std::vector<dns::Answer> answers = lookups.answer(questions);
    for (std::size_t i = 0; i < batch.size(); ++i) reports.push_back(judge(batch[i], answers[i]));
    if (on_progress) on_progress(reports.size());
  }
  return reports;
}

}  // namespace countersign::cli
