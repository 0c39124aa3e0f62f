// SPDX-License-Identifier: Apache-2.0
//
// Everything that decides what becomes of mail, as one immutable value: whether and how ours is
// signed, with tables and decoded keys, and how that of strangers is judged. A reload makes a new
// one; a message keeps the one that it began with.

#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "countersign/dkim/signer.hpp"
#include "countersign/limits.hpp"
#include "countersign/mailflow/action.hpp"
#include "countersign/mailflow/domain_set.hpp"
#include "countersign/mailflow/host_list.hpp"
#include "countersign/mailflow/judging_policy.hpp"
#include "countersign/mailflow/login_binding.hpp"
#include "countersign/mailflow/recipient_list.hpp"
#include "countersign/mailflow/sealing_policy.hpp"
#include "countersign/mailflow/signing_table.hpp"

namespace countersign::mailflow {

/// A macro that marks mail as ours: any value, or one of a list.
struct MacroRule {
  std::string name;                 ///< without braces
  std::vector<std::string> values;  ///< empty: the macro need only be set; case-sensitive
};

/// The single-key set-up: Domain, Selector, KeyFile.
struct SingleKey {
  DomainSet domains;
  bool subdomains = false;  ///< also sign for subdomains, with d= the listed parent
  DomainName selector;
  crypto::PrivateKey key;
  Place place;
};

/// Whose mail is signed, by which keys, and how; and how the mail of all others is judged.
struct Policy {
  bool signs = true;   ///< mode s
  bool judges = true;  ///< mode v

  // --- whose mail ---
  HostList internal_hosts;             ///< clients whose mail is ours
  HostList external_ignored;           ///< clients that may use our domains without a log line
  HostList peers;                      ///< clients whose mail is neither signed nor judged
  std::vector<std::string> mta_names;  ///< {daemon_name} values whose mail is ours
  std::vector<MacroRule> macros;       ///< macros that mark mail as ours
  std::vector<MacroRule> strangers;    ///< macros that mark mail as a stranger's, before all marks
  bool authenticated_is_ours = true;   ///< {auth_type} marks mail as ours
  DomainSet exempt_domains;            ///< author domains that are passed untouched
  RecipientList unsigned_recipients;   ///< to whom nothing is signed
  std::vector<std::string> sender_headers = {"From"};  ///< where the author is looked up, in order
  LoginPolicy logins;                                  ///< as whom those who log in may send

  // --- which keys ---
  std::optional<SingleKey> single_key;  ///< unused when there is a signing table
  std::optional<SigningTable> signing_table;
  KeyTable key_table;
  bool multiple_signatures = false;  ///< all matching lines sign, not the first alone

  // --- how ---
  dkim::Canonicalization header_canonicalization = dkim::Canonicalization::relaxed;
  dkim::Canonicalization body_canonicalization = dkim::Canonicalization::relaxed;
  dkim::FieldSelection fields = dkim::default_field_selection();
  std::optional<std::chrono::seconds> signature_lifetime;
  std::optional<std::uint64_t> signed_octets_max;  ///< l=, only when explicitly allowed
  bool copies_fields = false;                      ///< z=
  bool requests_reports = false;                   ///< r=y
  bool removes_old_signatures = false;
  bool fixes_line_ends = false;   ///< bare LF or CR in the body is signed as CRLF
  bool requires_headers = false;  ///< RequiredHeaders: reject what breaks RFC 5322 §3.6 counts
  bool strict_headers = false;    ///< StrictHeaders: pass it as it is, unsigned

  // --- when something is wrong ---
  /// From missing, repeated or unreadable: never signed
  Action on_bad_author = Action::accept;
  Action on_signing_error = Action::tempfail;  ///< a key name that is in no KeyTable, and the like
  Action on_limit = Action::accept;            ///< header over its limits
  Action on_peer = Action::accept;             ///< mail of peers

  // --- what else is written ---
  std::string software_header;  ///< "countersign/0.1.0 host"; empty writes none
  bool explains = false;        ///< LogWhy: say for each message why it was signed or not

  JudgingPolicy judging;                 ///< of no use unless `judges`
  std::optional<SealingPolicy> sealing;  ///< of mail that is handed on; none: nothing is sealed
  Limits limits;

  /// True when the mail of peers is ended as soon as it is known whose it is. What is put aside has
  /// to come first.
  [[nodiscard]] bool refuses_peers() const {
    return !peers.empty() && on_peer != Action::accept && on_peer != Action::quarantine;
  }
};

}  // namespace countersign::mailflow
