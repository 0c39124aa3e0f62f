// SPDX-License-Identifier: Apache-2.0
//
// Where a subcommand's DNS answers come from: a zone file in place of live DNS, or the resolver of
// the machine.

#pragma once

#include <CLI/CLI.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "countersign/dns/asking.hpp"
#include "countersign/dns/question.hpp"
#include "service/config/settings.hpp"

namespace countersign::cli {

/// The options --zone, --nameserver and --dns-timeout, alike in every subcommand that asks DNS.
struct DnsOptions {
  std::string zone_file;
  std::vector<std::string> nameservers;  ///< "address" or "address@port"; empty: the system's
  std::optional<unsigned> timeout_seconds;
  std::string trust_anchor_file;   ///< empty: DNSSEC is not looked at
  std::string configuration_file;  ///< unbound.conf(5); empty: none

  /// Declares the options.
  void declare(CLI::App& command);
  /// Takes from the settings what the command line left open. A zone file of the command line
  /// stands in for all of it.
  void complete(const service::config::DnsSettings& settings);
};

/// Answers the questions of one run of the program.
class Lookups {
 public:
  /// Reads the zone file when one is named. Throws Failure(exit_data) with its line when that
  /// cannot be read.
  explicit Lookups(const DnsOptions& options);
  ~Lookups();
  Lookups(const Lookups&) = delete;
  Lookups& operator=(const Lookups&) = delete;

  /// Ends all waiting together after that time: what is open then, and every question asked later,
  /// times out. A zone file never waits.
  void end_after(std::chrono::steady_clock::duration whole);

  /// Answers all questions, side by side, in their order; blocks until each is answered or has
  /// timed out.
  [[nodiscard]] std::vector<dns::Answer> answer(const std::vector<dns::OpenQuestion>& questions);

  /// Drives an evaluation to its end.
  template <class T>
  [[nodiscard]] T run(dns::Asking<T> asking) {
    return run(std::move(asking), [](const dns::Question&, const dns::Answer&) {});
  }
  /// The same, and shows each question with its answer to `see`.
  template <class T, class See>
  [[nodiscard]] T run(dns::Asking<T> asking, See see) {
    for (;;) {
      const std::vector<dns::OpenQuestion> questions = asking.take_questions();
      if (asking.done()) return asking.take();
      std::vector<dns::Answer> answers = answer(questions);
      for (std::size_t i = 0; i < questions.size(); ++i) {
        see(questions[i].question, answers[i]);
        asking.answer(questions[i].id, std::move(answers[i]));
      }
    }
  }

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace countersign::cli
