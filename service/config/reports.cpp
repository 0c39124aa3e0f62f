// SPDX-License-Identifier: Apache-2.0

#include "service/config/reports.hpp"

#include <string>

#include "countersign/mailflow/identities.hpp"
#include "countersign/message/author.hpp"
#include "service/config/data_set.hpp"
#include "service/config/key_safety.hpp"

namespace countersign::service::config {
namespace {

class Checker {
 public:
  Checker(const Settings& settings, const mailflow::Policy& policy,
          const ReportSurroundings& surroundings, Problems& problems)
      : settings_(settings),
        reports_(settings.reports),
        policy_(policy),
        surroundings_(surroundings),
        problems_(problems) {}

  void check() {
    check_metrics();
    check_opted_out();
    if (reports_.sends) check_sending();
    if (tells_failures()) check_failures();
    const bool is_needed = reports_.sends || tells_failures();
    if (!is_needed) return;
    if (!reports_.from.empty()) check_from();
    check_mail_from();
    check_login();
  }

 private:
  [[nodiscard]] Place place(std::string_view key) const { return settings_.place_of(key); }

  [[nodiscard]] bool tells_failures() const {
    const FailureReportSettings& failures = reports_.failures;
    return failures.privacy != report::Privacy::never || !failures.redacted.empty() ||
           !failures.full_headers.empty();
  }

  void check_metrics() {
    for (const SocketSpec& socket : settings_.metrics.sockets) {
      if (socket.family != SocketSpec::Family::unix) continue;
      problems_.fatal(place("metrics.sockets"), "metrics are served over HTTP, not at a file",
                      "name a port: inet:9464@127.0.0.1");
    }
  }

  static bool is_domain(const DataEntry& entry) {
    using Added = mailflow::HostList::Added;
    if (entry.key == "*") return true;
    const Added added = mailflow::HostList().add(entry.key, entry.place);
    return added == Added::as_name || added == Added::as_wildcard;
  }

  // OpenDMARC's list has addresses of reports too. Left out silently, they would get reports on.
  void check_opted_out() {
    for (const DataEntry& entry :
         read_data_set(reports_.opted_out, surroundings_.files, problems_).entries) {
      if (entry.key.find('@') != std::string::npos) {
        problems_.warning(entry.place,
                          "'" + entry.key +
                              "' is left out: reports are withheld from domains, not from "
                              "addresses",
                          "name the domains whose DMARC records ask for reports to it");
      } else if (!is_domain(entry)) {
        problems_.warning(entry.place, "'" + entry.key + "' is no domain and is left out");
      }
    }
  }

  void check_sending() {
    if (!settings_.store.is_on()) {
      problems_.fatal(place("reports.sends"), "there is nothing to report, as nothing is stored",
                      "set store.path");
    }
    if (reports_.from.empty()) {
      problems_.fatal(place("reports.sends"), "reports come from nobody",
                      "set reports.from to an address of a domain that is signed for");
    }
  }

  // The files of other programs ask for reports without saying from whom, and work: no mail waits
  // for a report.
  void check_failures() {
    if (reports_.from.empty()) {
      problems_.warning(place("reports.failures.privacy"),
                        "no failure report is sent, as reports come from nobody",
                        "set reports.from (FailureReportsSentBy) to an address of a domain that is "
                        "signed for");
    }
    for (const std::string& address : reports_.failures.bcc) {
      if (first_mailbox(address)) continue;
      problems_.fatal(place("reports.failures.bcc"), "'" + address + "' is no address");
    }
    if (!reports_.failures.redaction_key_file.empty()) check_redaction_key();
  }

  // Whoever has the secret can try names until a digest fits.
  void check_redaction_key() {
    const std::string& path = reports_.failures.redaction_key_file;
    const Place where = place("reports.failures.redaction_key_file");
    const auto text = surroundings_.files.read(path);
    if (!text) return problems_.fatal(where, "cannot read " + path + ": " + text.error());
    if (text->find_first_of("\r\n") == 0 || text->empty()) {
      problems_.fatal(where, "the first line of " + path + " is empty",
                      "write a secret: openssl rand -hex 32 > " + path);
    }
    const auto real = surroundings_.files.resolve(path);
    const KeyFile file{real.value_or(path), surroundings_.user, surroundings_.files,
                       surroundings_.accounts};
    for (const KeyFinding& finding : find_unsafe(file))
      problems_.fatal(where, "the secret is none: " + finding.message, finding.remedy);
  }

  void check_from() {
    const auto from = first_mailbox(reports_.from);
    if (!from) {
      return problems_.fatal(place("reports.from"),
                             "'" + reports_.from + "' is no address that reports can come from: " +
                                 std::string(to_string(from.error().code)));
    }
    if (!mailflow::find_identities(policy_, *from).chosen.empty()) return;
    problems_.warning(place("reports.from"),
                      "no key signs for " + reports_.from +
                          ", so receivers would not believe reports, and none is sent",
                      "add its domain to [signing], or name opendkim.conf too (-x)");
  }

  void check_mail_from() {
    if (reports_.mail_from.empty() || first_mailbox(reports_.mail_from)) return;
    problems_.fatal(place("reports.mail_from"),
                    "'" + reports_.mail_from + "' is no address that bounces could go to",
                    "leave it out for the null path");
  }

  // Whoever stands in between takes STARTTLS away, or answers it himself.
  void check_login() {
    const std::string& host = reports_.smtp_host;
    const bool is_here = host == "localhost" || host.starts_with("127.") || host == "::1";
    if (reports_.smtp_user.empty() || is_here || reports_.smtp_tls == SmtpTls::required) return;
    problems_.warning(place("reports.smtp_user"),
                      "the password for " + host + " can be had by whoever stands in between",
                      "set reports.smtp_tls = \"required\"");
  }

  const Settings& settings_;
  const ReportSettings& reports_;
  const mailflow::Policy& policy_;
  const ReportSurroundings& surroundings_;
  Problems& problems_;
};

}  // namespace

void check_reports(const Settings& settings, const mailflow::Policy& policy,
                   const ReportSurroundings& surroundings, Problems& problems) {
  Checker(settings, policy, surroundings, problems).check();
}

}  // namespace countersign::service::config
