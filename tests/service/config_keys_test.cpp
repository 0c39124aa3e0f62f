// SPDX-License-Identifier: Apache-2.0
//
// Private keys: in which forms they are read, and every way in which somebody else could get at
// one. The judgements were compared with OpenDKIM's RequireSafeKeys.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "countersign/text/base64.hpp"
#include "service/config/key_safety.hpp"
#include "service/config/key_store.hpp"
#include "tests/support/keys.hpp"
#include "tests/support/memory_files.hpp"

namespace countersign::service::config {
namespace {

using crypto::KeyType;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr const char* path = "/etc/keys/a.private";

// --- forms ---

std::string base64_of_pem(const std::string& pem) {
  const std::size_t begin = pem.find('\n') + 1;
  std::string text = pem.substr(begin, pem.find("-----END") - begin);
  std::erase(text, '\n');
  return text;
}

std::string on_one_line(std::string pem, const std::string& between) {
  std::string result;
  for (const char c : pem) result += c == '\n' ? between : std::string(1, c);
  return result;
}

void expect_key(const std::string& text, KeyType type) {
  const auto key = decode_private_key(text, Limits());
  ASSERT_TRUE(key) << text << ": " << to_string(key.error());
  EXPECT_EQ(key->type(), type);
}

TEST(DecodePrivateKey, Pem) {
  expect_key(test::rsa_pem(), KeyType::rsa);
  expect_key(test::ed25519_pem(), KeyType::ed25519);
  expect_key("some text\n" + test::rsa_pem(), KeyType::rsa);
}

TEST(DecodePrivateKey, PemThatLostItsLineEnds) {
  expect_key(on_one_line(test::rsa_pem(), " "), KeyType::rsa);
  expect_key(on_one_line(test::rsa_pem(), ""), KeyType::rsa);
  expect_key(on_one_line(test::ed25519_pem(), " "), KeyType::ed25519);
}

TEST(DecodePrivateKey, Base64) {
  expect_key(base64_of_pem(test::rsa_pem()), KeyType::rsa);
  expect_key(base64_of_pem(test::ed25519_pem()), KeyType::ed25519);
  expect_key(text::encode_base64(std::string(32, 'x')) + "\n", KeyType::ed25519);
}

TEST(DecodePrivateKey, Bad) {
  for (const std::string text :
       {"", "x", "-----BEGIN ", "-----BEGIN RSA PRIVATE KEY-----",
        "-----BEGIN RSA PRIVATE KEY-----AAAA", "-----BEGIN RSA PRIVATE KEY-----AAAA-----END",
        "AAAA", "-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----\n"}) {
    EXPECT_FALSE(decode_private_key(text, Limits())) << text;
  }
}

// --- who else can read it ---

class KeySafetyTest : public ::testing::Test {
 protected:
  KeySafetyTest() { files.add(path, test::rsa_pem()).set(path, 0600, 110, 110); }

  std::vector<std::string> unsafe() {
    std::vector<std::string> texts;
    const User user = *accounts.find_user("opendkim");
    for (const KeyFinding& finding : find_unsafe({path, user, files, accounts})) {
      texts.push_back(finding.message + "; " + finding.remedy);
    }
    return texts;
  }

  std::string unreadable() {
    const User user = *accounts.find_user("opendkim");
    const auto finding = find_unreadable({path, user, files, accounts});
    return finding ? finding->message + "; " + finding->remedy : "";
  }

  test::MemoryFiles files;
  test::MemoryAccounts accounts;
};

TEST_F(KeySafetyTest, OursAndRootsAreSafe) {
  EXPECT_THAT(unsafe(), IsEmpty());
  files.set(path, 0600, 0, 0);
  EXPECT_THAT(unsafe(), IsEmpty());
  files.set(path, 0640, 0, 110);
  EXPECT_THAT(unsafe(), IsEmpty()) << "nobody else is in the group";
  files.set("/etc/keys", 0770, 0, 110);
  EXPECT_THAT(unsafe(), IsEmpty());
}

TEST_F(KeySafetyTest, EverybodyCanReadIt) {
  files.set(path, 0644, 110, 110);
  EXPECT_THAT(unsafe(),
              ElementsAre("/etc/keys/a.private (mode 0644, owner opendkim) can be read or "
                          "changed by everybody; chmod o-rwx /etc/keys/a.private"));
}

TEST_F(KeySafetyTest, AGroupOfOthersCanReadIt) {
  files.set(path, 0640, 110, 105);
  EXPECT_THAT(unsafe(),
              ElementsAre("/etc/keys/a.private (mode 0640, owner opendkim) can be read or "
                          "changed by group postfix, to which postfix belongs; "
                          "chmod g-rwx /etc/keys/a.private"));
  files.set(path, 0640, 110, 110);
  accounts.join("postfix", 110);
  EXPECT_THAT(unsafe(), ElementsAre(HasSubstr("by group opendkim, to which postfix belongs")));
}

TEST_F(KeySafetyTest, ItBelongsToSomebodyElse) {
  files.set(path, 0600, 1000, 1000);
  EXPECT_THAT(unsafe(), ElementsAre("/etc/keys/a.private (mode 0600, owner bob) belongs to neither "
                                    "opendkim nor root; chown opendkim /etc/keys/a.private"));
}

TEST_F(KeySafetyTest, ADirectoryAboveItCanBeChanged) {
  files.set("/etc", 0777, 0, 0);
  EXPECT_THAT(unsafe(), ElementsAre("the directory /etc (mode 0777, owner root) can be changed by "
                                    "everybody, so the key can be replaced; chmod o-w /etc"));
  files.set("/etc", 0775, 0, 105);
  EXPECT_THAT(unsafe(), ElementsAre(HasSubstr("can be changed by group postfix")));
  files.set("/etc", 0755, 1000, 1000);
  EXPECT_THAT(unsafe(), ElementsAre("the directory /etc (mode 0755, owner bob) can be changed by "
                                    "its owner, so the key can be replaced; chown root /etc"));
  files.set("/etc", 0555, 1000, 1000);
  EXPECT_THAT(unsafe(), IsEmpty()) << "its owner may not write";
}

TEST_F(KeySafetyTest, AStickyDirectoryKeepsWhatBelongsToUs) {
  files.set("/etc", 01777, 0, 0);
  EXPECT_THAT(unsafe(), IsEmpty());
  files.set("/etc", 01777, 1000, 1000);
  EXPECT_THAT(unsafe(), ElementsAre(HasSubstr("can be changed by its owner")));
}

TEST_F(KeySafetyTest, NobodyIsToldToBreakTmp) {
  files.set("/etc", 01777, 0, 0).set("/etc/keys", 0755, 1000, 1000);
  EXPECT_THAT(unsafe(), ElementsAre(HasSubstr("; keep the key in a directory of its own"),
                                    HasSubstr("/etc/keys (mode 0755, owner bob) can be changed")));
}

TEST_F(KeySafetyTest, CommandsCanBePasted) {
  const std::string odd = "/etc/keys/it's mine";
  files.add(odd, "x").set(odd, 0644, 110, 110);
  const User user = *accounts.find_user("opendkim");
  const auto findings = find_unsafe({odd, user, files, accounts});
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_EQ(findings[0].remedy, "chmod o-rwx '/etc/keys/it'\\''s mine'");
}

TEST_F(KeySafetyTest, AllFindingsAreTold) {
  files.set("/etc", 0777, 0, 0).set(path, 0666, 1000, 105);
  EXPECT_EQ(unsafe().size(), 4u);
}

TEST_F(KeySafetyTest, AClosedDirectoryHidesWhatIsInIt) {
  files.set("/etc/keys", 0700, 110, 110).set(path, 0644, 1000, 1000);
  EXPECT_THAT(unsafe(), IsEmpty());
  files.set("/etc/keys", 0700, 1000, 1000);
  EXPECT_FALSE(unsafe().empty()) << "closed, but it is somebody else's";
}

TEST_F(KeySafetyTest, TheUserMustBeAbleToReadIt) {
  EXPECT_EQ(unreadable(), "");
  files.set(path, 0600, 0, 0);
  EXPECT_EQ(unreadable(),
            "user opendkim cannot read /etc/keys/a.private (mode 0600, owner root); "
            "chown opendkim /etc/keys/a.private && chmod u+r /etc/keys/a.private");
  files.set(path, 0640, 0, 110);
  EXPECT_EQ(unreadable(), "");
  files.set("/etc/keys", 0700, 0, 0);
  EXPECT_EQ(unreadable(),
            "user opendkim cannot enter the directory /etc/keys (mode 0700, owner "
            "root); chgrp opendkim /etc/keys && chmod g+x /etc/keys");
}

// --- the store ---

class KeyStoreTest : public KeySafetyTest {
 protected:
  bool load(KeyRules rules = {}) {
    rules.user = *accounts.find_user("opendkim");
    KeyStore store(rules, files, accounts, problems);
    return store.load(path, {"KeyTable", 3}).has_value();
  }

  std::vector<std::string> told() {
    std::vector<std::string> texts;
    for (const Problem& problem : problems.take_sorted()) texts.push_back(to_string(problem));
    return texts;
  }

  Problems problems;
};

TEST_F(KeyStoreTest, AGoodKeyIsSilent) {
  EXPECT_TRUE(load());
  EXPECT_THAT(told(), IsEmpty());
}

TEST_F(KeyStoreTest, EachFileIsReadAndToldOnce) {
  files.add(path, "no key").set(path, 0600, 110, 110);
  KeyStore store({.user = *accounts.find_user("opendkim")}, files, accounts, problems);
  EXPECT_FALSE(store.load(path, {"KeyTable", 1}));
  EXPECT_FALSE(store.load(path, {"KeyTable", 2}));
  EXPECT_THAT(told(), ElementsAre(HasSubstr("KeyTable:1: error: /etc/keys/a.private: ")));
}

TEST_F(KeyStoreTest, AnUnsafeKeyIsRefusedUnlessThatIsAllowed) {
  files.set(path, 0644, 110, 110);
  EXPECT_FALSE(load());
  EXPECT_THAT(told(), ElementsAre(HasSubstr("KeyTable:3: error: the private key is not safe: ")));
  EXPECT_TRUE(load({.safe_required = false}));
  EXPECT_THAT(told(), ElementsAre(HasSubstr("KeyTable:3: warning: the private key is not safe: ")));
}

TEST_F(KeyStoreTest, LinksAreFollowed) {
  files.add("/srv/real", test::rsa_pem()).set("/srv/real", 0600, 110, 110).set("/srv", 0777);
  files.link(path, "/srv/real");
  EXPECT_FALSE(load());
  EXPECT_THAT(told(), ElementsAre(HasSubstr("the directory /srv (mode 0777")));
}

TEST_F(KeyStoreTest, AKeyThatAReloadCannotReadIsTold) {
  files.set(path, 0600, 0, 0);
  EXPECT_TRUE(load());
  EXPECT_THAT(told(), ElementsAre(HasSubstr("warning: user opendkim cannot read")));
  EXPECT_TRUE(load({.changes_root = true}));
  EXPECT_THAT(told(), IsEmpty());
}

TEST_F(KeyStoreTest, LengthIsJudged) {
  files.add(path, test::rsa_pem(1'024)).set(path, 0600, 110, 110);
  EXPECT_TRUE(load());
  EXPECT_THAT(told(), ElementsAre(HasSubstr("warning: /etc/keys/a.private has 1024 bits; 2048")));
  EXPECT_FALSE(load({.bits_min = 2'048}));
  EXPECT_THAT(told(), ElementsAre(HasSubstr("error: /etc/keys/a.private has 1024 bits, fewer")));
}

TEST_F(KeyStoreTest, TheTypeIsTheKeysOwn) {
  files.add(path, test::ed25519_pem()).set(path, 0600, 110, 110);
  EXPECT_TRUE(load({.expected_type = KeyType::rsa}));
  EXPECT_THAT(told(), ElementsAre(HasSubstr("warning: /etc/keys/a.private is an ed25519 key")));
  EXPECT_TRUE(load({.expected_type = KeyType::ed25519}));
  EXPECT_THAT(told(), IsEmpty());
}

TEST_F(KeyStoreTest, AFileThatIsNotThereIsTold) {
  test::MemoryFiles none;
  KeyStore store({.user = accounts.current()}, none, accounts, problems);
  EXPECT_FALSE(store.load(path, {"KeyTable", 3}));
  EXPECT_THAT(told(), ElementsAre("KeyTable:3: error: cannot read the key /etc/keys/a.private: No "
                                  "such file or directory"));
}

}  // namespace
}  // namespace countersign::service::config
