// SPDX-License-Identifier: Apache-2.0
//
// Where the public suffix list comes from, and what is told when it does not.

#include "service/config/public_suffix.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "service/config/snapshot.hpp"
#include "tests/support/dkim.hpp"
#include "tests/support/memory_files.hpp"

namespace countersign::service::config {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

std::string org_of(const dmarc::OrgDomainOf& org_domain_of, std::string_view name) {
  return org_domain_of(sample::name(name)).text();
}

TEST(PublicSuffixFile, IsTheOneThatIsNamed) {
  test::MemoryFiles files;
  files.add("/etc/list", "strange.example\nexample\n");
  files.add(system_public_suffix_list, "com\n");
  const auto read = read_public_suffix_list("/etc/list", files);
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(org_of(*read, "a.b.strange.example"), "b.strange.example");
}

TEST(PublicSuffixFile, IsThatOfTheSystemOrOfTheLibrary) {
  test::MemoryFiles files;
  const auto built_in = read_public_suffix_list("", files);
  ASSERT_TRUE(built_in.has_value());
  EXPECT_EQ(org_of(*built_in, "a.example.co.uk"), "example.co.uk");
  files.add(system_public_suffix_list, "uk\n");
  const auto read = read_public_suffix_list("", files);
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(org_of(*read, "a.example.co.uk"), "co.uk");
}

TEST(PublicSuffixFile, ThatCannotBeReadIsTold) {
  test::MemoryFiles files;
  files.add("/etc/none", "// nothing here\n");
  EXPECT_THAT(read_public_suffix_list("/gone", files).error(), HasSubstr("cannot read /gone: "));
  EXPECT_THAT(read_public_suffix_list("/etc/none", files).error(),
              HasSubstr("/etc/none: there is"));
}

TEST(PublicSuffixFile, IsReadOnlyWhereItIsWanted) {
  test::MemoryFiles files;
  test::MemoryAccounts accounts;
  const auto load_with = [&](const std::string& judging) {
    files.add("/etc/c.toml",
              "[daemon]\nsockets = [\"inet:8891@localhost\"]\n[signing]\nmode = \"verify\"\n"
              "[judging]\n" +
                  judging);
    return load({Source::Form::countersign, "/etc/c.toml", {}}, {files, accounts, "mx.example"});
  };
  const Snapshot walk = load_with("public_suffix_list = \"/gone\"\n");
  ASSERT_NE(walk.policy, nullptr);
  EXPECT_FALSE(walk.policy->judging.org_domain_of) << "RFC 9989 is the default";
  const Snapshot missing = load_with("dmarc_discovery = \"psl\"\npublic_suffix_list = \"/gone\"\n");
  EXPECT_EQ(missing.policy, nullptr);
  ASSERT_FALSE(missing.problems.empty());
  EXPECT_THAT(to_string(missing.problems.front()), HasSubstr("fatal: cannot read /gone"));
  files.add("/etc/list", "uk\n");
  const Snapshot listed =
      load_with("dmarc_discovery = \"psl\"\npublic_suffix_list = \"/etc/list\"\n");
  ASSERT_NE(listed.policy, nullptr);
  EXPECT_EQ(org_of(listed.policy->judging.org_domain_of, "a.example.co.uk"), "co.uk");
  EXPECT_EQ(load_with("dmarc_discovery = \"both\"\n").policy, nullptr);
}

}  // namespace
}  // namespace countersign::service::config
