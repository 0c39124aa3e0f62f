// SPDX-License-Identifier: Apache-2.0

#include "service/config/judging.hpp"

#include <utility>

#include "countersign/authres/field.hpp"
#include "countersign/message/author.hpp"
#include "countersign/text/abnf.hpp"
#include "service/config/data_set.hpp"
#include "service/config/forward_path.hpp"
#include "service/config/lists.hpp"
#include "service/config/public_suffix.hpp"
#include "service/run/version.hpp"

namespace countersign::service::config {
namespace {

class Maker {
 public:
  Maker(const Settings& settings, const std::string& host_name, const Files& files,
        Problems& problems)
      : settings_(settings),
        judging_(settings.judging),
        host_name_(authres::is_authserv_id(host_name) ? host_name : "localhost"),
        files_(files),
        problems_(problems) {}

  mailflow::JudgingPolicy make() {
    set_checks();
    set_signatures();
    set_results();
    set_trust();
    set_copies();
    policy_.actions = judging_.actions;
    policy_.help = judging_.help;
    policy_.shadow = judging_.shadow;
    policy_.replay = judging_.replay;
    policy_.counts = settings_.store.is_on() || !settings_.store.history_file.empty();
    set_reports();
    return std::move(policy_);
  }

 private:
  void set_checks() {
    policy_.spf = judging_.spf;
    policy_.arc = judging_.arc;
    policy_.dmarc = judging_.dmarc;
    policy_.iprev = judging_.iprev;
    set_discovery();
    policy_.accepts_partly_signed_body = judging_.accepts_partly_signed_body;
    policy_.unjudged = hosts(judging_.unjudged);
    policy_.spf_skipped = hosts(judging_.spf_skipped);
    policy_.spf_shared = hosts(judging_.spf_shared);
    policy_.receiver = judging_.receiver.empty() ? host_name_ : judging_.receiver;
  }

  void set_signatures() {
    mailflow::SignaturePolicy& to = policy_.signatures;
    for (std::string& name : read_names(judging_.fields_to_be_signed, files_, problems_)) {
      if (text::is_ftext.all_of(name) && !name.empty()) {
        to.fields_to_be_signed.push_back(std::move(name));
      } else {
        problems_.warning(judging_.fields_to_be_signed.place,
                          "'" + name + "' is no name of a header field and is left out",
                          "name fields without a colon, as Subject");
      }
    }
    if (!judging_.third_party_signers.empty())
      to.third_parties = domains(judging_.third_party_signers);
  }

  void set_discovery() {
    if (judging_.dmarc_discovery != dmarc::DiscoveryMethod::psl) return;
    auto read = read_public_suffix_list(judging_.public_suffix_list, files_);
    if (!read) {
      return problems_.fatal(settings_.place_of("judging.dmarc_discovery"), read.error(),
                             "install the package publicsuffix, name the file with "
                             "public_suffix_list, or set dmarc_discovery = \"treewalk\"");
    }
    policy_.org_domain_of = *std::move(read);
  }

  void set_results() {
    const ResultsSettings& from = judging_.results;
    mailflow::ResultsPolicy& to = policy_.results;
    to.authserv_id = authserv_id();
    to.authserv_id_with_job_id = from.authserv_id_with_job_id;
    to.removed_ids = removed_ids();
    to.removes_all = from.removes_all;
    to.keeps_all = from.keeps_all;
    to.removes_bimi = from.removes_bimi;
    to.comments = from.comments;
    to.signature_values = from.signature_values;
    to.remote_ip = from.remote_ip;
    to.arc_chain = from.arc_chain;
    to.received_spf = from.received_spf;
    if (from.software_header)
      to.software_header = std::string("countersign v") + version + " " + host_name_;
    if (to.removes_all && to.keeps_all) {
      problems_.warning(settings_.place_of("judging.results.keeps_all"),
                        "of what a message brings along, all results are to be kept and all to be "
                        "removed; they are removed",
                        "set one of both");
    }
  }

  std::string authserv_id() {
    const std::string& id = judging_.results.authserv_id;
    if (id.empty()) return host_name_;
    if (authres::is_authserv_id(id)) return id;
    problems_.fatal(settings_.place_of("judging.results.authserv_id"),
                    "'" + id + "' is no name for Authentication-Results (RFC 8601 §2.5)",
                    "write a host name or a domain, in ASCII");
    return host_name_;
  }

  // Names are compared whole: a suffix would take the results of strangers along.
  std::vector<std::string> removed_ids() {
    std::vector<std::string> ids;
    for (std::string& id : read_names(judging_.results.removed_ids, files_, problems_)) {
      if (authres::is_authserv_id(id) && !id.starts_with('.')) {
        ids.push_back(std::move(id));
      } else {
        problems_.warning(judging_.results.removed_ids.place,
                          "'" + id + "' is no whole name of a host and is left out",
                          "name each host, or remove all results");
      }
    }
    return ids;
  }

  void set_trust() {
    policy_.trust.networks = hosts(judging_.trust.networks);
    policy_.trust.author_domains = domains(judging_.trust.author_domains);
    policy_.trust.forwarders = domains(judging_.trust.forwarders);
    policy_.trust.sealers = domains(judging_.trust.sealers);
    policy_.trust.authenticated = judging_.trust.authenticated;
  }

  void set_copies() {
    const std::string& address = judging_.copies_failures_to;
    if (address.empty()) return;
    if (auto path = read_forward_path(address)) {
      policy_.copies_failures_to = *std::move(path);
    } else {
      problems_.fatal(settings_.place_of("judging.copies_failures_to"),
                      "'" + address + "' is no address that mail can be sent to");
    }
  }

  void set_own_addresses() {
    const DataSet& set = settings_.reports.own_addresses;
    for (const DataEntry& entry : read_data_set(set, files_, problems_).entries) {
      if (auto mailbox = first_mailbox(entry.key)) {
        policy_.own_reports.report_addresses.push_back(*std::move(mailbox));
      } else {
        problems_.warning(entry.place, "'" + entry.key + "' is no address and is left out");
      }
    }
  }

  void set_reports() {
    set_own_addresses();
    const ReportSettings& reports = settings_.reports;
    for (const std::string* address : {&reports.from, &reports.mail_from}) {
      const auto mailbox = first_mailbox(*address);
      if (mailbox) policy_.own_reports.report_addresses.push_back(*mailbox);
    }
    if (reports.from.empty()) return;  // Nobody could tell of them.
    policy_.failures.usual = reports.failures.privacy;
    policy_.failures.never = domains(reports.failures.never);
    policy_.failures.redacted = domains(reports.failures.redacted);
    policy_.failures.full_headers = domains(reports.failures.full_headers);
    policy_.failures.on_none = reports.failures.on_none;
  }

  mailflow::HostList hosts(const DataSet& set) { return read_host_list(set, files_, problems_); }
  mailflow::DomainSet domains(const DataSet& set) {
    return read_domain_set(set, files_, problems_);
  }

  const Settings& settings_;
  const JudgingSettings& judging_;
  std::string host_name_;
  const Files& files_;
  Problems& problems_;
  mailflow::JudgingPolicy policy_;
};

}  // namespace

mailflow::JudgingPolicy make_judging_policy(const Settings& settings, const std::string& host_name,
                                            const Files& files, Problems& problems) {
  return Maker(settings, host_name, files, problems).make();
}

}  // namespace countersign::service::config
