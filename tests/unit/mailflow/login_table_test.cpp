// SPDX-License-Identifier: Apache-2.0
//
// Tables of logins: what a line means, which line counts, and what cannot be read.

#include "countersign/mailflow/login_table.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/support/exact.hpp"
#include "tests/support/signing.hpp"

namespace countersign::mailflow {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

struct Line {
  std::string_view login;
  std::string_view senders;
};

LoginTable table(const std::vector<Line>& lines) {
  LoginTable made;
  std::size_t number = 0;
  for (const Line& line : lines) {
    const auto error = made.add(line.login, line.senders, {"logins", ++number});
    EXPECT_EQ(error, std::nullopt) << line.login;
  }
  return made;
}

Mailbox mailbox(std::string_view address) {
  const std::size_t at = address.rfind('@');
  return {std::string(address.substr(0, at)), test::name(address.substr(at + 1))};
}

/// The numbers of the lines that count for the login.
std::vector<std::size_t> lines_for(const LoginTable& logins, std::string_view login) {
  const test::Exact text = test::exact(login);
  std::vector<std::size_t> numbers;
  for (const LoginLine* line : logins.find(Login::parse(text.view())))
    numbers.push_back(line->place.line);
  return numbers;
}

bool may(const LoginTable& logins, std::string_view login, std::string_view address) {
  const Login who = Login::parse(login);
  for (const LoginLine* line : logins.find(who))
    if (line->allows(who, mailbox(address))) return true;
  return false;
}

/// A table in which everybody may use this and nothing else.
LoginTable everybody(std::string_view senders) { return table({{"*", senders}}); }

// --- logins --------------------------------------------------------------------------------------

TEST(Login, HasADomainBehindItsOnlyAt) {
  const Login login = Login::parse(
      "Alice@B\xC3\xBC"
      "cher.EXAMPLE.");
  EXPECT_EQ(login.text, "alice@xn--bcher-kva.example");
  EXPECT_EQ(login.local_part, "alice");
  EXPECT_EQ(login.domain->text(), "xn--bcher-kva.example");
}

TEST(Login, WithoutOneHasNone) {
  for (const std::string_view text :
       {"", "Alice", "@", "@example.org", "alice@", "alice@exa mple.org", "alice@example.org ",
        "alice@[192.0.2.1]", "alice@victim.example@evil.example", "a@b@", "a@example.org\r\n",
        "a@example.org,b@example.net", "<a@example.org>", "a@\xFF.example"}) {
    const test::Exact exact = test::exact(text);
    const Login login = Login::parse(exact.view());
    EXPECT_FALSE(login.domain) << text;
    EXPECT_EQ(login.local_part, "") << text;
    EXPECT_EQ(login.text.size(), text.size()) << text;
  }
}

// --- which line counts ---------------------------------------------------------------------------

TEST(LoginTable, TheMostSpecificLoginDecidesWhereverItStands) {
  const LoginTable logins = table({{"*", "a.example"},
                                   {"*@*", "b.example"},
                                   {"*@.example.org", "c.example"},
                                   {"*@*.mail.example.org", "d.example"},
                                   {"*@mail.example.org", "e.example"},
                                   {"alice@mail.example.org", "f.example"},
                                   {"robot", "g.example"}});
  EXPECT_THAT(lines_for(logins, "somebody"), ElementsAre(1));
  EXPECT_THAT(lines_for(logins, ""), ElementsAre(1));
  EXPECT_THAT(lines_for(logins, "bob@example.net"), ElementsAre(2));
  EXPECT_THAT(lines_for(logins, "bob@example.org"), ElementsAre(2)) << "not below it";
  EXPECT_THAT(lines_for(logins, "bob@www.example.org"), ElementsAre(3));
  EXPECT_THAT(lines_for(logins, "bob@a.mail.example.org"), ElementsAre(4));
  EXPECT_THAT(lines_for(logins, "bob@mail.example.org"), ElementsAre(5));
  EXPECT_THAT(lines_for(logins, "alice@mail.example.org"), ElementsAre(6));
  EXPECT_THAT(lines_for(logins, "robot"), ElementsAre(7));
  EXPECT_FALSE(may(logins, "alice@mail.example.org", "x@e.example"))
      << "a line of its own takes from a login what others give";
}

TEST(LoginTable, AllLinesOfOneLoginCount) {
  const LoginTable logins =
      table({{"alice", "a.example"}, {"bob", "b.example"}, {"ALICE", "c.example"}});
  EXPECT_THAT(lines_for(logins, "alice"), ElementsAre(1, 3));
  EXPECT_TRUE(may(logins, "alice", "x@a.example"));
  EXPECT_TRUE(may(logins, "alice", "x@c.example"));
  EXPECT_FALSE(may(logins, "alice", "x@b.example"));
}

TEST(LoginTable, ALoginInNoLineMayUseNothing) {
  const LoginTable logins = table({{"alice", "*"}, {"*@example.org", "%d"}});
  for (const std::string_view login : {"bob", "", "al", "alicex", "bob@example.net", "*", "*@*",
                                       "*@example.org@example.net", "@example.org"})
    EXPECT_THAT(lines_for(logins, login), IsEmpty()) << login;
  EXPECT_THAT(lines_for(LoginTable(), "alice"), IsEmpty());
}

TEST(LoginTable, LoginsOfStrangersAreNoPatterns) {
  const LoginTable logins = table({{"*@*", "b.example"}, {"*@.org", "c.example"}});
  for (const std::string_view login : {"*", "@*", "@.org", "@.example.org", "=", "=@*", "*@*"})
    EXPECT_THAT(lines_for(logins, login), IsEmpty()) << login;
}

TEST(LoginTable, CaseAndSpellingOfDomainsDoNotCount) {
  const LoginTable logins = table({{"Alice@EXAMPLE.org", "a.example"},
                                   {"*@b\xC3\xBC"
                                    "cher.example",
                                    "b.example"},
                                   {"Robot", "c.example"}});
  EXPECT_TRUE(may(logins, "aLICE@example.ORG.", "X@A.example"));
  EXPECT_TRUE(may(logins, "bob@xn--bcher-kva.example", "x@b.example"));
  EXPECT_TRUE(may(logins,
                  "bob@B\xC3\x9C"
                  "CHER.example",
                  "x@b.example"));
  EXPECT_TRUE(may(logins, "ROBOT", "x@c.example"));
}

// --- what a login may use ------------------------------------------------------------------------

TEST(LoginTable, AnAddressIsThatAddressAlone) {
  const LoginTable logins = everybody("shop@example.org");
  EXPECT_TRUE(may(logins, "a", "shop@example.org"));
  EXPECT_TRUE(may(logins, "a", "SHOP@example.org"));
  EXPECT_FALSE(may(logins, "a", "shops@example.org"));
  EXPECT_FALSE(may(logins, "a", "shop@www.example.org"));
  EXPECT_FALSE(may(logins, "a", "shop@example.net"));
}

TEST(LoginTable, ADomainIsAllItsAddressesAndNothingBelow) {
  for (const std::string_view senders : {"example.org", "*@example.org", "@example.org"}) {
    const LoginTable logins = everybody(senders);
    EXPECT_TRUE(may(logins, "a", "any@example.org")) << senders;
    EXPECT_FALSE(may(logins, "a", "any@www.example.org")) << senders;
    EXPECT_FALSE(may(logins, "a", "any@badexample.org")) << senders;
    EXPECT_FALSE(may(logins, "a", "any@org")) << senders;
  }
}

TEST(LoginTable, ADotInFrontIsAllThatIsBelow) {
  for (const std::string_view senders : {".example.org", "*.example.org", "*@*.example.org"}) {
    const LoginTable logins = everybody(senders);
    EXPECT_TRUE(may(logins, "a", "any@www.example.org")) << senders;
    EXPECT_TRUE(may(logins, "a", "any@a.b.example.org")) << senders;
    EXPECT_FALSE(may(logins, "a", "any@example.org")) << senders;
    EXPECT_FALSE(may(logins, "a", "any@badexample.org")) << senders;
  }
  EXPECT_TRUE(may(everybody("example.org, .example.org"), "a", "any@example.org"));
}

TEST(LoginTable, AStarInALocalPartStandsForAnyOctets) {
  const LoginTable logins = everybody("alice+*@example.org postmaster@*");
  EXPECT_TRUE(may(logins, "a", "alice+list@example.org"));
  EXPECT_FALSE(may(logins, "a", "alice@example.org"));
  EXPECT_FALSE(may(logins, "a", "malice+list@example.org"));
  EXPECT_TRUE(may(logins, "a", "postmaster@any.example"));
}

TEST(LoginTable, OneLineServesAHostingCompany) {
  const LoginTable logins = table({{"*@*", "%d"}});
  EXPECT_TRUE(may(logins, "alice@one.example", "shop@one.example"));
  EXPECT_FALSE(may(logins, "alice@one.example", "shop@two.example"));
  EXPECT_FALSE(may(logins, "alice@one.example", "shop@www.one.example"));
  EXPECT_TRUE(may(table({{"*@*", "%d,.%d"}}), "alice@one.example", "shop@www.one.example"));
  EXPECT_TRUE(may(table({{"*@*", "bounces@%d"}}), "alice@one.example", "bounces@one.example"));
  EXPECT_FALSE(may(table({{"*@*", "bounces@%d"}}), "alice@one.example", "alice@one.example"));
  EXPECT_TRUE(may(logins,
                  "alice@b\xC3\xBC"
                  "cher.example",
                  "a@xn--bcher-kva.example"));
}

TEST(LoginTable, TheLoginItselfIsAnAddressOrItsLocalPart) {
  const LoginTable itself = table({{"*", "%s"}});
  EXPECT_TRUE(may(itself, "alice@one.example", "Alice@one.example"));
  EXPECT_FALSE(may(itself, "alice@one.example", "bob@one.example"));
  EXPECT_FALSE(may(itself, "alice", "alice@one.example"));
  const LoginTable at_home = everybody("%s@example.org");
  EXPECT_TRUE(may(at_home, "alice", "ALICE@example.org"));
  EXPECT_FALSE(may(at_home, "alice", "bob@example.org"));
  EXPECT_FALSE(may(at_home, "alice@one.example", "alice@example.org"));
}

TEST(LoginTable, AStarInALoginIsNoWildcard) {
  const LoginTable at_home = everybody("%s@example.org");
  EXPECT_FALSE(may(at_home, "*", "victim@example.org"));
  EXPECT_FALSE(may(at_home, "", "victim@example.org"));
  EXPECT_FALSE(may(everybody("%s"), "*@example.org", "victim@example.org"));
}

TEST(LoginTable, DomainsOfLoginsThatHaveNoneMatchNothing) {
  for (const std::string_view senders : {"%d", ".%d", "any@%d", "%s"})
    for (const std::string_view login : {"alice", "", "alice@a.example@b.example", "alice@"})
      EXPECT_FALSE(may(everybody(senders), login, "any@b.example")) << senders << " " << login;
}

TEST(LoginTable, EverythingIsEverything) {
  for (const std::string_view senders : {"*", "*@*"}) {
    const LoginTable logins = table({{"robot", senders}});
    EXPECT_TRUE(may(logins, "robot", "any@any.example"));
    EXPECT_TRUE(logins.find(Login::parse("robot"))[0]->allows_everything());
  }
  EXPECT_FALSE(everybody("a@*, %d, x.example").find(Login())[0]->allows_everything());
}

TEST(LoginTable, WithoutATableALoginMayUseItsOwnDomain) {
  const LoginTable logins = LoginTable::own_domains();
  EXPECT_TRUE(may(logins, "alice@one.example", "shop@one.example"));
  EXPECT_FALSE(may(logins, "alice@one.example", "shop@two.example"));
  EXPECT_TRUE(may(logins, "alice", "shop@two.example")) << "nothing can be told from such a login";
}

// --- what cannot be read -------------------------------------------------------------------------

TEST(LoginTable, SaysWhatIsNoLogin) {
  const std::string long_login(2'000, 'a');
  for (const std::string_view login :
       {std::string_view(), std::string_view("al*ce"), std::string_view("*@exa*ple.org"),
        std::string_view("**"), std::string_view("*@"), std::string_view("*@."),
        std::string_view("*@a..b"), std::string_view("a*@b.example"),
        std::string_view(long_login)}) {
    LoginTable logins;
    const auto error = logins.add(login, "%d", {"logins", 1});
    ASSERT_TRUE(error) << login;
    EXPECT_THAT(*error, HasSubstr("is no login"));
    EXPECT_EQ(logins.size(), 0U);
  }
}

TEST(LoginTable, SaysWhatIsNoSender) {
  const std::string long_domain(2'000, 'a');
  for (const std::string& bad :
       {std::string("%u"), std::string("%u@example.org"), std::string("a..b"), std::string("a@"),
        std::string("a@%s"), std::string("x%sy@example.org"), std::string("a@exa*mple.org"),
        std::string("."), std::string("\"a"), std::string("%d.example"), std::string("a@b@"),
        long_domain}) {
    LoginTable logins;
    const auto error = logins.add("alice", "a.example, " + bad + " b.example", {"logins", 1});
    ASSERT_TRUE(error) << bad;
    EXPECT_THAT(*error, HasSubstr("'" + bad + "' is neither an address nor a domain"));
    EXPECT_TRUE(may(logins, "alice", "x@a.example")) << bad;
    EXPECT_TRUE(may(logins, "alice", "x@b.example")) << bad;
  }
}

TEST(LoginTable, ALineThatAllowsNothingStaysSoThatNoOtherCounts) {
  for (const std::string_view senders : {"", " , ,", "%u"}) {
    LoginTable logins = LoginTable::own_domains();
    EXPECT_TRUE(logins.add("mallory@one.example", senders, {"logins", 1})) << senders;
    EXPECT_FALSE(may(logins, "mallory@one.example", "mallory@one.example")) << senders;
    EXPECT_TRUE(may(logins, "alice@one.example", "mallory@one.example"));
  }
}

}  // namespace
}  // namespace countersign::mailflow
