// SPDX-License-Identifier: Apache-2.0

#include "countersign/mailflow/flow.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "countersign/assert.hpp"
#include "countersign/authres/field.hpp"
#include "countersign/mailflow/failed_message.hpp"
#include "countersign/mailflow/filter_field.hpp"
#include "countersign/mailflow/inbound.hpp"
#include "countersign/mailflow/outbound.hpp"
#include "countersign/mailflow/results_field.hpp"
#include "countersign/mailflow/sealing.hpp"
#include "countersign/spf/received_spf.hpp"

namespace countersign::mailflow {

struct Flow::State {
  State(std::shared_ptr<const Policy> policy_given, const Envelope& envelope_given,
        Header header_given, std::optional<HeaderCut> cut_given, CountRecipients count_given)
      : policy(std::move(policy_given)),
        envelope(envelope_given),
        header(std::move(header_given)),
        cut(cut_given),
        count_recipients(std::move(count_given)),
        outbound(policy, envelope, header, limit_passed()) {
    if (is_for_judging()) inbound.emplace(policy, envelope, header, limit_passed());
    if (!cut) begin_seal();
  }

  std::shared_ptr<const Policy> policy;
  const Envelope& envelope;
  const Header header;
  std::optional<HeaderCut> cut;
  CountRecipients count_recipients;
  Outbound outbound;
  std::optional<Inbound> inbound;
  std::optional<Sealing> sealing;

  [[nodiscard]] std::optional<SplitErrorCode> limit_passed() const {
    return cut ? std::optional(cut->limit) : std::nullopt;
  }

  [[nodiscard]] bool has_client_left_alone() const {
    return policy->judging.unjudged.match(envelope.client_host, envelope.client_ip).has_value();
  }

  /// True for what comes from outside, unless a rule for all mail has ended it already.
  [[nodiscard]] bool is_for_judging() const {
    return policy->judges && outbound.is_incoming() && !has_client_left_alone();
  }

  /// True when results that claim to be ours cannot be, though the message is not judged: it comes
  /// from somebody who logged in, or from outside under a name that is exempt. Our own hosts may
  /// hand on what we wrote. RFC 8601 §5
  [[nodiscard]] bool is_only_for_cleaning() const {
    if (!policy->judges || policy->judging.shadow || inbound) return false;
    if (outbound.is_from_outside()) return !has_client_left_alone();
    return outbound.is_outgoing() && envelope.has_login() && !sealing;
  }
  void clean(Outcome& outcome) const {
    refuse_unseen(outcome);
    std::vector<HeaderEdit> edits = forged_fields(header, policy->judging.results, policy->limits);
    if (edits.empty()) return;
    outcome.reasons.push_back({Reason::forged_results, std::to_string(edits.size()), {}});
    std::ranges::move(edits, std::back_inserter(outcome.edits));
  }

  /// True when what the message adds to reports is wanted.
  [[nodiscard]] bool is_counted() const {
    const JudgingPolicy& judging = policy->judging;
    return judging.counts && !judging.own_reports.is_report_traffic(envelope.rcpt_to);
  }

  [[nodiscard]] Judgement judge(Verdict verdict, std::chrono::sys_seconds now) const {
    Judgement judgement;
    verdict.replay = find_replay({verdict, envelope, header}, policy->judging.replay,
                                 policy->limits, count_recipients, now);
    judgement.disposition = dispose(verdict, envelope, policy->judging, policy->limits);
    judgement.is_shadow = policy->judging.shadow;
    judgement.results_field =
        authres::format_field({authserv_id_for(policy->judging.results, envelope),
                               results_of(verdict, envelope, policy->judging.results)},
                              {.comments = policy->judging.results.comments}, policy->limits);
    judgement.verdict = std::move(verdict);
    judgement.is_counted = is_counted();
    return judgement;
  }

  [[nodiscard]] HeaderField received_spf(const spf::Outcome& outcome) const {
    return HeaderField(spf::format_received_spf({.client_ip = *envelope.client_ip,
                                                 .helo = envelope.helo,
                                                 .mail_from = envelope.mail_from,
                                                 .identity = outcome.identity,
                                                 .receiver = policy->judging.receiver,
                                                 .now = {}},
                                                outcome));
  }

  /// Sealing comes last, over all that is done to the message. RFC 8617 §5.1
  void begin_seal() {
    if (inbound)
      sealing = Sealing::of_judged(policy, header);
    else if (outbound.is_outgoing())
      sealing = Sealing::of_returned(policy, envelope, header);
  }
  void finish_seal(std::chrono::sys_seconds now, Outcome& outcome) {
    if (sealing) std::move(*sealing).finish(now, outcome);
  }

  /// True when a copy of the message is wanted: as OpenDMARC has it, of what fails where the owner
  /// asks for quarantine or rejection, whatever comes of that; not of domains whose failures are
  /// known.
  [[nodiscard]] bool is_copied(const Judgement& judgement) const {
    const Verdict& verdict = judgement.verdict;
    if (judgement.is_shadow || verdict.dmarc_result() != dmarc::Result::fail) return false;
    const auto asked = verdict.dmarc->published_policy.value_or(dmarc::AssessmentPolicy::none);
    return asked != dmarc::AssessmentPolicy::none &&
           !policy->judging.trust.author_domains.contains(*verdict.authorship.author_domain);
  }

  /// Adds whoever gets a copy, when all else is decided: what is not taken goes to nobody.
  void add_copies(Outcome& outcome) const {
    const std::string& recipient = policy->judging.copies_failures_to;
    const bool is_taken = outcome.action == Action::accept || outcome.action == Action::quarantine;
    if (is_taken && !recipient.empty() && outcome.judgement && is_copied(*outcome.judgement))
      outcome.added_recipients.push_back(recipient);
  }

  /// Refuses what has fields that nobody has looked at: one could say what we should have said.
  void refuse_unseen(Outcome& outcome) const {
    if (!cut || !cut->has_lost_results || outcome.action == Action::discard) return;
    outcome.action = Action::reject;
    outcome.action_codes = "550 5.6.0";
    outcome.action_text = "the header is too large to be checked";
  }

  /// All that needs no judgement.
  [[nodiscard]] Outcome finish_outbound(std::chrono::sys_seconds now) {
    const bool cleans = is_only_for_cleaning();
    Outcome outcome = std::move(outbound).finish(now);
    if (cleans) clean(outcome);
    return outcome;
  }

  /// Does what the judgement asks for, or what was to be done before if that is more.
  void act(const Disposition& disposition, Outcome& outcome) const {
    if (severity(disposition.action) >= severity(outcome.action)) {
      outcome.action = disposition.action;
      outcome.action_codes = disposition.codes;
      outcome.action_text = disposition.text;
    }
    refuse_unseen(outcome);
  }

  /// Puts the judgement into what is done.
  void carry_out(Judgement judgement, std::chrono::sys_seconds now, Outcome& outcome) const {
    std::vector<HeaderEdit> edits = forged_fields(header, policy->judging.results, policy->limits);
    judgement.removed_fields = edits.size();
    const std::string& software = policy->judging.results.software_header;
    if (!software.empty())
      edits.push_back(filter_field("DMARC-Filter", software, outcome.queue_id));
    const std::optional<spf::Outcome>& spf = judgement.verdict.mail_from;
    if (policy->judging.results.received_spf && spf)
      edits.push_back(insert_at_top(received_spf(*spf)));
    edits.push_back(insert_at_top(HeaderField(judgement.results_field)));
    if (!judgement.is_shadow) {
      outcome.edits = std::move(edits);
      act(judgement.disposition, outcome);
    }
    outcome.failure = failure_of(judgement, envelope, header, policy->judging, now);
    outcome.judgement = std::make_shared<const Judgement>(std::move(judgement));
  }
};

Flow::Flow(std::shared_ptr<const Policy> policy, const Envelope& envelope, Header header,
           std::optional<HeaderCut> cut, CountRecipients count)
    : state_(std::make_unique<State>(std::move(policy), envelope, std::move(header), cut,
                                     std::move(count))) {}

Flow::~Flow() = default;
Flow::Flow(Flow&&) noexcept = default;
Flow& Flow::operator=(Flow&&) noexcept = default;

bool Flow::wants_body() const {
  return is_judged() || state_->outbound.wants_body() || state_->sealing;
}

bool Flow::is_judged() const { return state_->inbound.has_value(); }

void Flow::body(std::string_view chunk) {
  state_->outbound.body(chunk);
  if (state_->inbound) state_->inbound->body(chunk);
  if (state_->sealing) state_->sealing->body(chunk);
}

Outcome Flow::finish_unjudged(std::chrono::sys_seconds now) && {
  COUNTERSIGN_ASSERT(!is_judged());
  Outcome outcome = state_->finish_outbound(now);
  state_->finish_seal(now, outcome);
  return outcome;
}

dns::Asking<Outcome> Flow::finish(std::chrono::sys_seconds now) && {
  return run(std::move(state_), now);
}

dns::Asking<Outcome> Flow::run(std::unique_ptr<State> state, std::chrono::sys_seconds now) {
  Outcome outcome = state->finish_outbound(now);
  if (state->inbound) {
    Verdict verdict = co_await std::move(*state->inbound).finish(now);
    state->carry_out(state->judge(std::move(verdict), now), now, outcome);
  }
  state->finish_seal(now, outcome);
  state->add_copies(outcome);
  co_return outcome;
}

}  // namespace countersign::mailflow
