// SPDX-License-Identifier: Apache-2.0
//
// Every setting of the daemon as a typed value, whatever file it came from. The defaults here are
// the defaults of countersign.toml; settings_table.cpp gives each its key and its explanation, and
// import/ maps the options of other programs onto them.

#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "countersign/dkim/signature.hpp"
#include "countersign/dmarc/discovery.hpp"
#include "countersign/mailflow/access_policy.hpp"
#include "countersign/mailflow/host_list.hpp"
#include "countersign/mailflow/policy.hpp"
#include "service/config/record_settings.hpp"
#include "service/config/setting_types.hpp"
#include "service/config/socket_spec.hpp"
#include "service/log/log.hpp"

namespace countersign::service::config {

/// The process: where it listens, who it is, how it lives.
struct DaemonSettings {
  std::vector<SocketSpec> sockets;
  std::string user;               ///< "user" or "user:group"; empty: stay who we are
  std::optional<FileMode> umask;  ///< none: inherited
  std::string pid_file;           ///< empty: none
  bool background = false;
  std::string base_directory;  ///< working directory; empty: inherited
  std::string root_directory;  ///< chroot(2); empty: none
  std::uint64_t workers = 0;   ///< threads that do the work; 0: one a core
  bool restarts = false;       ///< supervise ourselves (AutoRestart)
  std::uint64_t restarts_max = 0;
  Rate restart_rate;
  bool core_dumps = false;
  std::chrono::seconds stop_timeout{30};  ///< for messages in flight at a stop
};

/// What is logged, and where.
struct LogSettings {
  bool to_syslog = false;
  bool to_stderr = true;
  std::string syslog_facility = "mail";
  std::string syslog_name = "countersign";
  LogFormat format = LogFormat::logfmt;
  LogLevel level = LogLevel::info;
  bool successes = true;  ///< a line for each message that was signed
  bool explains = false;  ///< why each message was signed or not (LogWhy)
  bool queue_id = true;   ///< on the lines about messages
};

/// As whom those who log in may send.
struct LoginSettings {
  bool bound = true;
  DataSet table;  ///< empty: mailflow::LoginTable::own_domains()
  mailflow::MismatchAction on_mismatch = mailflow::MismatchAction::unsigned_;
  std::string fallback;         ///< a key's name, or a domain that has keys; empty: none
  std::string fallback_signer;  ///< i=; empty: none
  bool shadow = false;
};

/// Whose mail is signed, by which keys, and how.
struct SigningSettings {
  Mode mode = Mode::sign;
  std::vector<SigningDomain> domains;
  DataSet key_table;
  DataSet second_key_table;  ///< more keys under the same names, as dkimpy-milter has them
  DataSet signing_table;
  bool multiple_signatures = true;
  SingleKeySettings single;
  bool safe_keys_required = true;
  std::uint64_t key_bits_min = 1'024;

  DataSet internal_hosts{.lines = {"127.0.0.1", "::1"}};
  DataSet external_ignored;
  DataSet peers;
  DataSet mta_names;
  DataSet macros;
  DataSet exempt_domains;
  DataSet unsigned_recipients;
  DataSet sender_headers{.lines = {"From"}};
  bool authenticated_is_ours = true;
  LoginSettings logins;

  /// SignatureAlgorithm: what the operator believes the keys to be; a key's own type decides.
  std::optional<crypto::KeyType> expected_key_type;

  Canonicalizations canonicalization;
  FieldDefaults fields = FieldDefaults::advised;
  DataSet signed_fields;      ///< empty: the defaults
  DataSet omitted_fields;     ///< empty: the defaults
  DataSet oversigned_fields;  ///< empty: the defaults
  std::optional<std::chrono::seconds> lifetime;
  /// How long a private key is to be used, from when its file was written; metrics tell the end.
  std::optional<std::chrono::seconds> key_lifetime;
  std::optional<std::uint64_t> signed_octets_max;  ///< l=; honoured only when allowed
  bool allows_body_length = false;
  bool copies_fields = false;
  bool requests_reports = false;
  bool removes_old_signatures = false;
  bool fixes_line_ends = false;
  bool requires_headers = false;
  bool strict_headers = false;
  bool software_header = false;

  mailflow::Action on_bad_author = mailflow::Action::accept;
  mailflow::Action on_signing_error = mailflow::Action::tempfail;
  mailflow::Action on_limit = mailflow::Action::accept;
  mailflow::Action on_peer = mailflow::Action::accept;
};

/// What the Authentication-Results field has in it, and what is removed from the header.
struct ResultsSettings {
  std::string authserv_id;  ///< empty: the host name
  bool authserv_id_with_job_id = false;
  DataSet removed_ids;
  bool removes_all = false;
  bool keeps_all = false;
  bool removes_bimi = true;
  bool comments = false;
  bool signature_values = true;
  bool remote_ip = true;
  bool arc_chain = false;
  bool received_spf = false;
  bool software_header = false;
};

/// Whose mail is let through though DMARC fails.
struct TrustSettings {
  DataSet networks;
  DataSet author_domains;
  DataSet forwarders;
  DataSet sealers;
  bool authenticated = true;
};

/// How incoming mail is judged, and what is done with it.
struct JudgingSettings {
  bool spf = true;
  bool arc = true;
  bool dmarc = true;
  bool iprev = true;
  dmarc::DiscoveryMethod dmarc_discovery = dmarc::DiscoveryMethod::treewalk;
  std::string public_suffix_list;  ///< empty: that of the system, or of libpsl
  bool accepts_partly_signed_body = true;
  std::uint64_t signatures_max = 8;
  std::uint64_t key_bits_min = 1'024;  ///< RSA, of keys in DNS
  std::chrono::seconds clock_drift{300};
  std::uint64_t spf_void_lookups_max = 2;
  DataSet unjudged;
  DataSet spf_skipped;
  DataSet spf_shared;
  DataSet fields_to_be_signed;
  DataSet third_party_signers;
  DataSet macros;                  ///< that mark mail as a stranger's
  std::string copies_failures_to;  ///< an address; empty: none
  std::string receiver;            ///< empty: the host name
  std::string help;
  bool shadow = false;

  ResultsSettings results;
  TrustSettings trust;
  mailflow::ReplayPolicy replay;
  mailflow::Actions actions;
};

/// How Postfix is answered when it asks before a message comes (check_policy_service). Off without
/// a socket.
struct PolicyServiceSettings {
  std::vector<SocketSpec> sockets;
  mailflow::RefuseFrom refuses_helo = mailflow::RefuseFrom::fail;
  mailflow::RefuseFrom refuses_mail_from = mailflow::RefuseFrom::fail;
  DataSet must_pass;
  bool only_no_mail = false;
  bool refuses_permerror = false;
  bool defers_temperror = false;
  bool only_tests = false;
  DataSet skipped;
  bool skips_authenticated = true;
  bool skips_loopback = true;
  DataSet trusted_helo;
  DataSet forwarders;
  std::chrono::seconds forwarder_timeout{0};  ///< for all of them together; 0: none of its own
  std::string recipients_file;  ///< recipients with a policy of their own; empty: none
  std::string prospective;      ///< an address; empty: that of the client
  mailflow::AddedField field = mailflow::AddedField::received_spf;
  std::string receiver;  ///< empty: the host name
  std::string helo_pass;
  std::string mail_from_pass;
  std::string reason;
  bool spf_codes = true;
};

/// Whose seal goes on mail that is handed on, and which mail that is.
struct SealingSettings {
  bool judged = false;
  DataSet returned;
  std::string domain;
  std::string selector;
  std::string key_file;  ///< PEM
  Canonicalizations canonicalization;
  DataSet signed_fields;      ///< empty: the defaults
  DataSet omitted_fields;     ///< empty: none
  DataSet oversigned_fields;  ///< empty: the defaults
  std::optional<std::chrono::seconds> lifetime;
  DataSet header_checks;  ///< "Name: regular expression", one of which must match; empty: none
  mailflow::Action on_error = mailflow::Action::accept;
  bool software_header = false;
};

/// Where DNS answers come from.
struct DnsSettings {
  std::vector<std::string> nameservers;      ///< addresses; empty: those of the system
  std::chrono::seconds timeout{5};           ///< for one answer
  std::chrono::seconds message_timeout{20};  ///< for all answers that one message needs
  std::string trust_anchor_file;
  std::string resolver_file;  ///< unbound.conf(5); empty: none
  std::string zone_file;      ///< answers instead of DNS; empty: none
};

/// Bounds on what peers may make us do.
struct LimitSettings {
  std::uint64_t sessions = 4'096;
  std::uint64_t header_octets = 262'144;
  std::uint64_t header_fields = 1'000;
  std::uint64_t recipients = 10'000;
  std::uint64_t signatures_made = 16;
  /// A session may be silent between two packets: the MTA keeps it open while its client types.
  std::chrono::seconds idle_timeout{7'200};
  /// A packet that has begun must be complete, and a reply be taken, within this.
  std::chrono::seconds packet_timeout{60};
};

/// All settings. Every part has defaults that are safe to run with.
struct Settings {
  DaemonSettings daemon;
  LogSettings log;
  SigningSettings signing;
  JudgingSettings judging;
  PolicyServiceSettings policy_service;
  SealingSettings sealing;
  DnsSettings dns;
  StoreSettings store;
  ControlSettings control;
  MetricsSettings metrics;
  ReportSettings reports;
  LimitSettings limits;

  /// Where settings were set, by their keys; under the empty key the file itself.
  std::map<std::string, Place, std::less<>> places;

  /// Where a setting was set, or the file when it was not.
  [[nodiscard]] Place place_of(std::string_view key) const {
    auto found = places.find(key);
    if (found == places.end()) found = places.find("");
    return found == places.end() ? Place() : found->second;
  }
};

}  // namespace countersign::service::config
