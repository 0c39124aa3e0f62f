// SPDX-License-Identifier: Apache-2.0
//
// What may be chosen about libunbound; without Asio, for those who only choose.

#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "countersign/limits.hpp"

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
  /// Questions that libunbound works on at once: each takes a descriptor or two, and some 15 KiB.
  /// With 2,000 of them, 1,600 messages a second are judged whose six questions take 200 ms each;
  /// with fewer they would wait for one another, and not for DNS alone.
  std::size_t questions_open_max = 2'048;
  /// Questions that wait for their turn; one more is answered SERVFAIL.
  std::size_t questions_waiting_max = 20'000;
  /// Memory for libunbound's caches of messages and of records, in mebibytes each.
  std::size_t cache_mebibytes = 32;
  /// Bounds on answers.
  Limits limits;
};

}  // namespace countersign::service
