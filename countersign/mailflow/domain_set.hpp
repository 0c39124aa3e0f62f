// SPDX-License-Identifier: Apache-2.0
//
// A set of domains, as ExemptDomains and lists of trusted forwarders have it.

#pragma once

#include "countersign/domain/name.hpp"
#include "countersign/mailflow/host_list.hpp"

namespace countersign::mailflow {

/// A set of domains: exact names and ".domain" suffixes, "*" for all; "!" negates.
struct DomainSet {
  HostList entries;
  bool all = false;  ///< "*"
  /// True when the domain or, for suffix entries, one of its parents is listed.
  [[nodiscard]] bool contains(const DomainName& domain) const;
};

}  // namespace countersign::mailflow
