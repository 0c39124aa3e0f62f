// SPDX-License-Identifier: Apache-2.0
//
// The author of a message, and all the ways to make readers disagree about him.

#include "countersign/message/author.hpp"

#include <gtest/gtest.h>

#include <ostream>
#include <string>
#include <vector>

#include "tests/support/exact.hpp"

namespace countersign {

static void PrintTo(const AuthorError& error, std::ostream* out) {
  *out << to_string(error.code) << " at " << error.offset;
}

namespace {

using std::string_literals::operator""s;
using enum AuthorErrorCode;

// The mailboxes as "local part|domain" in their order, or the error in words.
std::vector<std::string> shown(const Result<std::vector<Mailbox>, AuthorError>& result) {
  if (!result) return {testing::PrintToString(result.error())};
  std::vector<std::string> mailboxes;
  for (const Mailbox& mailbox : *result)
    mailboxes.push_back(mailbox.local_part + '|' + mailbox.domain.text());
  return mailboxes;
}

void ok(std::string_view value, const std::vector<std::string>& mailboxes) {
  const auto copy = test::exact(value);
  EXPECT_EQ(shown(parse_mailbox_list(copy.view())), mailboxes) << value;
}

void bad(std::string_view value, AuthorErrorCode code, std::size_t offset) {
  const auto copy = test::exact(value);
  const auto result = parse_mailbox_list(copy.view());
  ASSERT_FALSE(result.has_value()) << value << ": " << testing::PrintToString(shown(result));
  EXPECT_EQ(result.error(), (AuthorError{code, offset})) << value;
}

TEST(MailboxList, TakesOneAddress) {
  for (const char* value :
       {"alice@example.org", " alice@example.org ", "<alice@example.org>",
        " < alice@example.org > ", "Alice <alice@example.org>", "Alice<alice@example.org>",
        "\"Alice\" <alice@example.org>", "\"Alice\"<alice@example.org>",
        "Alice \"B.\" Example <alice@example.org>", "alice@Example.ORG", "alice@example.org.",
        "\"alice\"@example.org", "\"a\\lice\"@example.org"})
    ok(value, {"alice|example.org"});
}

TEST(MailboxList, ReadsTheExamplesOfRfc5322AppendixA) {
  ok("John Doe <jdoe@machine.example>", {"jdoe|machine.example"});
  ok("\"Joe Q. Public\" <john.q.public@example.com>", {"john.q.public|example.com"});
  ok("Mary Smith <mary@x.test>, jdoe@example.org, Who? <one@y.test>",
     {"mary|x.test", "jdoe|example.org", "one|y.test"});
  ok("<boss@nil.test>, \"Giant; \\\"Big\\\" Box\" <sysservices@example.net>",
     {"boss|nil.test", "sysservices|example.net"});
  ok("A Group:Ed Jones <c@a.test>,joe@where.test,John <jdoe@one.test>;",
     {"c|a.test", "joe|where.test", "jdoe|one.test"});
  bad("Undisclosed recipients:;", no_address, 23);
  ok("Pete(A nice \\) chap) <pete(his account)@silly.test(his host)>", {"pete|silly.test"});
  ok("A Group(Some people)\r\n     :Chris Jones <c@(Chris's host.)public.example>,\r\n"
     "         joe@example.org,\r\n  John <jdoe@one.test> (my dear friend); (the end of the group)",
     {"c|public.example", "joe|example.org", "jdoe|one.test"});
  bad("(Empty list)(start)Hidden recipients  :(nobody(that I know))  ;", no_address, 62);
  ok("Joe Q. Public <john.q.public@example.com>", {"john.q.public|example.com"});
  bad("<@node.test:mary@example.net>, , jdoe@test  . example", bad_address, 1);
  bad("Mary Smith <mary@example.net>, , jdoe@test  . example", bad_address, 31);
  bad("jdoe@test  . example", bad_address, 11);
}

TEST(MailboxList, TakesCommentsAndFoldingWhereTheGrammarHasThem) {
  ok("(c)alice(c)@(c)example.org(c)", {"alice|example.org"});
  ok("(eve@example.net)\r\n alice\r\n @ (x) example.com", {"alice|example.com"});
  ok("(a (b (c)) \\( d) Alice (x) B (y) <(z)alice@example.org(w)>\t(v)", {"alice|example.org"});
  ok("\r\n Alice\r\n\t<alice@example.org>", {"alice|example.org"});
  ok("\r\n \r\n alice@example.org", {"alice|example.org"});
}

TEST(MailboxList, TakesGroupsBesideMailboxes) {
  ok("a@x.example, G: b@y.example;, c@z.example", {"a|x.example", "b|y.example", "c|z.example"});
  ok("\"a@b.example\": <c@d.example>;", {"c|d.example"});
  ok("G:a@x.example;,H:b@y.example;", {"a|x.example", "b|y.example"});
}

TEST(MailboxList, TakesPhrasesThatMisleadNobody) {
  for (const char* value :
       {"J. R. Public <a@b.example>", "[List] Alice <a@b.example>", "Alice [ext] <a@b.example>",
        ". <a@b.example>", "\"Example, Alice\" <a@b.example>", "\"a@b.example\" <a@b.example>",
        "\"c@d.example\" <a@b.example>", "\"<c@d.example>,\" <a@b.example>", "\"\" <a@b.example>",
        "O'Hara & Sons <a@b.example>"})
    ok(value, {"a|b.example"});
}

TEST(MailboxList, TakesEightBitText) {
  ok("J\xC3\xBCrgen <a@b.example>", {"a|b.example"});
  ok("J\xFCrgen <a@b.example>", {"a|b.example"});
  ok("\"J\xFCrgen\" (\xFC) <a@b.example>", {"a|b.example"});
  ok("j\xC3\xBCrgen@b.example", {"j\xC3\xBCrgen|b.example"});
  ok("\"j\xC3\xBC\"@b.example", {"j\xC3\xBC|b.example"});
  bad("j\xFC@b.example", bad_address, 0);
  bad("x <\"\xC3\"@b.example>", bad_address, 3);
}

TEST(MailboxList, TakesInternationalDomainsAsALabels) {
  ok("a@b\303\274cher.example", {"a|xn--bcher-kva.example"});
  ok("a@B\303\234CHER.example", {"a|xn--bcher-kva.example"});
  ok("a@XN--bcher-KVA.example", {"a|xn--bcher-kva.example"});
  bad("a@b\374cher.example", bad_domain, 2);
  bad("a@b.exa\xE2\x80\x8Bmple", bad_domain, 4);
}

TEST(MailboxList, TakesOddLocalParts) {
  ok("a..b.@c.example", {"a..b.|c.example"});
  ok(".a@c.example", {".a|c.example"});
  ok("!#$%&'*+-/=?^_`{|}~@c.example", {"!#$%&'*+-/=?^_`{|}~|c.example"});
  ok("\"a b\"@c.example", {"a b|c.example"});
  ok("\"a\\\"b\\\\\"@c.example", {"a\"b\\|c.example"});
  ok("\"a\r\n b\"@c.example", {"a b|c.example"});
}

TEST(MailboxList, KeepsTheCaseOfALocalPart) { ok("Alice@EXAMPLE.org", {"Alice|example.org"}); }

TEST(MailboxList, JudgesAQuotedLocalPartByTheDomainBehindIt) {
  ok("\"Someone <a@junk.example>\"@mine.example", {"Someone <a@junk.example>|mine.example"});
  ok("<\"a@junk.example\"@mine.example>", {"a@junk.example|mine.example"});
  ok("\"a@junk.example> \"@mine.example", {"a@junk.example> |mine.example"});
}

TEST(MailboxList, TakesAnAddressThatRepeatsItself) {
  ok("a@b.example <a@b.example>", {"a|b.example"});
  ok("a@B.example<a@b.Example> (x), c@d.example", {"a|b.example", "c|d.example"});
  bad("a@b.example <c@b.example>", bad_address, 12);
  bad("a@b.example <a@d.example>", bad_address, 12);
  bad("a@b.example <A@b.example>", bad_address, 12);
  bad("\"a@b.example\"@c.example <a@b.example>", bad_address, 24);
  bad("a@b.example <>", no_address, 13);
  bad("a@b.example <a@b.example> <a@b.example>", bad_address, 26);
}

TEST(MailboxList, TakesEncodedWordsForText) {
  ok("=?utf-8?q?Alice_=3Cx=40example=2Enet=3E?= <alice@example.com>", {"alice|example.com"});
  ok("=?utf-8?b?PGVAZXhhbXBsZS5uZXQ+?= <alice@example.com>", {"alice|example.com"});
  bad("=?utf-8?b?PGVAZXhhbXBsZS5uZXQ+?=", bad_address, 32);
  bad("=?utf-8?b?ZUBleGFtcGxlLm5ldA==?=@example.com", bad_address, 0);
  bad("<\"=?utf-8?q?e=40example=2Enet?=\"@example.com>", bad_address, 1);
  bad("=?utf-8?q?e@example.net?= <alice@example.com>", bad_domain, 20);
  ok("a=?b@example.com", {"a=?b|example.com"});
  ok("a=?=b@example.com", {"a=?=b|example.com"});
}

TEST(MailboxList, RefusesTextThatIsNoList) {
  bad("Alice", bad_address, 5);
  bad("alice@", bad_domain, 6);
  bad("@example.org", bad_address, 0);
  bad("a@b.example>", bad_address, 11);
  bad("<a@b.example", bad_address, 12);
  bad("<a@b.example>>", bad_address, 13);
  bad("<<a@b.example>>", bad_address, 1);
  bad("<a@b.example> x", bad_address, 14);
  bad("<a@b.example> <c@d.example>", bad_address, 14);
  bad("<a@b.example><c@d.example>", bad_address, 13);
  bad("a@b.example c@d.example", bad_address, 12);
  bad("a@b.example@c.example", bad_address, 11);
  bad("<a@b.example@c.example>", bad_address, 12);
  bad("a@b.example; c@d.example", bad_address, 11);
  bad("a@b.example;", bad_address, 11);
  bad("Alice Example alice@b.example", bad_address, 19);
  bad("a\\@b.example", bad_address, 1);
  bad("\"a\"b@c.example", bad_address, 4);
  bad("a\"b\"@c.example", bad_address, 4);
  bad("\"a\".\"b\"@c.example", bad_address, 7);
  bad("a . b@c.example", bad_address, 5);
  bad("<a b@c.example>", bad_address, 3);
  bad("[a]@c.example", bad_address, 3);
  bad("<[a]@c.example>", bad_address, 1);
  bad("\"\"@c.example", bad_address, 0);
}

TEST(MailboxList, RefusesWhatIsNotClosed) {
  bad("\"Alice <a@b.example>", bad_address, 20);
  bad("Alice (x <a@b.example>", bad_address, 22);
  bad("a@b.example (", bad_address, 13);
  bad("a@b.example )", bad_address, 12);
  bad("\"a\\", bad_address, 3);
  bad("G: a@b.example", bad_address, 14);
  bad("G: a@b.example, ;", bad_address, 16);
}

TEST(MailboxList, RefusesRoutes) {
  bad("<@a.example:b@c.example>", bad_address, 1);
  bad("<@a.example,@b.example:c@d.example>", bad_address, 1);
  bad("X <,@a.example:b@c.example>", bad_address, 3);
}

TEST(MailboxList, RefusesEmptyMembersAndNestedGroups) {
  bad(",a@b.example", bad_address, 0);
  bad("a@b.example,", bad_address, 12);
  bad("a@b.example,,c@d.example", bad_address, 12);
  bad("G: H: a@b.example;;", bad_address, 4);
  bad(": a@b.example;", bad_address, 0);
  bad("G: a@b.example; x", bad_address, 16);
}

TEST(MailboxList, NeedsAnAddress) {
  bad("", no_address, 0);
  bad(" \r\n ", no_address, 4);
  bad("(a@b.example)", no_address, 13);
  bad("<>", no_address, 1);
  bad("Mailer < >", no_address, 9);
  bad("G:;", no_address, 2);
  bad("a@b.example, G:;", no_address, 15);
}

TEST(MailboxList, RefusesWhatIsNoDomainName) {
  bad("a@[192.0.2.1]", bad_domain, 2);
  bad("<a@ [IPv6:::1]>", bad_domain, 4);
  bad("a@b..example", bad_domain, 4);
  bad("a@.example", bad_domain, 2);
  bad("a@(x)", bad_domain, 5);
  bad("a@b!c.example", bad_domain, 2);
  bad("a@\"b.example\"", bad_domain, 2);
  bad("ok@b.example, a@c.b!d", bad_domain, 18);
  bad("a@" + std::string(64, 'x'), bad_domain, 2);
}

TEST(MailboxList, RefusesTextBehindAPartOfADomain) {
  bad("a@b.example .c.example", bad_address, 12);
  bad("a@b.example(x).c.example", bad_address, 14);
  bad("a@b (x) .example", bad_address, 8);
  bad("<a@b.example (c.example>", bad_address, 24);
}

TEST(MailboxList, RefusesControlCharactersEverywhere) {
  const std::string contexts[] = {"a#b@c.example",   "a@c#.example",      "\"#\" <a@c.example>",
                                  "(#) a@c.example", "\"\\#\"@c.example", "a@c.example#"};
  for (const std::string& context : contexts) {
    for (unsigned octet = 0; octet < 256; ++octet) {
      const bool control = (octet < 32 && octet != '\t') || octet == 127;
      std::string value = context;
      value[context.find('#')] = static_cast<char>(octet);
      const auto result = parse_mailbox_list(test::exact(value).view());
      const bool refused =
          !result && result.error() == AuthorError{control_character, context.find('#')};
      EXPECT_EQ(refused, control) << context << ' ' << octet;
    }
  }
}

TEST(MailboxList, RefusesLineEndsThatAreNoFolding) {
  bad("a@b.example\r\n", control_character, 11);
  bad("a@b.example\r\nx", control_character, 11);
  bad("a@b.example\n (x)", control_character, 11);
  bad("a@b.example\r (x)", control_character, 11);
  bad("a@b.example \r\n \n ", control_character, 15);
  bad("a@b.example \r\r\n ", control_character, 12);
  bad("a@b.example\0.c.example"s, control_character, 11);
}

TEST(MailboxList, BoundsMailboxesAndComments) {
  const Limits limits{.comment_depth_max = 2, .mailboxes_max = 2};
  EXPECT_TRUE(parse_mailbox_list("a@b,c@d", limits).has_value());
  EXPECT_EQ(parse_mailbox_list("a@b,c@d,e@f", limits).error(),
            (AuthorError{too_many_addresses, 11}));
  EXPECT_EQ(parse_mailbox_list("a@b,G:c@d,e@f;", limits).error(),
            (AuthorError{too_many_addresses, 13}));
  EXPECT_TRUE(parse_mailbox_list("((x))a@b", limits).has_value());
  EXPECT_EQ(parse_mailbox_list("(((x)))a@b", limits).error(), (AuthorError{bad_address, 2}));
}

TEST(MailboxList, TakesLongTextInItsStride) {
  const std::size_t size = 1'000'000;
  bad(std::string(size, '('), bad_address, 32);
  bad(std::string(size, 'a'), bad_address, size);
  bad(std::string(size, '"'), bad_address, size);
  bad(std::string(size, '<'), bad_address, 1);
  bad(std::string(size, '@'), bad_address, 0);
  std::string many;
  for (std::size_t i = 0; i < size / 4; ++i) many += "a@b,";
  bad(many, too_many_addresses, 4'003);
}

TEST(FirstMailbox, GivesTheFirstOfAGoodList) {
  const auto mailbox = first_mailbox("A <a@B.example>, c@d.example");
  ASSERT_TRUE(mailbox.has_value());
  EXPECT_EQ(mailbox->address(), "a@b.example");
  EXPECT_EQ(first_mailbox("G: a@b.example;")->address(), "a@b.example");
}

TEST(FirstMailbox, RefusesAListThatGoesBadLater) {
  EXPECT_EQ(first_mailbox("a@b.example, c@[x]").error(), (AuthorError{bad_domain, 15}));
  EXPECT_EQ(first_mailbox("").error(), (AuthorError{no_address, 0}));
}

TEST(Mailbox, ShowsItsAddressAsTablesMatchIt) {
  const auto mailbox = first_mailbox("\"A b\"@B\303\274cher.Example");
  ASSERT_TRUE(mailbox.has_value());
  EXPECT_EQ(mailbox->address(), "A b@xn--bcher-kva.example");
}

// The authors of a message with these fields.
std::vector<std::string> authors(const std::vector<std::string>& fields) {
  Header header;
  for (const std::string& field : fields) header.emplace_back(field);
  return shown(find_authors(header));
}

std::vector<std::string> error(AuthorErrorCode code, std::size_t offset = 0) {
  return {testing::PrintToString(AuthorError{code, offset})};
}

TEST(Authors, AreThoseOfTheOnlyFromField) {
  EXPECT_EQ(authors({"To: x@y.example", "fROM: a@b.example, c@d.example", "Subject: z"}),
            (std::vector<std::string>{"a|b.example", "c|d.example"}));
  EXPECT_EQ(authors({"From:a@b.example"}), std::vector<std::string>{"a|b.example"});
}

TEST(Authors, AreNotTakenFromOtherFields) {
  EXPECT_EQ(authors({}), error(missing_from));
  for (const char* field :
       {"Sender: a@b.example", "Resent-From: a@b.example", "Reply-To: a@b.example",
        "X-From: a@b.example", "From-: a@b.example", "Fro: m", "Fromm: a@b.example",
        "Subject: x\r\n From: a@b.example", ": From: a@b.example", "From a@b.example 12:00",
        ">From: a@b.example", "Fr\xC3\xB6m: a@b.example"})
    EXPECT_EQ(authors({field}), error(missing_from)) << field;
}

// Every spelling that some reader takes for From.
const char* const odd_spellings[] = {"From : a@b.example",
                                     "From\t: a@b.example",
                                     "from\r\n : a@b.example",
                                     " From: a@b.example",
                                     "\tfrom: a@b.example",
                                     "\nFrom: a@b.example",
                                     "F\x01rom: a@b.example",
                                     "From\x7f: a@b.example",
                                     "\357\273\277From: a@b.example",
                                     "From"};

TEST(Authors, AreUnclearWithTwoFromFields) {
  const std::string plain = "From: a@b.example";
  EXPECT_EQ(authors({plain, plain}), error(repeated_from));
  EXPECT_EQ(authors({plain, "FROM: c@d.example"}), error(repeated_from));
  for (const char* odd : odd_spellings) {
    EXPECT_EQ(authors({plain, odd}), error(repeated_from)) << odd;
    EXPECT_EQ(authors({odd, plain}), error(repeated_from)) << odd;
    EXPECT_EQ(authors({odd, odd}), error(repeated_from)) << odd;
  }
  EXPECT_EQ(authors({"From\0: c@d.example"s, plain}), error(repeated_from));
}

TEST(Authors, AreUnclearWhenTheOnlyFromIsOddlySpelled) {
  for (const char* odd : odd_spellings)
    EXPECT_EQ(authors({odd, "Sender: c@d.example"}), error(ambiguous_from)) << odd;
}

TEST(Authors, AreUnclearWhenTheValueIs) {
  EXPECT_EQ(authors({"From: a@b.example>"}), error(bad_address, 12));
  EXPECT_EQ(authors({"From:"}), error(no_address));
  EXPECT_EQ(authors({"From: a@b.example\nTo: c@d.example"}), error(control_character, 12));
}

TEST(AuthorErrorCode, IsExplained) {
  for (const auto code : {missing_from, repeated_from, ambiguous_from, no_address, bad_address,
                          bad_domain, control_character, too_many_addresses})
    EXPECT_NE(to_string(code), "unknown");
}

}  // namespace
}  // namespace countersign
