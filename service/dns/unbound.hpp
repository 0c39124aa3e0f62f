// SPDX-License-Identifier: Apache-2.0
//
// The resolver of the daemon: libunbound, which caches, retries and validates DNSSEC, on a thread
// of its own. Its event context belongs to one thread, so questions and answers cross over.

#pragma once

#include <chrono>
#include <memory>

#include "service/dns/resolver.hpp"
#include "service/dns/unbound_options.hpp"

namespace countersign::service {

/// Asks libunbound. Owns one thread; make it after the last fork() of the process.
class UnboundResolver final : public Resolver {
 public:
  /// Starts the thread and libunbound in it.
  /// Throws StartError with a sentence for the operator when a file cannot be read or an
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
