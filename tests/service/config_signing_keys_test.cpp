// SPDX-License-Identifier: Apache-2.0
//
// The keys of a configuration, each under every name that the world may look it up by.

#include "service/config/signing_keys.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "countersign/dkim/key_lookup.hpp"
#include "tests/support/keys.hpp"
#include "tests/support/memory_files.hpp"

namespace countersign::service::config {
namespace {

using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

class SigningKeysTest : public ::testing::Test {
 protected:
  SigningKeysTest() { files.add("/rsa", test::rsa_pem()).add("/ed", test::ed25519_pem()); }

  std::vector<std::string> names(const std::string& text, Source::Form form) {
    files.add("/conf", text);
    const Machine machine{files, accounts, ""};
    std::vector<std::string> found;
    for (const SigningKey& key : signing_keys(load({form, "/conf", {}}, machine), machine)) {
      found.push_back(key.place.to_string() + " " + dkim::key_name(key.selector, key.domain));
    }
    return found;
  }

  test::MemoryFiles files;
  test::MemoryAccounts accounts;
};

TEST_F(SigningKeysTest, OfTheSimpleForm) {
  EXPECT_THAT(
      names("[[signing.domain]]\nname = \"example.org\"\n"
            "keys = [{ selector = \"r\", file = \"/rsa\" },\n"
            "{ selector = \"e\", file = \"/ed\" }]\n",
            Source::Form::countersign),
      UnorderedElementsAre("/conf:3 r._domainkey.example.org", "/conf:4 e._domainkey.example.org"));
}

TEST_F(SigningKeysTest, OfTables) {
  files.add("/keys/a.example", test::rsa_pem()).add("/keys/b.example", test::rsa_pem());
  files.add("/kt", "any %:s:/keys/%\nfix c.example:t:/rsa\nopen %:u:/rsa\n");
  files.add("/st", "* any\n* fix\n* open\n");
  EXPECT_THAT(names("Mode s\nKeyTable /kt\nSigningTable refile:/st\n", Source::Form::opendkim),
              UnorderedElementsAre("/kt:1 s._domainkey.a.example", "/kt:1 s._domainkey.b.example",
                                   "/kt:2 t._domainkey.c.example"))
      << "nobody knows yet which domains \"open\" signs as";
}

TEST_F(SigningKeysTest, OfTheSingleKey) {
  files.add("/base/domains", "a.example\nb.example\n.c.example\n*\n");
  EXPECT_THAT(
      names("Mode s\nBaseDirectory /base\nDomain file:domains\nSelector s\nKeyFile /rsa\n",
            Source::Form::opendkim),
      UnorderedElementsAre("/conf:5 s._domainkey.a.example", "/conf:5 s._domainkey.b.example"));
}

TEST_F(SigningKeysTest, WithoutAPolicyThereAreNone) {
  EXPECT_THAT(names("Cheese yes\n", Source::Form::opendkim), IsEmpty());
}

}  // namespace
}  // namespace countersign::service::config
