// SPDX-License-Identifier: Apache-2.0
//
// The way of one report, in named steps; each may end it, and says so in the ledger.

#include "service/reporting/outbox.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "countersign/crypto/digest.hpp"
#include "countersign/encoding/archive.hpp"
#include "countersign/mailflow/own_mail.hpp"
#include "countersign/report/aggregate_mail.hpp"
#include "countersign/report/aggregate_xml.hpp"
#include "countersign/text/base64.hpp"
#include "service/log/log.hpp"

namespace countersign::service {
namespace {

using report::Authorization;
using report::CheckedDestination;
using store::Claim;
using store::Day;
using store::Edition;
using store::ReportKey;
using store::ReportState;
using store::SendingResult;
using store::StoredPolicy;

// Claimed at once: few, so that the lease of the last one lasts until its turn.
constexpr std::size_t claims_at_once = 8;
// A page of policies of a day.
constexpr std::size_t policies_at_once = 1'000;
constexpr std::chrono::hours first_pause{1};
constexpr std::string_view opted_out = "the domain gets no reports from us";
constexpr std::string_view comes_back = "it would come back to ourselves";

/// What a claim came to before anything has left: nothing when the report may leave.
using Ending = std::optional<SendingResult>;

SendingResult suppressed(std::string why) {
  return {.state = ReportState::suppressed, .detail = std::move(why), .next_attempt = {}};
}

/// What no other division of the report has, should we divide by another size meanwhile.
std::string division_of(const std::vector<report::Report>& reports) {
  crypto::Digest digest;
  for (const report::Report& one : reports)
    digest.update(format_aggregate(one.aggregate).value_or(""));
  return text::encode_base64(crypto::as_octets(digest.finish()));
}

}  // namespace

struct Outbox::State {
  State(store::Store& store_given, CheckDestinations check_given, MailSender& sender_given,
        OutboxOptions options_given, Log& log_given)
      : store(store_given),
        store_name(store_given.name()),
        ledger(store_given),
        check(std::move(check_given)),
        sender(sender_given),
        options(std::move(options_given)),
        log(log_given) {}

  store::Store& store;
  /// Hosts with stores of their own report in one name; each report is another.
  const std::string store_name;
  store::ReportLedger ledger;
  CheckDestinations check;
  MailSender& sender;
  OutboxOptions options;
  Log& log;
  OutboxCounts counts;
  /// The reports that were made last: a policy with several destinations comes several times.
  struct Made {
    Edition edition;
    StoredPolicy policy;
    std::vector<report::Report> reports;
  };
  std::optional<Made> made;

  [[nodiscard]] const Limits& limits() const { return options.policy->limits; }

  // --- making ---

  /// The policy with what it has of messages there; nothing when that has expired.
  [[nodiscard]] std::optional<StoredPolicy> find_policy(const Edition& edition,
                                                        store::PolicyId id) {
    std::vector<StoredPolicy> found = store.policies(edition, id - 1, 1);
    if (found.empty() || found.front().id != id) return std::nullopt;
    return std::move(found.front());
  }

  [[nodiscard]] std::vector<report::Report> make_reports(const Edition& edition,
                                                         const StoredPolicy& policy) {
    std::vector<report::CountedEvaluation> rows;
    store.read(edition, policy.id, [&rows](const store::CountedEvaluation& row) {
      rows.push_back({.evaluation = row.evaluation, .count = row.messages});
      return true;
    });
    report::Tally tally =
        report::tally(rows,
                      {.reporter = options.reporter,
                       .period = report::day_period(edition.day),
                       .run = fmt::format("{} {} {} {}", store_name, policy.id,
                                          edition.day.time_since_epoch().count(), edition.number),
                       .packed_bytes_max = options.packed_octets_max},
                      limits());
    if (tally.dropped > 0)
      log.write(LogLevel::warning, "messages of a day fit into no report",
                {{"policy_domain", policy.published.domain},
                 {"messages", std::to_string(tally.dropped)}});
    return std::move(tally.reports);
  }

  [[nodiscard]] const Made* reports_for(const ReportKey& key) {
    const Edition edition{key.day, key.edition};
    if (made && made->edition == edition && made->policy.id == key.policy) return &*made;
    made.reset();
    std::optional<StoredPolicy> policy = find_policy(edition, key.policy);
    if (!policy) return nullptr;
    std::vector<report::Report> reports = make_reports(edition, *policy);
    made = Made{.edition = edition, .policy = *std::move(policy), .reports = std::move(reports)};
    return &*made;
  }

  /// A report as a signed mail; the error is a sentence.
  [[nodiscard]] Result<std::string, std::string> make_mail(const report::Aggregate& aggregate,
                                                           const std::vector<Mailbox>& to) {
    const Result<std::string, report::AggregateFault> xml = format_aggregate(aggregate);
    if (!xml) return std::unexpected(std::string(to_string(xml.error())));
    const Result<std::string, ComposeErrorCode> mail = report::format_report_mail(
        aggregate, options.reporter,
        {.from = options.from, .to = to, .date = options.now(), .message_id = {}},
        encoding::gzip(*xml));
    if (!mail) return std::unexpected(std::string(to_string(mail.error())));
    return mailflow::sign_own_mail(*options.policy, *mail, options.now());
  }

  // --- deciding ---

  [[nodiscard]] std::vector<CheckedDestination> check_uris(const StoredPolicy& policy,
                                                           std::vector<std::string> uris) {
    const auto domain = DomainName::parse(policy.published.domain);
    if (!domain) return {};
    return check(report::check_destinations(
        {.policy_domain = *domain, .uris = std::move(uris), .kind = report::ReportKind::aggregate},
        limits()));
  }

  [[nodiscard]] bool is_opted_out(const StoredPolicy& policy) const {
    const auto domain = DomainName::parse(policy.published.domain);
    return domain && options.opted_out.contains(*domain);
  }

  /// Where the report goes, or how it ends without having left.
  [[nodiscard]] Ending find_recipients(const Claim& claim, const StoredPolicy& policy,
                                       std::vector<Mailbox>& recipients) {
    if (is_opted_out(policy)) return suppressed(std::string(opted_out));
    std::vector<CheckedDestination> checked = check_uris(policy, {claim.key.destination});
    if (checked.empty()) return suppressed("the policy domain is no domain name");
    const Authorization authorization = checked.front().authorization;
    if (authorization == Authorization::dns_failure)
      return try_again(claim, std::string(to_string(authorization)));
    const bool has_ours = leave_out_ourselves(checked);
    recipients = report::recipients_of(checked);
    if (!recipients.empty()) return std::nullopt;
    return suppressed(std::string(has_ours ? comes_back : to_string(authorization)));
  }

  /// True when there was one of our addresses to leave out.
  bool leave_out_ourselves(std::vector<CheckedDestination>& checked) const {
    const report::LoopGuard guard{.report_addresses = {options.from}};
    std::size_t ours = 0;
    for (CheckedDestination& one : checked)
      ours += std::erase_if(one.mailboxes,
                            [&guard](const Mailbox& mailbox) { return guard.is_own(mailbox); });
    return ours > 0;
  }

  /// Due again, later each time, and given up in the end.
  [[nodiscard]] SendingResult try_again(const Claim& claim, std::string why) const {
    if (claim.attempt >= options.attempts_max)
      return {.state = ReportState::failed, .detail = std::move(why), .next_attempt = {}};
    const auto doublings = std::min<std::int64_t>(claim.attempt - 1, 5);
    return {.state = ReportState::due,
            .detail = std::move(why),
            .next_attempt = options.now() + first_pause * (std::int64_t{1} << doublings)};
  }

  // --- sending ---

  /// Sends the parts that have not left yet, in their order; most reports have one.
  [[nodiscard]] SendingResult deliver(const Claim& claim, const std::vector<Mailbox>& recipients,
                                      const std::vector<std::string>& mails,
                                      const std::string& division) {
    std::vector<std::string> rcpt_to;
    for (const Mailbox& one : recipients) rcpt_to.push_back(format_address(one));
    for (auto i = static_cast<std::size_t>(claim.parts_sent); i < mails.size(); ++i) {
      DeliveryResult result =
          sender.send({.mail_from = options.mail_from, .rcpt_to = rcpt_to, .octets = mails[i]});
      if (mails.size() > 1)
        result.text = fmt::format("part {} of {}: {}", i + 1, mails.size(), result.text);
      if (result.delivery != Delivery::accepted) return not_accepted(claim, result);
      if (i + 1 < mails.size() && !ledger.part_left(claim, static_cast<std::int64_t>(i + 1),
                                                    division, options.now(), options.lease))
        return {.state = ReportState::uncertain,
                .detail = "sending its parts took longer than its lease",
                .next_attempt = {}};
    }
    ledger.destination_worked(claim.key.destination, options.now());
    return {.state = ReportState::sent, .detail = {}, .next_attempt = {}};
  }

  [[nodiscard]] SendingResult not_accepted(const Claim& claim, const DeliveryResult& result) {
    if (result.delivery == Delivery::uncertain)
      return {.state = ReportState::uncertain, .detail = result.text, .next_attempt = {}};
    if (result.delivery == Delivery::deferred) return try_again(claim, result.text);
    ledger.destination_failed(claim.key.destination, result.text, options.now());
    return {.state = ReportState::failed, .detail = result.text, .next_attempt = {}};
  }

  /// Everything but the entry into the ledger.
  [[nodiscard]] Ending send_claimed(const Claim& claim) {
    const Made* reports = reports_for(claim.key);
    if (reports == nullptr || reports->reports.empty())
      return suppressed("nothing is stored of that day any more");
    std::vector<Mailbox> recipients;
    if (Ending ending = find_recipients(claim, reports->policy, recipients)) return ending;
    std::string division;
    if (reports->reports.size() > 1 || claim.parts_sent > 0)
      division = division_of(reports->reports);
    // What stands in the parts that have left is not known any more: other parts could tell of it
    // again, or never.
    if (claim.parts_sent > 0 && division != claim.division)
      return SendingResult{.state = ReportState::failed,
                           .detail = fmt::format("{} parts left at an earlier attempt, and the "
                                                 "report is divided otherwise now",
                                                 claim.parts_sent),
                           .next_attempt = {}};
    std::vector<std::string> mails;
    for (const report::Report& one : reports->reports) {
      Result<std::string, std::string> mail = make_mail(one.aggregate, recipients);
      if (!mail) return try_again(claim, "the mail cannot be made: " + mail.error());
      mails.push_back(*std::move(mail));
    }
    const std::string& id = reports->reports.front().aggregate.report_metadata.report_id;
    const store::Permission permission =
        ledger.begin_sending(claim, id, options.destination_cap, options.now());
    if (permission != store::Permission::granted) return std::nullopt;
    return deliver(claim, recipients, mails, division);
  }

  void process(const Claim& claim) {
    const Ending ending = send_claimed(claim);
    if (!ending) {
      ++counts.deferred;  // Somebody else has it, or its destination has had enough today.
      return;
    }
    count(ending->state);
    static_cast<void>(ledger.finish(claim, *ending, options.now()));
    const bool is_well = ending->state == ReportState::sent;
    log.write(is_well ? LogLevel::info : LogLevel::notice,
              is_well ? "report sent" : "report not sent",
              {{"policy_domain", made ? made->policy.published.domain : ""},
               {"destination", claim.key.destination},
               {"edition", std::to_string(claim.key.edition)},
               {"state", std::string(to_string(ending->state))},
               {"why", ending->detail}});
  }

  /// Whoever was killed while he sent says nothing of it; a person has to know.
  void tell_abandoned(std::chrono::sys_seconds now) {
    for (const ReportKey& key : ledger.find_abandoned(now)) {
      ++counts.uncertain;
      log.write(LogLevel::warning, "report may have left: decide with countersign report resolve",
                {{"day", fmt::format("{:%F}", key.day)},
                 {"policy", std::to_string(key.policy)},
                 {"destination", key.destination},
                 {"edition", std::to_string(key.edition)},
                 {"state", std::string(to_string(ReportState::uncertain))}});
    }
  }

  void preview(const Edition& edition, const StoredPolicy& policy,
               const std::function<void(const ReportPreview&)>& show) {
    std::vector<CheckedDestination> checked =
        check_uris(policy, report::distinct_destinations(policy.published.rua, limits()));
    const bool has_ours = leave_out_ourselves(checked);
    const std::vector<Mailbox> recipients = report::recipients_of(checked);
    std::string_view fault = has_ours && recipients.empty() ? comes_back : "";
    if (is_opted_out(policy)) fault = opted_out;
    std::vector<PreviewedDestination> destinations;
    for (CheckedDestination& one : checked) {
      const ReportKey key{edition.day, policy.id, one.uri, edition.number};
      destinations.push_back({std::move(one), ledger.state(key)});
    }
    for (const report::Report& one : make_reports(edition, policy)) {
      ReportPreview preview{.policy_domain = policy.published.domain,
                            .edition = edition.number,
                            .report_id = one.aggregate.report_metadata.report_id,
                            .messages = 0,
                            .xml = format_aggregate(one.aggregate).value_or(""),
                            .mail = {},
                            .fault = std::string(fault),
                            .destinations = destinations};
      for (const report::Record& record : one.aggregate.record)
        preview.messages += record.row.count;
      if (fault.empty() && !recipients.empty()) {
        Result<std::string, std::string> mail = make_mail(one.aggregate, {recipients.front()});
        (mail ? preview.mail : preview.fault) = mail ? *std::move(mail) : std::move(mail.error());
      }
      show(preview);
    }
  }

  void count(ReportState state) {
    if (state == ReportState::sent) ++counts.sent;
    if (state == ReportState::due) ++counts.deferred;
    if (state == ReportState::failed) ++counts.failed;
    if (state == ReportState::uncertain) ++counts.uncertain;
    if (state == ReportState::suppressed) ++counts.suppressed;
  }

  /// Calls for each policy of the edition, of that domain if one is named.
  template <class Each>
  void for_each_policy(const Edition& edition, std::string_view only_domain, const Each& each) {
    for (store::PolicyId after = 0;;) {
      const std::vector<StoredPolicy> page = store.policies(edition, after, policies_at_once);
      for (const StoredPolicy& policy : page) {
        after = policy.id;
        if (only_domain.empty() || policy.published.domain == only_domain) each(policy);
      }
      if (page.size() < policies_at_once) return;
    }
  }
};

Outbox::Outbox(store::Store& store, CheckDestinations check, MailSender& sender,
               OutboxOptions options, Log& log)
    : state_(std::make_unique<State>(store, std::move(check), sender, std::move(options), log)) {}

Outbox::~Outbox() = default;

std::size_t Outbox::plan(store::Day day, std::string_view only_domain,
                         std::chrono::sys_seconds since) {
  const std::chrono::sys_seconds now = state_->options.now();
  const store::ClosedEditions closed = state_->store.close_edition(day, since, now);
  std::vector<ReportKey> keys;
  for (std::int64_t number = 1; number <= closed.count; ++number) {
    state_->for_each_policy({day, number}, only_domain, [&](const StoredPolicy& policy) {
      for (std::string& uri : report::distinct_destinations(policy.published.rua, state_->limits()))
        keys.push_back(
            {.day = day, .policy = policy.id, .destination = std::move(uri), .edition = number});
    });
  }
  state_->ledger.add_due(keys, now);
  return keys.size();
}

std::uint64_t Outbox::give_up_before(store::Day day) {
  std::uint64_t in_all = 0;
  for (const Day late : state_->store.open_days(day)) {
    const store::ClosedEditions closed =
        state_->store.close_edition(late, std::chrono::sys_seconds::max(), state_->options.now());
    if (!closed.is_new) continue;  // Another node was faster, and tells.
    std::uint64_t messages = 0;
    state_->for_each_policy({late, closed.count}, {}, [&](const StoredPolicy& policy) {
      if (!policy.published.rua.empty() && !state_->is_opted_out(policy))
        messages += policy.messages;
    });
    in_all += messages;
    if (messages > 0)
      state_->log.write(
          LogLevel::warning, "messages came too late for a report",
          {{"day", fmt::format("{:%F}", late)}, {"messages", std::to_string(messages)}});
  }
  return in_all;
}

OutboxCounts Outbox::send(const std::function<bool(std::uint64_t done)>& on_progress) {
  state_->counts = {};
  std::uint64_t done = 0;
  for (;;) {
    const std::chrono::sys_seconds now = state_->options.now();
    state_->tell_abandoned(now);
    const std::vector<Claim> claims =
        state_->ledger.claim(state_->options.owner, now, state_->options.lease, claims_at_once);
    if (claims.empty()) return state_->counts;
    for (const Claim& claim : claims) {
      state_->process(claim);
      // What is claimed and not begun is due again when its lease is over.
      if (on_progress && !on_progress(++done)) return state_->counts;
    }
  }
}

store::WaitingReports Outbox::waiting() { return state_->ledger.waiting(state_->options.now()); }

void Outbox::preview(store::Day day, std::string_view only_domain,
                     const std::function<void(const ReportPreview&)>& show) {
  const std::int64_t open = state_->store.closed_editions(day) + 1;
  for (std::int64_t number = 1; number <= open; ++number) {
    state_->for_each_policy({day, number}, only_domain, [&](const StoredPolicy& policy) {
      state_->preview({day, number}, policy, show);
    });
  }
}

}  // namespace countersign::service
