// SPDX-License-Identifier: Apache-2.0
//
// The life of a connection:
//
//   negotiate ─► connect ─► helo ─► MAIL ─► RCPT… ─► field… ─► end of header ─► chunk…
//                  ▲                 ▲                                          │
//                  │                 └─── abort, or the next message ◄── end of body
//                  └───────────────────── quit, new connection ◄────────────────┘
//
// Macros come before the command that they belong to, so that those of MAIL already begin a
// message. Steps that were negotiated away may be missing from the walk.

#include "countersign/milter/session.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "countersign/assert.hpp"
#include "countersign/mailflow/direction.hpp"
#include "countersign/mailflow/outbound.hpp"
#include "countersign/mailflow/results_field.hpp"
#include "countersign/milter/packet_reply.hpp"
#include "countersign/milter/session_negotiation.hpp"

namespace countersign::milter {

namespace {

using mailflow::Action;
using mailflow::Envelope;
using mailflow::Flow;
using mailflow::HeaderEdit;
using mailflow::MacroMap;
using mailflow::Outcome;
using mailflow::Policy;

/// "<user@host>" without its brackets.
std::string_view without_brackets(std::string_view path) {
  if (path.starts_with('<')) path.remove_prefix(1);
  if (path.ends_with('>')) path.remove_suffix(1);
  return path;
}

/// "{auth_type}" without its braces.
std::string_view without_braces(std::string_view name) {
  const bool has_braces = name.size() > 2 && name.front() == '{' && name.back() == '}';
  return has_braces ? name.substr(1, name.size() - 2) : name;
}

/// A value as it goes to an MTA: line ends as LF, without the leading space if the MTA puts one.
std::string to_milter(std::string_view value, bool keeps_leading_space) {
  if (!keeps_leading_space && value.starts_with(' ')) value.remove_prefix(1);
  std::string out;
  out.reserve(value.size());
  for (std::size_t i = 0; i < value.size(); ++i)
    if (value[i] != '\r' || i + 1 == value.size() || value[i + 1] != '\n') out += value[i];
  return out;
}

/// A reply of our own words. MTAs may read "%" as the start of something.
std::string reply_text(std::string_view codes, std::string_view text) {
  std::string out = std::string(codes) + " " + std::string(text);
  std::ranges::replace(out, '%', '_');
  return out;
}

/// The reply that refuses the message, with the codes that the outcome has or the usual ones.
std::string refusal(const Outcome& outcome, std::string_view usual_codes) {
  const std::string_view codes =
      outcome.action_codes.empty() ? usual_codes : std::string_view(outcome.action_codes);
  return reply_text(codes, outcome.action_text);
}

void append_verdict(std::string& out, const Outcome& outcome) {
  switch (outcome.action) {
    case Action::accept:
      return append_reply(out, Verdict{ReplyCode::accept});
    case Action::discard:
      return append_reply(out, Verdict{ReplyCode::discard});
    case Action::quarantine:
      append_reply(out, Quarantine{outcome.action_text});
      return append_reply(out, Verdict{ReplyCode::accept});
    case Action::reject:
      return append_reply(out, ReplyText{refusal(outcome, "550 5.7.1")});
    case Action::tempfail:
      return append_reply(out, ReplyText{refusal(outcome, "451 4.7.1")});
  }
}

}  // namespace

struct Session::State {
  /// How far the message at hand has come.
  enum class Phase : std::uint8_t { none, header, body, judging };

  State(PolicySource source, mailflow::CountRecipients count)
      : policies(std::move(source)),
        count_recipients(std::move(count)),
        reader(policies()->limits.milter_frame_bytes_max) {}

  PolicySource policies;
  mailflow::CountRecipients count_recipients;
  FrameReader reader;
  std::uint64_t frames = 0;
  Step step;                       // What the call at hand has to say.
  std::chrono::sys_seconds now{};  // Of the call at hand.
  bool closed = false;

  // --- of the connection ---
  std::optional<Negotiate> agreed;
  Needs needs;
  std::shared_ptr<const Policy> policy;

  // --- of the message ---
  Phase phase = Phase::none;
  Envelope envelope;  // Its client, HELO and session macros stay.
  countersign::Header header;
  std::size_t header_fields = 0;  // Kept, and their octets: since the cut, if there is one.
  std::size_t header_bytes = 0;
  std::optional<mailflow::HeaderCut> cut;
  std::optional<Flow> flow;
  std::string waiting;  // Octets that came behind the message that is being judged.

  void receive(std::string_view octets, std::chrono::sys_seconds time);
  void receive(const Command& command, std::chrono::sys_seconds time);
  void finish(Outcome outcome, std::chrono::sys_seconds time);
  void end_of_input();

 private:
  void fail(SessionErrorCode code, PacketError packet_error = {});
  void answer(std::uint32_t silence, ReplyCode code = ReplyCode::continue_);
  [[nodiscard]] bool has(std::uint32_t steps) const { return (agreed->steps & steps) != 0; }
  [[nodiscard]] const Limits& limits() const { return policy->limits; }
  [[nodiscard]] std::string bounded(std::string_view text) const;

  void take(const Negotiate& command);
  void take(Macros command);
  void take(const Connect& command);
  void take(const Helo& command);
  void take(const MailFrom& command);
  void take(const RcptTo& command);
  void take(const HeaderField& command);
  void take(const EndOfHeader& command);
  void take(const BodyChunk& command);
  void take(const EndOfBody& command);
  void take(const Data&) { answer(step::no_reply_data); }
  void take(const Unknown&) { answer(step::no_reply_unknown); }
  void take(const Abort&) { drop_message(); }
  void take(const QuitNew& command);
  void take(const Quit& command);

  void renew_policy();
  void begin_message();
  void drop_message();
  void forget_message();
  void end_header();
  void keep_macros(MacroMap& kept, Macros& command);
  void keep_field(const HeaderField& field);
  [[nodiscard]] std::optional<SplitErrorCode> limit_passed(std::size_t field_bytes) const;
  void answer_message(Outcome outcome);
  [[nodiscard]] Envelope take_envelope();
  void append_edits(const std::vector<HeaderEdit>& edits);
};

// --- octets, commands, the end ------------------------------------------------------------------

void Session::State::receive(std::string_view octets, std::chrono::sys_seconds time) {
  COUNTERSIGN_ASSERT(phase != Phase::judging);
  while (!closed) {
    const Result<std::optional<Frame>, PacketError> frame = reader.next(octets);
    if (!frame) return fail(SessionErrorCode::bad_packet, frame.error());
    if (!*frame) return;
    ++frames;
    const Result<Command, PacketError> command = parse_command(**frame);
    if (!command) return fail(SessionErrorCode::bad_packet, command.error());
    receive(*command, time);
    if (phase == Phase::judging) {
      waiting = octets;
      return;
    }
  }
}

void Session::State::receive(const Command& command, std::chrono::sys_seconds time) {
  if (closed) return;
  const bool may_come_first = std::holds_alternative<Quit>(command);
  if (!may_come_first && agreed.has_value() == std::holds_alternative<Negotiate>(command))
    return fail(SessionErrorCode::not_negotiated);

  now = time;
  std::visit([this](const auto& taken) { take(taken); }, command);
}

void Session::State::end_of_input() {
  if (closed) return;
  const bool is_early = phase != Phase::none || !reader.at_boundary();
  drop_message();
  if (is_early) step.events.emplace_back(SessionFailed{SessionErrorCode::early_end, {}});
  step.close = closed = true;
}

void Session::State::fail(SessionErrorCode code, PacketError packet_error) {
  drop_message();
  step.events.emplace_back(SessionFailed{code, packet_error});
  step.close = closed = true;
}

/// Answers a step unless the MTA was told not to wait for it.
void Session::State::answer(std::uint32_t silence, ReplyCode code) {
  if (!has(silence)) append_reply(step.send, Verdict{code});
}

// --- the connection ------------------------------------------------------------------------------

void Session::State::take(const Negotiate& command) {
  policy = policies();
  COUNTERSIGN_ASSERT(policy != nullptr);
  needs = needs_of(*policy);
  Result<Negotiate, NegotiationError> reply = agree(command, needs);
  if (!reply)
    return fail(reply.error() == NegotiationError::unsupported_version
                    ? SessionErrorCode::unsupported_version
                    : SessionErrorCode::missing_actions);
  agreed = *std::move(reply);
  append_reply(step.send, *agreed);
  step.events.emplace_back(Negotiated{agreed->version, agreed->actions, agreed->steps});
}

void Session::State::take(Macros command) {
  switch (static_cast<CommandCode>(command.stage)) {
    case CommandCode::connect:
      envelope.session_macros.clear();
      [[fallthrough]];
    case CommandCode::helo:
      return keep_macros(envelope.session_macros, command);
    case CommandCode::mail_from:
      drop_message();
      [[fallthrough]];
    default:
      return keep_macros(envelope.macros, command);
  }
}

void Session::State::keep_macros(MacroMap& kept, Macros& command) {
  const MacroMap& session = envelope.session_macros;
  const MacroMap& message = envelope.macros;
  std::string_view name;
  std::string_view value;
  while (command.next(name, value)) {
    const std::size_t octets = session.octets() + message.octets() + name.size() + value.size();
    if (session.size() + message.size() >= limits().milter_macros_max) return;
    if (octets > limits().milter_macro_bytes_max) return;
    kept[without_braces(name)] = value;
  }
}

std::string Session::State::bounded(std::string_view text) const {
  return std::string(text.substr(0, limits().envelope_text_bytes_max));
}

void Session::State::take(const Connect& command) {
  drop_message();
  const bool is_ip = command.family == '4' || command.family == '6';
  envelope.client_ip = is_ip ? IpAddress::parse(command.address) : std::nullopt;
  envelope.client_host = bounded(command.host);
  envelope.helo.clear();
  answer(step::no_reply_connect);
}

void Session::State::take(const Helo& command) {
  drop_message();
  envelope.helo = bounded(command.name);
  answer(step::no_reply_helo);
}

void Session::State::take(const QuitNew&) {
  drop_message();
  envelope = Envelope();
}

void Session::State::take(const Quit&) {
  drop_message();
  step.close = closed = true;
}

// --- the envelope --------------------------------------------------------------------------------

/// Takes the policy in force, unless it needs what this connection did not agree on.
void Session::State::renew_policy() {
  std::shared_ptr<const Policy> latest = policies();
  COUNTERSIGN_ASSERT(latest != nullptr);
  if (latest == policy || !needs.cover(needs_of(*latest))) return;
  policy = std::move(latest);
}

void Session::State::begin_message() {
  constexpr std::size_t usual_fields = 32;
  renew_policy();
  phase = Phase::header;
  header.reserve(usual_fields);
}

/// Gives the message up, if there is one, with all that it left.
void Session::State::drop_message() {
  if (phase != Phase::none)
    step.events.emplace_back(MessageAborted{std::string(envelope.macro("i"))});
  forget_message();
}

void Session::State::forget_message() {
  flow.reset();  // It views the envelope.
  phase = Phase::none;
  header.clear();
  header_bytes = 0;
  header_fields = 0;
  cut.reset();
  envelope.mail_from.clear();
  envelope.rcpt_to.clear();
  envelope.rcpt_to_dropped = 0;
  envelope.macros.clear();
}

void Session::State::take(const MailFrom& command) {
  if (phase != Phase::none) drop_message();
  begin_message();
  envelope.mail_from = bounded(without_brackets(command.path));
  // A connection that was negotiated under another policy may not wait for an answer here.
  if (!has(step::no_reply_mail_from)) {
    std::optional<Outcome> refused = mailflow::refuse_peer(*policy, envelope);
    if (refused) return answer_message(*std::move(refused));
  }
  answer(step::no_reply_mail_from);
}

void Session::State::take(const RcptTo& command) {
  if (phase == Phase::body) return fail(SessionErrorCode::out_of_order);
  if (phase == Phase::none) begin_message();
  const std::string_view path = without_brackets(command.path);
  const bool fits = path.size() <= limits().envelope_text_bytes_max &&
                    envelope.rcpt_to.size() < limits().recipients_max;
  if (fits)
    envelope.rcpt_to.emplace_back(path);
  else
    ++envelope.rcpt_to_dropped;
  answer(step::no_reply_rcpt_to);
}

// --- the message ---------------------------------------------------------------------------------

void Session::State::take(const HeaderField& command) {
  if (phase == Phase::body) return fail(SessionErrorCode::out_of_order);
  if (phase == Phase::none) begin_message();
  keep_field(command);
  answer(step::no_reply_header_field);
}

std::optional<SplitErrorCode> Session::State::limit_passed(std::size_t field_bytes) const {
  if (header_fields >= limits().header_fields_max) return SplitErrorCode::too_many_fields;
  if (field_bytes > limits().field_bytes_max) return SplitErrorCode::field_too_long;
  if (header_bytes + field_bytes > limits().header_bytes_max)
    return SplitErrorCode::header_too_large;
  return std::nullopt;
}

/// Keeps the field as it stands in the message, or, when a limit is passed, no more than what has
/// to be removed if it is forged: those are numbered, so all or none of the rest must be known.
/// An MTA that was not asked to keep the leading space has taken one away.
void Session::State::keep_field(const HeaderField& field) {
  const std::size_t field_bytes = field.name.size() + 1 + field.value.size() + 2;
  if (const auto limit = cut ? std::nullopt : limit_passed(field_bytes)) {
    cut.emplace(*limit);
    header_fields = header_bytes = 0;
  }
  if (cut) {
    if (cut->has_lost_results || !mailflow::may_be_forged(field.name)) return;
    cut->has_lost_results = limit_passed(field_bytes).has_value();
    if (cut->has_lost_results) return;
  }
  ++header_fields;
  header_bytes += field_bytes;
  if (has(step::header_leading_space))
    header.push_back(countersign::HeaderField::from_parts(field.name, field.value));
  else
    header.push_back(
        countersign::HeaderField::from_parts(field.name, " " + std::string(field.value)));
}

void Session::State::end_header() {
  if (phase == Phase::none) begin_message();
  phase = Phase::body;
  flow.emplace(policy, envelope, std::exchange(header, {}), cut, count_recipients);
}

void Session::State::take(const EndOfHeader&) {
  if (phase == Phase::body) return fail(SessionErrorCode::out_of_order);
  end_header();
  answer(step::no_reply_end_of_header);
}

void Session::State::take(const BodyChunk& command) {
  if (phase != Phase::body) end_header();
  flow->body(command.octets);
  const bool has_enough = !flow->wants_body() && has(step::skip);
  answer(step::no_reply_body_chunk, has_enough ? ReplyCode::skip : ReplyCode::continue_);
}

void Session::State::take(const EndOfBody& command) {
  if (phase != Phase::body) end_header();
  flow->body(command.octets);
  if (!flow->is_judged()) return answer_message(std::move(*flow).finish_unjudged(now));
  phase = Phase::judging;
  step.judging.emplace(std::move(*flow).finish(now));
}

void Session::State::answer_message(Outcome outcome) {
  append_edits(outcome.edits);
  for (const std::string& path : outcome.added_recipients)
    append_reply(step.send, AddRecipient{"<" + path + ">"});
  append_verdict(step.send, outcome);
  std::string client = client_text(envelope);
  step.events.emplace_back(MessageFinished{std::move(client), std::move(outcome), take_envelope()});
  forget_message();
}

/// What the envelope was, for those who explain the message later: what belongs to the message is
/// taken away, what belongs to the SMTP session is copied.
Envelope Session::State::take_envelope() {
  Envelope taken;
  taken.client_ip = envelope.client_ip;
  taken.client_host = envelope.client_host;
  taken.helo = envelope.helo;
  taken.mail_from = std::move(envelope.mail_from);
  taken.rcpt_to = std::move(envelope.rcpt_to);
  taken.rcpt_to_dropped = envelope.rcpt_to_dropped;
  return taken;
}

void Session::State::finish(Outcome outcome, std::chrono::sys_seconds time) {
  COUNTERSIGN_ASSERT(phase == Phase::judging);
  answer_message(std::move(outcome));
  receive(std::exchange(waiting, {}), time);
}

void Session::State::append_edits(const std::vector<HeaderEdit>& edits) {
  for (const HeaderEdit& edit : edits) {
    const std::string value = to_milter(edit.value, has(step::header_leading_space));
    if (edit.kind == HeaderEdit::Kind::insert_at_top)
      append_reply(step.send, InsertHeader{0, edit.name, value});
    else
      append_reply(step.send, ChangeHeader{static_cast<std::uint32_t>(edit.index), edit.name, {}});
  }
}

// --- the door ------------------------------------------------------------------------------------

std::string to_string(const SessionFailed& failure) {
  switch (failure.code) {
    case SessionErrorCode::bad_packet:
      return "the MTA sent " + std::string(to_string(failure.packet_error.code)) + ", at octet " +
             std::to_string(failure.packet_error.offset) + " of the connection";
    case SessionErrorCode::not_negotiated:
      return "the MTA sent a command before the negotiation, or negotiated twice";
    case SessionErrorCode::unsupported_version:
      return "the MTA speaks a milter version older than 2";
    case SessionErrorCode::missing_actions:
      return "the MTA does not let this filter change what it has to";
    case SessionErrorCode::out_of_order:
      return "the MTA sent a recipient or a header field after the end of the header";
    case SessionErrorCode::early_end:
      return "the MTA closed the connection in the middle of a message";
  }
  return "the session failed";
}

Session::Session(PolicySource policies, mailflow::CountRecipients count)
    : state_(std::make_unique<State>(std::move(policies), std::move(count))) {}
Session::~Session() = default;
Session::Session(Session&&) noexcept = default;
Session& Session::operator=(Session&&) noexcept = default;

Step Session::receive(std::string_view octets, std::chrono::sys_seconds now) {
  state_->receive(octets, now);
  return std::exchange(state_->step, {});
}

Step Session::receive(const Command& command, std::chrono::sys_seconds now) {
  state_->receive(command, now);
  return std::exchange(state_->step, {});
}

Step Session::finish(mailflow::Outcome outcome, std::chrono::sys_seconds now) {
  state_->finish(std::move(outcome), now);
  return std::exchange(state_->step, {});
}

bool Session::is_judging() const { return state_->phase == State::Phase::judging; }

const std::optional<IpAddress>& Session::client_ip() const { return state_->envelope.client_ip; }

Step Session::end_of_input() {
  state_->end_of_input();
  return std::exchange(state_->step, {});
}

bool Session::is_inside_packet() const { return !state_->reader.at_boundary(); }

bool Session::is_idle() const {
  return state_->phase == State::Phase::none && state_->reader.at_boundary();
}

std::uint64_t Session::frames() const { return state_->frames; }

}  // namespace countersign::milter
