// SPDX-License-Identifier: Apache-2.0
//
// DNS for programs without an event loop: subcommands that ask, wait and print. Without Asio in the
// header, as they have no use for it.

#pragma once

#include <chrono>
#include <memory>
#include <vector>

#include "countersign/dns/asking.hpp"
#include "service/dns/unbound_options.hpp"

namespace countersign::service {

/// Asks libunbound and waits. One thread at a time.
class BlockingLookups {
 public:
  /// Starts libunbound. Throws StartError as UnboundResolver does.
  explicit BlockingLookups(UnboundOptions options);
  ~BlockingLookups();
  BlockingLookups(const BlockingLookups&) = delete;
  BlockingLookups& operator=(const BlockingLookups&) = delete;

  /// Asks all questions side by side; blocks until each is answered or the deadline has passed.
  ///
  /// deadline     for each question, from now.
  /// Returns      the answers in the order of the questions, timeouts and failures among them.
  [[nodiscard]] std::vector<dns::Answer> answer(const std::vector<dns::OpenQuestion>& questions,
                                                std::chrono::steady_clock::duration deadline);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace countersign::service
