// SPDX-License-Identifier: Apache-2.0

#include "countersign/mailflow/sealing.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "countersign/arc/field.hpp"
#include "countersign/authres/field.hpp"
#include "countersign/authres/payload.hpp"
#include "countersign/mailflow/filter_field.hpp"
#include "countersign/mailflow/line_ends.hpp"
#include "countersign/text/abnf.hpp"

namespace countersign::mailflow {

namespace {

/// What was found of a message when it came in: what the set says of it.
struct Findings {
  arc::ChainStatus chain_status = arc::ChainStatus::none;
  std::string payload;
};

/// The findings that our own results fields hold; nothing when they hold none.
std::optional<Findings> earlier_findings(const Header& header, const Policy& policy) {
  const std::string& id = policy.judging.results.authserv_id;
  Findings findings;
  bool has_results = false;
  for (const HeaderField& field : header) {
    if (!field.is("Authentication-Results")) continue;
    const auto parsed = authres::parse_field(field.value(), policy.limits);
    if (!parsed || !text::equal_ignoring_case(parsed->authserv_id, id)) continue;
    for (const authres::MethodResult& one : parsed->results) {
      has_results = true;
      if (one.method != "arc" || one.result == "none") continue;
      const bool is_pass = one.result == "pass";
      findings.chain_status = is_pass ? arc::ChainStatus::pass : arc::ChainStatus::fail;
    }
  }
  if (!has_results) return std::nullopt;
  findings.payload = authres::merge_payloads(header, id, policy.limits);
  return findings;
}

/// Why there is no seal.
struct Obstacle {
  std::string_view why;
  bool is_error = false;  ///< there should be one all the same
};

Obstacle obstacle_of(arc::Refusal refusal) {
  switch (refusal) {
    case arc::Refusal::chain_ended:
      return {"an earlier host found the chain broken and has ended it"};
    case arc::Refusal::too_many_sets:
      return {"the chain has as many sets as there may be", true};
  }
  return {"refused", true};
}

/// The value of a field in one line, without the white space around it. RFC 5322 §2.2.3
std::string unfolded(std::string_view value) {
  std::string line;
  for (const char c : value)
    if (c != '\r' && c != '\n') line += c;
  return std::string(text::trim(line, text::is_wsp));
}

/// True when a field of the message matches, or when none has to.
bool is_wanted(const Header& header, const std::vector<HeaderCheck>& checks) {
  return checks.empty() || std::ranges::any_of(header, [&checks](const HeaderField& field) {
           return std::ranges::any_of(checks, [&field](const HeaderCheck& check) {
             return field.is(check.name) && check.matches(unfolded(field.value()));
           });
         });
}

}  // namespace

struct Sealing::State {
  State(std::shared_ptr<const Policy> policy_given, const Header& header_given)
      : policy(std::move(policy_given)),
        header(header_given),
        wanted(is_wanted(header, policy->sealing->header_checks)),
        sealer(policy->sealing->identity, policy->limits) {
    if (policy->fixes_line_ends) mender.emplace();
  }

  std::shared_ptr<const Policy> policy;
  const Header& header;
  bool wanted;                      ///< a field matches, where one has to
  std::optional<Findings> earlier;  ///< of mail that comes back
  arc::Sealer sealer;
  std::optional<LineEndMender> mender;

  /// What is to be said of the message, or why there must be no seal.
  [[nodiscard]] Result<Findings, Obstacle> findings(const Outcome& outcome) const {
    if (earlier) {
      // Sets that nobody judged are ours, put on as the message came in: a second seal of ours
      // could only say that the first is broken.
      const bool has_chain = find_field(header, "ARC-Seal") != nullptr;
      if (has_chain && earlier->chain_status == arc::ChainStatus::none)
        return std::unexpected(Obstacle{"the results on it say nothing of the chain that it has"});
      return *earlier;
    }
    const Judgement& judgement = *outcome.judgement;
    const std::optional<arc::Outcome>& chain = judgement.verdict.arc;
    if (!chain || chain->is_temporary())
      return std::unexpected(Obstacle{"DNS does not tell whether the chain is whole", true});
    return Findings{chain->status, std::string(HeaderField(judgement.results_field).value())};
  }

  /// Tells why there is no seal, and does what is done where there should be one. What was decided
  /// before is not made weaker.
  void give_up(const Obstacle& obstacle, Outcome& outcome) const {
    outcome.reasons.push_back({Reason::not_sealed, std::string(obstacle.why), {}});
    const Action action = policy->sealing->on_error;
    if (!obstacle.is_error || severity(action) <= severity(outcome.action)) return;
    outcome.action = action;
    outcome.action_codes.clear();
    outcome.action_text = "the message cannot be sealed: " + std::string(obstacle.why);
    if (action != Action::quarantine) outcome.added_recipients.clear();
    if (action == Action::tempfail) leave_out_of_reports(outcome);
  }

  /// A message that comes again is told of then.
  static void leave_out_of_reports(Outcome& outcome) {
    outcome.failure.reset();
    if (!outcome.judgement || !outcome.judgement->is_counted) return;
    Judgement judgement = *outcome.judgement;
    judgement.is_counted = false;
    outcome.judgement = std::make_shared<const Judgement>(std::move(judgement));
  }

  void seal(std::chrono::sys_seconds now, Outcome& outcome) {
    if (!wanted) return give_up({"no field of it matches sealing.header_checks"}, outcome);
    const Result<Findings, Obstacle> found = findings(outcome);
    if (!found) return give_up(found.error(), outcome);
    Header handed_on = header;
    apply_edits(outcome.edits, handed_on);
    const auto fields = std::move(sealer).finish(
        handed_on, {.chain_status = found->chain_status, .payload = found->payload, .now = now});
    if (!fields) return give_up(obstacle_of(fields.error()), outcome);
    for (auto field = fields->rbegin(); field != fields->rend(); ++field)
      outcome.edits.push_back(insert_at_top(*field));
    add_software_header(outcome);
    if (const auto made = arc::parse_seal(fields->front().value(), policy->limits))
      outcome.seal = SealedAs{made->sdid, made->selector, made->instance, made->chain_status};
  }

  void add_software_header(Outcome& outcome) const {
    const std::string& software = policy->sealing->software_header;
    if (software.empty()) return;
    outcome.edits.push_back(filter_field("ARC-Filter", software, outcome.queue_id));
  }
};

Sealing::Sealing(std::unique_ptr<State> state) : state_(std::move(state)) {}
Sealing::~Sealing() = default;
Sealing::Sealing(Sealing&&) noexcept = default;
Sealing& Sealing::operator=(Sealing&&) noexcept = default;

std::optional<Sealing> Sealing::of_judged(std::shared_ptr<const Policy> policy,
                                          const Header& header) {
  const bool is_sealed = policy->sealing && policy->sealing->judged && !policy->judging.shadow;
  if (!is_sealed) return std::nullopt;
  return Sealing(std::make_unique<State>(std::move(policy), header));
}

std::optional<Sealing> Sealing::of_returned(std::shared_ptr<const Policy> policy,
                                            const Envelope& envelope, const Header& header) {
  if (!policy->sealing) return std::nullopt;
  if (!policy->sealing->returned.match(envelope.client_host, envelope.client_ip))
    return std::nullopt;
  std::optional<Findings> earlier = earlier_findings(header, *policy);
  if (!earlier) return std::nullopt;
  auto state = std::make_unique<State>(std::move(policy), header);
  state->earlier = std::move(earlier);
  return Sealing(std::move(state));
}

void Sealing::body(std::string_view chunk) {
  if (!state_->wanted) return;
  arc::Sealer& sealer = state_->sealer;
  if (state_->mender)
    state_->mender->feed(chunk, [&sealer](std::string_view piece) { sealer.body(piece); });
  else
    sealer.body(chunk);
}

void Sealing::finish(std::chrono::sys_seconds now, Outcome& outcome) && {
  const std::unique_ptr<State> state = std::move(state_);
  const bool goes_on = outcome.action == Action::accept || outcome.action == Action::quarantine;
  if (!goes_on) return;
  arc::Sealer& sealer = state->sealer;
  if (state->mender)
    state->mender->finish([&sealer](std::string_view piece) { sealer.body(piece); });
  state->seal(now, outcome);
}

}  // namespace countersign::mailflow
