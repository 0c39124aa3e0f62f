// SPDX-License-Identifier: Apache-2.0
//
// Everything that decides how the mail of strangers is judged and what is done with it, as one
// immutable value. The defaults follow RFC 9989: DMARC is carried out, but nothing is rejected for
// a policy alone (S-44), DNS trouble loses no mail (S-43), and what cannot be told from whom it
// comes is put aside.

#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "countersign/dkim/verifier.hpp"
#include "countersign/dmarc/discovery.hpp"
#include "countersign/mailflow/action.hpp"
#include "countersign/mailflow/domain_set.hpp"
#include "countersign/mailflow/failure_policy.hpp"
#include "countersign/mailflow/host_list.hpp"
#include "countersign/report/destination.hpp"

namespace countersign::mailflow {

/// What is done with mail that fails DMARC where the owner asks for reject. RFC 9989 §7.4
enum class RejectPolicy : std::uint8_t {
  quarantine,    ///< never more than quarantine
  corroborated,  ///< rejected when something else speaks against it too; see disposition.hpp
  reject,        ///< always rejected
};

/// What the Authentication-Results field has in it, and what is removed from the header.
struct ResultsPolicy {
  std::string authserv_id = "localhost";  ///< is_authserv_id() holds for it. RFC 8601 §2.5
  bool authserv_id_with_job_id = false;   ///< "/" and the queue id behind it
  /// Whose fields are removed besides our own: ids of other hosts of ours.
  std::vector<std::string> removed_ids;
  bool removes_all = false;      ///< every Authentication-Results field goes
  bool keeps_all = false;        ///< none goes, not even those that claim our id
  bool removes_bimi = true;      ///< BIMI fields that only a receiver may write
  bool comments = false;         ///< reasons for people in parentheses
  bool signature_values = true;  ///< header.b
  bool remote_ip = true;         ///< smtp.remote-ip of arc. RFC 8617 §4.1.1
  bool arc_chain = false;        ///< arc.chain: the domains of all seals, the newest first
  std::string software_header;   ///< of a DMARC-Filter field: "countersign v1 host"; empty: none
  bool received_spf = false;     ///< a Received-SPF field too. RFC 7208 §9.1
};

/// Whose mail is let through though DMARC fails, each for another reason of RFC 9990.
struct TrustPolicy {
  HostList networks;          ///< clients: local_policy
  DomainSet author_domains;   ///< domains of From, whoever sends for them: local_policy
  DomainSet forwarders;       ///< domains that SPF or DKIM authenticated: trusted_forwarder (S-35)
  DomainSet sealers;          ///< domains of ARC-Seal: trusted_forwarder (S-34)
  bool authenticated = true;  ///< clients that have logged in: local_policy
};

/// What is done with a message for one outcome. What is worst for the message wins.
struct Actions {
  Action ambiguous = Action::quarantine;         ///< whose mail it is cannot be told (S-01 to S-06)
  Action bare_line_end = Action::accept;         ///< CR or LF alone, or NUL, in the body (S-08)
  Action dmarc_quarantine = Action::quarantine;  ///< DMARC fails, and that is what the owner asks
  RejectPolicy dmarc_reject = RejectPolicy::corroborated;  ///< the same for reject
  Action dmarc_temperror = Action::accept;                 ///< DNS does not tell
  Action dmarc_permerror = Action::accept;  ///< the record asks for nothing that can be told
  Action spf_fail = Action::accept;         ///< and DMARC does not pass
  Action spf_softfail = Action::accept;     ///< the same
  Action spf_temperror = Action::accept;    ///< the same
  Action spf_permerror = Action::accept;    ///< the same
  Action helo_fail = Action::accept;        ///< the HELO identity fails
  Action no_signature = Action::accept;     ///< no DKIM-Signature field (On-NoSignature)
  Action bad_signature = Action::accept;    ///< no signature passes (On-BadSignature)
  Action key_not_found = Action::accept;    ///< the same, for want of a key (On-KeyNotFound)
  Action dns_error = Action::accept;        ///< the same, DNS failed (On-DNSError)
  Action bad_key = Action::accept;          ///< a key that DNSSEC says is forged (On-Security)
  Action unauthenticated = Action::accept;  ///< neither SPF nor DKIM passes for anybody
  Action replayed = Action::accept;         ///< one signature comes to far too many (S-32)

  /// Members that are an Action: all but dmarc_reject.
  static constexpr std::size_t count = 17;
  /// Those members, in their order.
  [[nodiscard]] constexpr std::array<Action, count> all() const {
    return {ambiguous,       bare_line_end, dmarc_quarantine, dmarc_temperror, dmarc_permerror,
            spf_fail,        spf_softfail,  spf_temperror,    spf_permerror,   helo_fail,
            no_signature,    bad_signature, key_not_found,    dns_error,       bad_key,
            unauthenticated, replayed};
  }
};
// A member more needs a place in all().
static_assert(sizeof(Actions) == sizeof(RejectPolicy) + Actions::count * sizeof(Action));

/// Which DKIM signatures are not taken though they are valid: their result is policy then, and
/// nothing relies on them. RFC 6376 §6.1, §6.3
struct SignaturePolicy {
  /// Fields that must be signed as often as the message has them (MustBeSigned).
  std::vector<std::string> fields_to_be_signed;
  /// Who may sign for authors of other domains (TrustSignaturesFrom); none: anybody.
  std::optional<DomainSet> third_parties;
};

/// When mail that is sent again and again under one signature is noticed (S-32). Mail to many is no
/// fault by itself: it is a replay when it is addressed to none of those whom it comes to, and is
/// not a list's.
struct ReplayPolicy {
  /// For how long a signature is remembered from its first message on; zero: nothing is counted.
  std::chrono::seconds window{3'600};
  /// Recipients that one signature may come to meanwhile.
  std::uint64_t recipients = 100;
  /// Signatures that are remembered at a time; the oldest are forgotten for new ones.
  std::uint64_t signatures = 50'000;
};

/// How mail is judged, and what follows.
struct JudgingPolicy {
  // --- what is checked ---
  bool spf = true;
  bool arc = true;
  bool dmarc = true;
  bool iprev = true;  ///< the client's name. RFC 8601 §3
  /// Finds Organizational Domains as RFC 7489 does; empty: by tree walk, as RFC 9989 does.
  dmarc::OrgDomainOf org_domain_of;
  /// A DKIM signature whose l= leaves octets unsigned passes; DMARC does not count it (S-25).
  bool accepts_partly_signed_body = true;
  /// Clients whose mail is not judged at all.
  HostList unjudged;
  /// SPF alone is not looked at for these clients: relays in front of us.
  HostList spf_skipped;
  /// Clients whose addresses strangers send from as well: a pass of SPF is too weak there for DMARC
  /// (S-19).
  HostList spf_shared;
  std::string receiver = "unknown";  ///< our host name, in what is told to others

  SignaturePolicy signatures;
  ReplayPolicy replay;
  ResultsPolicy results;
  TrustPolicy trust;
  Actions actions;

  /// Who gets a copy of mail that fails DMARC, as another recipient of it; empty: nobody.
  std::string copies_failures_to;
  /// Behind the text of a reply: "see https://…"; "%s" in it becomes the author's domain. Empty
  /// for none.
  std::string help;
  /// Everything is judged and logged, and nothing is changed: header, action, quarantine.
  bool shadow = false;
  /// Say what each message adds to reports: somebody counts. Judgement::is_counted
  bool counts = false;
  /// Our own addresses of reports: mail to them alone is not counted.
  report::LoopGuard own_reports;
  /// Which failures are told to the owners of domains, and how much of them.
  FailurePolicy failures;
};

}  // namespace countersign::mailflow
