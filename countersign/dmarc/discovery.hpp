// SPDX-License-Identifier: Apache-2.0
//
// The DNS tree walk: which policy applies to a domain, and where its organization begins.
//
// A walk goes from a name up to its top-level domain and looks at each level for a DMARC record:
//
//   a.mail.example.com   _dmarc.a.mail.example.com   nothing
//                        _dmarc.mail.example.com     v=DMARC1; p=none
//                        _dmarc.example.com          v=DMARC1; p=reject; sp=quarantine
//                        _dmarc.com                  nothing
//
// It ends early at a record that says psd=y or psd=n, and leaves out levels of names that have more
// than eight labels, so that it never takes more than eight questions. From what it found follows
// the Organizational Domain (here example.com), and with that the policy: the record of the Author
// Domain itself, else that of its Organizational Domain, else that of a Public Suffix Domain above.
// mail.example.com above is none of the three: its record covers nobody but itself.
//
// The names of a walk are known beforehand, so all are asked for at once: the walk takes the time
// of one question. What lies beyond its end is not looked at, not even a failure.
//
// RFC 7489 finds the Organizational Domain by a list of public suffixes instead. Who must go by it
// hands in a function that does; then two names are asked for, and nothing is walked.
//
// RFC 9989 §4.10, RFC 7489 §6.6.3

#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "countersign/dmarc/record.hpp"
#include "countersign/dns/asking.hpp"
#include "countersign/domain/name.hpp"
#include "countersign/limits.hpp"

namespace countersign::dmarc {

/// What one level of a tree walk had.
enum class Finding : std::uint8_t {
  record,           ///< one DMARC record
  no_record,        ///< the name, or a DMARC record there, does not exist
  several_records,  ///< more than one DMARC record, so none of them counts
  dns_failure,      ///< DNS did not say; WalkStep::status has how
};

/// A sentence for people, with its section.
[[nodiscard]] std::string_view to_string(Finding finding);
/// The enumerator itself, "several_records", for programs that read our JSON.
[[nodiscard]] std::string_view name_of(Finding finding);

/// One question of a tree walk and its answer.
struct WalkStep {
  DomainName domain;  ///< "_dmarc." in front of it was asked for
  dns::AnswerStatus status = dns::AnswerStatus::nxdomain;
  Finding finding = Finding::no_record;
  /// Set when finding is record. Shared with all who got the same answer.
  std::shared_ptr<const Record> record;
  bool authenticated = false;  ///< DNSSEC validated the answer
  /// The record as it is published, a stranger's text; empty unless finding is record.
  std::string text;
};

/// The names that a walk may ask for, from the start upwards: at most Limits::tree_walk_queries_max
/// of them, the first being the start. RFC 9989 §4.10
[[nodiscard]] std::vector<DomainName> walk_names(const DomainName& start, const Limits& limits);

/// Asks for the DMARC records of all the names at once; gives one step for each, in their order.
///
/// Leniency     a name that leaves no room for "_dmarc." in the 253 octets of DNS is not asked for:
///              nothing can be published there.
/// RFC 9989 §4.10
[[nodiscard]] dns::Asking<std::vector<WalkStep>> look_up(std::vector<DomainName> names,
                                                         Limits limits);

/// A walk that is done.
struct Walk {
  std::vector<WalkStep> steps;  ///< from the start to where the walk ended; never empty
  DomainName org_domain;        ///< a guess when is_certain is false
  /// No step failed. Else a record that nobody saw may have moved the Organizational Domain.
  bool is_certain = true;
  /// The step of a Public Suffix Domain above the start (psd=y), or nothing.
  std::optional<std::size_t> psd_step;

  /// Where the walk began.
  [[nodiscard]] const DomainName& start() const { return steps.front().domain; }
  /// The step at that name, or nullptr when the walk did not come there.
  [[nodiscard]] const WalkStep* step_at(const DomainName& domain) const;
};

/// Makes a walk of the steps of all its names: ends it where a record says psd=y or psd=n, and
/// finds the Organizational Domain.
///
/// steps        one for each of walk_names(), from the start upwards.
/// RFC 9989 §4.10, §4.10.2
[[nodiscard]] Walk finish_walk(std::vector<WalkStep> steps);

/// Walks from one name. RFC 9989 §4.10
[[nodiscard]] dns::Asking<Walk> walk_tree(DomainName start, Limits limits);

/// True when the Organizational Domain is a top-level domain that is not the start itself: its
/// owner published a record without psd=y, and so all that lies under it and has no record looks
/// like one organization. RFC 9989 §11.8
[[nodiscard]] bool has_top_level_org(const Walk& walk);

/// Whose record gives the policy. RFC 9989 §4.10.1
enum class PolicySource : std::uint8_t {
  none,           ///< nobody published one
  author_domain,  ///< the Author Domain
  org_domain,     ///< its Organizational Domain
  psd,            ///< the Public Suffix Domain above that
  unknown,        ///< DNS failed where it mattered
};

/// The word for a source, as in our JSON.
[[nodiscard]] std::string_view to_string(PolicySource source);

/// How the Organizational Domain is found, in the words of aggregate reports. RFC 9990 §3.1.1.5
enum class DiscoveryMethod : std::uint8_t {
  treewalk,  ///< in DNS
  psl,       ///< by a list of public suffixes
};

/// The word on the wire.
[[nodiscard]] std::string_view to_string(DiscoveryMethod method);

/// Gives the Organizational Domain of a name without DNS: the name itself or one above it. It is
/// asked from many threads at once. RFC 7489 §3.2
using OrgDomainOf = std::function<DomainName(const DomainName&)>;

/// What is known of an Author Domain before anybody has authenticated anything: it can be asked for
/// while SPF and DKIM are still at work.
struct Discovery {
  Walk walk;  ///< of the Author Domain
  PolicySource source = PolicySource::none;
  std::size_t policy_step = 0;  ///< of the walk; only when there is a policy
  /// What found the Organizational Domain, if not the walk; the walk then has the Author Domain and
  /// that.
  OrgDomainOf org_domain_of;

  [[nodiscard]] DiscoveryMethod method() const {
    return org_domain_of ? DiscoveryMethod::psl : DiscoveryMethod::treewalk;
  }

  [[nodiscard]] const DomainName& author_domain() const { return walk.start(); }
  /// The step with the record that applies, or nullptr.
  [[nodiscard]] const WalkStep* policy() const;
};

/// Chooses the record that applies, out of the walk of the Author Domain. RFC 9989 §4.10.1
[[nodiscard]] Discovery choose_policy(Walk walk);

/// Finds the policy for an Author Domain. RFC 9989 §4.10.1
///
/// org_domain_of  finds the Organizational Domain in place of the tree walk: the policy is then the
///                record of the Author Domain, else that of its Organizational Domain, and psd= is
///                not looked at. Several records at the Author Domain end the search. How a record
///                is read does not change: np= and t= count, pct= does not. RFC 7489 §6.6.3
[[nodiscard]] dns::Asking<Discovery> discover(DomainName author_domain, Limits limits,
                                              OrgDomainOf org_domain_of = {});

/// Whether a domain exists, in the sense that decides between sp= and np=.
///
/// Returns      nothing when DNS failed. Its CNAME is asked for, because that question is answered
///              by the name itself: a name whose alias leads nowhere exists too.
/// RFC 9989 §A.4, RFC 8020 §2
[[nodiscard]] dns::Asking<std::optional<bool>> look_up_existence(DomainName domain);

}  // namespace countersign::dmarc
