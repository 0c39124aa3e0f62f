// SPDX-License-Identifier: Apache-2.0
//
// What is said about the settings of a Postfix.

#include "service/config/postfix.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace countersign::service::config {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

// A Postfix that is set up as we advise.
PostfixParameters good() {
  return {{"config_directory", "/etc/postfix"},
          {"smtpd_milters", "inet:127.0.0.1:8891"},
          {"non_smtpd_milters", "inet:127.0.0.1:8891"},
          {"milter_default_action", "tempfail"},
          {"milter_protocol", "6"},
          {"milter_mail_macros", "i {mail_addr}"},
          {"milter_connect_macros", "j v _"},
          {"internal_mail_filter_classes", "bounce"},
          {"message_reject_characters", "\\0"},
          {"receive_override_options", ""},
          {"smtpd_forbid_bare_newline", "yes"},
          {"smtpd_forbid_unauth_pipelining", "yes"}};
}

Settings settings(const char* socket = "inet:8891@localhost") {
  Settings settings;
  settings.daemon.sockets = {*parse_socket(socket)};
  settings.signing.mode = Mode::both;
  return settings;
}

std::vector<std::string> said(const PostfixParameters& parameters,
                              const Settings& of = settings()) {
  Problems problems;
  check_postfix(parameters, of, problems);
  std::vector<std::string> lines;
  for (const Problem& problem : problems.all()) lines.push_back(to_string(problem));
  return lines;
}

std::vector<std::string> said_with(const char* name, const char* value) {
  PostfixParameters parameters = good();
  parameters[name] = value;
  return said(parameters);
}

TEST(Postconf, S53IsReadLineByLine) {
  EXPECT_THAT(parse_postconf("a = b = c\nempty =\n\nno line\n = x\n a\t=\t d \nlast = 1"),
              ElementsAre(Pair("a", "b = c"), Pair("empty", ""), Pair("last", "1")));
  EXPECT_THAT(parse_postconf(""), IsEmpty());
}

TEST(Postfix, S53NothingIsSaidOfOneThatIsSetUpAsAdvised) { EXPECT_THAT(said(good()), IsEmpty()); }

TEST(Postfix, S53EachSettingThatMattersIsLookedAt) {
  const auto warns = [](const char* words) {
    return ElementsAre(AllOf(HasSubstr("/etc/postfix/main.cf: warning: "), HasSubstr(words)));
  };
  const auto notes = [](const char* words) {
    return ElementsAre(AllOf(HasSubstr("/etc/postfix/main.cf: note: "), HasSubstr(words)));
  };
  EXPECT_THAT(said_with("smtpd_milters", ""), warns("does not call us"));
  EXPECT_THAT(said_with("smtpd_milters", "inet:127.0.0.1:18891"), warns("does not call us"));
  EXPECT_THAT(said_with("smtpd_milters", "inet:127.0.0.1:88911"), warns("does not call us"));
  EXPECT_THAT(said_with("non_smtpd_milters", ""), warns("is not signed"));
  EXPECT_THAT(said_with("milter_default_action", "accept"), notes("goes through as it is"));
  EXPECT_THAT(said_with("milter_default_action", "reject"), warns("lost or held"));
  EXPECT_THAT(said_with("receive_override_options", "no_address_mappings no_milters"),
              warns("no milter sees"));
  EXPECT_THAT(said_with("internal_mail_filter_classes", "notify"), notes("bounces"));
  EXPECT_THAT(said_with("message_reject_characters", ""), notes("NUL"));
  EXPECT_THAT(said_with("smtpd_forbid_bare_newline", "no"), warns("CVE-2023-51764"));
  EXPECT_THAT(said_with("smtpd_forbid_bare_newline", "normalize"), IsEmpty());
  EXPECT_THAT(said_with("smtpd_forbid_unauth_pipelining", "no"), warns("pipelining"));
  PostfixParameters old = good();
  old.erase("smtpd_forbid_bare_newline");
  EXPECT_THAT(said(old), warns("update Postfix"));
}

TEST(Postfix, S53AnOldProtocolNeedsItsMacros) {
  PostfixParameters parameters = good();
  parameters["milter_protocol"] = "4";
  Settings of = settings();
  of.signing.mta_names.lines = {"ORIGINATING"};
  EXPECT_THAT(said(parameters, of),
              ElementsAre(HasSubstr("milter_protocol is 4"), HasSubstr("{auth_type}"),
                          HasSubstr("{daemon_name}")));
  parameters["milter_mail_macros"] = "i {auth_type}";
  parameters["milter_connect_macros"] = "j {daemon_name}";
  EXPECT_THAT(said(parameters, of), ElementsAre(HasSubstr("milter_protocol is 4")));
}

TEST(Postfix, S53AServiceOfMasterCfMayNameUs) {
  PostfixParameters parameters = good();
  parameters["smtpd_milters"] = "";
  parameters["submission/inet/smtpd_milters"] = "inet:localhost:8891";
  EXPECT_THAT(said(parameters), IsEmpty());
  parameters["submission/inet/smtpd_milters"] = "inet:localhost:11332";
  EXPECT_THAT(said(parameters), ElementsAre(HasSubstr("does not call us")));
}

TEST(Postfix, S53SocketsInTheFileSystemAreKnownByTheirNames) {
  PostfixParameters parameters = good();
  parameters["smtpd_milters"] = parameters["non_smtpd_milters"] = "unix:countersign/one.sock";
  const char* const ours = "local:/var/spool/postfix/countersign/one.sock";
  EXPECT_THAT(said(parameters, settings(ours)), IsEmpty());
  EXPECT_EQ(said(parameters, settings("local:/run/two.sock")).size(), 2U);
}

TEST(Postfix, S53AFilterThatOnlyJudgesSignsNoBounces) {
  PostfixParameters parameters = good();
  parameters["non_smtpd_milters"] = parameters["internal_mail_filter_classes"] = "";
  Settings of = settings();
  of.signing.mode = Mode::verify;
  EXPECT_THAT(said(parameters, of), IsEmpty());
}

}  // namespace
}  // namespace countersign::service::config
