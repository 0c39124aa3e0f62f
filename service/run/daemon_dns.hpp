// SPDX-License-Identifier: Apache-2.0
//
// Where the daemon's answers of DNS come from: libunbound behind a cache that all workers share, or
// a zone file in its place. It starts a thread, so it is made when the daemon has forked for the
// last time, and only when mail is judged.

#pragma once

#include <memory>
#include <optional>

#include "service/config/settings.hpp"
#include "service/dns/cache.hpp"
#include "service/dns/metered_resolver.hpp"
#include "service/dns/resolver.hpp"

namespace countersign::service {

/// The resolver of one daemon, for its whole life.
class DaemonDns {
 public:
  /// Throws StartError with a sentence when libunbound does not start or the zone cannot be read.
  ///
  /// observer   told of each question that the cache did not answer; may be empty.
  explicit DaemonDns(const config::DnsSettings& settings, MeteredResolver::Observer observer = {});
  ~DaemonDns();
  DaemonDns(const DaemonDns&) = delete;
  DaemonDns& operator=(const DaemonDns&) = delete;

  /// May be used by all threads at once.
  [[nodiscard]] Resolver& resolver() { return *front_; }
  /// What the cache has done; nothing where a zone file answers.
  [[nodiscard]] std::optional<CacheCounts> cache_counts() const;

 private:
  std::unique_ptr<Resolver> behind_;   // The cache in front asks it,
  std::unique_ptr<Resolver> metered_;  // by way of this one where somebody observes.
  CachingResolver* cache_ = nullptr;   // It is front_, unless that is a zone file.
  std::unique_ptr<Resolver> front_;
};

}  // namespace countersign::service
