// SPDX-License-Identifier: Apache-2.0
//
// From root to the mail user, for good; and plain words for those who cannot.

#include "service/run/privileges.hpp"

#include <gmock/gmock.h>
#include <grp.h>
#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <vector>

#include "tests/support/child_process.hpp"
#include "tests/support/folder.hpp"
#include "tests/support/memory_files.hpp"

namespace countersign::service {
namespace {

using test::start_error;
using testing::HasSubstr;

constexpr uid_t mail_uid = 61'234;
constexpr gid_t mail_gid = 61'235;

const Account mail_user{.name = "countersign-test-user", .uid = mail_uid, .gid = mail_gid};

TEST(Account, IsFoundByNamesAndNumbers) {
  const test::MemoryAccounts accounts;
  const std::vector<std::string> texts{"opendkim", "110", "opendkim:110", "110:opendkim"};
  for (const std::string& text : texts) {
    const Account account = find_account(text, accounts);
    EXPECT_EQ(account.name, "opendkim") << text;
    EXPECT_EQ(account.uid, 110U) << text;
    EXPECT_EQ(account.gid, 110U) << text;
  }
  EXPECT_EQ(find_account("opendkim:postfix", accounts).uid, 110U);
  EXPECT_EQ(find_account("opendkim:postfix", accounts).gid, 105U);
  EXPECT_EQ(find_account("root", config::SystemAccounts()).uid, 0U);
}

TEST(Account, ThatDoesNotExistIsSaid) {
  const test::MemoryAccounts accounts;
  const auto refusal = [&](const std::string& text) {
    const auto [code, sentence] =
        start_error([&] { static_cast<void>(find_account(text, accounts)); });
    EXPECT_EQ(code, EX_NOUSER) << text;
    return sentence;
  };
  EXPECT_THAT(refusal("nobody"), HasSubstr("adduser --system --group nobody"));
  EXPECT_THAT(refusal("root:nobody"), HasSubstr("no group 'nobody'"));
  EXPECT_THAT(refusal(""), HasSubstr("no user ''"));
  EXPECT_THAT(refusal("root:"), HasSubstr("no group ''"));
}

TEST(Privileges, AreGivenUpForGood) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can become somebody else";
  test::ChildProcess child([] {
    become(mail_user);
    uid_t real = 0;
    uid_t effective = 0;
    uid_t saved = 0;
    ::getresuid(&real, &effective, &saved);
    if (real != mail_uid || effective != mail_uid || saved != mail_uid) return 1;
    if (::getgid() != mail_gid || ::getegid() != mail_gid) return 2;
    std::array<gid_t, 64> groups{};
    const int count = ::getgroups(static_cast<int>(groups.size()), groups.data());
    if (count != 1 || groups[0] != mail_gid) return 3;
    if (::setuid(0) == 0 || ::setgid(0) == 0) return 4;
    if (::prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1) return 5;
    become(mail_user);  // Once more does nothing.
    return 0;
  });
  EXPECT_EQ(child.exit_code(), 0);
}

TEST(Privileges, CannotBeChangedByAnybodyButRoot) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can become somebody else first";
  test::ChildProcess child([] {
    become(mail_user);
    const auto [code, sentence] = start_error([] { become({.name = "root"}); });
    return code == EX_NOPERM && sentence.find("start as root") != std::string::npos ? 0 : 1;
  });
  EXPECT_EQ(child.exit_code(), 0);
}

TEST(RootDirectory, IsChangedWithTheWorkingDirectory) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can change the root directory";
  const test::Folder folder;
  std::ofstream(folder / "here") << "x";
  test::ChildProcess child([&folder] {
    change_root(folder / "");
    return ::access("/here", R_OK) == 0 && ::access("here", R_OK) == 0 ? 0 : 1;
  });
  EXPECT_EQ(child.exit_code(), 0);
}

TEST(RootDirectory, ThatIsMissingIsSaid) {
  const auto [code, sentence] = start_error([] { change_root("/no/such/directory"); });
  EXPECT_EQ(code, EX_OSERR);
  EXPECT_THAT(sentence, HasSubstr("/no/such/directory"));
}

}  // namespace
}  // namespace countersign::service
