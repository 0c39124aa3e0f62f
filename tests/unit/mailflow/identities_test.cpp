// SPDX-License-Identifier: Apache-2.0
//
// From an author to keys: the rules of KeyTable and SigningTable line by line, and the single key.

#include "countersign/mailflow/identities.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "tests/support/signing.hpp"

namespace countersign::mailflow {
namespace {

using test::key_entry;
using test::name;
using test::signing_table;
using testing::ElementsAre;
using testing::IsEmpty;
using Kind = SigningTable::Kind;

Mailbox author(std::string_view address) {
  const std::size_t at = address.rfind('@');
  return {.local_part = std::string(address.substr(0, at)), .domain = name(address.substr(at + 1))};
}

/// A policy with the lines in a table of patterns, and with keys k1 and k2 of example.org, kn for
/// every domain.
Policy policy_with(const std::vector<std::string>& lines) {
  Policy policy;
  policy.multiple_signatures = true;
  policy.key_table.add(key_entry("k1", "example.org", "s1", 1));
  policy.key_table.add(key_entry("k2", "example.org", "s2", 2));
  policy.key_table.add(key_entry("kn", "%", "s3", 3));
  policy.signing_table = signing_table(Kind::patterns, lines);
  return policy;
}

/// What would sign: "s1._domainkey.example.org i=…".
std::vector<std::string> signers(const Policy& policy, std::string_view address) {
  std::vector<std::string> result;
  for (const dkim::SigningIdentity& one : find_identities(policy, author(address)).chosen)
    result.push_back(one.selector.text() + "._domainkey." + one.sdid.text() +
                     (one.auid.empty() ? "" : " i=" + one.auid));
  return result;
}

std::vector<Reason> reasons(const Policy& policy, std::string_view address) {
  std::vector<Reason> result;
  for (const Explanation& why : find_identities(policy, author(address)).reasons)
    result.push_back(why.reason);
  return result;
}

TEST(FindIdentities, EveryMatchingLineSigns) {
  Policy policy = policy_with({"*@example.org k1", "*@example.org k2", "*@* kn"});
  EXPECT_THAT(signers(policy, "a@example.org"),
              ElementsAre("s1._domainkey.example.org", "s2._domainkey.example.org",
                          "s3._domainkey.example.org"))
      << "OpenDKIM loses all but the first and the last";
  policy.multiple_signatures = false;
  EXPECT_THAT(signers(policy, "a@example.org"), ElementsAre("s1._domainkey.example.org"));
}

TEST(FindIdentities, SaysWhichLineMatched) {
  const auto found =
      find_identities(policy_with({"*@b k1", "*@example.org k1"}), author("a@example.org"));
  EXPECT_THAT(found.reasons,
              ElementsAre(Explanation{Reason::line_matches, "a@example.org", Place{"table", 2}}));
  EXPECT_FALSE(found.has_error);
}

TEST(FindIdentities, NoLineNoSignature) {
  const Policy policy = policy_with({"*@example.org k1"});
  EXPECT_THAT(signers(policy, "a@example.net"), IsEmpty());
  EXPECT_THAT(reasons(policy, "a@example.net"), ElementsAre(Reason::no_line_matches));
  EXPECT_FALSE(find_identities(policy, author("a@example.net")).has_error);
}

TEST(FindIdentities, ADomainOfItsOwnSignsForOthersThroughTheTable) {
  const Policy policy = policy_with({"*@customer.example k1"});
  EXPECT_THAT(signers(policy, "a@customer.example"), ElementsAre("s1._domainkey.example.org"));
}

TEST(FindIdentities, APercentSignIsTheAuthorsDomain) {
  Policy policy = policy_with({"* kn"});
  EXPECT_THAT(signers(policy, "a@Mail.Example.NET"), ElementsAre("s3._domainkey.mail.example.net"));

  policy = policy_with({"* %"});
  policy.key_table.add(key_entry("example.net", "%", "s4", 4));
  EXPECT_THAT(signers(policy, "a@example.net"), ElementsAre("s4._domainkey.example.net"));
  EXPECT_THAT(reasons(policy, "a@example.com"),
              ElementsAre(Reason::line_matches, Reason::unknown_key));
}

TEST(FindIdentities, AKeyPathWithAPercentSignHasAKeyForEachDomain) {
  Policy policy = policy_with({"* many"});
  KeyEntry many = key_entry("many", "%", "s1");
  many.key =
      std::unordered_map<std::string, crypto::PrivateKey>{{"example.net", test::ed25519_key(7)}};
  policy.key_table.add(std::move(many));

  const auto found = find_identities(policy, author("a@example.net"));
  ASSERT_EQ(found.chosen.size(), 1U);
  EXPECT_EQ(found.chosen[0].key.public_octets(), test::ed25519_key(7).public_octets());

  const auto missing = find_identities(policy, author("a@example.com"));
  EXPECT_TRUE(missing.has_error);
  EXPECT_THAT(missing.chosen, IsEmpty());
  EXPECT_EQ(missing.reasons.back().reason, Reason::no_key_for_domain);
  EXPECT_EQ(missing.reasons.back().detail, "example.com");
}

TEST(FindIdentities, AnUnknownKeyIsAnErrorThatNamesItsLine) {
  const auto found = find_identities(policy_with({"* K1", "* k1"}), author("a@example.org"));
  EXPECT_TRUE(found.has_error) << "key names are case-sensitive";
  EXPECT_THAT(found.reasons,
              testing::Contains(Explanation{Reason::unknown_key, "K1", Place{"table", 1}}));
  EXPECT_EQ(found.chosen.size(), 1U) << "the other line is not lost";
}

TEST(FindIdentities, ASignerIsWrittenWithTheAuthorsDomain) {
  EXPECT_THAT(signers(policy_with({"* kn:list@%"}), "a@example.net"),
              ElementsAre("s3._domainkey.example.net i=list@example.net"));
  EXPECT_THAT(signers(policy_with({"* kn:@%"}), "a@example.net"),
              ElementsAre("s3._domainkey.example.net i=@example.net"));
  EXPECT_THAT(signers(policy_with({"* k1:%@a.%"}), "a@example.org"),
              ElementsAre("s1._domainkey.example.org i=example.org@a.example.org"));
}

TEST(FindIdentities, ASignerOutsideOfTheSigningDomainIsLeftOut) {  // RFC 6376 §3.5
  for (const char* line : {"* k1:a@example.net", "* k1:a@badexample.org", "* k1:a@org", "* k1:a@",
                           "* k1:a@..", "* k1:@example.org@x"}) {
    const Policy policy = policy_with({line});
    EXPECT_THAT(signers(policy, "a@example.org"), ElementsAre("s1._domainkey.example.org")) << line;
    EXPECT_THAT(reasons(policy, "a@example.org"),
                ElementsAre(Reason::line_matches, Reason::signer_outside))
        << line;
    EXPECT_FALSE(find_identities(policy, author("a@example.org")).has_error);
  }
}

TEST(FindIdentities, ASignerWithoutAnAtIsAnError) {
  const auto found = find_identities(policy_with({"* k1:joe"}), author("a@example.org"));
  EXPECT_TRUE(found.has_error);
  EXPECT_THAT(found.chosen, IsEmpty());
  EXPECT_EQ(found.reasons.back().reason, Reason::bad_signer);
}

TEST(FindIdentities, NoDomainAndSelectorSignTwice) {
  Policy policy = policy_with({"* k1", "* k2", "a@* k1", "* kn", "*@example.org kn"});
  EXPECT_THAT(signers(policy, "a@example.org"),
              ElementsAre("s1._domainkey.example.org", "s2._domainkey.example.org",
                          "s3._domainkey.example.org"));
  EXPECT_THAT(reasons(policy, "a@example.org"), testing::Contains(Reason::same_identity).Times(2));
}

TEST(FindIdentities, SignaturesAreBounded) {
  Policy policy = policy_with({"* k1", "* k2", "* kn"});
  policy.limits.signatures_made_max = 2;
  EXPECT_EQ(signers(policy, "a@example.org").size(), 2U);
  EXPECT_EQ(reasons(policy, "a@example.org").back(), Reason::too_many);
}

TEST(FindIdentities, CarryTheSettingsOfThePolicy) {
  Policy policy = policy_with({"* k1"});
  policy.header_canonicalization = dkim::Canonicalization::simple;
  policy.body_canonicalization = dkim::Canonicalization::simple;
  policy.signature_lifetime = std::chrono::hours{1};
  policy.copies_fields = true;
  policy.requests_reports = true;
  policy.fields.oversign = {"X-A"};
  const auto found = find_identities(policy, author("a@example.org"));
  ASSERT_EQ(found.chosen.size(), 1U);
  const dkim::SigningIdentity& made = found.chosen[0];
  EXPECT_EQ(made.header_canonicalization, dkim::Canonicalization::simple);
  EXPECT_EQ(made.body_canonicalization, dkim::Canonicalization::simple);
  EXPECT_EQ(made.lifetime, std::chrono::hours{1});
  EXPECT_EQ(made.body_length_max, std::nullopt);
  EXPECT_TRUE(made.copies_fields);
  EXPECT_TRUE(made.requests_reports);
  EXPECT_THAT(made.fields.oversign, ElementsAre("X-A"));
}

// --- the single key ------------------------------------------------------------------------------

Policy single_key_policy(const std::vector<std::string>& domains) {
  Policy policy;
  policy.single_key = SingleKey{.domains = {},
                                .selector = name("s1"),
                                .key = test::ed25519_key(),
                                .place = {"opendkim.conf", 9}};
  for (const std::string& domain : domains) {
    if (domain == "*")
      policy.single_key->domains.all = true;
    else
      policy.single_key->domains.entries.add(domain, {});
  }
  return policy;
}

TEST(SingleKey, SignsForItsDomains) {
  const Policy policy = single_key_policy({"example.org", "example.net"});
  EXPECT_THAT(signers(policy, "a@example.net"), ElementsAre("s1._domainkey.example.net"));
  EXPECT_THAT(signers(policy, "a@mail.example.net"), IsEmpty());
  EXPECT_THAT(reasons(policy, "a@mail.example.net"), ElementsAre(Reason::domain_not_listed));
  EXPECT_EQ(find_identities(policy, author("a@example.net")).reasons[0],
            (Explanation{Reason::domain_listed, "example.net", Place{"opendkim.conf", 9}}));
}

TEST(SingleKey, SignsForAllByAStar) {
  EXPECT_THAT(signers(single_key_policy({"*"}), "a@mail.example.net"),
              ElementsAre("s1._domainkey.mail.example.net"));
}

TEST(SingleKey, SignsForSubdomainsAsTheirListedParent) {
  Policy policy = single_key_policy({"example.org", "b.example.org"});
  policy.single_key->subdomains = true;
  EXPECT_THAT(signers(policy, "a@mail.example.org"),
              ElementsAre("s1._domainkey.example.org i=@example.org"));
  EXPECT_THAT(signers(policy, "a@x.b.example.org"),
              ElementsAre("s1._domainkey.b.example.org i=@b.example.org"));
  EXPECT_THAT(signers(policy, "a@b.example.org"), ElementsAre("s1._domainkey.b.example.org"));
  EXPECT_THAT(signers(policy, "a@badexample.org"), IsEmpty());
  EXPECT_THAT(signers(policy, "a@org"), IsEmpty());
}

TEST(SingleKey, IsUnusedWhenThereIsATable) {
  Policy policy = single_key_policy({"example.org"});
  policy.signing_table = SigningTable(Kind::keys);
  EXPECT_THAT(signers(policy, "a@example.org"), IsEmpty());
  EXPECT_FALSE(is_one_of_ours(policy, author("a@example.org")));
}

TEST(FindIdentities, WithoutTablesOrKeyNothingSigns) {
  EXPECT_THAT(reasons(Policy(), "a@example.org"), ElementsAre(Reason::no_key_at_all));
}

TEST(IsOneOfOurs, AgreesWithTheTables) {
  const Policy table = policy_with({"*@example.org missing", "*@b.example kn"});
  EXPECT_TRUE(is_one_of_ours(table, author("a@example.org")));
  EXPECT_TRUE(is_one_of_ours(table, author("a@b.example")));
  EXPECT_FALSE(is_one_of_ours(table, author("a@example.net")));
  EXPECT_FALSE(is_one_of_ours(Policy(), author("a@example.org")));
}

TEST(IsOneOfOurs, ALineForEveryoneIsAboutItsSigningDomain) {
  for (const char* pattern : {"*", "*@*"}) {
    const Policy fixed = policy_with({std::string(pattern) + " k1"});
    EXPECT_TRUE(is_one_of_ours(fixed, author("a@mail.example.org")));
    EXPECT_FALSE(is_one_of_ours(fixed, author("a@example.net")));
    const Policy any = policy_with({std::string(pattern) + " kn"});
    EXPECT_FALSE(is_one_of_ours(any, author("a@example.net")));
    const Policy missing = policy_with({std::string(pattern) + " missing"});
    EXPECT_FALSE(is_one_of_ours(missing, author("a@example.net")));
  }
}

TEST(IsOneOfOurs, AKeyForTheDomainMakesItOurs) {
  Policy policy = policy_with({"* many"});
  KeyEntry many = key_entry("many", "%", "s1");
  many.key =
      std::unordered_map<std::string, crypto::PrivateKey>{{"example.net", test::ed25519_key(7)}};
  policy.key_table.add(std::move(many));
  EXPECT_TRUE(is_one_of_ours(policy, author("a@example.net")));
  EXPECT_FALSE(is_one_of_ours(policy, author("a@example.com")));
}

TEST(IsOneOfOurs, TheSingleKeyHasItsDomains) {
  Policy single = single_key_policy({"example.org"});
  EXPECT_TRUE(is_one_of_ours(single, author("a@example.org")));
  EXPECT_FALSE(is_one_of_ours(single, author("a@b.example.org")));
  single.single_key->subdomains = true;
  EXPECT_TRUE(is_one_of_ours(single, author("a@b.example.org")));
}

}  // namespace
}  // namespace countersign::mailflow
