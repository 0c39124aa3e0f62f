// SPDX-License-Identifier: Apache-2.0
//
// The options of policyd-spf.conf, of spf-engine 3.0, in the order of the documents.
//
// A policy service answers before the message comes, as policyd-spf does; a milter judges with the
// message, so that a DMARC pass can save what SPF alone would reject (where DMARC is judged too).
// The file sets both; the sockets say which of them are served.

#include "service/config/import/policyd_spf.hpp"

#include <algorithm>

#include "countersign/text/abnf.hpp"
#include "service/config/import/common.hpp"
#include "service/config/import/foreign_value.hpp"

namespace countersign::service::config {
namespace {

constexpr text::CharClass is_blank = text::CharClass(" \t\r\f\v");
constexpr std::string_view service_alone = "in the policy service alone";

using enum Fate;
using mailflow::Action;
using mailflow::AddedField;
using mailflow::RefuseFrom;

constexpr Option rows[] = {
    // --- what is done ---
    {"TestOnly", works, "policy_service.only_tests",
     "0 means that nothing is rejected or deferred for SPF; results are written"},
    {"defaultSeedOnly", works, "policy_service.only_tests", "the old name of TestOnly"},
    {"HELO_reject", works, "policy_service.refuses_helo",
     "the milter (judging.actions.helo_fail) takes SPF_Not_Pass and Softfail as Fail, Null as "
     "False"},
    {"Mail_From_reject", works, "policy_service.refuses_mail_from",
     "the milter: judging.actions.spf_fail, spf_softfail, spf_permerror; it never rejects neutral"},
    {"PermError_reject", works, "policy_service.refuses_permerror",
     "the milter: judging.actions.spf_permerror, for MAIL FROM alone"},
    {"TempError_Defer", works, "policy_service.defers_temperror",
     "the milter: judging.actions.spf_temperror, for MAIL FROM alone"},
    {"No_Mail", works, "policy_service.only_no_mail", service_alone},
    {"Reject_Not_Pass_Domains", works, "policy_service.must_pass",
     "the domains and all below; in the policy service alone"},
    {"HELO_pass_restriction", works, "policy_service.helo_pass", service_alone},
    {"Mail_From_pass_restriction", works, "policy_service.mail_from_pass", service_alone},
    {"Prospective", works, "policy_service.prospective", service_alone},
    {"Per_User", works, "policy_service.recipients_file",
     "text,/path is the one type that there is; in the policy service alone"},
    {"SPF_Enhanced_Status_Codes", works, "policy_service.spf_codes",
     "the milter always uses the codes of RFC 7372"},
    {"Reason_Message", works, "policy_service.reason",
     "{url} becomes nothing, as the site that it led to is gone; in the policy service alone"},

    // --- whose mail is not checked ---
    {"skip_addresses", works, "policy_service.skipped",
     "the milter: judging.spf_skipped; no X-Comment field is added"},
    {"Whitelist", works, "policy_service.skipped",
     "the milter: judging.spf_skipped, and let through by DMARC too (judging.trust.networks)"},
    {"HELO_Whitelist", works, "policy_service.trusted_helo",
     "when the name of the greeting leads to the client; the milter (judging.spf_skipped) goes by "
     "the client's name in DNS"},
    {"Domain_Whitelist", works, "policy_service.forwarders",
     "tried before a client is refused, twenty domains at most; the milter "
     "(judging.trust.forwarders): when SPF or DKIM passes for the domain"},
    {"Domain_Whitelist_PTR", works, "policy_service.skipped",
     "the domains and all below, by a name that leads back to the client; the milter: "
     "judging.spf_skipped"},

    // --- what is written ---
    {"Header_Type", works, "policy_service.field",
     "the milter (judging.results.received_spf) writes Authentication-Results in any case"},
    {"Hide_Receiver", works, "policy_service.receiver",
     "yes: \"unknown\"; the milter: judging.receiver"},
    {"Authserv_Id", works, "judging.results.authserv_id", "HOSTNAME is the host name"},

    // --- bounds ---
    {"Void_Limit", works, "judging.spf_void_lookups_max", ""},
    {"Lookup_Time", works, "dns.message_timeout", "0 means the default"},
    {"Whitelist_Lookup_Time", works, "policy_service.forwarder_timeout",
     "for the domains of Domain_Whitelist all together, within Lookup_Time; default 10; the milter "
     "asks nothing for them"},
    {"Mock", ignored, "", "it serves tests of the program alone"},

    // --- logging ---
    {"debugLevel", works, "log.level", "above 1: debug; below 1: error"},
    {"QueueID", works, "log.queue_id", ""},

    // --- the milter ---
    {"Socket", works, "daemon.sockets", ""},
    {"PidFile", works, "daemon.pid_file", ""},
    {"UserID", works, "daemon.user", ""},
    {"UMask", works, "daemon.umask", "a number without a leading 0 is decimal"},
    {"InternalHosts", works, "signing.internal_hosts", "not judged, as mail of ours"},
    {"IntHosts", ignored, "", "it is made from InternalHosts"},
    {"MacroList", works, "signing.macros",
     "not judged, as mail of ours; bars between name and values"},
    {"MacroListVerify", works, "judging.macros", "judged, whatever else would make it ours"},
};

struct Word {
  std::string_view word;
  RefuseFrom from;
};

constexpr Word refusals[] = {
    {"SPF_Not_Pass", RefuseFrom::not_pass},
    {"Softfail", RefuseFrom::softfail},
    {"Fail", RefuseFrom::fail},
    {"Null", RefuseFrom::null_sender},
    {"False", RefuseFrom::never},
    {"No_Check", RefuseFrom::no_check},
};

std::optional<RefuseFrom> read_refusal(std::string_view value) {
  for (const Word& one : refusals) {
    if (text::equal_ignoring_case(value, one.word)) return one.from;
  }
  return std::nullopt;
}

void reject_helo(Importer& importer, const ConfigLine& line) {
  const std::optional<RefuseFrom> from = read_refusal(line.value);
  if (!from) {
    return importer.refuse_value(line, "SPF_Not_Pass, Softfail, Fail, Null, False or No_Check");
  }
  importer.mark("policy_service.refuses_helo", line);
  importer.settings().policy_service.refuses_helo = *from;
  importer.mark("judging.actions.helo_fail", line);
  importer.settings().judging.actions.helo_fail =
      *from >= RefuseFrom::fail ? Action::reject : Action::accept;
}

void reject_mail_from(Importer& importer, const ConfigLine& line) {
  const std::optional<RefuseFrom> from = read_refusal(line.value);
  if (!from || *from == RefuseFrom::null_sender) {
    return importer.refuse_value(line, "SPF_Not_Pass, Softfail, Fail, False or No_Check");
  }
  importer.mark("policy_service.refuses_mail_from", line);
  importer.settings().policy_service.refuses_mail_from = *from;
  mailflow::Actions& actions = importer.settings().judging.actions;
  for (const std::string_view key : {"judging.actions.spf_fail", "judging.actions.spf_softfail"}) {
    importer.mark(key, line);
  }
  actions.spf_fail = *from >= RefuseFrom::fail ? Action::reject : Action::accept;
  actions.spf_softfail = *from >= RefuseFrom::softfail ? Action::reject : Action::accept;
  if (*from == RefuseFrom::not_pass) {
    importer.mark("judging.actions.spf_permerror", line);
    actions.spf_permerror = Action::reject;
  }
  if (*from == RefuseFrom::no_check) importer.settings().judging.spf = false;
}

void reject_permerror(Importer& importer, const ConfigLine& line) {
  if (importer.read_boolean(line) != true) return;
  importer.mark("policy_service.refuses_permerror", line);
  importer.settings().policy_service.refuses_permerror = true;
  importer.mark("judging.actions.spf_permerror", line);
  importer.settings().judging.actions.spf_permerror = Action::reject;
}

void defer_temperror(Importer& importer, const ConfigLine& line) {
  if (importer.read_boolean(line) != true) return;
  importer.mark("policy_service.defers_temperror", line);
  importer.settings().policy_service.defers_temperror = true;
  importer.mark("judging.actions.spf_temperror", line);
  importer.settings().judging.actions.spf_temperror = Action::tempfail;
}

// What the milter has no word for is marked only where it asks for something, so that it is told
// when there is no policy service.
void refuse_no_mail_alone(Importer& importer, const ConfigLine& line) {
  if (importer.read_boolean(line) == true) importer.set("policy_service.only_no_mail", line);
}

void set_status_codes(Importer& importer, const ConfigLine& line) {
  if (importer.read_boolean(line) == false) importer.set("policy_service.spf_codes", line);
}

void set_pass_restriction(Importer& importer, const ConfigLine& line) {
  if (line.value.empty()) return;
  const bool helo = text::equal_ignoring_case(line.name, "HELO_pass_restriction");
  importer.set(helo ? "policy_service.helo_pass" : "policy_service.mail_from_pass", line);
}

void set_lookup_time(Importer& importer, const ConfigLine& line) {
  if (parse_foreign_integer(line.value) != 0) importer.set("dns.message_timeout", line);
}

void set_reason(Importer& importer, const ConfigLine& line) {
  if (line.value.empty()) return;
  importer.set("policy_service.reason", line);
  if (!line.value.contains("{url}")) return;
  importer.problems().note(line.place,
                           "{url} becomes nothing: the site that it led to explains no more",
                           "write a page of your own in its place");
}

void check_prospectively(Importer& importer, const ConfigLine& line) {
  if (line.value.empty()) return;
  importer.set("policy_service.prospective", line);
  // Those who hand mail of ours in have logged in, or are near.
  importer.mark("policy_service.skips_authenticated", line);
  importer.settings().policy_service.skips_authenticated = false;
}

void name_recipients_file(Importer& importer, const ConfigLine& line) {
  if (line.value.empty()) return;
  const std::string_view value = line.value;
  const std::size_t comma = std::min(value.find(','), value.size());
  const std::string_view path =
      text::trim(value.substr(std::min(comma + 1, value.size())), is_blank);
  if (path.empty() || text::trim(value.substr(0, comma), is_blank) != "text") {
    return importer.refuse_value(line, "text,/path: \"text\" is the only type of such a file");
  }
  importer.set("policy_service.recipients_file", line, std::string(path));
}

void add_entries(Importer& importer, std::string_view key, DataSet& set, const ConfigLine& line) {
  importer.mark(key, line);
  for (std::string& entry : split_list(line.value)) set.lines.push_back(std::move(entry));
  set.place = line.place;
}

// The domains of a line, and all below them.
void add_domains(Importer& importer, std::string_view key, DataSet& set, const ConfigLine& line) {
  add_entries(importer, key, set, line);
  for (const std::string& domain : split_list(line.value)) set.lines.push_back("." + domain);
}

void skip_addresses(Importer& importer, const ConfigLine& line) {
  Settings& settings = importer.settings();
  settings.judging.spf_skipped.lines.clear();
  settings.policy_service.skipped.lines.clear();
  add_entries(importer, "judging.spf_skipped", settings.judging.spf_skipped, line);
  add_entries(importer, "policy_service.skipped", settings.policy_service.skipped, line);
}

void trust_addresses(Importer& importer, const ConfigLine& line) {
  JudgingSettings& judging = importer.settings().judging;
  add_entries(importer, "judging.spf_skipped", judging.spf_skipped, line);
  add_entries(importer, "judging.trust.networks", judging.trust.networks, line);
  add_entries(importer, "policy_service.skipped", importer.settings().policy_service.skipped, line);
}

void trust_greetings(Importer& importer, const ConfigLine& line) {
  add_entries(importer, "judging.spf_skipped", importer.settings().judging.spf_skipped, line);
  add_entries(importer, "policy_service.trusted_helo",
              importer.settings().policy_service.trusted_helo, line);
}

void trust_forwarders(Importer& importer, const ConfigLine& line) {
  importer.set("judging.trust.forwarders", line);
  importer.set("policy_service.forwarders", line);
}

void skip_domains(Importer& importer, const ConfigLine& line) {
  Settings& settings = importer.settings();
  add_domains(importer, "judging.spf_skipped", settings.judging.spf_skipped, line);
  add_domains(importer, "policy_service.skipped", settings.policy_service.skipped, line);
}

void refuse_without_pass(Importer& importer, const ConfigLine& line) {
  if (split_list(line.value).empty()) return;
  add_domains(importer, "policy_service.must_pass", importer.settings().policy_service.must_pass,
              line);
}

void set_header_type(Importer& importer, const ConfigLine& line) {
  const auto is = [&](std::string_view word) {
    return text::equal_ignoring_case(line.value, word);
  };
  if (!is("SPF") && !is("AR") && !is("None")) {
    return importer.refuse_value(line, "SPF, AR or None");
  }
  importer.mark("judging.results.received_spf", line);
  importer.settings().judging.results.received_spf = is("SPF");
  importer.mark("policy_service.field", line);
  importer.settings().policy_service.field = is("SPF")  ? AddedField::received_spf
                                             : is("AR") ? AddedField::authentication_results
                                                        : AddedField::none;
}

void hide_receiver(Importer& importer, const ConfigLine& line) {
  const bool shown = parse_foreign_boolean(line.value) == false;
  for (const std::string_view key : {"judging.receiver", "policy_service.receiver"}) {
    importer.set(key, line, shown ? "" : "unknown");
  }
}

void set_debug_level(Importer& importer, const ConfigLine& line) {
  const std::optional<std::int64_t> level = importer.read_integer(line);
  if (!level || *level == 1) return;
  importer.mark("log.level", line);
  importer.settings().log.level = *level > 1 ? LogLevel::debug : LogLevel::error;
}

void set_test_only(Importer& importer, const ConfigLine& line) {
  if (importer.read_integer(line) != 0) return;
  importer.mark("policy_service.only_tests", line);
  importer.settings().policy_service.only_tests = true;
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
    {"No_Mail", refuse_no_mail_alone},
    {"Reject_Not_Pass_Domains", refuse_without_pass},
    {"HELO_pass_restriction", set_pass_restriction},
    {"Mail_From_pass_restriction", set_pass_restriction},
    {"Prospective", check_prospectively},
    {"Per_User", name_recipients_file},
    {"SPF_Enhanced_Status_Codes", set_status_codes},
    {"Reason_Message", set_reason},
    {"Lookup_Time", set_lookup_time},
    {"skip_addresses", skip_addresses},
    {"Whitelist", trust_addresses},
    {"HELO_Whitelist", trust_greetings},
    {"Domain_Whitelist", trust_forwarders},
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
  PolicyServiceSettings& service = settings.policy_service;
  service.skipped.lines = {"127.0.0.0/8", "::1"};
  service.skips_loopback = false;  // skip_addresses says so.
  service.forwarder_timeout = std::chrono::seconds{10};
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
