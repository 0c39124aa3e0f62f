// SPDX-License-Identifier: Apache-2.0

#include "service/dns/client_share.hpp"

#include <map>
#include <mutex>
#include <utility>

namespace countersign::service {

namespace asio = boost::asio;

namespace {

constexpr unsigned prefix_of_host6 = 64;

IpAddress host_of(const IpAddress& client) {
  return client.is_v4() ? client : client.masked(prefix_of_host6);
}

}  // namespace

class ClientShares::Counts {
 public:
  explicit Counts(std::size_t each_max) : each_max_(each_max) {}

  bool add(const IpAddress& host) {
    const std::scoped_lock lock(mutex_);
    std::size_t& count = under_way_[host];
    if (count >= each_max_) return false;
    ++count;
    return true;
  }
  void remove(const IpAddress& host) {
    const std::scoped_lock lock(mutex_);
    const auto found = under_way_.find(host);
    if (--found->second == 0) under_way_.erase(found);
  }
  std::size_t clients() const {
    const std::scoped_lock lock(mutex_);
    return under_way_.size();
  }

 private:
  const std::size_t each_max_;
  mutable std::mutex mutex_;
  std::map<IpAddress, std::size_t> under_way_;  // No client with none: their number is bounded.
};

ClientShares::Place::Place(std::shared_ptr<Counts> counts, const IpAddress& host)
    : counts_(std::move(counts)), host_(host) {}

ClientShares::Place::~Place() { counts_->remove(host_); }

ClientShares::ClientShares(std::size_t each_max) : counts_(std::make_shared<Counts>(each_max)) {}

std::unique_ptr<ClientShares::Place> ClientShares::take(const IpAddress& client) {
  const IpAddress host = host_of(client);
  return counts_->add(host) ? std::make_unique<Place>(counts_, host) : nullptr;
}

std::size_t ClientShares::clients() const { return counts_->clients(); }

namespace {

asio::awaitable<dns::Answer> look_up(std::unique_ptr<ClientShares::Place> place,
                                     asio::awaitable<dns::Answer> lookup) {
  dns::Answer answer = co_await std::move(lookup);
  place.reset();
  co_return answer;
}

asio::awaitable<dns::Answer> refuse() {
  co_return dns::Answer{.status = dns::AnswerStatus::servfail};
}

}  // namespace

ClientResolver::ClientResolver(Resolver& behind, ClientShares* shares,
                               std::optional<IpAddress> client)
    : behind_(behind), shares_(shares), client_(std::move(client)) {}

asio::awaitable<dns::Answer> ClientResolver::lookup(dns::Question question,
                                                    std::chrono::steady_clock::duration deadline) {
  if (shares_ == nullptr || !client_) return behind_.lookup(std::move(question), deadline);
  std::unique_ptr<ClientShares::Place> place = shares_->take(*client_);
  if (!place) return refuse();
  return look_up(std::move(place), behind_.lookup(std::move(question), deadline));
}

}  // namespace countersign::service
