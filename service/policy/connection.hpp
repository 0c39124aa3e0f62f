// SPDX-License-Identifier: Apache-2.0
//
// One connection of Postfix's policy delegation protocol (check_policy_service): requests come in,
// each is answered before the next is looked at, within deadlines. What is answered is decided in
// countersign/mailflow/policy_answer.hpp.

#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "countersign/limits.hpp"
#include "countersign/mailflow/policy_answer.hpp"
#include "service/dns/client_share.hpp"
#include "service/dns/resolver.hpp"
#include "service/run/descriptor.hpp"
#include "service/run/peer.hpp"

namespace countersign::service {

class Log;

/// Gives the policy that the next request is judged by; never null. A request keeps the policy that
/// it began with.
using AccessPolicySource = std::function<std::shared_ptr<const mailflow::SpfAccessPolicies>()>;

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
  Resolver* resolver = nullptr;    ///< there must be one before a request comes
  ClientShares* shares = nullptr;  ///< of DNS for each client; nullptr: as much as each wants
  AccessPolicySource policies;
  PolicyTimeouts timeouts;
  Limits limits;
  bool stopping = false;  ///< connections close when their request is answered
};

/// One connection. Lives and dies on one thread.
class PolicyConnection : public Peer {
 public:
  /// Takes over the socket, which must not block.
  PolicyConnection(boost::asio::io_context& context, Descriptor socket, PolicyHost& host);
  ~PolicyConnection() override;

  /// Serves until either side ends it. A request that is none ends it as well, and Postfix then
  /// tells its client to try again later. What it throws goes to fail().
  [[nodiscard]] boost::asio::awaitable<void> serve() override;
  /// Lets the connection end when its request is answered, at once when there is none.
  void finish() override;

 private:
  [[nodiscard]] boost::asio::awaitable<bool> answer(std::string text);
  [[nodiscard]] boost::asio::awaitable<std::optional<std::string>> action_for(
      mailflow::PolicyRequest request);
  [[nodiscard]] boost::asio::awaitable<bool> receive_more();
  [[nodiscard]] std::optional<std::string> take_request();
  [[nodiscard]] bool may_end() const { return host_.stopping && buffer_.empty(); }
  void expect_request();
  void tell_overdue() override;
  void tell_failure(const std::string& what) override;

  PolicyHost& host_;
  std::string buffer_;    // Octets that have come and are no whole request yet.
  std::size_t seen_ = 0;  // Of them, in which the end of a request was looked for.
  mailflow::AnsweredMessage message_;
};

}  // namespace countersign::service
