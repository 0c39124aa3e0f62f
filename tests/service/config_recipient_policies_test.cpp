// SPDX-License-Identifier: Apache-2.0
//
// Policies of some recipients from the file to the policies that mailflow chooses from: what a line
// changes, what it leaves as it is for all, and what is told about mistakes.

#include "service/config/recipient_policies.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "service/config/import/policyd_spf.hpp"
#include "service/config/snapshot.hpp"
#include "tests/support/configurations.hpp"
#include "tests/support/exact.hpp"
#include "tests/support/memory_files.hpp"

namespace countersign::service::config {
namespace {

using mailflow::RefuseFrom;
using mailflow::SpfAccessPolicy;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;

class RecipientPolicies : public ::testing::Test {
 protected:
  /// The policies by a policyd-spf.conf that names a file with these lines.
  void read(const std::string& lines, const std::string& for_all = "") {
    files_.add("/etc/users", lines);
    files_.add("/etc/policyd-spf.conf", for_all + "\nPer_User = text,/etc/users\n");
    load_it({{"policy_service.sockets", "inet:8892"}});
  }

  void load_it(const Overrides& overrides) {
    snapshot_ =
        load({Form::policyd_spf, "/etc/policyd-spf.conf", overrides}, {files_, accounts_, "mx.us"});
  }

  /// The policy for bob, whose line holds these settings alone.
  const SpfAccessPolicy& of_bob(const std::string& settings, const std::string& for_all = "") {
    read("bob@example.com," + settings + "\n", for_all);
    EXPECT_THAT(problems(), IsEmpty()) << settings;
    return choose("bob@example.com");
  }

  const SpfAccessPolicy& choose(std::string_view recipient) {
    static const SpfAccessPolicy none;
    EXPECT_NE(snapshot_.access, nullptr);
    return snapshot_.access ? snapshot_.access->choose(recipient).policy : none;
  }
  [[nodiscard]] const SpfAccessPolicy& usual() const { return snapshot_.access->usual; }

  [[nodiscard]] std::vector<std::string> problems() const { return texts(snapshot_); }

  static bool skips(const SpfAccessPolicy& policy, std::string_view address) {
    return policy.skipped.match("", IpAddress::parse(address)).has_value();
  }

  test::MemoryFiles files_;
  test::MemoryAccounts accounts_;
  Snapshot snapshot_;
};

TEST_F(RecipientPolicies, ChangeWhatTheirLineNamesAndNothingElse) {
  read(
      "# ours\n\n  bob@example.com , Mail_From_reject=Softfail|TempError_Defer = True # strict\r\n",
      "HELO_reject = SPF_Not_Pass\nReason_Message = {spf}.");
  EXPECT_THAT(problems(), IsEmpty());
  const SpfAccessPolicy& bob = choose("bob@example.com");
  EXPECT_EQ(bob.mail_from, RefuseFrom::softfail);
  EXPECT_TRUE(bob.defers_temperror);
  EXPECT_EQ(bob.helo, RefuseFrom::not_pass);
  EXPECT_EQ(bob.reason, "{spf}.");
  EXPECT_EQ(bob.receiver, "mx.us");
  EXPECT_TRUE(skips(bob, "127.0.0.1"));
  EXPECT_EQ(&choose("carol@example.com"), &usual());
  EXPECT_EQ(usual().mail_from, RefuseFrom::fail);
  EXPECT_FALSE(usual().defers_temperror);
}

TEST_F(RecipientPolicies, AreFoundInAnyCase) {
  read(
      "Bob@Example.COM,HELO_reject=False\n@B\xC3\xBC"
      "cher.example,HELO_reject=No_Check\n");
  EXPECT_THAT(problems(), IsEmpty());
  EXPECT_EQ(choose("bOB@example.com").helo, RefuseFrom::never);
  EXPECT_EQ(choose("x@xn--bcher-kva.example").helo, RefuseFrom::no_check);
  EXPECT_EQ(choose("x@b\xC3\xBC"
                   "cher.example")
                .helo,
            RefuseFrom::no_check);
}

TEST_F(RecipientPolicies, OfADomainHoldForThoseWithoutALine) {
  read("@example.com,HELO_reject=False\nbob@example.com,\ncarol@example.com,HELO_reject=Null");
  EXPECT_THAT(problems(), IsEmpty());
  EXPECT_EQ(choose("dave@example.com").helo, RefuseFrom::never);
  EXPECT_EQ(choose("bob@example.com").helo, RefuseFrom::fail) << "as for all";
  EXPECT_EQ(choose("carol@example.com").helo, RefuseFrom::null_sender);
  EXPECT_EQ(choose("dave@sub.example.com").helo, RefuseFrom::fail);
}

TEST_F(RecipientPolicies, AreSharedWhereTheSettingsAreWrittenAlike) {
  std::string lines;
  for (int i = 0; i < 300; ++i) {
    lines += "u" + std::to_string(i) + "@example.com, HELO_reject=" + (i % 2 ? "Null" : "False");
    lines += "\n";
  }
  read(lines);
  EXPECT_THAT(snapshot_.access->of_recipients, SizeIs(300));
  EXPECT_EQ(&choose("u0@example.com"), &choose("u298@example.com"));
  EXPECT_EQ(&choose("u1@example.com"), &choose("u299@example.com"));
  EXPECT_NE(&choose("u0@example.com"), &choose("u1@example.com"));
}

TEST_F(RecipientPolicies, TakeEachOptionOfPolicydSpf) {
  EXPECT_EQ(of_bob("Mail_From_reject=SPF_Not_Pass").mail_from, RefuseFrom::not_pass);
  EXPECT_TRUE(of_bob("PermError_reject=True").refuses_permerror);
  EXPECT_EQ(of_bob("Mail_From_pass_restriction=OK").mail_from_pass, "OK");
  EXPECT_EQ(of_bob("HELO_pass_restriction=greeted").helo_pass, "greeted");
  EXPECT_EQ(of_bob("Prospective=192.0.2.9").prospective, IpAddress::parse("192.0.2.9"));
  EXPECT_FALSE(of_bob("Prospective=192.0.2.9").skips_authenticated);
  EXPECT_TRUE(of_bob("No_Mail=True").only_no_mail);
  EXPECT_TRUE(of_bob("defaultSeedOnly=0").only_tests);
  EXPECT_TRUE(of_bob("testonly=0").only_tests);
  EXPECT_FALSE(of_bob("SPF_Enhanced_Status_Codes=No").spf_codes);
  EXPECT_EQ(of_bob("Header_Type=None").field, mailflow::AddedField::none);
  EXPECT_EQ(of_bob("Hide_Receiver=Yes").receiver, "unknown");
  EXPECT_EQ(of_bob("Authserv-Id=bob.example").authserv_id, "bob.example");
  EXPECT_EQ(of_bob("Authserv_Id=bob.example").authserv_id, "bob.example");
  EXPECT_EQ(of_bob("Reason_Message=No, {spf}").reason, "No, {spf}");
}

// What a policyd-spf.conf need not say, as it is the program's default, a line may have to.
TEST_F(RecipientPolicies, MayTakeBackWhatHoldsForAll) {
  EXPECT_FALSE(of_bob("PermError_reject=False", "PermError_reject = True").refuses_permerror);
  EXPECT_FALSE(of_bob("TempError_Defer=False", "TempError_Defer = True").defers_temperror);
  EXPECT_FALSE(of_bob("No_Mail=False", "No_Mail = True").only_no_mail);
  EXPECT_FALSE(of_bob("TestOnly=1", "TestOnly = 0").only_tests);
  EXPECT_TRUE(of_bob("SPF_Enhanced_Status_Codes=Yes", "SPF_Enhanced_Status_Codes = No").spf_codes);
  EXPECT_EQ(of_bob("Mail_From_pass_restriction=", "Mail_From_pass_restriction = OK").mail_from_pass,
            "");
  EXPECT_EQ(of_bob("Reason_Message=", "Reason_Message = x").reason, "");
  EXPECT_EQ(of_bob("Hide_Receiver=No", "Hide_Receiver = Yes").receiver, "mx.us");
  EXPECT_EQ(of_bob("Authserv-Id=HOSTNAME", "Authserv_Id = x.example").authserv_id, "mx.us");
  const SpfAccessPolicy& bob = of_bob("Prospective=", "Prospective = 192.0.2.9");
  EXPECT_FALSE(bob.prospective);
  EXPECT_TRUE(bob.skips_authenticated);
  EXPECT_TRUE(usual().prospective);
}

TEST_F(RecipientPolicies, ReplaceListsOfNames) {
  const std::string for_all =
      "HELO_Whitelist = relay.example\nDomain_Whitelist = fwd.example\n"
      "Reject_Not_Pass_Domains = strict.example";
  const SpfAccessPolicy* bob = &of_bob(
      "HELO_Whitelist=own.example|Domain_Whitelist=a.example, b.example|"
      "Reject_Not_Pass_Domains=bank.example",
      for_all);
  EXPECT_FALSE(bob->trusted_helo.match("relay.example", {}));
  EXPECT_TRUE(bob->trusted_helo.match("own.example", {}));
  EXPECT_THAT(bob->forwarders, SizeIs(2));
  EXPECT_FALSE(bob->must_pass.contains(*DomainName::parse("strict.example")));
  EXPECT_TRUE(bob->must_pass.contains(*DomainName::parse("www.bank.example")));
  EXPECT_THAT(usual().forwarders, SizeIs(1));

  bob = &of_bob("HELO_Whitelist=|Domain_Whitelist=|Reject_Not_Pass_Domains=", for_all);
  EXPECT_TRUE(bob->trusted_helo.empty());
  EXPECT_THAT(bob->forwarders, IsEmpty());
  EXPECT_TRUE(bob->must_pass.entries.empty());

  bob = &of_bob("Whitelist_Lookup_Time=3", for_all);
  EXPECT_EQ(bob->forwarder_timeout.count(), 3);
  EXPECT_EQ(usual().forwarder_timeout.count(), 10);

  bob = &of_bob("TestOnly=0", for_all);
  EXPECT_EQ(bob->forwarder_timeout.count(), 10);
  EXPECT_TRUE(bob->trusted_helo.match("relay.example", {}));
  EXPECT_THAT(bob->forwarders, SizeIs(1));
  EXPECT_TRUE(bob->must_pass.contains(*DomainName::parse("strict.example")));
}

TEST_F(RecipientPolicies, AddToTheClientsThatAreSkipped) {
  const SpfAccessPolicy& bob = of_bob(
      "skip_addresses=192.0.2.1,!198.51.100.7|Whitelist=192.0.2.2|Domain_Whitelist_PTR=ptr.example",
      "Whitelist = 198.51.100.0/24");
  for (const char* address : {"192.0.2.1", "192.0.2.2", "198.51.100.6", "127.0.0.1"})
    EXPECT_TRUE(skips(bob, address)) << address;
  EXPECT_FALSE(skips(bob, "198.51.100.7")) << "taken out again";
  EXPECT_TRUE(bob.skipped.match("a.ptr.example", {}));
  EXPECT_TRUE(skips(usual(), "198.51.100.7"));
  EXPECT_FALSE(skips(usual(), "192.0.2.1"));
  read("bob@example.com,Whitelist=\n");
  EXPECT_THAT(problems(), ElementsAre(HasSubstr("users:1: warning: Whitelist is left out: '' takes "
                                                "nobody out")));
}

// A line may come from a form that users fill in.
TEST_F(RecipientPolicies, NameNoFiles) {
  files_.add("/etc/secret", "secret.example\n");
  read(
      "bob@example.com,Domain_Whitelist=/etc/secret\nc@example.com,HELO_Whitelist=file:/etc/"
      "secret");
  EXPECT_THAT(problems(),
              ElementsAre(HasSubstr("warning: '/etc/secret' is no domain"),
                          HasSubstr("warning: 'file:/etc/secret' is neither a host name nor")));
  EXPECT_THAT(choose("bob@example.com").forwarders, IsEmpty());
}

TEST_F(RecipientPolicies, FirstLineOfARecipientCounts) {
  read(
      "bob@example.com,HELO_reject=Null\n@example.com,\nBOB@example.com,HELO_reject=False\n"
      "@example.com,TestOnly=0\n");
  EXPECT_EQ(choose("bob@example.com").helo, RefuseFrom::null_sender);
  EXPECT_FALSE(choose("carol@example.com").only_tests);
  EXPECT_THAT(problems(),
              ElementsAre("/etc/users:3: warning: the line is left out: an earlier one is for "
                          "'BOB@example.com' too",
                          HasSubstr("users:4: warning: the line is left out: an earlier one")));
}

TEST_F(RecipientPolicies, MistakesAreToldAndStopNothing) {
  read(
      "bob@example.com TestOnly=0\n"
      "bob,TestOnly=0\n"
      "bob@a b.example,TestOnly=0\n"
      "a@example.com,TestOnly|HELO_reject=Null\n"
      "b@example.com,HELO_reject=a=b|TestOnly=0\n"
      "c@example.com,Helo_rejekt=Null|TestOnly=0\n"
      "d@example.com,debugLevel=4|Lookup_Time=20|Void_Limit=9|Per_User=text,/x|TestOnly=0\n"
      "e@example.com,HELO_reject=maybe|Prospective=here|Authserv-Id=--|TestOnly=0\n"
      "f@example.com,HELO_reject=False|HELO_reject=Null\n"
      "g@example.com,||Whitelist=1.2.3.4/99|TestOnly=0|\n",
      "debugLevel = 1");
  EXPECT_THAT(
      problems(),
      ElementsAre(
          AllOf(StartsWith("/etc/users:1: warning: the line is left out: it has no comma"),
                HasSubstr("user@example.com,name=value")),
          AllOf(StartsWith("/etc/users:2: warning: the line is left out: 'bob' is no address"),
                HasSubstr("@example.com for the whole domain")),
          StartsWith("/etc/users:3: warning: the line is left out: 'bob@a b.example' is no"),
          StartsWith("/etc/users:4: warning: 'TestOnly' is left out: it is no name=value"),
          StartsWith("/etc/users:5: warning: 'HELO_reject=a=b' is left out: it is no name=value"),
          "/etc/users:6: warning: there is no option 'Helo_rejekt'; it is left out; did you mean "
          "HELO_reject?",
          StartsWith("/etc/users:7: warning: debugLevel has no effect for one recipient"),
          StartsWith("/etc/users:7: warning: Lookup_Time has no effect for one recipient"),
          StartsWith("/etc/users:7: warning: Void_Limit has no effect for one recipient"),
          StartsWith("/etc/users:7: warning: Per_User has no effect for one recipient"),
          StartsWith("/etc/users:8: warning: HELO_reject maybe: expected SPF_Not_Pass, Softfail"),
          "/etc/users:8: warning: Prospective is left out: 'here' is no IP address",
          "/etc/users:8: warning: Authserv_Id is left out: '--' is no authserv-id",
          "/etc/users:9: warning: HELO_reject is set twice; the last one counts",
          StartsWith("/etc/users:10: warning: '1.2.3.4/99' is neither a host name nor")));
  EXPECT_EQ(choose("a@example.com").helo, RefuseFrom::null_sender);
  for (const char* recipient : {"b", "c", "d", "e", "g"})
    EXPECT_TRUE(choose(recipient + std::string("@example.com")).only_tests) << recipient;
  EXPECT_EQ(choose("e@example.com").helo, RefuseFrom::fail);
  EXPECT_FALSE(choose("e@example.com").prospective);
  EXPECT_EQ(choose("f@example.com").helo, RefuseFrom::null_sender);
  EXPECT_EQ(snapshot_.settings.log.level, LogLevel::info);
}

TEST_F(RecipientPolicies, OctetsAreReadToTheLast) {
  for (const char* text : {"", "\n", "#", ",", "@", "@,", "a@b.example,", "a@b.example,|",
                           "a@,=", "a@b.example,=", "\xFF@b.example,\xFF=\xFF"}) {
    files_.add("/etc/users", std::string(test::exact(text).view()));
    Settings settings;
    settings.policy_service.recipients_file = "/etc/users";
    Problems problems;
    const auto make = [](const Settings&, Problems&) { return SpfAccessPolicy(); };
    (void)read_recipient_policies(settings, files_, make, problems);
    EXPECT_LT(worst(problems.all()), Severity::error) << text;
  }
}

TEST_F(RecipientPolicies, AreCounted) {
  std::string lines;
  for (std::size_t i = 0; i <= recipient_policies_max; ++i) {
    const std::string number = std::to_string(i);
    lines.append("u").append(number).append("@example.com,Reason_Message=").append(number) += '\n';
  }
  files_.add("/etc/users", lines);
  Settings settings;
  settings.policy_service.recipients_file = "/etc/users";
  Problems problems;
  const auto make = [](const Settings&, Problems&) { return SpfAccessPolicy(); };
  EXPECT_THAT(read_recipient_policies(settings, files_, make, problems),
              SizeIs(recipient_policies_max));
  ASSERT_THAT(problems.all(), SizeIs(1));
  EXPECT_EQ(to_string(problems.all()[0]),
            "/etc/users:20001: fatal: more than 20000 different settings of recipients");
}

TEST_F(RecipientPolicies, NeedTheirFile) {
  files_.add("/etc/policyd-spf.conf", "Per_User = text , /etc/none\n");
  load_it({{"policy_service.sockets", "inet:8892"}});
  EXPECT_EQ(snapshot_.access, nullptr);
  EXPECT_THAT(problems(), ElementsAre(StartsWith("/etc/policyd-spf.conf:1: fatal: cannot read "
                                                 "/etc/none: ")));
  load_it({{"Socket", "inet:8891"}});
  EXPECT_NE(snapshot_.access, nullptr) << "a milter does without it";
  load_it({});
  EXPECT_EQ(snapshot_.access, nullptr) << "as config check reads the file of a policy service";
}

TEST_F(RecipientPolicies, OfOurOwnSettings) {
  files_.add("/etc/users", "bob@example.com,Mail_From_reject=Softfail|Whitelist=192.0.2.1\n");
  files_.add("/etc/relays", "198.51.100.0/24\n");
  files_.add("/own.toml",
             "[policy_service]\nsockets = [\"inet:1\"]\nrecipients_file = \"users\"\n"
             "skipped = \"/etc/relays\"\nskips_loopback = false\nhelo_pass = \"OK\"\n"
             "[daemon]\nbase_directory = \"/etc\"\n");
  snapshot_ = load({Form::countersign, "/own.toml", {}}, {files_, accounts_, "mx.us"});
  EXPECT_THAT(problems(), IsEmpty());
  const SpfAccessPolicy& bob = choose("bob@example.com");
  EXPECT_EQ(bob.mail_from, RefuseFrom::softfail);
  EXPECT_EQ(bob.helo_pass, "OK");
  EXPECT_TRUE(skips(bob, "198.51.100.1"));
  EXPECT_TRUE(skips(bob, "192.0.2.1"));
  EXPECT_FALSE(skips(bob, "127.0.0.1")) << "no default of policyd-spf comes in";
}

}  // namespace
}  // namespace countersign::service::config
