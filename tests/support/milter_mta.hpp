// SPDX-License-Identifier: Apache-2.0
//
// The MTA's side of a milter connection, for tests of sessions: sends commands as frames, in chunks
// of any size, and reads the replies back as short texts.

#pragma once

#include <gmock/gmock.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "countersign/mailflow/policy.hpp"
#include "countersign/milter/packet.hpp"
#include "countersign/milter/packet_reply.hpp"
#include "countersign/milter/session.hpp"
#include "tests/support/signing.hpp"

namespace countersign::test {

/// What Postfix 3.7 offers.
inline constexpr std::uint32_t postfix_actions = 0x1FF;
/// What Postfix 3.7 offers.
inline constexpr std::uint32_t postfix_steps = 0x1F'FFFF;

/// Cuts octets into frames; a broken rest is a frame with the code "?".
[[nodiscard]] std::vector<std::pair<char, std::string>> frames_of(std::string_view octets);

/// A reply in words: "accept", "insert 0 Name:value", "change 2 Name:", "text 550 …".
[[nodiscard]] std::string reply_words(char code, std::string_view data);

/// An MTA at the other end of a session.
class Mta {
 public:
  /// A session under a policy, which policy() may replace later.
  explicit Mta(mailflow::Policy policy);

  /// Negotiates as Postfix does, or as told; gives the filter's answer.
  milter::Negotiate negotiate(std::uint32_t steps = postfix_steps,
                              std::uint32_t actions = postfix_actions, std::uint32_t version = 6);

  /// Sends a command and gives the replies to it.
  std::vector<std::string> send(const milter::Command& command);
  /// Sends octets, as many at a time as chunk_octets() says.
  std::vector<std::string> send_octets(std::string_view octets);
  /// Sends macros that come before a command, "name=value" each.
  void macros(milter::CommandCode stage, const std::vector<std::string>& pairs);

  /// Connects from an IPv4 address.
  std::vector<std::string> connect(std::string_view host = "localhost",
                                   std::string_view address = "127.0.0.1");
  /// Sends envelope, fields ("Name: value", the space included) and the end of the header.
  std::vector<std::string> send_header(const std::vector<std::string>& fields);
  /// Sends a whole message by that author and gives the replies to its end.
  std::vector<std::string> send_message(std::string_view author, std::string_view body = "Hi\r\n");

  /// The end of the connection.
  void hang_up();

  /// Replaces the policy in force.
  void set_policy(mailflow::Policy policy);
  /// What DNS answers when mail is judged; NXDOMAIN if not set.
  void set_answers(std::function<dns::Answer(const dns::Question&)> answer_of) {
    answer_of_ = std::move(answer_of);
  }
  /// Octets in a chunk from now on; 0 for all at once.
  void set_chunk_octets(std::size_t octets) { chunk_octets_ = octets; }

  [[nodiscard]] milter::Session& session() { return session_; }
  [[nodiscard]] bool closed() const { return closed_; }
  [[nodiscard]] const std::vector<milter::Event>& events() const { return events_; }
  /// The outcome of the last message that ended.
  [[nodiscard]] const mailflow::Outcome& outcome() const;
  /// The failure that closed the session.
  [[nodiscard]] milter::SessionFailed failure() const;

 private:
  std::string take(milter::Step step);

  std::shared_ptr<std::shared_ptr<const mailflow::Policy>> policy_;
  milter::Session session_;
  std::function<dns::Answer(const dns::Question&)> answer_of_ = [](const dns::Question&) {
    return dns::Answer{.status = dns::AnswerStatus::nxdomain};
  };
  std::size_t chunk_octets_ = 0;
  std::vector<milter::Event> events_;
  bool closed_ = false;
};

/// An MTA that has negotiated and connected from 127.0.0.1, a host of ours.
[[nodiscard]] Mta ready_mta(mailflow::Policy policy = policy_for_example_org(),
                            std::uint32_t steps = postfix_steps);

/// Sends a message by that author and says whether it was signed.
[[nodiscard]] bool was_signed(Mta& mta, std::string_view author = "alice@example.org");

/// How many events of that kind there were.
template <class Wanted>
[[nodiscard]] std::size_t count_events(const Mta& mta) {
  std::size_t count = 0;
  for (const milter::Event& event : mta.events()) count += std::holds_alternative<Wanted>(event);
  return count;
}

/// Matches the reply that inserts a signature.
inline const auto is_signature = testing::StartsWith("insert 0 DKIM-Signature: v=1; ");

}  // namespace countersign::test
