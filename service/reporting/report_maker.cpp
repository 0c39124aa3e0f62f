// SPDX-License-Identifier: Apache-2.0

#include "service/reporting/report_maker.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "countersign/crypto/digest.hpp"
#include "countersign/encoding/archive.hpp"
#include "countersign/mailflow/own_mail.hpp"
#include "countersign/report/aggregate_mail.hpp"
#include "countersign/report/aggregate_xml.hpp"
#include "countersign/text/abnf.hpp"
#include "countersign/text/base64.hpp"
#include "service/log/log.hpp"

namespace countersign::service {
namespace {

using report::Authorization;
using report::CheckedDestination;
using store::Edition;
using store::StoredPolicy;

// A page of policies of a day.
constexpr std::size_t policies_at_once = 1'000;

}  // namespace

std::string ledger_name(const Mailbox& mailbox) {
  return "mailto:" + text::to_lower(mailbox.local_part) + "@" + mailbox.domain.text();
}

bool is_divided_otherwise(const store::Claim& claim, const ReportSurvey& survey) {
  return claim.parts_sent > 0 && claim.division != survey.division;
}

std::string divided_otherwise(std::int64_t parts_sent) {
  return fmt::format("{} parts left at an earlier attempt, and the report is divided otherwise now",
                     parts_sent);
}

// --- parts ---------------------------------------------------------------------------------------

ReportParts::ReportParts(store::Store& store, const Edition& edition, store::PolicyId policy,
                         report::PolicyTally tally)
    : store_(&store), edition_(edition), policy_(policy), tally_(std::move(tally)) {}

std::optional<report::Report> ReportParts::next() {
  while (made_.empty() && !is_at_end_) read_on();
  if (made_.empty()) return std::nullopt;
  report::Report report = std::move(made_.front());
  made_.pop_front();
  return report;
}

/// Reads as many rows as are kept at once. No transaction is open meanwhile: the next ones may be
/// asked for after hours.
void ReportParts::read_on() {
  is_at_end_ = true;
  const store::RowPosition after = position_;
  store_->read(
      edition_, policy_,
      [this](const store::CountedEvaluation& row) {
        position_ = row.position;
        is_at_end_ = !tally_.add(row.evaluation, row.messages);
        return is_at_end_;
      },
      after);
  std::ranges::move(tally_.take(), std::back_inserter(made_));
}

// --- making --------------------------------------------------------------------------------------

ReportMaker::ReportMaker(store::Store& store, CheckDestinations check, const OutboxOptions& options,
                         Log& log)
    : store_(store),
      ledger_(store),
      store_name_(store.name()),
      check_(std::move(check)),
      options_(options),
      log_(log) {}

/// Calls with policies in the order of their numbers, none of them twice.
void ReportMaker::for_each_page(const Edition& edition, std::string_view only_domain,
                                const std::function<void(const std::vector<StoredPolicy>&)>& each) {
  for (store::PolicyId after = 0;;) {
    std::vector<StoredPolicy> page = store_.policies(edition, after, policies_at_once);
    const bool is_last = page.size() < policies_at_once;
    if (!page.empty()) after = page.back().id;
    if (!only_domain.empty())
      std::erase_if(page, [only_domain](const StoredPolicy& policy) {
        return policy.published.domain != only_domain;
      });
    if (!page.empty()) each(page);
    if (is_last) return;
  }
}

void ReportMaker::for_each_policy(const Edition& edition, std::string_view only_domain,
                                  const std::function<void(const StoredPolicy&)>& each) {
  for_each_page(edition, only_domain, [&each](const std::vector<StoredPolicy>& page) {
    for (const StoredPolicy& policy : page) each(policy);
  });
}

void ReportMaker::for_each_plan(const Edition& edition, std::string_view only_domain,
                                const std::function<void(const PlannedReports&)>& each) {
  for_each_page(edition, only_domain, [&](const std::vector<StoredPolicy>& page) {
    std::vector<store::ReportKey> known = ledger_.keys(edition, page.front().id, page.back().id);
    std::ranges::sort(known);
    PlannedReports planned;
    for (const StoredPolicy& policy : page) {
      if (policy.published.rua.empty()) planned.unwanted.push_back(policy);
      for (std::string& uri :
           report::distinct_destinations(policy.published.rua, options_.policy->limits)) {
        store::ReportKey key{.day = edition.day,
                             .policy = policy.id,
                             .destination = std::move(uri),
                             .edition = edition.number};
        if (std::ranges::binary_search(known, key))
          ++planned.known;
        else
          planned.keys.push_back(std::move(key));
      }
    }
    each(planned);
  });
}

std::optional<StoredPolicy> ReportMaker::find_policy(const Edition& edition, store::PolicyId id) {
  std::vector<StoredPolicy> found = store_.policies(edition, id - 1, 1);
  if (found.empty() || found.front().id != id) return std::nullopt;
  return std::move(found.front());
}

ReportParts ReportMaker::parts(const Edition& edition, const StoredPolicy& policy) {
  return {store_, edition, policy.id,
          report::PolicyTally(
              {.reporter = options_.reporter,
               .period = report::day_period(edition.day),
               .run = fmt::format("{} {} {} {}", store_name_, policy.id,
                                  edition.day.time_since_epoch().count(), edition.number),
               .packed_bytes_max = options_.packed_octets_max},
              options_.policy->limits)};
}

ReportSurvey ReportMaker::survey(const Edition& edition, const StoredPolicy& policy) {
  ReportSurvey survey;
  crypto::Digest digest;
  const auto add_to_digest = [&digest](const report::Report& one) {
    digest.update(format_aggregate(one.aggregate).value_or(""));
  };
  ReportParts all = parts(edition, policy);
  while (std::optional<report::Report> one = all.next()) {
    survey.ids.push_back(one->aggregate.report_metadata.report_id);
    if (survey.ids.size() == 1) {
      survey.only = std::make_unique<report::Report>(*std::move(one));
      continue;
    }
    if (survey.only) add_to_digest(*survey.only);
    survey.only.reset();
    add_to_digest(*one);
  }
  if (survey.ids.size() > 1)
    survey.division = text::encode_base64(crypto::as_octets(digest.finish()));
  if (all.dropped() > 0)
    log_.write(
        LogLevel::warning, "messages of a day fit into no report",
        {{"policy_domain", policy.published.domain}, {"messages", std::to_string(all.dropped())}});
  return survey;
}

Result<std::string, std::string> ReportMaker::make_mail(const report::Aggregate& aggregate,
                                                        const std::vector<Mailbox>& to) {
  std::string packed;
  {
    const Result<std::string, report::AggregateFault> xml = format_aggregate(aggregate);
    if (!xml) return std::unexpected(std::string(to_string(xml.error())));
    packed = encoding::gzip(*xml);
  }
  const Result<std::string, ComposeErrorCode> mail = report::format_report_mail(
      aggregate, options_.reporter,
      {.from = options_.from, .to = to, .date = options_.now(), .message_id = {}},
      std::move(packed));
  if (!mail) return std::unexpected(std::string(to_string(mail.error())));
  return mailflow::sign_own_mail(*options_.policy, *mail, options_.now());
}

// --- addressing ----------------------------------------------------------------------------------

bool ReportMaker::is_opted_out(const StoredPolicy& policy) const {
  const auto domain = DomainName::parse(policy.published.domain);
  return domain && options_.opted_out.contains(*domain);
}

Addressed ReportMaker::address(const StoredPolicy& policy, std::string uri) {
  Addressed addressed{.checked = {.uri = uri}};
  const auto domain = DomainName::parse(policy.published.domain);
  if (!domain) {
    addressed.fault = "the policy domain is no domain name";
    return addressed;
  }
  addressed.checked = check_(report::check_destinations({.policy_domain = *domain,
                                                         .uris = {std::move(uri)},
                                                         .kind = report::ReportKind::aggregate},
                                                        options_.policy->limits))
                          .front();
  const CheckedDestination& checked = addressed.checked;
  const bool has_ours = leave_out_ourselves(addressed.checked);
  addressed.is_temporary = checked.authorization == Authorization::dns_failure;
  if (is_opted_out(policy)) {
    addressed.fault = opted_out;
    addressed.is_temporary = false;
  } else if (checked.mailboxes.empty()) {
    addressed.fault =
        has_ours ? "it would come back to ourselves" : to_string(checked.authorization);
  }
  return addressed;
}

/// True when there was one of our addresses to leave out.
bool ReportMaker::leave_out_ourselves(CheckedDestination& checked) const {
  const report::LoopGuard guard{.report_addresses = {options_.from}};
  return std::erase_if(checked.mailboxes,
                       [&guard](const Mailbox& mailbox) { return guard.is_own(mailbox); }) > 0;
}

}  // namespace countersign::service
