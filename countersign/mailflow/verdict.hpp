// SPDX-License-Identifier: Apache-2.0
//
// All that was found out about one message from outside, before anybody has decided what to do
// about it: one value that the results field, the disposition, the log, the reports and the command
// line read.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "countersign/arc/chain.hpp"
#include "countersign/dkim/verifier.hpp"
#include "countersign/dmarc/evaluate.hpp"
#include "countersign/mailflow/ambiguity.hpp"
#include "countersign/mailflow/iprev.hpp"
#include "countersign/spf/outcome.hpp"

namespace countersign::mailflow {

/// How mail looks that is sent again under a signature which was made for other recipients (S-32).
struct ReplaySigns {
  /// Recipients that a passing signature has come to of late, those of this message with them: the
  /// most of all its signatures; 0 when none passes or nobody counts. It does not go far beyond
  /// ReplayPolicy::recipients.
  std::uint64_t recipients = 0;
  /// To and Cc are readable and name none of the recipients; looked at when those are too many.
  bool is_addressed_elsewhere = false;
  /// Too many recipients, addressed elsewhere, and no list's.
  bool is_replay = false;
};

/// What every check came to. What was not checked is absent.
struct Verdict {
  Authorship authorship;
  bool has_bare_line_end = false;  ///< in the body: LineEndWatch
  /// The header has fields of a mailing list (List-Id, List-Post): mail that others passed on.
  bool is_list_mail = false;

  std::optional<IprevOutcome> iprev;
  std::optional<spf::Outcome> helo;       ///< absent for the null path: mail_from is the same then
  std::optional<spf::Outcome> mail_from;  ///< of postmaster at the HELO name for the null path
  bool has_null_path = false;
  /// Strangers send from the client's address as well, by local policy; SPF tells nothing of DMARC
  /// then (S-19).
  bool has_shared_client = false;
  bool checked_dkim = false;
  std::vector<dkim::SignatureResult> signatures;  ///< from the top down
  ReplaySigns replay;
  std::optional<arc::Outcome> arc;
  /// Absent when DMARC is not checked, or when there is no Author Domain to check.
  std::optional<dmarc::Outcome> dmarc;

  /// The outcome of DMARC as it is told: permerror for ambiguous mail, whatever passed; nothing
  /// when DMARC is not checked. RFC 9989 §5.3.1
  [[nodiscard]] std::optional<dmarc::Result> dmarc_result() const;
  /// True when SPF or DKIM passed for some domain, the author's or not.
  [[nodiscard]] bool is_authenticated() const;

  bool checked_dmarc = false;
};

/// What SPF and DKIM authenticated, for DMARC: the MAIL FROM identity unless the client is shared
/// (S-19), and d= of the signatures
/// that cover the whole body and that nobody added fields to (S-12, S-25, S-26). Those that may be
/// the author's come first. RFC 9989 §4.4
[[nodiscard]] std::vector<dmarc::Identifier> authenticated_identifiers(
    const Verdict& verdict, const DomainName& author_domain);

}  // namespace countersign::mailflow
