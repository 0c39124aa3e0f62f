// SPDX-License-Identifier: Apache-2.0

#include "service/reporting/previews.hpp"

#include <algorithm>

#include "countersign/report/aggregate_xml.hpp"

namespace countersign::service {
namespace {

using store::Claim;
using store::Edition;
using store::StoredPolicy;

// A page of the ledger.
constexpr std::size_t lines_at_once = 1'000;

Edition edition_of(const Claim& line) { return {line.key.day, line.key.edition}; }

/// What keeps all of it from being sent, if nobody gets it.
std::string fault_of(const std::vector<Addressed>& addressed) {
  const auto has_nobody = [](const Addressed& one) { return one.checked.mailboxes.empty(); };
  if (!std::ranges::all_of(addressed, has_nobody)) return "";
  // What is wrong with an address is told beside it.
  const auto found = std::ranges::find_if(addressed, [](const Addressed& one) {
    return one.fault != to_string(one.checked.authorization);
  });
  return found == addressed.end() ? "" : found->fault;
}

}  // namespace

Previews::Previews(store::Store& store, ReportMaker& maker, const OutboxOptions& options,
                   const std::function<void(const ReportPreview&)>& show)
    : store_(store),
      maker_(maker),
      options_(options),
      show_(show),
      ledger_(store),
      now_(options.now()) {}

void Previews::show_day(store::Day day, std::string_view only_domain) {
  const std::int64_t open = store_.closed_editions(day) + 1;
  for (std::int64_t number = 1; number <= open; ++number) {
    const Edition edition{day, number};
    maker_.for_each_policy(edition, only_domain, [&](const StoredPolicy& policy) {
      Sending sending{.policy = policy, .addressed = {}, .destinations = {}};
      for (const std::string& uri :
           report::distinct_destinations(policy.published.rua, options_.policy->limits)) {
        sending.addressed.push_back(maker_.address(policy, uri));
        sending.destinations.push_back({.checked = sending.addressed.back().checked,
                                        .state = ledger_.state({day, policy.id, uri, number}),
                                        .fault = {}});
      }
      show(edition, sending);
    });
  }
}

// --- what would be sent --------------------------------------------------------------------------

void Previews::show_sending(store::Day day, std::string_view only_domain) {
  std::vector<Claim> lines;
  for (std::optional<store::ReportKey> after;;) {
    const std::vector<Claim> page = ledger_.claimable(now_, only_domain, after, lines_at_once);
    lines.insert(lines.end(), page.begin(), page.end());
    if (page.size() < lines_at_once) break;
    after = page.back().key;
  }
  // Planning closes the edition that is open, if it has anything.
  std::vector<std::pair<Edition, StoredPolicy>> unwanted;
  const std::int64_t open = store_.closed_editions(day) + 1;
  for (std::int64_t number = 1; number <= open; ++number) {
    const Edition edition{day, number};
    maker_.for_each_plan(edition, only_domain, [&](const PlannedReports& planned) {
      for (const store::ReportKey& key : planned.keys) lines.push_back({.key = key});
      for (const StoredPolicy& policy : planned.unwanted) unwanted.emplace_back(edition, policy);
    });
  }
  std::ranges::sort(lines, {}, &Claim::key);
  for (const Claim& line : lines) add(line);
  show_added();
  for (const auto& [edition, policy] : unwanted)
    show(edition, {.policy = policy, .addressed = {}, .destinations = {}});
}

/// Takes a line in the order in which they would be claimed.
void Previews::add(const Claim& line) {
  const Edition edition = edition_of(line);
  const bool is_next = !added_.empty() && (added_.begin()->first.day != edition.day ||
                                           added_.begin()->second.policy.id != line.key.policy);
  if (is_next) show_added();
  auto found = added_.find(edition);
  if (found == added_.end()) {
    std::optional<StoredPolicy> policy = maker_.find_policy(edition, line.key.policy);
    if (!policy) return;  // Nothing is stored of it any more.
    found = added_.emplace(edition, Sending{.policy = *std::move(policy)}).first;
  }
  Sending& sending = found->second;
  const Addressed addressed = maker_.address(sending.policy, line.key.destination);
  std::optional<PreviewedDestination> destination = would_leave(line, addressed);
  if (!destination) return;
  sending.addressed.push_back(addressed);
  destination->state = ledger_.state(line.key);
  sending.destinations.push_back(*std::move(destination));
}

void Previews::show_added() {
  for (const auto& [edition, sending] : added_)
    if (!sending.destinations.empty()) show(edition, sending);
  added_.clear();
}

/// What sending would do with the line; nothing when it would have to wait.
std::optional<PreviewedDestination> Previews::would_leave(const Claim& line,
                                                          const Addressed& addressed) {
  PreviewedDestination destination{
      .checked = addressed.checked, .state = {}, .fault = {}, .parts_sent = line.parts_sent};
  if (!addressed.fault.empty()) return destination;
  std::vector<Mailbox>& mailboxes = destination.checked.mailboxes;
  std::erase_if(mailboxes, [&](const Mailbox& one) { return !is_own(line, ledger_name(one)); });
  if (mailboxes.empty()) {
    destination.fault = gets_it_otherwise;
    return destination;
  }
  const auto is_free = [this](const Mailbox& one) {
    const std::string name = ledger_name(one);
    return !ledger_.unusable_until(name, now_) && has_room(name);
  };
  if (!std::ranges::all_of(mailboxes, is_free)) return std::nullopt;
  if (line.parts_sent > 0) {
    const Sending& sending = added_.at(edition_of(line));
    if (is_divided_otherwise(line, maker_.survey(edition_of(line), sending.policy))) {
      destination.fault = divided_otherwise(line.parts_sent);
      destination.parts_sent = 0;  // It is told of those that there are now.
    }
  }
  if (destination.fault.empty())
    for (const Mailbox& one : mailboxes) ++begun_[ledger_name(one)];
  return destination;
}

/// True when no other line of the report has the mailbox; then this one has it.
bool Previews::is_own(const Claim& line, const std::string& name) {
  const Edition edition = edition_of(line);
  std::string owner = ledger_.destination_of(edition, line.key.policy, name);
  if (owner.empty()) {
    const std::string of_policy = std::to_string(line.key.policy) + " " + name;
    owner = taken_.try_emplace({edition, of_policy}, line.key.destination).first->second;
  }
  return owner == line.key.destination;
}

bool Previews::has_room(const std::string& name) {
  const auto [found, is_new] = begun_.try_emplace(name, 0);
  if (is_new) found->second = ledger_.begun_today(name, now_);
  return found->second < options_.destination_cap;
}

// --- showing -------------------------------------------------------------------------------------

void Previews::show(const Edition& edition, const Sending& sending) {
  ReportParts parts = maker_.parts(edition, sending.policy);
  std::int64_t number = 0;
  while (const std::optional<report::Report> part = parts.next())
    show_part(edition, sending, *part, number++);
}

/// number   of the part, counted from 0.
void Previews::show_part(const Edition& edition, const Sending& sending, const report::Report& part,
                         std::int64_t number) {
  ReportPreview preview{.policy_domain = sending.policy.published.domain,
                        .day = edition.day,
                        .edition = edition.number,
                        .report_id = part.aggregate.report_metadata.report_id,
                        .messages = 0,
                        .xml = format_aggregate(part.aggregate).value_or(""),
                        .mail = {},
                        .fault = maker_.is_opted_out(sending.policy) ? std::string(opted_out)
                                                                     : fault_of(sending.addressed),
                        .destinations = sending.destinations};
  std::erase_if(preview.destinations,
                [number](const PreviewedDestination& one) { return one.parts_sent > number; });
  if (preview.destinations.empty() && !sending.destinations.empty()) return;
  for (const report::Record& record : part.aggregate.record) preview.messages += record.row.count;
  const auto gets_it = [](const PreviewedDestination& one) {
    return one.fault.empty() && !one.checked.mailboxes.empty();
  };
  const auto first = std::ranges::find_if(preview.destinations, gets_it);
  if (preview.fault.empty() && first != preview.destinations.end()) {
    Result<std::string, std::string> mail =
        maker_.make_mail(part.aggregate, {first->checked.mailboxes.front()});
    (mail ? preview.mail : preview.fault) = mail ? *std::move(mail) : std::move(mail.error());
  }
  show_(preview);
}

}  // namespace countersign::service
