// SPDX-License-Identifier: Apache-2.0
//
// Commands out, replies in.

#include "tests/support/milter_mta.hpp"

#include <algorithm>
#include <ranges>
#include <stdexcept>
#include <utility>

#include "tests/support/exact.hpp"

namespace countersign::test {

using milter::Command;
using milter::CommandCode;
using milter::Frame;
using milter::ReplyCode;

namespace {

struct ReplyWords {
  std::string operator()(const milter::Negotiate&) const { return "negotiate"; }
  std::string operator()(const milter::Verdict& reply) const {
    switch (reply.code) {
      case ReplyCode::accept:
        return "accept";
      case ReplyCode::continue_:
        return "continue";
      case ReplyCode::discard:
        return "discard";
      case ReplyCode::reject:
        return "reject";
      case ReplyCode::skip:
        return "skip";
      case ReplyCode::tempfail:
        return "tempfail";
      default:
        return "other";
    }
  }
  std::string operator()(const milter::ReplyText& reply) const {
    return "text " + std::string(reply.text);
  }
  std::string operator()(const milter::InsertHeader& reply) const {
    return "insert " + std::to_string(reply.index) + " " + field(reply.name, reply.value);
  }
  std::string operator()(const milter::AddHeader& reply) const {
    return "add " + field(reply.name, reply.value);
  }
  std::string operator()(const milter::ChangeHeader& reply) const {
    return "change " + std::to_string(reply.index) + " " + field(reply.name, reply.value);
  }
  std::string operator()(const milter::AddRecipient& reply) const {
    return "recipient " + std::string(reply.path);
  }
  std::string operator()(const milter::Quarantine& reply) const {
    return "quarantine " + std::string(reply.reason);
  }
  std::string operator()(const milter::ReplaceBody&) const { return "body"; }

  static std::string field(std::string_view name, std::string_view value) {
    return std::string(name) + ":" + std::string(value);
  }
};

}  // namespace

std::vector<std::pair<char, std::string>> frames_of(std::string_view octets) {
  std::vector<std::pair<char, std::string>> frames;
  milter::FrameReader reader(Limits{}.milter_frame_bytes_max);
  while (auto frame = reader.next(octets).value_or(std::nullopt))
    frames.emplace_back(frame->code, frame->data);
  if (!octets.empty() || !reader.at_boundary()) frames.emplace_back('?', "");
  return frames;
}

std::string reply_words(char code, std::string_view data) {
  const auto reply = milter::parse_reply(Frame{code, data, 5});
  return reply ? std::visit(ReplyWords{}, *reply) : "no reply";
}

Mta::Mta(mailflow::Policy policy)
    : policy_(std::make_shared<std::shared_ptr<const mailflow::Policy>>(
          std::make_shared<const mailflow::Policy>(std::move(policy)))),
      session_([source = policy_] { return *source; }) {}

void Mta::set_policy(mailflow::Policy policy) {
  *policy_ = std::make_shared<const mailflow::Policy>(std::move(policy));
}

std::string Mta::take(milter::Step step) {
  std::string send;
  for (;;) {
    std::ranges::move(step.events, std::back_inserter(events_));
    closed_ = closed_ || step.close;
    send += step.send;
    if (!step.judging) return send;
    mailflow::Outcome outcome = dns::run_with(*std::exchange(step.judging, {}), answer_of_);
    step = session_.finish(std::move(outcome), signing_time);
  }
}

milter::Negotiate Mta::negotiate(std::uint32_t steps, std::uint32_t actions,
                                 std::uint32_t version) {
  std::string octets;
  milter::append_negotiate(octets, {version, actions, steps, {}});
  const auto frames = frames_of(take(session_.receive(octets, signing_time)));
  if (frames.size() != 1) return {};
  const auto reply = milter::parse_reply(Frame{frames[0].first, frames[0].second, 5});
  return reply ? std::get<milter::Negotiate>(*reply) : milter::Negotiate{};
}

std::vector<std::string> Mta::send_octets(std::string_view octets) {
  std::string replies;
  const std::size_t chunk = chunk_octets_ == 0 ? octets.size() : chunk_octets_;
  for (; !octets.empty(); octets.remove_prefix(std::min(chunk, octets.size()))) {
    const Exact copy = exact(octets.substr(0, chunk));
    replies += take(session_.receive(copy.view(), signing_time));
  }
  std::vector<std::string> words;
  for (const auto& [code, data] : frames_of(replies)) words.push_back(reply_words(code, data));
  return words;
}

std::vector<std::string> Mta::send(const Command& command) {
  std::string octets;
  milter::append_command(octets, command);
  return send_octets(octets);
}

void Mta::macros(CommandCode stage, const std::vector<std::string>& pairs) {
  std::string text;
  for (const std::string& pair : pairs) text += pair + '\0';
  std::ranges::replace(text, '=', '\0');
  send(milter::Macros{static_cast<char>(stage), text});
}

std::vector<std::string> Mta::connect(std::string_view host, std::string_view address) {
  return send(milter::Connect{host, '4', 25, address});
}

std::vector<std::string> Mta::send_header(const std::vector<std::string>& fields) {
  std::vector<std::string> replies = send(milter::MailFrom{"<alice@example.org>", {}});
  std::ranges::copy(send(milter::RcptTo{"<bob@example.net>", {}}), std::back_inserter(replies));
  for (const std::string& field : fields) {
    const std::size_t colon = field.find(':');
    std::ranges::copy(send(milter::HeaderField{std::string_view(field).substr(0, colon),
                                               std::string_view(field).substr(colon + 1)}),
                      std::back_inserter(replies));
  }
  std::ranges::copy(send(milter::EndOfHeader{}), std::back_inserter(replies));
  return replies;
}

std::vector<std::string> Mta::send_message(std::string_view author, std::string_view body) {
  std::vector<std::string> fields;
  for (const countersign::HeaderField& field : header_from(author))
    fields.emplace_back(field.raw());
  send_header(fields);
  send(milter::BodyChunk{body});
  return send(milter::EndOfBody{});
}

void Mta::hang_up() { take(session_.end_of_input()); }

const mailflow::Outcome& Mta::outcome() const {
  for (const milter::Event& event : events_ | std::views::reverse)
    if (const auto* finished = std::get_if<milter::MessageFinished>(&event))
      return finished->outcome;
  throw std::logic_error("no message has ended");
}

milter::SessionFailed Mta::failure() const {
  for (const milter::Event& event : events_)
    if (const auto* failed = std::get_if<milter::SessionFailed>(&event)) return *failed;
  throw std::logic_error("the session has not failed");
}

Mta ready_mta(mailflow::Policy policy, std::uint32_t steps) {
  Mta mta(std::move(policy));
  mta.negotiate(steps);
  mta.connect();
  return mta;
}

bool was_signed(Mta& mta, std::string_view author) {
  mta.send_message(author);
  return !mta.outcome().signatures.empty();
}

}  // namespace countersign::test
