// SPDX-License-Identifier: Apache-2.0
//
// policyd-spf.conf, unedited, for the milter and for the policy service; and the settings of the
// policy service however they are given.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "service/config/import/combine.hpp"
#include "service/config/import/policyd_spf.hpp"
#include "service/config/import/recognize.hpp"
#include "service/config/snapshot.hpp"
#include "tests/support/configurations.hpp"
#include "tests/support/exact.hpp"

namespace countersign::service::config {
namespace {

using mailflow::Action;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

// --- policyd-spf.conf ---

std::vector<std::string> split_policyd(std::string_view text, Problems& problems) {
  std::vector<std::string> lines;
  for (const ConfigLine& line : split_policyd_spf_lines(test::exact(text).view(), "f", problems)) {
    lines.push_back(std::to_string(line.place.line) + " " + line.name + "=" + line.value);
  }
  return lines;
}

TEST(PolicydSpfImport, Lines) {
  Problems problems;
  EXPECT_THAT(split_policyd("a=b\n  c = d e \r\n\n#x\nf=g#h\ni=\n= j\nk = l", problems),
              ElementsAre("1 a=b", "2 c=d e", "5 f=g", "6 i=", "7 =j", "8 k=l"));
  EXPECT_THAT(texts(problems.all()), IsEmpty());
  EXPECT_THAT(split_policyd("a\nb = c = d\n", problems), IsEmpty());
  EXPECT_THAT(texts(problems.all()), ElementsAre(StartsWith("f:1: warning: the line is left out"),
                                                 StartsWith("f:2: warning: the line is left out")));
}

TEST(PolicydSpfImport, LinesAreCounted) {
  std::string many;
  for (std::size_t i = 0; i < config_lines_max; ++i) many += "a=b\n";
  Problems problems;
  EXPECT_EQ(split_policyd_spf_lines(many, "f", problems).size(), config_lines_max);
  EXPECT_THAT(texts(problems.all()), IsEmpty());
  EXPECT_EQ(split_policyd_spf_lines(many + "a=b\n", "f", problems).size(), config_lines_max);
  EXPECT_THAT(texts(problems.all()), ElementsAre(HasSubstr("more than 100000 lines")));
}

TEST(PolicydSpfImport, TheFileOfDebian) {
  const Settings settings =
      clean(Form::policyd_spf,
            "debugLevel = 1 \nTestOnly = 1\n\nHELO_reject = Fail\nMail_From_reject = Fail\n\n"
            "PermError_reject = False\nTempError_Defer = False\n\n"
            "skip_addresses = 127.0.0.0/8,::ffff:127.0.0.0/104,::1\n");
  EXPECT_EQ(settings.signing.mode, Mode::verify);
  const JudgingSettings& judging = settings.judging;
  EXPECT_TRUE(judging.spf);
  EXPECT_FALSE(judging.dmarc);
  EXPECT_EQ(judging.actions.helo_fail, Action::reject);
  EXPECT_EQ(judging.actions.spf_fail, Action::reject);
  EXPECT_EQ(judging.actions.spf_softfail, Action::accept);
  EXPECT_EQ(judging.actions.spf_permerror, Action::accept);
  EXPECT_EQ(judging.actions.spf_temperror, Action::accept);
  EXPECT_TRUE(judging.results.received_spf);
  EXPECT_THAT(judging.spf_skipped.lines, ElementsAre("127.0.0.0/8", "::ffff:127.0.0.0/104", "::1"));
  const PolicyServiceSettings& service = settings.policy_service;
  EXPECT_THAT(service.sockets, IsEmpty());
  EXPECT_EQ(service.refuses_helo, mailflow::RefuseFrom::fail);
  EXPECT_EQ(service.refuses_mail_from, mailflow::RefuseFrom::fail);
  EXPECT_FALSE(service.refuses_permerror || service.defers_temperror || service.only_tests);
  EXPECT_FALSE(service.skips_loopback);
  EXPECT_THAT(service.skipped.lines, ElementsAre("127.0.0.0/8", "::ffff:127.0.0.0/104", "::1"));
  EXPECT_EQ(service.field, mailflow::AddedField::received_spf);
  EXPECT_EQ(settings.log.level, LogLevel::info);
}

TEST(PolicydSpfImport, WordsOfRejection) {
  const auto actions = [](const std::string& text) {
    return clean(Form::policyd_spf, text + "\n").judging.actions;
  };
  EXPECT_EQ(actions("HELO_reject = False").helo_fail, Action::accept);
  EXPECT_EQ(actions("HELO_reject = Null").helo_fail, Action::accept);
  EXPECT_EQ(actions("HELO_reject = No_Check").helo_fail, Action::accept);
  EXPECT_EQ(actions("Mail_From_reject = False").spf_fail, Action::accept);
  EXPECT_EQ(actions("Mail_From_reject = softfail").spf_softfail, Action::reject);
  EXPECT_EQ(actions("Mail_From_reject = Softfail").spf_permerror, Action::accept);
  EXPECT_EQ(actions("Mail_From_reject = SPF_Not_Pass").spf_permerror, Action::reject);
  EXPECT_EQ(actions("PermError_reject = True").spf_permerror, Action::reject);
  EXPECT_EQ(actions("TempError_Defer = True").spf_temperror, Action::tempfail);
  EXPECT_FALSE(clean(Form::policyd_spf, "Mail_From_reject = No_Check\n").judging.spf);
  for (const char* line :
       {"HELO_reject = maybe\n", "Mail_From_reject = maybe\n", "Header_Type = maybe\n"}) {
    EXPECT_THAT(import(Form::policyd_spf, line).problems, ElementsAre(HasSubstr("fatal"))) << line;
  }
}

TEST(PolicydSpfImport, WordsOfRejectionForThePolicyService) {
  using mailflow::RefuseFrom;
  const auto service = [](const std::string& text) {
    return clean(Form::policyd_spf, text + "\n").policy_service;
  };
  for (const auto& [word, from] :
       std::map<std::string, RefuseFrom>{{"SPF_Not_Pass", RefuseFrom::not_pass},
                                         {"softfail", RefuseFrom::softfail},
                                         {"Fail", RefuseFrom::fail},
                                         {"False", RefuseFrom::never},
                                         {"No_Check", RefuseFrom::no_check}}) {
    EXPECT_EQ(service("HELO_reject = " + word).refuses_helo, from) << word;
    EXPECT_EQ(service("Mail_From_reject = " + word).refuses_mail_from, from) << word;
  }
  EXPECT_EQ(service("HELO_reject = Null").refuses_helo, RefuseFrom::null_sender);
  EXPECT_THAT(import(Form::policyd_spf, "Mail_From_reject = Null\n").problems,
              ElementsAre(HasSubstr("fatal")));
  EXPECT_TRUE(service("PermError_reject = True").refuses_permerror);
  EXPECT_TRUE(service("TempError_Defer = True").defers_temperror);
  EXPECT_TRUE(service("TestOnly = 0").only_tests);
  EXPECT_FALSE(service("TestOnly = 1").only_tests);
}

TEST(PolicydSpfImport, TestOnlyRejectsNothing) {
  for (const char* name : {"TestOnly", "defaultSeedOnly"}) {
    const mailflow::Actions actions =
        clean(Form::policyd_spf, std::string(name) +
                                     " = 0\nMail_From_reject = SPF_Not_Pass\n"
                                     "HELO_reject = Fail\nTempError_Defer = True\n")
            .judging.actions;
    for (const Action action : {actions.helo_fail, actions.spf_fail, actions.spf_softfail,
                                actions.spf_permerror, actions.spf_temperror}) {
      EXPECT_EQ(action, Action::accept) << name;
    }
  }
}

TEST(PolicydSpfImport, WhoIsNotChecked) {
  const JudgingSettings judging =
      clean(Form::policyd_spf,
            "Whitelist = 192.0.2.0/24\nHELO_Whitelist = relay.example\n"
            "Domain_Whitelist = fwd.example\nDomain_Whitelist_PTR = ptr.example\n")
          .judging;
  EXPECT_THAT(judging.spf_skipped.lines,
              ElementsAre("127.0.0.0/8", "::1", "192.0.2.0/24", "relay.example", "ptr.example",
                          ".ptr.example"));
  EXPECT_THAT(judging.trust.networks.lines, ElementsAre("192.0.2.0/24"));
  EXPECT_EQ(judging.trust.forwarders.source, "fwd.example");
}

TEST(PolicydSpfImport, WhomThePolicyServiceLetsIn) {
  const PolicyServiceSettings service =
      clean(Form::policyd_spf,
            "Whitelist = 192.0.2.0/24\nHELO_Whitelist = relay.example\n"
            "Domain_Whitelist = fwd.example,other.example\nDomain_Whitelist_PTR = ptr.example\n")
          .policy_service;
  EXPECT_THAT(service.skipped.lines,
              ElementsAre("127.0.0.0/8", "::1", "192.0.2.0/24", "ptr.example", ".ptr.example"));
  EXPECT_THAT(service.trusted_helo.lines, ElementsAre("relay.example"));
  EXPECT_EQ(service.forwarders.source, "fwd.example,other.example");
}

TEST(PolicydSpfImport, WhatThePolicyServiceAloneCanDo) {
  const PolicyServiceSettings service =
      clean(Form::policyd_spf,
            "No_Mail = True\nReject_Not_Pass_Domains = aol.example\n"
            "HELO_pass_restriction = helo_passed_spf\nMail_From_pass_restriction = OK\n"
            "Prospective = 192.0.2.9\nSPF_Enhanced_Status_Codes = No\n"
            "Reason_Message = Message {rejectdefer} due to: {spf}\nHeader_Type = AR\n"
            "Hide_Receiver = Yes\n")
          .policy_service;
  EXPECT_TRUE(service.only_no_mail);
  EXPECT_THAT(service.must_pass.lines, ElementsAre("aol.example", ".aol.example"));
  EXPECT_EQ(service.helo_pass, "helo_passed_spf");
  EXPECT_EQ(service.mail_from_pass, "OK");
  EXPECT_EQ(service.prospective, "192.0.2.9");
  EXPECT_FALSE(service.skips_authenticated);
  EXPECT_FALSE(service.spf_codes);
  EXPECT_EQ(service.reason, "Message {rejectdefer} due to: {spf}");
  EXPECT_EQ(service.field, mailflow::AddedField::authentication_results);
  EXPECT_EQ(service.receiver, "unknown");
  EXPECT_EQ(clean(Form::policyd_spf, "Header_Type = None\n").policy_service.field,
            mailflow::AddedField::none);
  EXPECT_THAT(import(Form::policyd_spf, "Reason_Message = {spf} {url}\n").problems,
              ElementsAre(HasSubstr("note: {url} becomes nothing")));
  EXPECT_EQ(clean(Form::policyd_spf, "Per_User = text,/etc/users\n").policy_service.recipients_file,
            "/etc/users");
  EXPECT_EQ(clean(Form::policyd_spf, "Per_User =\n").policy_service.recipients_file, "");
  for (const char* value : {"text:/etc/users", "/etc/users", "text", "text,", "sql,/etc/users"}) {
    EXPECT_THAT(import(Form::policyd_spf, "Per_User = " + std::string(value) + "\n").problems,
                ElementsAre(AllOf(StartsWith("f:1: fatal: Per_User"),
                                  HasSubstr("expected text,/path: \"text\" is the only type"))))
        << value;
  }
  EXPECT_EQ(
      clean(Form::policyd_spf, "MacroListVerify = daemon_name|PUBLIC\n").judging.macros.source,
      "daemon_name|PUBLIC");
}

TEST(PolicydSpfImport, HowLongForwardersAreAskedFor) {
  const auto timeout = [](const std::string& text) {
    return clean(Form::policyd_spf, text).policy_service.forwarder_timeout.count();
  };
  EXPECT_EQ(timeout(""), 10);
  EXPECT_EQ(timeout("Whitelist_Lookup_Time = 4\n"), 4);
  EXPECT_EQ(timeout("Whitelist_Lookup_Time = 0\n"), 0) << "no time of their own";
  EXPECT_EQ(clean(Form::policyd_spf, "Whitelist_Lookup_Time = 4\n").dns.message_timeout.count(),
            20);
  EXPECT_THAT(import(Form::policyd_spf, "Whitelist_Lookup_Time = soon\n").problems,
              ElementsAre(HasSubstr("f:1: fatal: Whitelist_Lookup_Time soon: expected a number")));
  EXPECT_EQ(Settings().policy_service.forwarder_timeout.count(), 0) << "in our own form";
}

TEST(PolicydSpfImport, WhetherTheQueueIdIsLogged) {
  EXPECT_TRUE(clean(Form::policyd_spf, "").log.queue_id);
  EXPECT_TRUE(clean(Form::policyd_spf, "QueueID = Yes\n").log.queue_id);
  EXPECT_FALSE(clean(Form::policyd_spf, "QueueID = No\n").log.queue_id);
}

TEST(PolicydSpfImport, WhatIsWritten) {
  EXPECT_FALSE(clean(Form::policyd_spf, "Header_Type = AR\n").judging.results.received_spf);
  EXPECT_EQ(clean(Form::policyd_spf, "Hide_Receiver = Yes\n").judging.receiver, "unknown");
  EXPECT_EQ(clean(Form::policyd_spf, "Hide_Receiver = No\n").judging.receiver, "");
  EXPECT_EQ(clean(Form::policyd_spf, "Void_Limit = 4\n").judging.spf_void_lookups_max, 4u);
  EXPECT_EQ(clean(Form::policyd_spf, "Lookup_Time = 30\n").dns.message_timeout.count(), 30);
  EXPECT_EQ(clean(Form::policyd_spf, "Lookup_Time = 0\n").dns.message_timeout.count(), 20);
  EXPECT_EQ(clean(Form::policyd_spf, "Authserv_Id = mx.example\n").judging.results.authserv_id,
            "mx.example");
  EXPECT_EQ(clean(Form::policyd_spf, "debugLevel = 3\n").log.level, LogLevel::debug);
  EXPECT_EQ(clean(Form::policyd_spf, "debugLevel = -1\n").log.level, LogLevel::error);
  EXPECT_EQ(clean(Form::policyd_spf, "Socket = inet:8893@localhost\n").daemon.sockets.size(), 1u);
}

// --- the policy service ---

std::vector<std::string> problems_of_policyd(const std::string& text, const Overrides& overrides) {
  test::MemoryFiles files;
  const test::MemoryAccounts accounts;
  files.add("/etc/policyd-spf.conf", text).add("/etc/users", "");
  const Snapshot snapshot =
      load({Form::any, "/etc/policyd-spf.conf", overrides}, {files, accounts, "mail.example.org"});
  EXPECT_EQ(snapshot.access != nullptr, snapshot.policy != nullptr);
  return texts(snapshot.problems);
}

TEST(PolicyServiceConfig, NoTimeForForwardersIsMissedByAMilter) {
  EXPECT_THAT(problems_of_policyd("Whitelist_Lookup_Time = 4\n", {{"Socket", "inet:1"}}),
              IsEmpty());
}

TEST(PolicyServiceConfig, ItsSocketIsGivenBesideAnUneditedFile) {
  test::MemoryFiles files;
  const test::MemoryAccounts accounts;
  files.add("/etc/policyd-spf.conf", "TestOnly = 0\nSPF_Enhanced_Status_Codes = No\n");
  const Source source{Form::any,
                      "/etc/policyd-spf.conf",
                      {{"policy_service.sockets", "local:/run/p"}, {"UserID", "postfix"}}};
  const Snapshot snapshot = load(source, {files, accounts, "mail.example.org"});
  EXPECT_THAT(texts(snapshot.problems), IsEmpty());
  ASSERT_NE(snapshot.access, nullptr);
  EXPECT_TRUE(snapshot.access->usual.only_tests);
  EXPECT_FALSE(snapshot.access->usual.spf_codes);
  EXPECT_EQ(snapshot.access->usual.receiver, "mail.example.org");
  EXPECT_TRUE(snapshot.access->usual.skipped.match("", IpAddress::parse("127.0.0.9")));
  ASSERT_EQ(snapshot.settings.policy_service.sockets.size(), 1u);
  EXPECT_EQ(to_string(snapshot.settings.policy_service.sockets[0]), "local:/run/p");
  EXPECT_THAT(snapshot.settings.daemon.sockets, IsEmpty());
}

TEST(PolicyServiceConfig, ItsSocketMayStandBesideAnyFile) {
  test::MemoryFiles files;
  const test::MemoryAccounts accounts;
  files.add("/etc/opendkim.conf", "Socket inet:8891@localhost\nMode v\n");
  const Source source{
      Form::opendkim, "/etc/opendkim.conf", {{"policy_service.sockets", "inet:8892@localhost"}}};
  const Snapshot snapshot = load(source, {files, accounts, "mail.example.org"});
  EXPECT_EQ(snapshot.settings.daemon.sockets.size(), 1u);
  EXPECT_EQ(snapshot.settings.policy_service.sockets.size(), 1u);
  EXPECT_THAT(problems_of_policyd("", {{"policy_service.sockets", "inet:99999@localhost"}}),
              Contains(HasSubstr("command line: fatal: policy_service.sockets: ")));
  EXPECT_THAT(problems_of_policyd("", {{"policy_service.sokets", "inet:1"}}),
              Contains(HasSubstr("there is no setting 'policy_service.sokets'")));
}

TEST(PolicyServiceConfig, WhatItAloneCanDoIsToldWhenItIsOff) {
  const Overrides milter = {{"Socket", "inet:8891"}};
  for (const char* line :
       {"No_Mail = True", "Reject_Not_Pass_Domains = a.example", "HELO_pass_restriction = x",
        "Mail_From_pass_restriction = x", "Prospective = 192.0.2.1",
        "SPF_Enhanced_Status_Codes = No", "Reason_Message = x", "Per_User = text,/etc/users"}) {
    EXPECT_THAT(problems_of_policyd(line, milter),
                Contains(AllOf(StartsWith("/etc/policyd-spf.conf:1: warning: policy_service."),
                               HasSubstr("has no effect"), HasSubstr("--policy-socket"))))
        << line;
    EXPECT_THAT(problems_of_policyd(line, {{"policy_service.sockets", "inet:8892"}}), IsEmpty())
        << line;
  }
  EXPECT_THAT(problems_of_policyd("HELO_reject = Softfail", milter),
              Contains(HasSubstr("the greeting is rejected for fail alone")));
  for (const char* line : {"No_Mail = False", "SPF_Enhanced_Status_Codes = Yes",
                           "Reason_Message =", "HELO_reject = Fail", "TestOnly = 0"}) {
    EXPECT_THAT(problems_of_policyd(line, milter), Not(Contains(HasSubstr("warning")))) << line;
  }
}

TEST(PolicyServiceConfig, ItsOwnSettings) {
  test::MemoryFiles files;
  const test::MemoryAccounts accounts;
  const auto read = [&](const std::string& text) {
    files.add("/own.toml", text);
    return load({Form::countersign, "/own.toml", {}}, {files, accounts, "mail.example.org"});
  };
  Snapshot snapshot = read(
      "[policy_service]\nsockets = [\"local:/run/p\"]\nrefuses_helo = \"null_sender\"\n"
      "refuses_mail_from = \"not_pass\"\nfield = \"authentication_results\"\n"
      "forwarders = [\"fwd.example\", \"b.example\"]\nprospective = \"2001:db8::1\"\n"
      "forwarder_timeout = 7\n"
      "[judging.results]\nauthserv_id = \"our.example\"\n");
  EXPECT_THAT(texts(snapshot.problems), IsEmpty()) << "nothing to sign is no problem";
  ASSERT_NE(snapshot.access, nullptr);
  EXPECT_EQ(snapshot.access->usual.helo, mailflow::RefuseFrom::null_sender);
  EXPECT_EQ(snapshot.access->usual.mail_from, mailflow::RefuseFrom::not_pass);
  EXPECT_EQ(snapshot.access->usual.field, mailflow::AddedField::authentication_results);
  EXPECT_EQ(snapshot.access->usual.authserv_id, "our.example");
  EXPECT_EQ(snapshot.access->usual.forwarders.size(), 2u);
  EXPECT_EQ(snapshot.access->usual.forwarder_timeout.count(), 7);
  EXPECT_EQ(snapshot.access->usual.prospective, IpAddress::parse("2001:db8::1"));

  snapshot = read("[policy_service]\nsockets = [\"inet:1\"]\nprospective = \"here\"\n");
  EXPECT_EQ(snapshot.access, nullptr);
  EXPECT_THAT(texts(snapshot.problems), ElementsAre(HasSubstr("'here' is no IP address")));
  snapshot = read("[policy_service]\nsockets = [\"inet:1\"]\nrefuses_helo = \"Fail!\"\n");
  EXPECT_THAT(texts(snapshot.problems),
              ElementsAre(HasSubstr("expected one of no_check, never, null_sender, fail")));

  std::string many;
  for (int i = 0; i < 21; ++i) many += "\"d" + std::to_string(i) + ".example\", ";
  snapshot =
      read("[policy_service]\nsockets = [\"inet:1\"]\nforwarders = [" + many + "\"a..b\"]\n");
  EXPECT_THAT(texts(snapshot.problems),
              ElementsAre(HasSubstr("'a..b' is no domain"), HasSubstr("more than 20 forwarders")));
  EXPECT_EQ(snapshot.access->usual.forwarders.size(), Limits{}.access_forwarders_max);
}

}  // namespace
}  // namespace countersign::service::config
