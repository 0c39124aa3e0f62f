// SPDX-License-Identifier: Apache-2.0
//
// The steps of a message on its way out, in the order in which they are taken. Each may end the
// message: then it stays unsigned, and the reason it left is the last one.

#include "countersign/mailflow/outbound.hpp"

#include <array>
#include <utility>

#include "countersign/mailflow/direction.hpp"
#include "countersign/mailflow/filter_field.hpp"
#include "countersign/mailflow/identities.hpp"
#include "countersign/mailflow/line_ends.hpp"
#include "countersign/message/author.hpp"
#include "countersign/text/abnf.hpp"

namespace countersign::mailflow {

namespace {

/// A field whose number RFC 5322 §3.6 fixes. From is judged by find_authors().
struct FieldCount {
  std::string_view name;
  bool required = false;
};

constexpr std::array<FieldCount, 10> field_counts = {{
    {"Date", true},
    {"Sender"},
    {"Reply-To"},
    {"To"},
    {"Cc"},
    {"Bcc"},
    {"Message-ID"},
    {"In-Reply-To"},
    {"References"},
    {"Subject"},
}};

/// The first field that is missing or repeated against RFC 5322 §3.6.
std::optional<std::string_view> find_bad_count(const Header& header) {
  for (const FieldCount& field : field_counts) {
    const std::size_t count = count_fields(header, field.name);
    if (count > 1 || (field.required && count == 0)) return field.name;
  }
  return std::nullopt;
}

/// The sentence for what is wrong with a field that should name somebody.
std::string problem(std::string_view field_name, AuthorErrorCode code) {
  return std::string(field_name) + ": " + std::string(to_string(code));
}

/// The field of SenderHeaders that is there first, unless that is From.
const HeaderField* find_sender_field(const Header& header, const Policy& policy) {
  for (const std::string& name : policy.sender_headers) {
    if (equal_names(name, "From")) return nullptr;
    if (const HeaderField* field = find_field(header, name)) return field;
  }
  return nullptr;
}

/// What names the sender in a field of SenderHeaders: its value, or the address of the first
/// "<mailto:address?…>" in it, as List-Post has it. RFC 2369 §3.4, RFC 6068 §2
std::string_view sender_in(std::string_view value) {
  constexpr std::string_view scheme = "<mailto:";
  for (std::size_t at = value.find('<'); at != std::string_view::npos;
       at = value.find('<', at + 1)) {
    if (!text::starts_with_ignoring_case(value.substr(at), scheme)) continue;
    const std::string_view address = value.substr(at + scheme.size());
    return address.substr(0, address.find_first_of("?>"));
  }
  return value;
}

/// Whom the message claims to be from, at least one. The first is the mailbox for which keys are
/// looked up: that of the first field of SenderHeaders that is there, or of From. All those of From
/// are among them, and From must be in order in any case. The error is a sentence.
Result<std::vector<Mailbox>, std::string> find_senders(const Header& header, const Policy& policy) {
  Result<std::vector<Mailbox>, AuthorError> authors = find_authors(header);
  if (!authors) return std::unexpected(problem("From", authors.error().code));
  if (authors->empty()) return std::unexpected(problem("From", AuthorErrorCode::no_address));
  if (const HeaderField* field = find_sender_field(header, policy)) {
    if (count_fields(header, field->name()) > 1)
      return std::unexpected(std::string(field->name()) + ": more than one field");
    Result<std::vector<Mailbox>, AuthorError> others =
        parse_mailbox_list(sender_in(field->value()));
    if (!others) return std::unexpected(problem(field->name(), others.error().code));
    authors->insert(authors->begin(), std::move(others->front()));
  }
  return *std::move(authors);
}

std::uint64_t octets_of(const Header& header) {
  std::uint64_t octets = 0;
  for (const HeaderField& field : header) octets += field.raw().size() + 2;
  return octets;
}

/// Ends the message of a peer as the policy has it.
void end_for_peer(const Policy& policy, Explanation why, Outcome& outcome) {
  outcome.action = policy.on_peer;
  // The peer need not know where its name is listed.
  if (policy.on_peer != Action::accept)
    outcome.action_text =
        "the client is listed as a peer: its mail is not checked here, and so not let through";
  outcome.reasons.push_back(std::move(why));
}

}  // namespace

struct Outbound::State {
  std::shared_ptr<const Policy> policy;
  const Envelope* envelope = nullptr;
  const Header* header = nullptr;
  bool is_from_outside = false;
  bool is_incoming = false;
  bool is_outgoing = false;
  std::optional<dkim::Signer> signer;
  std::optional<LineEndMender> mender;
  Outcome outcome;

  void decide(std::optional<SplitErrorCode> over_limit);
  void feed(std::string_view chunk);
  void sign(std::chrono::sys_seconds now);

 private:
  void explain(Explanation why) { outcome.reasons.push_back(std::move(why)); }
  void refuse(Action action, Explanation why);
  Action action_for_bad_author(Direction direction) const;
  bool has_unsigned_recipient();
  bool has_bad_counts();
  void watch_for_our_domain(const Mailbox& author);
  void sign_for(const std::vector<Mailbox>& senders);
  void use(Identities identities);
  void add_edits(const std::vector<HeaderField>& signatures);
};

/// Ends the message with what the policy does in such a case.
void Outbound::State::refuse(Action action, Explanation why) {
  outcome.action = action;
  if (action != Action::accept) outcome.action_text = to_string(why);
  explain(std::move(why));
}

bool Outbound::State::has_unsigned_recipient() {
  if (policy->unsigned_recipients.empty()) return false;
  for (const std::string& recipient : envelope->rcpt_to) {
    if (!policy->unsigned_recipients.contains(recipient)) continue;
    explain({Reason::unsigned_recipient, recipient, {}});
    return true;
  }
  if (envelope->rcpt_to_dropped == 0) return false;
  explain({Reason::unsigned_recipient, "too many recipients to look at each", {}});
  return true;
}

/// A second From breaks the counts that RequiredHeaders is about.
Action Outbound::State::action_for_bad_author(Direction direction) const {
  const bool is_looked_at = direction == Direction::outgoing || policy->judges;
  const bool breaks_counts = is_looked_at && count_fields(*header, "From") > 1;
  return policy->requires_headers && breaks_counts ? Action::reject : policy->on_bad_author;
}

/// Ends the message if its counts are bad and somebody minds; false when it may go on.
bool Outbound::State::has_bad_counts() {
  if (!policy->requires_headers && !policy->strict_headers) return false;
  const std::optional<std::string_view> name = find_bad_count(*header);
  if (!name) return false;
  refuse(policy->requires_headers ? Action::reject : Action::accept,
         {Reason::bad_field_count, std::string(*name), {}});
  return true;
}

void Outbound::State::decide(std::optional<SplitErrorCode> over_limit) {
  outcome.header_octets = octets_of(*header);
  Directed directed = find_direction(*policy, *envelope);
  if (directed.direction == Direction::untouched)
    return end_for_peer(*policy, std::move(directed.why), outcome);
  explain(std::move(directed.why));
  is_from_outside = is_incoming = directed.direction == Direction::incoming;
  is_outgoing = directed.direction == Direction::outgoing;
  if (over_limit)
    return refuse(policy->on_limit, {Reason::over_limit, std::string(to_string(*over_limit)), {}});

  const Result<std::vector<Mailbox>, std::string> senders = find_senders(*header, *policy);
  if (!senders)
    return refuse(action_for_bad_author(directed.direction),
                  {Reason::bad_author, senders.error(), {}});
  const Mailbox& author = senders->front();
  outcome.author = author.address();
  if (auto why = find_exemption(*policy, author.domain)) {
    is_incoming = is_outgoing = false;
    return explain(*std::move(why));
  }
  if (is_incoming) {
    if (!policy->judges || !has_bad_counts()) watch_for_our_domain(author);
    return;
  }
  if (!policy->signs) return explain({Reason::signing_off, {}, {}});
  sign_for(*senders);
}

/// Says so when a stranger's mail claims an author of ours (S-09).
void Outbound::State::watch_for_our_domain(const Mailbox& author) {
  if (!is_one_of_ours(*policy, author)) return;
  if (policy->external_ignored.match(envelope->client_host, envelope->client_ip)) return;
  explain(
      {Reason::outside_uses_our_domain, client_text(*envelope) + " as " + author.address(), {}});
}

/// Signs for the author if the login may use who the message claims to be from (S-10).
void Outbound::State::sign_for(const std::vector<Mailbox>& senders) {
  const LoginPolicy& logins = policy->logins;
  LoginRuling ruling = rule_on_login(logins, *envelope, senders, policy->limits);
  if (ruling.why) explain(*std::move(ruling.why));
  if (!ruling.is_allowed && logins.shadow) explain({Reason::login_shadowed, {}, {}});
  if (ruling.is_allowed || logins.shadow) return use(find_identities(*policy, senders.front()));
  switch (logins.on_mismatch) {
    case MismatchAction::unsigned_:
      if (policy->judges) has_bad_counts();
      return;
    case MismatchAction::fallback:
      return use(find_fallback(*policy, senders));
    case MismatchAction::reject:
      // Nothing of the table: it is not for whoever got hold of a password. RFC 6409 §6.1
      outcome.action = Action::reject;
      outcome.action_codes = "550 5.7.1";
      outcome.action_text = "you may not send mail under this sender address";
      return;
  }
}

/// Makes these signatures, if nothing is in the way.
void Outbound::State::use(Identities identities) {
  for (Explanation& why : identities.reasons) explain(std::move(why));
  if (identities.has_error && policy->on_signing_error != Action::accept) {
    outcome.action = policy->on_signing_error;
    outcome.action_text = "the message cannot be signed";
    return;
  }
  if (identities.chosen.empty()) {
    if (policy->judges) has_bad_counts();
    return;
  }
  if (has_unsigned_recipient() || has_bad_counts()) return;

  for (const dkim::SigningIdentity& identity : identities.chosen)
    outcome.signatures.push_back({.sdid = identity.sdid,
                                  .selector = identity.selector,
                                  .auid = identity.auid,
                                  .algorithm = identity.key.type() == crypto::KeyType::ed25519
                                                   ? dkim::Algorithm::ed25519_sha256
                                                   : dkim::Algorithm::rsa_sha256});
  signer.emplace(*header, std::move(identities.chosen), policy->limits);
  if (policy->fixes_line_ends) mender.emplace();
}

void Outbound::State::feed(std::string_view chunk) {
  outcome.body_octets += chunk.size();
  if (!signer) return;
  if (mender)
    mender->feed(chunk, [this](std::string_view piece) { signer->body(piece); });
  else
    signer->body(chunk);
}

void Outbound::State::sign(std::chrono::sys_seconds now) {
  if (mender) mender->finish([this](std::string_view piece) { signer->body(piece); });
  add_edits(std::move(*signer).finish(now));
  signer.reset();
}

void Outbound::State::add_edits(const std::vector<HeaderField>& signatures) {
  if (policy->removes_old_signatures) outcome.edits = remove_all(*header, "DKIM-Signature");
  for (auto field = signatures.rbegin(); field != signatures.rend(); ++field)
    outcome.edits.push_back(insert_at_top(*field));
  if (policy->software_header.empty()) return;
  outcome.edits.push_back(filter_field("DKIM-Filter", policy->software_header, outcome.queue_id));
}

std::optional<Outcome> refuse_peer(const Policy& policy, const Envelope& envelope) {
  if (!policy.refuses_peers()) return std::nullopt;
  Directed directed = find_direction(policy, envelope);
  if (directed.direction != Direction::untouched) return std::nullopt;
  Outcome outcome;
  outcome.queue_id = envelope.macro("i");
  end_for_peer(policy, std::move(directed.why), outcome);
  return outcome;
}

Outbound::Outbound(std::shared_ptr<const Policy> policy, const Envelope& envelope,
                   const Header& header, std::optional<SplitErrorCode> over_limit)
    : state_(std::make_unique<State>()) {
  state_->policy = std::move(policy);
  state_->envelope = &envelope;
  state_->header = &header;
  state_->decide(over_limit);
}

Outbound::~Outbound() = default;
Outbound::Outbound(Outbound&&) noexcept = default;
Outbound& Outbound::operator=(Outbound&&) noexcept = default;

bool Outbound::is_incoming() const {
  const Action action = state_->outcome.action;
  return state_->is_incoming && (action == Action::accept || action == Action::quarantine);
}

bool Outbound::is_from_outside() const { return state_->is_from_outside; }

bool Outbound::is_outgoing() const {
  return state_->is_outgoing && state_->outcome.action == Action::accept;
}

bool Outbound::wants_body() const { return state_->signer.has_value(); }

void Outbound::body(std::string_view chunk) { state_->feed(chunk); }

Outcome Outbound::finish(std::chrono::sys_seconds now) && {
  state_->outcome.queue_id = state_->envelope->macro("i");
  if (state_->signer) state_->sign(now);
  return std::move(state_->outcome);
}

}  // namespace countersign::mailflow
