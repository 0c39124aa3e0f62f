// SPDX-License-Identifier: Apache-2.0

#include "service/milter/connection.hpp"

#include <utility>

#include "countersign/assert.hpp"
#include "service/log/log.hpp"
#include "service/run/clock.hpp"

namespace countersign::service {
namespace {

namespace asio = boost::asio;

// Enough to recognize a message by.
constexpr std::size_t kept_recipients = 10;
constexpr std::string_view tempfail_frame("\0\0\0\1t", 5);

std::string_view describe(bool inside_packet, bool sends) {
  if (sends) return "the MTA did not take a reply in time; its connection is closed";
  if (inside_packet) return "the MTA did not complete a packet in time; its connection is closed";
  return "the MTA was silent for too long; its connection is closed";
}

}  // namespace

Connection::Connection(asio::io_context& context, Descriptor socket, ConnectionHost& host)
    : Peer(context, std::move(socket)),
      host_(host),
      session_(host.policies, host.count_recipients) {
  // The negotiation follows the connection at once, as if its packet had begun.
  expect(Due::rest, host_.timeouts.packet);
}

Connection::~Connection() = default;

asio::awaitable<void> Connection::serve() {
  while (!has_ended()) {
    if (!may_end()) co_await readable();
    if (has_ended()) break;
    std::size_t size = 0;
    const Received received = receive(host_.buffer, size);
    if (received == Received::nothing) {
      if (may_end()) break;
      continue;
    }
    milter::Step step = received == Received::end
                            ? session_.end_of_input()
                            : session_.receive({host_.buffer.data(), size}, now());
    if (!co_await carry_out(std::move(step)) || received == Received::end) break;
    expect_packet();
  }
}

/// Does what a step says, and what follows from it; false when the connection is over.
asio::awaitable<bool> Connection::carry_out(milter::Step step) {
  for (;;) {
    // The MTA waits for the reply, nobody for the log.
    const bool sent = step.send.empty() || co_await send(step.send, host_.timeouts.packet);
    report(std::move(step.events));
    if (!sent || step.close) co_return false;
    if (!step.judging) co_return true;
    // Its frames view the session and end before it goes on.
    std::optional<mailflow::Outcome> outcome =
        co_await outcome_of(*std::exchange(step.judging, std::nullopt));
    if (!outcome) co_return false;
    step = session_.finish(*std::move(outcome), now());
  }
}

/// Judges a message; nothing when the connection was ended meanwhile.
asio::awaitable<std::optional<mailflow::Outcome>> Connection::outcome_of(
    dns::Asking<mailflow::Outcome> judging) {
  COUNTERSIGN_ASSERT(host_.resolver != nullptr);
  asked_ = {};
  const auto began = std::chrono::steady_clock::now();
  ClientResolver resolver(*host_.resolver, host_.shares, session_.client_ip());
  std::optional<mailflow::Outcome> outcome =
      co_await judge(std::move(judging), resolver,
                     {.end = began + host_.message_timeout, .question = host_.dns_timeout}, {},
                     keeps() ? &asked_ : nullptr);
  if (host_.metrics != nullptr && outcome)
    host_.metrics->observe_judging(std::chrono::steady_clock::now() - began);
  co_return outcome;
}

void Connection::report(std::vector<milter::Event> events) {
  for (milter::Event& event : events) {
    log_event(host_.log, event, host_.detail);
    if (host_.metrics != nullptr) host_.metrics->count(event);
    auto* const finished = std::get_if<milter::MessageFinished>(&event);
    if (finished == nullptr) continue;
    if (host_.record && finished->outcome.judgement) host_.record(*finished);
    if (keeps()) keep(std::move(*finished));
  }
}

/// Keeps what became of a message, without what only the MTA needed.
void Connection::keep(milter::MessageFinished finished) {
  KeptMessage message{.finished = now(),
                      .client = std::move(finished.client),
                      .envelope = std::move(finished.envelope),
                      .outcome = std::move(finished.outcome),
                      .asked = {},
                      .limits = host_.policies()->limits};
  // Of the messages that end together one at most was judged: a step ends where that begins.
  if (message.outcome.judgement) message.asked = asked_.take();
  message.outcome.edits = {};
  message.outcome.failure = {};
  mailflow::Envelope& envelope = message.envelope;
  if (envelope.rcpt_to.size() > kept_recipients) {
    envelope.rcpt_to_dropped += envelope.rcpt_to.size() - kept_recipients;
    envelope.rcpt_to.resize(kept_recipients);
    envelope.rcpt_to.shrink_to_fit();
  }
  host_.kept->keep(std::move(message));
}

/// A packet has its time from its first octet; more octets of it win no more.
void Connection::expect_packet() {
  if (!session_.is_inside_packet()) return expect(Due::next, host_.timeouts.idle);
  if (due() == Due::rest && session_.frames() == packets_) return;
  packets_ = session_.frames();
  expect(Due::rest, host_.timeouts.packet);
}

void Connection::finish() {
  if (session_.is_idle()) wake();
}

void Connection::tell_overdue() {
  host_.log.write(LogLevel::warning,
                  describe(session_.is_inside_packet(), due() == Due::taking_the_reply));
}

void Connection::tell_failure(const std::string& what) {
  send_last(tempfail_frame);  // If it does not get away, the MTA takes the end for the same.
  host_.log.write(LogLevel::error, "a milter session failed; the MTA is told to try again later",
                  {{"error", what}});
}

}  // namespace countersign::service
