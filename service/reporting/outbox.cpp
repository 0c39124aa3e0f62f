// SPDX-License-Identifier: Apache-2.0
//
// The way of one report, in named steps; each may end it, and says so in the ledger.

#include "service/reporting/outbox.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <set>
#include <utility>

#include "countersign/message/compose.hpp"
#include "service/log/log.hpp"
#include "service/reporting/previews.hpp"
#include "service/reporting/report_maker.hpp"

namespace countersign::service {
namespace {

using store::Claim;
using store::Edition;
using store::Permission;
using store::ReportKey;
using store::ReportState;
using store::SendingResult;
using store::StoredPolicy;

// Claimed at once: few, so that a node that stops holds little up.
constexpr std::size_t claims_at_once = 8;
constexpr std::chrono::hours first_pause{1};

/// What a claim came to: nothing when the ledger has all that there is to say.
using Ending = std::optional<SendingResult>;

SendingResult suppressed(std::string why) {
  return {.state = ReportState::suppressed, .detail = std::move(why), .next_attempt = {}};
}

/// A report on its way out.
struct Departing {
  const Claim& claim;
  const ReportSurvey& survey;
  const std::vector<Mailbox>& recipients;
  std::optional<ReportParts> parts;  ///< behind those that have left; nothing when it is one part
};

}  // namespace

struct Outbox::State {
  State(store::Store& store_given, CheckDestinations check, MailSender& sender_given,
        OutboxOptions options_given, Log& log_given)
      : store(store_given),
        ledger(store_given),
        sender(sender_given),
        options(std::move(options_given)),
        log(log_given),
        maker(store, std::move(check), options, log) {}

  store::Store& store;
  store::ReportLedger ledger;
  MailSender& sender;
  OutboxOptions options;
  Log& log;
  ReportMaker maker;
  OutboxCounts counts;
  /// Claims whose turn is still to come, and when their leases were made longer last.
  std::deque<Claim> claimed;
  std::chrono::sys_seconds renewed;
  /// The report that was made last: a policy with several destinations comes several times.
  struct Made {
    Edition edition;
    StoredPolicy policy;
    std::optional<ReportSurvey> survey;
  };
  std::optional<Made> made;

  [[nodiscard]] Made* find_made(const ReportKey& key) {
    const Edition edition{key.day, key.edition};
    if (made && made->edition == edition && made->policy.id == key.policy) return &*made;
    made.reset();
    std::optional<StoredPolicy> policy = maker.find_policy(edition, key.policy);
    if (!policy) return nullptr;
    made = Made{.edition = edition, .policy = *std::move(policy), .survey = {}};
    return &*made;
  }

  // --- deciding ---

  /// Whom the report goes to, or how it ends without having left. Only with recipients it goes on.
  [[nodiscard]] Ending find_recipients(Claim& claim, const StoredPolicy& policy,
                                       std::vector<Mailbox>& recipients) {
    Addressed addressed = maker.address(policy, claim.key.destination);
    if (addressed.is_temporary) return try_again(claim, std::move(addressed.fault));
    if (!addressed.fault.empty()) return suppressed(std::move(addressed.fault));
    std::vector<std::string> names;
    for (const Mailbox& one : addressed.checked.mailboxes) names.push_back(ledger_name(one));
    if (ledger.take_mailboxes(claim, std::move(names), options.now()) != Permission::granted)
      return std::nullopt;
    std::set<std::string> own(claim.mailboxes.begin(), claim.mailboxes.end());
    for (Mailbox& one : addressed.checked.mailboxes)
      if (own.erase(ledger_name(one)) > 0) recipients.push_back(std::move(one));
    if (!recipients.empty()) return std::nullopt;
    return suppressed(std::string(gets_it_otherwise));
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

  /// The next part as a mail; the error is a sentence.
  [[nodiscard]] Result<std::string, std::string> next_mail(Departing& departing) {
    const std::optional<report::Report> part =
        departing.parts ? departing.parts->next() : std::nullopt;
    const report::Report* const made_part = part ? &*part : departing.survey.only.get();
    if (made_part == nullptr) return std::unexpected("a part of it is stored no more");
    Result<std::string, std::string> mail =
        maker.make_mail(made_part->aggregate, departing.recipients);
    if (!mail) return std::unexpected("the mail cannot be made: " + mail.error());
    return mail;
  }

  /// Sends the parts that have not left yet, in their order; most reports have one.
  ///
  /// mail   the first of them.
  [[nodiscard]] SendingResult deliver(Departing& departing, std::string mail) {
    const Claim& claim = departing.claim;
    const std::vector<std::string>& ids = departing.survey.ids;
    std::vector<std::string> rcpt_to;
    for (const Mailbox& one : departing.recipients) rcpt_to.push_back(format_address(one));
    for (auto sent = static_cast<std::size_t>(claim.parts_sent);;) {
      DeliveryResult result = sender.send(
          {.mail_from = options.mail_from, .rcpt_to = rcpt_to, .octets = std::move(mail)});
      if (ids.size() > 1)
        result.text = fmt::format("part {} of {}: {}", sent + 1, ids.size(), result.text);
      if (result.delivery != Delivery::accepted) return not_accepted(claim, result);
      if (++sent == ids.size()) break;
      if (!ledger.part_left(claim, static_cast<std::int64_t>(sent), ids[sent], options.now()))
        return {.state = ReportState::uncertain,
                .detail = "sending its parts took longer than its lease",
                .next_attempt = {}};
      renew_leases();
      Result<std::string, std::string> next = next_mail(departing);
      if (!next) return try_again(claim, std::move(next.error()));
      mail = *std::move(next);
    }
    for (const std::string& one : claim.mailboxes) ledger.mailbox_worked(one, options.now());
    return {.state = ReportState::sent, .detail = {}, .next_attempt = {}};
  }

  [[nodiscard]] SendingResult not_accepted(const Claim& claim, const DeliveryResult& result) {
    if (result.delivery == Delivery::uncertain)
      return {.state = ReportState::uncertain, .detail = result.text, .next_attempt = {}};
    if (result.delivery == Delivery::deferred) return try_again(claim, result.text);
    for (const std::string& one : claim.mailboxes)
      ledger.mailbox_failed(one, result.text, options.now());
    return {.state = ReportState::failed, .detail = result.text, .next_attempt = {}};
  }

  /// Everything but the entry into the ledger.
  [[nodiscard]] Ending send_claimed(Claim& claim) {
    Made* report = find_made(claim.key);
    if (report == nullptr) return suppressed("nothing is stored of that day any more");
    std::vector<Mailbox> recipients;
    if (Ending ending = find_recipients(claim, report->policy, recipients)) return ending;
    if (recipients.empty()) return std::nullopt;
    if (!report->survey) report->survey = maker.survey(report->edition, report->policy);
    const ReportSurvey& survey = *report->survey;
    if (survey.ids.empty()) return suppressed("nothing is stored of that day any more");
    // What stands in the parts that have left is not known any more: other parts could tell of it
    // again, or never.
    if (is_divided_otherwise(claim, survey))
      return SendingResult{.state = ReportState::failed,
                           .detail = divided_otherwise(claim.parts_sent),
                           .next_attempt = {}};
    Departing departing{
        .claim = claim, .survey = survey, .recipients = recipients, .parts = std::nullopt};
    if (!survey.only) departing.parts = maker.parts(report->edition, report->policy);
    for (std::int64_t i = 0; i < claim.parts_sent; ++i) static_cast<void>(departing.parts->next());
    Result<std::string, std::string> mail = next_mail(departing);
    if (!mail) return try_again(claim, std::move(mail.error()));
    const Permission permission =
        ledger.begin_sending(claim,
                             {.report_id = survey.ids[static_cast<std::size_t>(claim.parts_sent)],
                              .parts = static_cast<std::int64_t>(survey.ids.size()),
                              .division = survey.division},
                             options.destination_cap, options.now());
    if (permission == Permission::capped) ++counts.deferred;
    if (permission != Permission::granted) return std::nullopt;
    return deliver(departing, *std::move(mail));
  }

  void process(Claim claim) {
    const Ending ending = send_claimed(claim);
    if (!ending) return;
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

  /// Keeps what is claimed and not begun, however long those before it take.
  void renew_leases() {
    const std::chrono::sys_seconds now = options.now();
    if (now - renewed < options.lease / 4) return;
    renewed = now;
    std::erase_if(claimed,
                  [&](const Claim& one) { return !ledger.extend(one, now, options.lease); });
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

  void count(ReportState state) {
    if (state == ReportState::sent) ++counts.sent;
    if (state == ReportState::due) ++counts.deferred;
    if (state == ReportState::failed) ++counts.failed;
    if (state == ReportState::uncertain) ++counts.uncertain;
    if (state == ReportState::suppressed) ++counts.suppressed;
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
  std::size_t count = 0;
  for (std::int64_t number = 1; number <= closed.count; ++number)
    state_->maker.for_each_plan({day, number}, only_domain, [&](const PlannedReports& planned) {
      count += planned.known + planned.keys.size();
      if (!planned.keys.empty()) state_->ledger.add_due(planned.keys, now);
    });
  return count;
}

std::uint64_t Outbox::give_up_before(store::Day day) {
  std::uint64_t in_all = 0;
  for (const store::Day late : state_->store.open_days(day)) {
    const store::ClosedEditions closed =
        state_->store.close_edition(late, std::chrono::sys_seconds::max(), state_->options.now());
    if (!closed.is_new) continue;  // Another node was faster, and tells.
    std::uint64_t messages = 0;
    state_->maker.for_each_policy({late, closed.count}, {}, [&](const StoredPolicy& policy) {
      if (!policy.published.rua.empty() && !state_->maker.is_opted_out(policy))
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

OutboxCounts Outbox::send(const std::function<bool(std::uint64_t done)>& on_progress,
                          std::string_view only_domain) {
  State& state = *state_;
  state.counts = {};
  std::uint64_t done = 0;
  for (;;) {
    const std::chrono::sys_seconds now = state.options.now();
    state.tell_abandoned(now);
    const std::vector<Claim> claims = state.ledger.claim(
        state.options.owner, now, state.options.lease, claims_at_once, only_domain);
    if (claims.empty()) return state.counts;
    state.claimed.assign(claims.begin(), claims.end());
    state.renewed = now;
    while (!state.claimed.empty()) {
      Claim claim = std::move(state.claimed.front());
      state.claimed.pop_front();
      state.process(std::move(claim));
      // What is claimed and not begun is due again when its lease is over.
      if (on_progress && !on_progress(++done)) return state.counts;
      state.renew_leases();
    }
  }
}

store::WaitingReports Outbox::waiting() { return state_->ledger.waiting(state_->options.now()); }

void Outbox::preview(store::Day day, std::string_view only_domain,
                     const std::function<void(const ReportPreview&)>& show) {
  Previews(state_->store, state_->maker, state_->options, show).show_day(day, only_domain);
}

void Outbox::rehearse(store::Day day, std::string_view only_domain,
                      const std::function<void(const ReportPreview&)>& show) {
  Previews(state_->store, state_->maker, state_->options, show).show_sending(day, only_domain);
}

}  // namespace countersign::service
