// SPDX-License-Identifier: Apache-2.0
//
// No client's mail takes all of DNS: of the questions that may be under way at once, those that the
// mail of one client causes get a share. A sender of names that nobody answers then delays itself
// alone (S-41). Answers in memory cost nothing and are not counted.

#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>

#include "countersign/domain/address.hpp"
#include "service/dns/resolver.hpp"

namespace countersign::service {

/// Who has how many questions under way; from any thread. Clients are told apart by IPv4 address
/// and by IPv6 /64, which is what one host has.
class ClientShares {
  class Counts;

 public:
  /// each_max   half of what a cache lets be under way (CacheOptions::under_way_max).
  explicit ClientShares(std::size_t each_max = 10'000);

  /// A question that is under way for a client, until it is destroyed; it may outlive the shares.
  class Place {
   public:
    Place(std::shared_ptr<Counts> counts, const IpAddress& host);
    ~Place();
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;

   private:
    std::shared_ptr<Counts> counts_;
    IpAddress host_;
  };
  /// A place for one more question; null when the client has all that it may have.
  [[nodiscard]] std::unique_ptr<Place> take(const IpAddress& client);

  /// Clients with questions under way.
  [[nodiscard]] std::size_t clients() const;

 private:
  std::shared_ptr<Counts> counts_;
};

/// The resolver behind, for the mail of one client. A question beyond its share is answered
/// SERVFAIL and not asked.
class ClientResolver final : public Resolver {
 public:
  /// Both must outlive this object. Without a client, or without shares, nothing is bounded.
  ClientResolver(Resolver& behind, ClientShares* shares, std::optional<IpAddress> client);

  [[nodiscard]] boost::asio::awaitable<dns::Answer> lookup(
      dns::Question question, std::chrono::steady_clock::duration deadline) override;
  [[nodiscard]] std::optional<dns::Answer> at_hand(const dns::Question& question) override {
    return behind_.at_hand(question);
  }

 private:
  Resolver& behind_;
  ClientShares* shares_;
  std::optional<IpAddress> client_;
};

}  // namespace countersign::service
