// SPDX-License-Identifier: Apache-2.0
//
// The checker with DNS: keys that are published, missing, somebody else's, or not to be known now.

#include "service/config/check.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "countersign/dns/zone.hpp"
#include "tests/support/keys.hpp"
#include "tests/support/memory_files.hpp"

namespace countersign::service::config {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class CheckTest : public ::testing::Test {
 protected:
  CheckTest() {
    files.add("/rsa", test::rsa_pem()).add("/ed", test::ed25519_pem());
    files.add("/etc/countersign.toml",
              "[daemon]\nsockets = \"inet:1\"\n"
              "[[signing.domain]]\nname = \"example.org\"\n"
              "keys = [\n{ selector = \"r\", file = \"/rsa\" },\n"
              "{ selector = \"e\", file = \"/ed\" }]\n");
  }

  static std::string record_of(const std::string& pem, bool testing = false) {
    const auto key = crypto::PrivateKey::parse_pem(pem, Limits());
    return dkim::format_key_record(
        {.type = key->type(), .public_octets = key->public_octets(), .testing = testing});
  }

  std::vector<std::string> told(const Source& source) {
    const LookUpKey look_up = [this](const std::string& name) {
      return zone.run(dkim::look_up_key(name, Limits()));
    };
    std::vector<std::string> texts;
    for (const Problem& problem : check(source, {files, accounts, ""}, look_up)) {
      texts.push_back(to_string(problem));
    }
    return texts;
  }

  std::vector<std::string> told() {
    return told({Source::Form::countersign, "/etc/countersign.toml", {}});
  }

  test::MemoryFiles files;
  test::MemoryAccounts accounts;
  dns::Zone zone;
};

TEST_F(CheckTest, PublishedKeysAreSilent) {
  zone.add_txt("r._domainkey.example.org", record_of(test::rsa_pem()));
  zone.add_txt("e._domainkey.example.org", record_of(test::ed25519_pem()));
  EXPECT_THAT(told(), IsEmpty());
}

TEST_F(CheckTest, MissingAndForeignKeysAreErrors) {
  zone.add_txt("e._domainkey.example.org", record_of(test::rsa_pem()));
  EXPECT_THAT(told(), ElementsAre(HasSubstr("/etc/countersign.toml:6: error: key record: NXDOMAIN "
                                            "for r._domainkey.example.org; publish"),
                                  HasSubstr("/etc/countersign.toml:7: error: "
                                            "e._domainkey.example.org: k= of the record")));
}

TEST_F(CheckTest, FailuresOfDnsAreNoStatement) {
  zone.fail("r._domainkey.example.org", dns::RecordType::txt, dns::AnswerStatus::servfail);
  zone.add_txt("e._domainkey.example.org", record_of(test::ed25519_pem(), true));
  EXPECT_THAT(told(), ElementsAre(HasSubstr(":6: warning: key record: SERVFAIL"),
                                  HasSubstr(":7: warning: e._domainkey.example.org says t=y")));
}

TEST_F(CheckTest, EveryDomainOfATableIsLookedAt) {
  files.add("/keys/a.example", test::rsa_pem()).add("/keys/b.example", test::rsa_pem());
  files.add("/kt", "any %:s:/keys/%\nfix c.example:t:/rsa\nopen %:u:/rsa\n");
  files.add("/st", "* any\n* fix\n* open\n");
  files.add("/x.conf", "Mode s\nSocket inet:1\nKeyTable /kt\nSigningTable refile:/st\n");
  std::vector<std::string> texts = told({Source::Form::opendkim, "/x.conf", {}});
  std::ranges::sort(texts);
  EXPECT_THAT(texts, ElementsAre(HasSubstr("/kt:1: error: key record: NXDOMAIN for "
                                           "s._domainkey.a.example"),
                                 HasSubstr("s._domainkey.b.example"),
                                 HasSubstr("/kt:2: error: key record: NXDOMAIN for "
                                           "t._domainkey.c.example")));
}

TEST_F(CheckTest, TheSingleKeyIsLookedAtForEveryDomain) {
  files.add("/x.conf",
            "Mode s\nSocket inet:1\nDomain a.example,b.example,.c.example\nSelector s\n"
            "KeyFile /rsa\n");
  zone.add_txt("s._domainkey.a.example", record_of(test::rsa_pem()));
  EXPECT_THAT(told({Source::Form::opendkim, "/x.conf", {}}),
              ElementsAre(HasSubstr("/x.conf:5: error: key record: NXDOMAIN for "
                                    "s._domainkey.b.example")));
}

TEST_F(CheckTest, WithoutAPolicyThereAreNoKeys) {
  files.add("/x.conf", "Cheese yes\n");
  EXPECT_THAT(told({Source::Form::opendkim, "/x.conf", {}}),
              ::testing::Contains(HasSubstr("no option 'Cheese'")));
}

}  // namespace
}  // namespace countersign::service::config
