// SPDX-License-Identifier: Apache-2.0
//
// Valid signatures that the operator does not take.

#include "countersign/mailflow/signature_policy.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace countersign::mailflow {
namespace {

using dkim::Reason;
using dkim::Result;

dkim::SignatureResult passed(const char* sdid, std::vector<std::string> signed_fields) {
  dkim::SignatureResult result;
  result.result = Result::pass;
  result.signature = dkim::Signature{.sdid = *DomainName::parse(sdid),
                                     .selector = *DomainName::parse("s"),
                                     .signed_fields = std::move(signed_fields)};
  return result;
}

DomainSet domains(const char* entry) {
  DomainSet set;
  EXPECT_EQ(set.entries.add(entry, {}), HostList::Added::as_name);
  return set;
}

class SignaturePolicyTest : public testing::Test {
 protected:
  SignaturePolicyTest() {
    verdict_.authorship.author_domain = *DomainName::parse("mail.example.org");
    for (const char* field : {"From: a@mail.example.org", "Subject : b", "to: c", "To: d"})
      header_.emplace_back(field);
  }

  dkim::SignatureResult apply(dkim::SignatureResult signature) {
    verdict_.signatures = {std::move(signature)};
    apply_signature_policy(policy_, header_, verdict_);
    return verdict_.signatures.front();
  }

  SignaturePolicy policy_;
  Header header_;
  Verdict verdict_;
};

TEST_F(SignaturePolicyTest, TakesEverythingByItself) {
  EXPECT_TRUE(apply(passed("other.example", {"from"})).covers_body());
}

TEST_F(SignaturePolicyTest, S26TakesNoSignatureUnderAnAuthorThatWasAdded) {
  dkim::SignatureResult replayed = passed("mail.example.org", {"from"});
  replayed.added_fields = {"From", "Subject"};
  const auto result = apply(replayed);
  EXPECT_EQ(result.result, Result::policy);
  EXPECT_EQ(result.reason, Reason::field_not_signed);
  replayed.added_fields = {"Subject"};
  EXPECT_EQ(apply(replayed).result, Result::pass);
}

TEST_F(SignaturePolicyTest, WantsFieldsSignedAsOftenAsTheyAreThere) {
  policy_.fields_to_be_signed = {"Date", "SUBJECT", "To"};
  const auto all = apply(passed("mail.example.org", {"from", "subject", "to", "To"}));
  EXPECT_TRUE(all.covers_body());
  for (const auto& names : {std::vector<std::string>{"from", "subject", "to"},
                            std::vector<std::string>{"from", "to", "to", "date"}}) {
    const auto result = apply(passed("mail.example.org", names));
    EXPECT_EQ(result.result, Result::policy);
    EXPECT_EQ(result.reason, Reason::field_not_signed);
    EXPECT_EQ(result.detail, names.size() == 3 ? "To is not signed" : "SUBJECT is not signed");
    EXPECT_FALSE(result.covers_body());
  }
}

TEST_F(SignaturePolicyTest, TakesThirdPartiesThatAreNamed) {
  policy_.third_parties = domains(".list.example");
  for (const char* sdid :
       {"mail.example.org", "example.org", "a.mail.example.org", "a.list.example"})
    EXPECT_EQ(apply(passed(sdid, {"from"})).result, Result::pass) << sdid;
  for (const char* sdid : {"other.example.org", "list.example.net", "forger.example"}) {
    const auto result = apply(passed(sdid, {"from"}));
    EXPECT_EQ(result.result, Result::policy) << sdid;
    EXPECT_EQ(result.reason, Reason::third_party) << sdid;
  }
}

TEST_F(SignaturePolicyTest, AnAuthorWhoIsUncertainMakesEverySignerAThirdParty) {
  policy_.third_parties = domains("list.example");
  verdict_.authorship.author_domain.reset();
  EXPECT_EQ(apply(passed("mail.example.org", {"from"})).reason, Reason::third_party);
  EXPECT_EQ(apply(passed("list.example", {"from"})).result, Result::pass);
}

TEST_F(SignaturePolicyTest, LeavesWhatDidNotPassAsItIs) {
  policy_.third_parties = domains("list.example");
  policy_.fields_to_be_signed = {"Subject"};
  dkim::SignatureResult failed = passed("forger.example", {"from"});
  failed.result = Result::fail;
  failed.reason = Reason::signature_mismatch;
  EXPECT_EQ(apply(failed).reason, Reason::signature_mismatch);
  dkim::SignatureResult unread;
  unread.result = Result::permerror;
  unread.reason = Reason::bad_signature_field;
  EXPECT_EQ(apply(unread).reason, Reason::bad_signature_field);
}

}  // namespace
}  // namespace countersign::mailflow
