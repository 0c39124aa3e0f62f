// SPDX-License-Identifier: Apache-2.0

#include "countersign/milter/mta.hpp"

#include <algorithm>
#include <utility>

#include "countersign/assert.hpp"

namespace countersign::milter {
namespace {

// What Postfix sends in one body packet at most.
constexpr std::size_t body_chunk_octets = 65'535;

/// A value as it goes over the wire: line ends as LF, the first space left out unless it was asked
/// for.
std::string wire_value(std::string_view value, bool keeps_leading_space) {
  if (!keeps_leading_space && value.starts_with(' ')) value.remove_prefix(1);
  std::string out;
  out.reserve(value.size());
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (value[i] == '\r' && i + 1 < value.size() && value[i + 1] == '\n') continue;
    out += value[i];
  }
  return out;
}

char family_of(std::string_view address) {
  if (address.empty()) return 'U';
  return address.find(':') == std::string_view::npos ? '4' : '6';
}

}  // namespace

std::string_view to_string(MtaErrorCode code) {
  switch (code) {
    case MtaErrorCode::bad_packet:
      return "the filter sent what is no milter packet";
    case MtaErrorCode::bad_negotiation:
      return "the filter asked for what was not offered";
    case MtaErrorCode::unexpected_reply:
      return "the filter answered what was not asked, or changed what was not agreed on";
  }
  return "unknown error";
}

MtaOffer MtaOffer::of_version(std::uint32_t version) {
  constexpr std::uint32_t steps_of_2 = 0x7f;
  if (version >= 6) return {.version = version};
  MtaOffer offer{.version = version, .actions = 0x3f, .steps = steps_of_2};
  if (version >= 3) offer.steps |= step::no_unknown;
  if (version >= 4) offer.steps |= step::no_data;
  return offer;
}

Mta::Mta(MtaOffer offer, const Limits& limits)
    : offer_(offer), reader_(limits.milter_frame_bytes_max) {
  append_command(output_, Negotiate{offer_.version, offer_.actions, offer_.steps, {}});
  waiting_ = true;
}

void Mta::begin(const Mail& mail) {
  const bool first = stage_ == Stage::negotiate && mail_ == nullptr;
  COUNTERSIGN_ASSERT(first || stage_ == Stage::connect || stage_ == Stage::done);
  mail_ = &mail;
  outcome_.reset();
  pending_ = FilterOutcome{.header = mail.header};
  skips_body_ = false;
  position_ = 0;
  if (stage_ == Stage::done) stage_ = Stage::mail_from;
  if (!first) advance();
}

void Mta::quit_new() {
  COUNTERSIGN_ASSERT(stage_ == Stage::done);
  append_command(output_, QuitNew{});
  stage_ = Stage::connect;
}

std::string Mta::take_output() { return std::exchange(output_, {}); }

std::string Mta::quit() {
  std::string frame;
  append_command(frame, Quit{});
  return frame;
}

void Mta::advance() {
  while (!waiting_ && stage_ != Stage::done) send_stage();
}

void Mta::next_stage() {
  stage_ = static_cast<Stage>(static_cast<int>(stage_) + 1);
  position_ = 0;
}

void Mta::send(const Command& command, std::uint32_t no_step, std::uint32_t no_reply) {
  if ((steps_ & no_step) != 0) return;
  append_command(output_, command);
  waiting_ = (steps_ & no_reply) == 0;
  if (waiting_) ++replies_;
}

void Mta::send_macros(CommandCode stage, const std::map<std::string, std::string>& macros) {
  if (macros.empty()) return;
  std::string pairs;
  for (const auto& [name, value] : macros) {
    pairs += name.size() == 1 ? name : "{" + name + "}";
    pairs += '\0';
    pairs += value;
    pairs += '\0';
  }
  append_command(output_, Macros{static_cast<char>(stage), pairs});
}

void Mta::send_stage() {
  const Stage stage = stage_;
  switch (stage) {
    case Stage::negotiate:
    case Stage::done:
      return;
    case Stage::connect: {
      const char family = family_of(mail_->client_address);
      next_stage();
      return send(Connect{mail_->client_host, family, 25, mail_->client_address}, step::no_connect,
                  step::no_reply_connect);
    }
    case Stage::helo:
      next_stage();
      return send(Helo{mail_->helo}, step::no_helo, step::no_reply_helo);
    case Stage::mail_from: {
      const std::string path = "<" + mail_->mail_from + ">";
      if ((steps_ & step::no_mail_from) == 0) send_macros(CommandCode::mail_from, mail_->macros);
      next_stage();
      return send(MailFrom{path, {}}, step::no_mail_from, step::no_reply_mail_from);
    }
    case Stage::rcpt_to: {
      if (position_ == mail_->rcpt_to.size()) return next_stage();
      const std::string path = "<" + mail_->rcpt_to[position_++] + ">";
      return send(RcptTo{path, {}}, step::no_rcpt_to, step::no_reply_rcpt_to);
    }
    case Stage::data:
      next_stage();
      return send(Data{}, step::no_data, step::no_reply_data);
    case Stage::header:
      return send_fields();
    case Stage::end_of_header:
      next_stage();
      return send(EndOfHeader{}, step::no_end_of_header, step::no_reply_end_of_header);
    case Stage::body:
      return send_body();
    case Stage::end_of_body:
      append_command(output_, EndOfBody{});
      waiting_ = true;
      ++replies_;
      return;
  }
}

void Mta::send_fields() {
  if (position_ == mail_->header.size()) return next_stage();
  const countersign::HeaderField& field = mail_->header[position_++];
  const std::string value = wire_value(field.value(), (steps_ & step::header_leading_space) != 0);
  send(HeaderField{field.name(), value}, step::no_header, step::no_reply_header_field);
}

void Mta::send_body() {
  if (position_ >= mail_->body.size() || skips_body_) return next_stage();
  const std::string_view chunk = std::string_view(mail_->body).substr(position_, body_chunk_octets);
  position_ += chunk.size();
  send(BodyChunk{chunk}, step::no_body, step::no_reply_body_chunk);
}

Result<void, MtaError> Mta::receive(std::string_view octets) {
  for (;;) {
    const Result<std::optional<Frame>, PacketError> frame = reader_.next(octets);
    if (!frame) {
      return std::unexpected(MtaError{MtaErrorCode::bad_packet, frame.error().offset});
    }
    if (!frame->has_value()) return {};
    if (const Result<void, MtaError> taken = take(**frame); !taken) return taken;
  }
}

Result<void, MtaError> Mta::take(const Frame& frame) {
  const auto fail = [&frame](MtaErrorCode code) {
    return std::unexpected(MtaError{code, frame.offset});
  };
  const Result<Reply, PacketError> reply = parse_reply(frame);
  if (!reply) return fail(MtaErrorCode::bad_packet);
  if (const Result<void, MtaErrorCode> taken = take(*reply); !taken) return fail(taken.error());
  advance();
  return {};
}

Result<void, MtaErrorCode> Mta::take(const Reply& reply) {
  if (!waiting_ || mail_ == nullptr) return std::unexpected(MtaErrorCode::unexpected_reply);
  if (stage_ == Stage::negotiate) {
    const auto* answer = std::get_if<Negotiate>(&reply);
    if (answer == nullptr || !negotiate(*answer)) {
      return std::unexpected(MtaErrorCode::bad_negotiation);
    }
    return {};
  }
  bool taken = false;
  if (const auto* verdict = std::get_if<Verdict>(&reply)) {
    taken = take_verdict(verdict->code, {});
  } else if (const auto* text = std::get_if<ReplyText>(&reply)) {
    const bool is_temporary = text->text.starts_with('4');
    taken = take_verdict(is_temporary ? ReplyCode::tempfail : ReplyCode::reject, text->text);
  } else if (stage_ == Stage::end_of_body) {
    taken = take_change(reply);
  }
  if (!taken) return std::unexpected(MtaErrorCode::unexpected_reply);
  return {};
}

bool Mta::negotiate(const Negotiate& answer) {
  constexpr std::uint32_t version_with_data = 4;
  const bool known = answer.version >= 2 && answer.version <= offer_.version;
  const bool offered =
      (answer.actions & ~offer_.actions) == 0 && (answer.steps & ~offer_.steps) == 0;
  if (!known || !offered) return false;
  actions_ = answer.actions;
  steps_ = answer.steps;
  if (answer.version < version_with_data) steps_ |= step::no_data;
  waiting_ = false;
  stage_ = Stage::connect;
  return true;
}

bool Mta::take_verdict(ReplyCode code, std::string_view text) {
  if (code == ReplyCode::progress) return true;
  waiting_ = false;
  if (code == ReplyCode::skip) {
    skips_body_ = stage_ == Stage::body && (steps_ & step::skip) != 0;
    return skips_body_;
  }
  if (code == ReplyCode::continue_ && stage_ != Stage::end_of_body) return true;
  pending_.verdict = code == ReplyCode::continue_ ? ReplyCode::accept : code;
  pending_.text = std::string(text);
  outcome_ = std::exchange(pending_, {});
  stage_ = Stage::done;
  return true;
}

countersign::HeaderField Mta::field_of(std::string_view name, std::string_view value) const {
  const bool keeps_space = (steps_ & step::header_leading_space) != 0;
  if (keeps_space) return countersign::HeaderField::from_parts(name, value);
  return countersign::HeaderField::from_parts(name, " " + std::string(value));
}

void Mta::insert_field(const InsertHeader& insert) {
  Header& header = pending_.header;
  const std::size_t index = std::min<std::size_t>(insert.index, header.size());
  header.insert(header.begin() + static_cast<std::ptrdiff_t>(index),
                field_of(insert.name, insert.value));
}

/// An MTA adds the field that it should change and that is not there.
void Mta::change_field(const ChangeHeader& change) {
  Header& header = pending_.header;
  std::size_t left = std::max<std::size_t>(change.index, 1);
  const auto found = std::ranges::find_if(header, [&](const countersign::HeaderField& field) {
    return field.is(change.name) && --left == 0;
  });
  if (found == header.end()) {
    if (!change.value.empty()) header.push_back(field_of(change.name, change.value));
  } else if (change.value.empty()) {
    header.erase(found);
  } else {
    *found = field_of(change.name, change.value);
  }
}

bool Mta::take_change(const Reply& reply) {
  ++pending_.changes;
  if (const auto* insert = std::get_if<InsertHeader>(&reply)) {
    insert_field(*insert);
    return may(action::add_headers);
  }
  if (const auto* add = std::get_if<AddHeader>(&reply)) {
    pending_.header.push_back(field_of(add->name, add->value));
    return may(action::add_headers);
  }
  if (const auto* change = std::get_if<ChangeHeader>(&reply)) {
    change_field(*change);
    return may(action::change_headers);
  }
  --pending_.changes;  // Of the header, only those above.
  if (const auto* recipient = std::get_if<AddRecipient>(&reply)) {
    pending_.added_recipients.emplace_back(recipient->path);
    return may(action::add_recipients);
  }
  if (const auto* quarantine = std::get_if<Quarantine>(&reply)) {
    pending_.quarantine = std::string(quarantine->reason);
    return may(action::quarantine);
  }
  if (const auto* piece = std::get_if<ReplaceBody>(&reply)) {
    if (!pending_.body) pending_.body.emplace();
    *pending_.body += piece->octets;
    return may(action::change_body);
  }
  return false;
}

}  // namespace countersign::milter
