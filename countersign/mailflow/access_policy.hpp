// SPDX-License-Identifier: Apache-2.0
//
// How clients are judged whom Postfix asks about before their message comes: by SPF alone. The
// choices are those of policyd-spf, which many come from.

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "countersign/domain/address.hpp"
#include "countersign/domain/name.hpp"
#include "countersign/mailflow/domain_set.hpp"
#include "countersign/mailflow/host_list.hpp"

namespace countersign::mailflow {

/// From which result of an identity on the client is refused.
enum class RefuseFrom : std::uint8_t {
  no_check,     ///< the identity is not even checked
  never,        ///< it is checked and told, no more
  null_sender,  ///< fail, where MAIL FROM is empty and HELO all there is
  fail,
  softfail,  ///< softfail and fail
  not_pass,  ///< neutral, softfail, fail and permerror; not none, as most hosts have no record
};

/// The field that is put on what is let in.
enum class AddedField : std::uint8_t {
  none,
  received_spf,            ///< RFC 7208 §9.1
  authentication_results,  ///< RFC 7208 §9.2
};

/// How clients are judged. The defaults refuse what the owner of a domain asks to refuse, and lose
/// no mail to anything else.
struct SpfAccessPolicy {
  RefuseFrom helo = RefuseFrom::fail;
  RefuseFrom mail_from = RefuseFrom::fail;
  DomainSet must_pass;             ///< identities of these domains are refused from not_pass on
  bool only_no_mail = false;       ///< refuse none but domains whose record is "v=spf1 -all"
  bool refuses_permerror = false;  ///< a record that cannot be used
  bool defers_temperror = false;   ///< DNS that did not answer
  bool only_tests = false;         ///< nobody is refused or deferred

  bool skips_authenticated = true;  ///< clients that have logged in (sasl_username)
  bool skips_loopback = true;       ///< 127.0.0.0/8 and ::1
  HostList skipped;                 ///< clients that are not checked: relays in front of us
  /// HELO names of clients that are not refused when the name leads to their address.
  HostList trusted_helo;
  /// Domains whose SPF record names clients that are not refused: forwarders. No more than
  /// Limits::access_forwarders_max of them are asked for.
  std::vector<DomainName> forwarders;
  /// How long they are asked for, all together, within the time for all answers; zero: that alone
  /// counts. Whoever drives the evaluation keeps it (dns::in_own_time).
  std::chrono::seconds forwarder_timeout{0};
  /// Checked in place of the client's address: where mail of ours will come from.
  std::optional<IpAddress> prospective;

  AddedField field = AddedField::received_spf;  ///< on what is let in
  std::string authserv_id = "unknown";          ///< for Authentication-Results
  std::string receiver = "unknown";             ///< our host name, in what is told to others
  std::string helo_pass;       ///< the action for a HELO that passes; empty: the field is added
  std::string mail_from_pass;  ///< likewise; it comes first
  /// What a client reads that is refused or deferred; in it {rejectdefer} becomes "rejected" or
  /// "deferred", {spf} our words, {url} nothing. Empty: our words alone.
  std::string reason;
  bool spf_codes = true;  ///< the codes of RFC 7372 §3.2, else those of RFC 7208 §8
};

/// How the clients of all recipients are judged, and those of some.
struct SpfAccessPolicies {
  /// A policy, and for whom it is made.
  struct Choice {
    std::string_view whose;  ///< a key of of_recipients; empty: for all that have none
    const SpfAccessPolicy& policy;
  };

  SpfAccessPolicy usual;
  /// By "user@example.org" and "@example.org" in lower case; recipients may share a policy.
  std::map<std::string, std::shared_ptr<const SpfAccessPolicy>, std::less<>> of_recipients;

  /// The policy for a recipient: that of the address, of its domain, or the usual one. The result
  /// lives as long as this does.
  ///
  /// recipient   forward-path without <>, in any case; empty when it is not known.
  [[nodiscard]] Choice choose(std::string_view recipient) const;
};

}  // namespace countersign::mailflow
