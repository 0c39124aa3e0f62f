// SPDX-License-Identifier: Apache-2.0
//
// One connection of Postfix's policy delegation protocol (check_policy_service): requests come in,
// each is answered before the next is looked at, within deadlines. What is answered is decided in
// countersign/mailflow/policy_answer.hpp.

#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "countersign/limits.hpp"
#include "countersign/mailflow/policy_answer.hpp"
#include "service/dns/resolver.hpp"
#include "service/run/descriptor.hpp"

namespace countersign::service {

class Log;

/// Gives the policy that the next request is judged by; never null. A request keeps the policy that
/// it began with.
using AccessPolicySource = std::function<std::shared_ptr<const mailflow::SpfAccessPolicy>()>;

/// How long a peer may keep a policy connection without moving, and DNS an answer.
struct PolicyTimeouts {
  /// Between requests. Postfix closes connections that it has not used for 300 s itself
  /// (smtpd_policy_service_max_idle).
  std::chrono::milliseconds idle = std::chrono::seconds{1'000};
  /// For a request that has begun, and for the peer to take a reply.
  std::chrono::milliseconds request = std::chrono::seconds{60};
  /// For one answer of DNS.
  std::chrono::milliseconds dns = std::chrono::seconds{5};
  /// For all answers of DNS that one request needs; Postfix waits 100 s for a reply
  /// (smtpd_policy_service_timeout). RFC 7208 §4.6.4
  std::chrono::milliseconds evaluation = std::chrono::seconds{20};
};

/// What policy connections have in common; it must outlive them.
struct PolicyHost {
  Log& log;
  Resolver& resolver;
  AccessPolicySource policies;
  PolicyTimeouts timeouts;
  Limits limits;
  bool stopping = false;  ///< connections close when their request is answered
};

/// One connection. Lives and dies on one thread.
class PolicyConnection {
 public:
  /// Takes over the socket, which must not block.
  PolicyConnection(boost::asio::io_context& context, Descriptor socket, PolicyHost& host);
  ~PolicyConnection();
  PolicyConnection(const PolicyConnection&) = delete;
  PolicyConnection& operator=(const PolicyConnection&) = delete;

  /// Cancels what serve() waits for when the connection ends; to be bound to the coroutine.
  [[nodiscard]] boost::asio::cancellation_slot cancellation() { return cancel_.slot(); }
  /// Serves until either side ends it. A request that is none ends it as well, and Postfix then
  /// tells its client to try again later. What it throws goes to fail().
  [[nodiscard]] boost::asio::awaitable<void> serve();

  /// Lets the connection end when its request is answered, at once when there is none.
  void finish();
  /// Ends the connection now.
  void end();
  /// Ends the connection when its deadline has passed, and says so in the log.
  void end_if_overdue(std::chrono::steady_clock::time_point now);
  /// Lets the client try again later and tells the log why; the connection is not served any more.
  void fail(const std::exception_ptr& error);

 private:
  /// What the peer must do before the deadline.
  enum class Due : std::uint8_t { next_request, rest_of_request, taking_the_reply, nothing };

  [[nodiscard]] boost::asio::awaitable<bool> answer(std::string text);
  [[nodiscard]] boost::asio::awaitable<std::optional<std::string>> action_for(
      mailflow::PolicyRequest request);
  [[nodiscard]] boost::asio::awaitable<std::optional<mailflow::PolicyAnswer>> judge(
      mailflow::PolicyRequest request);
  [[nodiscard]] boost::asio::awaitable<bool> send(std::string octets);
  [[nodiscard]] boost::asio::awaitable<bool> receive_more();
  [[nodiscard]] std::optional<std::string> take_request();
  [[nodiscard]] bool may_end() const { return host_.stopping && buffer_.empty(); }
  void expect_request();
  void expect(Due due, std::chrono::milliseconds within);
  void wake();

  boost::asio::posix::stream_descriptor socket_;
  PolicyHost& host_;
  std::string buffer_;    // Octets that have come and are no whole request yet.
  std::size_t seen_ = 0;  // Of them, in which the end of a request was looked for.
  mailflow::AnsweredMessage message_;
  std::chrono::steady_clock::time_point deadline_;
  Due due_ = Due::nothing;
  bool ended_ = false;
  bool is_judging_ = false;
  boost::asio::cancellation_signal cancel_;
};

}  // namespace countersign::service
