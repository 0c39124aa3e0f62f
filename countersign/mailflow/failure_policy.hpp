// SPDX-License-Identifier: Apache-2.0
//
// How much of a message that failed its author's domain is told: by the domain of the policy, and
// by whom the message was for. People live in jurisdictions and not in messages, so both sides have
// a say, and of several answers the most reserved one counts.

#pragma once

#include <optional>
#include <string>
#include <vector>

#include "countersign/domain/name.hpp"
#include "countersign/mailflow/domain_set.hpp"
#include "countersign/report/failure.hpp"

namespace countersign::mailflow {

/// Which failure reports are sent at all. RFC 9991 §5, §6
struct FailurePolicy {
  report::Privacy usual = report::Privacy::never;  ///< for domains that no set has
  DomainSet never;
  DomainSet redacted;
  DomainSet full_headers;  ///< of the policy domain alone: recipients never widen what is told
  bool on_none = true;     ///< also where the owner's policy asks for nothing: p=none

  /// True when no message has a report.
  [[nodiscard]] bool is_off() const {
    return usual == report::Privacy::never && is_empty(redacted) && is_empty(full_headers);
  }
  /// What may be told of a message: the most reserved answer of the policy domain and of each
  /// recipient. A recipient whose domain no set has answers as the policy domain does if a set has
  /// that, else as is usual.
  ///
  /// recipients   forward-paths without <>; one that has no domain has no say.
  [[nodiscard]] report::Privacy privacy_for(const DomainName& policy_domain,
                                            const std::vector<std::string>& recipients) const;

 private:
  /// What never and redacted say of a domain; nothing when neither has it.
  [[nodiscard]] std::optional<report::Privacy> reserve_of(const DomainName& domain) const;
  static bool is_empty(const DomainSet& set) { return !set.all && set.entries.empty(); }
};

}  // namespace countersign::mailflow
