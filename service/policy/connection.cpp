// SPDX-License-Identifier: Apache-2.0

#include "service/policy/connection.hpp"

#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "countersign/assert.hpp"
#include "service/log/log.hpp"
#include "service/run/clock.hpp"

namespace countersign::service {
namespace {

namespace asio = boost::asio;

// A request has about a thousand octets.
constexpr std::size_t receive_octets = 4'096;
constexpr std::string_view trouble = "451 4.3.0 Internal error; try again later";

std::string word_of(const std::optional<spf::Outcome>& outcome) {
  return outcome ? std::string(to_string(outcome->result)) : "unchecked";
}

void log_answer(Log& log, const mailflow::PolicyRequest& request, std::string_view whose,
                const mailflow::PolicyAnswer& answer) {
  if (!log.is_on(LogLevel::info)) return;
  const std::string client = request.client_ip ? request.client_ip->to_string() : "unknown";
  std::vector<LogField> fields;
  // Postfix gives a message its id with the first recipient that it takes.
  if (!request.queue_id.empty()) fields.emplace_back("queue_id", request.queue_id);
  fields.emplace_back("action", std::string(to_string(answer.action)));
  fields.emplace_back("client", client);
  fields.emplace_back("helo", request.helo_name);
  fields.emplace_back("mail_from", request.sender);
  fields.emplace_back("rcpt_to", request.recipient);
  fields.emplace_back("spf_helo", word_of(answer.helo));
  fields.emplace_back("spf_mail_from", word_of(answer.mail_from));
  if (!whose.empty()) fields.emplace_back("policy", whose);
  log.write(LogLevel::info, "a policy request was answered", fields);
}

}  // namespace

PolicyConnection::PolicyConnection(asio::io_context& context, Descriptor socket, PolicyHost& host)
    : Peer(context, std::move(socket)), host_(host) {
  expect_request();
}

PolicyConnection::~PolicyConnection() = default;

asio::awaitable<void> PolicyConnection::serve() {
  while (!has_ended()) {
    if (std::optional<std::string> request = take_request()) {
      if (!co_await answer(*std::move(request))) break;
      continue;
    }
    if (buffer_.size() > host_.limits.policy_request_bytes_max) {
      host_.log.write(LogLevel::warning, to_string(mailflow::PolicyRequestErrorCode::too_long));
      break;
    }
    if (may_end()) break;
    expect_request();
    if (!co_await receive_more()) break;
  }
}

/// The first whole request in the buffer, taken out of it.
std::optional<std::string> PolicyConnection::take_request() {
  const std::optional<std::size_t> size = mailflow::policy_request_size(buffer_, seen_);
  seen_ = size ? 0 : buffer_.size();
  if (!size) return std::nullopt;
  std::string request = buffer_.substr(0, *size);
  buffer_.erase(0, *size);
  return request;
}

/// Waits for octets and adds them to the buffer; false when there will be none.
asio::awaitable<bool> PolicyConnection::receive_more() {
  co_await readable();
  if (has_ended()) co_return false;
  const std::size_t before = buffer_.size();
  buffer_.resize(before + receive_octets);
  std::size_t size = 0;
  const Received received = receive(std::span(buffer_).subspan(before), size);
  buffer_.resize(before + size);
  co_return received != Received::end;
}

/// Answers one request; false when the connection is over.
asio::awaitable<bool> PolicyConnection::answer(std::string text) {
  auto request = mailflow::parse_policy_request(text, host_.limits);
  if (!request) {
    host_.log.write(LogLevel::warning, to_string(request.error().code),
                    {{"octet", std::to_string(request.error().offset)}});
    co_return false;
  }
  const std::optional<std::string> action = co_await action_for(*std::move(request));
  if (!action) co_return false;
  const std::string reply = mailflow::format_policy_reply(*action, host_.limits);
  co_return co_await send(reply, host_.timeouts.request);
}

/// What Postfix is told; nothing when the connection was ended meanwhile.
asio::awaitable<std::optional<std::string>> PolicyConnection::action_for(
    mailflow::PolicyRequest request) {
  const std::shared_ptr<const mailflow::SpfAccessPolicies> policies = host_.policies();
  const auto [whose, policy] = policies->choose(request.recipient);
  if (auto again = message_.recall(request, whose)) co_return again;
  COUNTERSIGN_ASSERT(host_.resolver != nullptr);
  Deadline deadline{.end = std::chrono::steady_clock::now() + host_.timeouts.evaluation,
                    .question = host_.timeouts.dns};
  if (policy.forwarder_timeout > std::chrono::seconds{0})
    deadline.own_time = policy.forwarder_timeout;
  ClientResolver resolver(*host_.resolver, host_.shares, request.client_ip);
  const std::optional<mailflow::PolicyAnswer> answer =
      co_await judge(mailflow::answer_policy_request(request, policy, now(), host_.limits),
                     resolver, deadline, host_.limits);
  if (!answer) co_return std::nullopt;
  log_answer(host_.log, request, whose, *answer);
  co_return message_.keep(request, whose, *answer);
}

/// A request has its time from its first octet; more octets of it win no more.
void PolicyConnection::expect_request() {
  if (buffer_.empty()) return expect(Due::next, host_.timeouts.idle);
  if (due() != Due::rest) expect(Due::rest, host_.timeouts.request);
}

void PolicyConnection::finish() {
  if (buffer_.empty() && !is_judging()) wake();
}

void PolicyConnection::tell_overdue() {
  if (due() == Due::next) {
    host_.log.write(LogLevel::debug, "a policy connection was idle for too long and is closed");
  } else {
    host_.log.write(LogLevel::warning,
                    "a policy request or its reply took too long; the connection is closed");
  }
}

void PolicyConnection::tell_failure(const std::string& what) {
  // If it does not get away, Postfix takes the end of the connection for the same.
  send_last(mailflow::format_policy_reply(trouble, host_.limits));
  host_.log.write(LogLevel::error, "a policy request failed; the client is told to try again later",
                  {{"error", what}});
}

}  // namespace countersign::service
