// SPDX-License-Identifier: Apache-2.0
//
// So much for each address an hour, in bounded memory. Whoever has a domain has as many addresses
// as he likes: those of one site, the last two labels of their domain, never fill more of the
// memory than they leave free, so that others find room whatever one does.

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>

#include "countersign/message/author.hpp"

namespace countersign::service {

/// What the cap says of one more for an address.
enum class Admission : std::uint8_t {
  granted,  ///< and counted
  used_up,  ///< the address has had all that it gets in an hour
  no_room,  ///< too many other addresses are remembered to count for this one
};

/// Counts by address. One thread.
class HourlyCap {
 public:
  /// addresses_max   addresses that are remembered at a time.
  HourlyCap(std::uint64_t per_hour, std::size_t addresses_max)
      : per_hour_(per_hour), addresses_max_(addresses_max) {}

  /// Whether the address may have one more. Any spelling of its case is the same address: what one
  /// owner gets must not depend on it.
  [[nodiscard]] Admission admit(const Mailbox& address, std::chrono::sys_seconds now);
  /// Addresses that are remembered.
  [[nodiscard]] std::size_t addresses() const { return hours_.size(); }

 private:
  struct Hour {
    std::string site;
    std::chrono::sys_seconds begin;
    std::uint64_t count = 0;

    /// False too when the clock was set back.
    [[nodiscard]] bool holds(std::chrono::sys_seconds now) const {
      return begin <= now && now < begin + std::chrono::hours(1);
    }
  };

  [[nodiscard]] bool has_room(const std::string& site) const;
  void forget_what_is_over(std::chrono::sys_seconds now);

  std::uint64_t per_hour_;
  std::size_t addresses_max_;
  std::unordered_map<std::string, Hour> hours_;
  std::unordered_map<std::string, std::size_t> sites_;  // How many of hours_ each has.
};

}  // namespace countersign::service
