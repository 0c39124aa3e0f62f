// SPDX-License-Identifier: Apache-2.0
//
// One milter connection: octets between a socket and a milter::Session, within deadlines. It waits
// for octets before it reads them into a buffer that all connections of a worker share, so that a
// thousand idle sessions hold no buffers.

#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "countersign/milter/session.hpp"
#include "service/control/kept_messages.hpp"
#include "service/dns/asked_questions.hpp"
#include "service/dns/client_share.hpp"
#include "service/dns/resolver.hpp"
#include "service/metrics/metrics.hpp"
#include "service/milter/event_log.hpp"
#include "service/run/descriptor.hpp"
#include "service/run/peer.hpp"

namespace countersign::service {

/// How long a peer may keep a connection without moving.
struct ConnectionTimeouts {
  /// Between packets. An SMTP client may be silent for minutes; libmilter waits 7,210 s for its
  /// MTA.
  std::chrono::milliseconds idle = std::chrono::seconds{7'210};
  /// For a packet that has begun, for the first one, and for the peer to take a reply.
  std::chrono::milliseconds packet = std::chrono::seconds{60};
};

/// Takes what became of a judged message, for reports. It must not wait: it is called on a worker's
/// thread.
using RecordJudged = std::function<void(const milter::MessageFinished&)>;

/// What a connection needs of the worker that serves it.
struct ConnectionHost {
  std::span<char> buffer;  ///< shared by the worker's connections, used only between two waits
  Log& log;
  milter::PolicySource policies;
  ConnectionTimeouts timeouts;
  EventDetail detail;
  Resolver* resolver = nullptr;    ///< for mail that is judged; there must be one before any is
  ClientShares* shares = nullptr;  ///< of DNS for each client; nullptr: as much as each wants
  std::chrono::milliseconds dns_timeout = std::chrono::seconds{5};  ///< for one answer
  /// For all answers that one message needs. RFC 7208 §4.6.4
  std::chrono::milliseconds message_timeout = std::chrono::seconds{20};
  RecordJudged record;                         ///< may be empty
  mailflow::CountRecipients count_recipients;  ///< may be empty
  Metrics* metrics = nullptr;                  ///< where events are counted; nullptr: nowhere
  KeptMessages* kept = nullptr;                ///< where finished messages go; nullptr: nowhere
  bool stopping = false;                       ///< connections close when their message is finished
};

/// One connection. Lives and dies on its worker's thread.
class Connection : public Peer {
 public:
  /// Takes over the socket, which must not block.
  Connection(boost::asio::io_context& context, Descriptor socket, ConnectionHost& host);
  ~Connection() override;

  [[nodiscard]] boost::asio::awaitable<void> serve() override;
  /// Lets the connection end when its message is finished, at once when there is none. Octets that
  /// have arrived already count as a message.
  void finish() override;

 private:
  [[nodiscard]] boost::asio::awaitable<bool> carry_out(milter::Step step);
  [[nodiscard]] boost::asio::awaitable<std::optional<mailflow::Outcome>> outcome_of(
      dns::Asking<mailflow::Outcome> judging);
  [[nodiscard]] bool may_end() const { return host_.stopping && session_.is_idle(); }
  void report(std::vector<milter::Event> events);
  void keep(milter::MessageFinished finished);
  [[nodiscard]] bool keeps() const { return host_.kept != nullptr && host_.kept->is_on(); }
  void expect_packet();
  void tell_overdue() override;
  void tell_failure(const std::string& what) override;

  ConnectionHost& host_;
  milter::Session session_;
  std::uint64_t packets_ = 0;  // That were complete when the deadline was set.
  AskedQuestions asked_;       // By the message that is judged, or was just now.
};

}  // namespace countersign::service
