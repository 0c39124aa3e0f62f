// SPDX-License-Identifier: Apache-2.0
//
// The options of policyd-spf.conf, of spf-engine 3.0, in the order of the documents.
//
// As a policy service it answered before the message came; as a milter it judges with the message,
// so that a DMARC pass can save what SPF alone would reject (where DMARC is judged too).

#include "service/config/import/policyd_spf.hpp"

#include "countersign/text/abnf.hpp"
#include "service/config/import/common.hpp"
#include "service/config/import/foreign_value.hpp"

namespace countersign::service::config {
namespace {

constexpr std::string_view no_policy_service =
    "it is a matter of Postfix's policy protocol, and this is a milter";
constexpr std::string_view own_bounds = "each question has its own time, dns.timeout";

using enum Fate;
using mailflow::Action;

constexpr Option rows[] = {
    // --- what is done ---
    {"TestOnly", works, "judging.actions.spf_fail",
     "0 means that nothing is rejected or deferred for SPF; results are written"},
    {"defaultSeedOnly", works, "judging.actions.spf_fail", "the old name of TestOnly"},
    {"HELO_reject", works, "judging.actions.helo_fail",
     "SPF_Not_Pass and Softfail reject a fail alone; Null and False nothing"},
    {"Mail_From_reject", works, "judging.actions.spf_fail",
     "Softfail also sets spf_softfail, SPF_Not_Pass also spf_permerror; neutral is never rejected"},
    {"PermError_reject", works, "judging.actions.spf_permerror", "MAIL FROM alone"},
    {"TempError_Defer", works, "judging.actions.spf_temperror", "MAIL FROM alone"},
    {"No_Mail", missing, "", "a fail is a fail, whatever else the domain publishes",
     Severity::warning, "no"},
    {"Reject_Not_Pass_Domains", missing, "", "all domains are treated alike"},
    {"HELO_pass_restriction", missing, "", no_policy_service},
    {"Mail_From_pass_restriction", missing, "", no_policy_service},
    {"Prospective", missing, "", "mail of ours is not checked by SPF"},
    {"Per_User", missing, "", "all recipients are treated alike"},
    {"SPF_Enhanced_Status_Codes", missing, "", "the codes of RFC 7372 are always used",
     Severity::warning, "yes"},
    {"Reason_Message", missing, "", "the text says what SPF found; judging.help adds to it"},

    // --- whose mail is not checked ---
    {"skip_addresses", works, "judging.spf_skipped", ""},
    {"Whitelist", works, "judging.spf_skipped",
     "let through by DMARC too (judging.trust.networks)"},
    {"HELO_Whitelist", works, "judging.spf_skipped",
     "by the client's name in DNS, not by its greeting"},
    {"Domain_Whitelist", works, "judging.trust.forwarders",
     "when SPF or DKIM passes for the domain; not tried for every client"},
    {"Domain_Whitelist_PTR", works, "judging.spf_skipped", "the domains and all below"},

    // --- what is written ---
    {"Header_Type", works, "judging.results.received_spf",
     "Authentication-Results is written in any case"},
    {"Hide_Receiver", works, "judging.receiver", "yes: \"unknown\""},
    {"Authserv_Id", works, "judging.results.authserv_id", "HOSTNAME is the host name"},

    // --- bounds ---
    {"Void_Limit", works, "judging.spf_void_lookups_max", ""},
    {"Lookup_Time", ignored, "", own_bounds},
    {"Whitelist_Lookup_Time", ignored, "", own_bounds},
    {"Mock", ignored, "", "it serves tests of the program alone"},

    // --- logging ---
    {"debugLevel", works, "log.level", "above 1: debug; below 1: error"},
    {"QueueID", missing, "", "the queue id is always logged", Severity::warning, "yes"},

    // --- the milter ---
    {"Socket", works, "daemon.sockets", ""},
    {"PidFile", works, "daemon.pid_file", ""},
    {"UserID", works, "daemon.user", ""},
    {"UMask", works, "daemon.umask", "a number without a leading 0 is decimal"},
    {"InternalHosts", works, "signing.internal_hosts", "not judged, as mail of ours"},
    {"IntHosts", ignored, "", "it is made from InternalHosts"},
    {"MacroList", works, "signing.macros", "not judged, as mail of ours"},
    {"MacroListVerify", missing, "", "no macro makes mail that of a stranger"},
};

void reject_helo(Importer& importer, const ConfigLine& line) {
  const auto is = [&](std::string_view word) {
    return text::equal_ignoring_case(line.value, word);
  };
  importer.mark("judging.actions.helo_fail", line);
  Action& action = importer.settings().judging.actions.helo_fail;
  action = Action::accept;
  if (is("SPF_Not_Pass") || is("Softfail")) {
    importer.problems().warning(line.place, "HELO_reject " + line.value + " is taken as Fail",
                                "a greeting that is not listed is no proof of forgery");
    action = Action::reject;
  } else if (is("Fail")) {
    action = Action::reject;
  } else if (!is("Null") && !is("False") && !is("No_Check")) {
    importer.refuse_value(line, "SPF_Not_Pass, Softfail, Fail, Null, False or No_Check");
  }
}

void reject_mail_from(Importer& importer, const ConfigLine& line) {
  const auto is = [&](std::string_view word) {
    return text::equal_ignoring_case(line.value, word);
  };
  mailflow::Actions& actions = importer.settings().judging.actions;
  const bool not_pass = is("SPF_Not_Pass");
  const bool softfail = not_pass || is("Softfail");
  const bool rejects = softfail || is("Fail");
  for (const std::string_view key : {"judging.actions.spf_fail", "judging.actions.spf_softfail"}) {
    importer.mark(key, line);
  }
  actions.spf_fail = rejects ? Action::reject : Action::accept;
  actions.spf_softfail = softfail ? Action::reject : Action::accept;
  if (not_pass) {
    importer.mark("judging.actions.spf_permerror", line);
    actions.spf_permerror = Action::reject;
  } else if (is("No_Check")) {
    importer.settings().judging.spf = false;
  } else if (!rejects && !is("False")) {
    importer.refuse_value(line, "SPF_Not_Pass, Softfail, Fail, False or No_Check");
  }
}

void reject_permerror(Importer& importer, const ConfigLine& line) {
  if (importer.read_boolean(line) != true) return;
  importer.mark("judging.actions.spf_permerror", line);
  importer.settings().judging.actions.spf_permerror = Action::reject;
}

void defer_temperror(Importer& importer, const ConfigLine& line) {
  if (importer.read_boolean(line) != true) return;
  importer.mark("judging.actions.spf_temperror", line);
  importer.settings().judging.actions.spf_temperror = Action::tempfail;
}

void add_entries(Importer& importer, std::string_view key, DataSet& set, const ConfigLine& line) {
  importer.mark(key, line);
  for (std::string& entry : split_list(line.value)) set.lines.push_back(std::move(entry));
  set.place = line.place;
}

void skip_addresses(Importer& importer, const ConfigLine& line) {
  DataSet& skipped = importer.settings().judging.spf_skipped;
  skipped.lines.clear();
  add_entries(importer, "judging.spf_skipped", skipped, line);
}

void trust_addresses(Importer& importer, const ConfigLine& line) {
  JudgingSettings& judging = importer.settings().judging;
  add_entries(importer, "judging.spf_skipped", judging.spf_skipped, line);
  add_entries(importer, "judging.trust.networks", judging.trust.networks, line);
}

void skip_hosts(Importer& importer, const ConfigLine& line) {
  add_entries(importer, "judging.spf_skipped", importer.settings().judging.spf_skipped, line);
}

void skip_domains(Importer& importer, const ConfigLine& line) {
  skip_hosts(importer, line);
  for (const std::string& domain : split_list(line.value)) {
    importer.settings().judging.spf_skipped.lines.push_back("." + domain);
  }
}

void set_header_type(Importer& importer, const ConfigLine& line) {
  importer.mark("judging.results.received_spf", line);
  bool& received_spf = importer.settings().judging.results.received_spf;
  received_spf = text::equal_ignoring_case(line.value, "SPF");
  if (received_spf || text::equal_ignoring_case(line.value, "AR")) return;
  if (!text::equal_ignoring_case(line.value, "None")) {
    return importer.refuse_value(line, "SPF, AR or None");
  }
  importer.problems().note(line.place, "Authentication-Results is written all the same");
}

void hide_receiver(Importer& importer, const ConfigLine& line) {
  importer.mark("judging.receiver", line);
  const bool shown = parse_foreign_boolean(line.value) == false;
  importer.settings().judging.receiver = shown ? "" : "unknown";
}

void set_debug_level(Importer& importer, const ConfigLine& line) {
  const std::optional<std::int64_t> level = importer.read_integer(line);
  if (!level || *level == 1) return;
  importer.mark("log.level", line);
  importer.settings().log.level = *level > 1 ? LogLevel::debug : LogLevel::error;
}

void set_test_only(Importer& importer, const ConfigLine& line) {
  if (importer.read_integer(line) != 0) return;
  for (const std::string_view name :
       {"helo_fail", "spf_fail", "spf_softfail", "spf_permerror", "spf_temperror"}) {
    importer.set("judging.actions." + std::string(name), line, "accept");
  }
}

constexpr Special specials[] = {
    {"HELO_reject", reject_helo},
    {"Mail_From_reject", reject_mail_from},
    {"PermError_reject", reject_permerror},
    {"TempError_Defer", defer_temperror},
    {"skip_addresses", skip_addresses},
    {"Whitelist", trust_addresses},
    {"HELO_Whitelist", skip_hosts},
    {"Domain_Whitelist_PTR", skip_domains},
    {"Header_Type", set_header_type},
    {"Hide_Receiver", hide_receiver},
    {"Authserv_Id", set_authserv_id},
    {"debugLevel", set_debug_level},
    {"Socket", set_sockets},
    {"UMask", set_umask},
    // Applied by settle(), as they overrule what other lines say.
    {"TestOnly", [](Importer&, const ConfigLine&) {}},
    {"defaultSeedOnly", [](Importer&, const ConfigLine&) {}},
};

Settings defaults() {
  Settings settings = imported_defaults();
  settings.log.to_syslog = true;
  settings.signing.mode = Mode::verify;
  JudgingSettings& judging = settings.judging;
  judging.spf = true;
  judging.spf_skipped.lines = {"127.0.0.0/8", "::1"};
  judging.results.received_spf = true;
  judging.actions.helo_fail = Action::reject;
  judging.actions.spf_fail = Action::reject;
  return settings;
}

void settle(Importer& importer) {
  for (const std::string_view name : {"TestOnly", "defaultSeedOnly"}) {
    if (const ConfigLine* line = importer.line_of(name)) set_test_only(importer, *line);
  }
  settle_log(importer.settings());
}

std::vector<ConfigLine> read_lines(const std::string& file, const Files& files,
                                   Problems& problems) {
  const std::expected<std::string, std::string> octets = files.read(file);
  if (octets) return split_policyd_spf_lines(*octets, file, problems);
  problems.fatal({file, 0}, "cannot read " + file + ": " + octets.error());
  return {};
}

}  // namespace

std::vector<ConfigLine> split_policyd_spf_lines(std::string_view text, const std::string& file,
                                                Problems& problems) {
  constexpr text::CharClass is_blank = text::CharClass(" \t\r\f\v");
  std::vector<ConfigLine> lines;
  std::size_t number = 0;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::string_view whole = text.substr(0, end);
    const std::string_view line = text::trim(whole.substr(0, whole.find('#')), is_blank);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    ++number;
    if (line.empty()) continue;
    if (lines.size() >= config_lines_max) {
      problems.fatal({file, number},
                     "the settings have more than " + std::to_string(config_lines_max) + " lines");
      break;
    }
    const std::size_t equals = line.find('=');
    if (equals == std::string_view::npos || line.find('=', equals + 1) != std::string_view::npos) {
      problems.warning({file, number}, "the line is left out: it is no name = value");
      continue;
    }
    lines.push_back({std::string(text::trim(line.substr(0, equals), is_blank)),
                     std::string(text::trim(line.substr(equals + 1), is_blank)),
                     {file, number}});
  }
  return lines;
}

const Dialect& policyd_spf_dialect() {
  static const Dialect dialect{.program = "policyd-spf",
                               .options = rows,
                               .specials = specials,
                               .defaults = defaults,
                               .read_lines = read_lines,
                               .settle = settle,
                               .unknown = Severity::warning};
  return dialect;
}

}  // namespace countersign::service::config
