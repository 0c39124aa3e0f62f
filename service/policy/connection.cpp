// SPDX-License-Identifier: Apache-2.0

#include "service/policy/connection.hpp"

#include <sys/socket.h>

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>
#include <cerrno>
#include <utility>
#include <vector>

#include "service/dns/drive.hpp"
#include "service/log/log.hpp"

namespace countersign::service {
namespace {

namespace asio = boost::asio;
using asio::posix::stream_descriptor;

// Waits end with an error when somebody wakes the connection; what for is in its members.
constexpr auto or_awake = asio::as_tuple(asio::use_awaitable);
// A request has about a thousand octets.
constexpr std::size_t receive_octets = 4'096;
constexpr std::string_view trouble = "451 4.3.0 Internal error; try again later";

std::chrono::sys_seconds now() {
  return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
}

bool is_for_now(int error) { return error == EAGAIN || error == EWOULDBLOCK || error == EINTR; }

std::string word_of(const std::optional<spf::Outcome>& outcome) {
  return outcome ? std::string(to_string(outcome->result)) : "unchecked";
}

void log_answer(Log& log, const mailflow::PolicyRequest& request,
                const mailflow::PolicyAnswer& answer) {
  if (!log.is_on(LogLevel::info)) return;
  const std::string client = request.client_ip ? request.client_ip->to_string() : "unknown";
  log.write(LogLevel::info, "a policy request was answered",
            {{"action", std::string(to_string(answer.action))},
             {"client", client},
             {"helo", request.helo_name},
             {"mail_from", request.sender},
             {"rcpt_to", request.recipient},
             {"spf_helo", word_of(answer.helo)},
             {"spf_mail_from", word_of(answer.mail_from)}});
}

}  // namespace

PolicyConnection::PolicyConnection(asio::io_context& context, Descriptor socket, PolicyHost& host)
    : socket_(context), host_(host) {
  socket_.assign(socket.get());
  static_cast<void>(socket.release());
  expect_request();
}

PolicyConnection::~PolicyConnection() = default;

asio::awaitable<void> PolicyConnection::serve() {
  while (!ended_) {
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
  co_await socket_.async_wait(stream_descriptor::wait_read, or_awake);
  if (ended_) co_return false;
  const std::size_t before = buffer_.size();
  buffer_.resize(before + receive_octets);
  const ssize_t got =
      ::recv(socket_.native_handle(), buffer_.data() + before, receive_octets, MSG_DONTWAIT);
  const bool retry = got < 0 && is_for_now(errno);
  buffer_.resize(before + (got > 0 ? static_cast<std::size_t>(got) : 0));
  co_return got > 0 || retry;
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
  co_return co_await send(mailflow::format_policy_reply(*action, host_.limits));
}

/// What Postfix is told; nothing when the connection was ended meanwhile.
asio::awaitable<std::optional<std::string>> PolicyConnection::action_for(
    mailflow::PolicyRequest request) {
  if (auto again = message_.recall(request)) co_return again;
  const std::optional<mailflow::PolicyAnswer> answer = co_await judge(request);
  if (!answer) co_return std::nullopt;
  message_.keep(request, *answer);
  log_answer(host_.log, request, *answer);
  co_return answer->text;
}

asio::awaitable<std::optional<mailflow::PolicyAnswer>> PolicyConnection::judge(
    mailflow::PolicyRequest request) {
  // All waiting for DNS ends by itself, so the watchdog has nothing to watch.
  expect(Due::nothing, host_.timeouts.idle + host_.timeouts.evaluation);
  const Deadline deadline{.end = std::chrono::steady_clock::now() + host_.timeouts.evaluation,
                          .question = host_.timeouts.dns};
  const std::shared_ptr<const mailflow::SpfAccessPolicy> policy = host_.policies();
  is_judging_ = true;
  std::optional<mailflow::PolicyAnswer> answer;
  try {
    answer = co_await drive(
        mailflow::answer_policy_request(std::move(request), *policy, now(), host_.limits),
        host_.resolver, deadline, host_.limits);
  } catch (const boost::system::system_error&) {
    if (!ended_) throw;
  }
  is_judging_ = false;
  co_return ended_ ? std::nullopt : std::move(answer);
}

asio::awaitable<bool> PolicyConnection::send(std::string octets) {
  expect(Due::taking_the_reply, host_.timeouts.request);
  std::string_view rest = octets;
  for (;;) {
    const ssize_t put =
        ::send(socket_.native_handle(), rest.data(), rest.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (put > 0) rest.remove_prefix(static_cast<std::size_t>(put));
    if (rest.empty()) co_return true;
    if (put < 0 && !is_for_now(errno)) co_return false;
    co_await socket_.async_wait(stream_descriptor::wait_write, or_awake);
    if (ended_) co_return false;
  }
}

/// A request has its time from its first octet; more octets of it win no more.
void PolicyConnection::expect_request() {
  if (buffer_.empty()) return expect(Due::next_request, host_.timeouts.idle);
  if (due_ != Due::rest_of_request) expect(Due::rest_of_request, host_.timeouts.request);
}

void PolicyConnection::expect(Due due, std::chrono::milliseconds within) {
  due_ = due;
  deadline_ = std::chrono::steady_clock::now() + within;
}

void PolicyConnection::finish() {
  if (buffer_.empty() && !is_judging_) wake();
}

void PolicyConnection::end() {
  ended_ = true;
  if (is_judging_) cancel_.emit(asio::cancellation_type::terminal);
  wake();
}

void PolicyConnection::wake() {
  boost::system::error_code ignored;  // There was nothing to wake.
  socket_.cancel(ignored);
}

void PolicyConnection::end_if_overdue(std::chrono::steady_clock::time_point now) {
  if (ended_ || now < deadline_) return;
  if (due_ == Due::next_request) {
    host_.log.write(LogLevel::debug, "a policy connection was idle for too long and is closed");
  } else {
    host_.log.write(LogLevel::warning,
                    "a policy request or its reply took too long; the connection is closed");
  }
  end();
}

void PolicyConnection::fail(const std::exception_ptr& error) {
  std::string what = "unknown";
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& exception) {
    what = exception.what();
  } catch (...) {  // NOLINT(bugprone-empty-catch): it has no text.
  }
  // If it does not get away, Postfix takes the end of the connection for the same.
  const std::string reply = mailflow::format_policy_reply(trouble, host_.limits);
  static_cast<void>(
      ::send(socket_.native_handle(), reply.data(), reply.size(), MSG_DONTWAIT | MSG_NOSIGNAL));
  host_.log.write(LogLevel::error, "a policy request failed; the client is told to try again later",
                  {{"error", what}});
}

}  // namespace countersign::service
