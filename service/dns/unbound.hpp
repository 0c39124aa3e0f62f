// SPDX-License-Identifier: Apache-2.0
//
// The resolver of the daemon: libunbound, which caches, retries and validates DNSSEC, on a thread
// of its own. Its event context belongs to one thread, so questions and answers cross over.

#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "countersign/limits.hpp"
#include "service/dns/resolver.hpp"

namespace countersign::service {

/// Whom libunbound asks, what it trusts, and how much it may use.
struct UnboundOptions {
  /// Recursive resolvers to ask: "address" or "address@port". Empty: those of /etc/resolv.conf,
  /// unless a configuration file is named, which then decides.
  std::vector<std::string> nameservers;
  /// DNSSEC trust anchors, DS or DNSKEY records in a zone file's form; empty: nothing is validated.
  std::string trust_anchor_file;
  /// Further settings, as in unbound.conf(5); empty: none.
  std::string configuration_file;
  /// Questions that libunbound works on at once: each takes a descriptor or two.
  std::size_t questions_open_max = 1'000;
  /// Questions that wait for their turn; one more is answered SERVFAIL.
  std::size_t questions_waiting_max = 20'000;
  /// Memory for libunbound's caches of messages and of records, in mebibytes each.
  std::size_t cache_mebibytes = 32;
  /// Bounds on answers.
  Limits limits;
};

/// Asks libunbound. Owns one thread; make it after the last fork() of the process.
class UnboundResolver final : public Resolver {
 public:
  /// Starts the thread and libunbound in it.
  /// Throws std::runtime_error with a sentence for the operator when a file cannot be read or an
  /// option is refused.
  explicit UnboundResolver(UnboundOptions options);
  /// Answers all open questions with SERVFAIL, ends libunbound and joins the thread.
  ~UnboundResolver() override;

  [[nodiscard]] boost::asio::awaitable<dns::Answer> lookup(
      dns::Question question, std::chrono::steady_clock::duration deadline) override;

 private:
  class Thread;
  std::shared_ptr<Thread> thread_;
};

}  // namespace countersign::service
