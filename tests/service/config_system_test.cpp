// SPDX-License-Identifier: Apache-2.0
//
// The real file system and the real users, as far as every machine has them.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <lmdb.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <utility>
#include <vector>

#include "service/config/accounts.hpp"
#include "service/config/files.hpp"

namespace countersign::service::config {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class SystemFilesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "countersign-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    directory = std::filesystem::canonical(pattern).string();
  }
  void TearDown() override { std::filesystem::remove_all(directory); }

  std::string write(const std::string& name, const std::string& octets) {
    const std::string path = directory + "/" + name;
    std::ofstream(path, std::ios::binary) << octets;
    return path;
  }

  std::string directory;
  SystemFiles files;
};

TEST_F(SystemFilesTest, Reads) {
  const std::string octets = std::string(100'000, 'x') + std::string("\0\r\n", 3);
  EXPECT_EQ(files.read(write("a", octets)).value(), octets);
  EXPECT_EQ(files.read(directory + "/none").error(), "No such file or directory");
  EXPECT_THAT(files.read(directory).error(), HasSubstr("no regular file"));
}

TEST_F(SystemFilesTest, APipeDoesNotStopIt) {
  const std::string path = directory + "/pipe";
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  EXPECT_THAT(files.read(path).error(), HasSubstr("no regular file"));
  EXPECT_EQ(files.status(path)->kind, FileStatus::Kind::other);
}

TEST_F(SystemFilesTest, StatusAndNames) {
  const std::string path = write("a", "x");
  ASSERT_EQ(::chmod(path.c_str(), 0640), 0);
  const auto status = files.status(path);
  ASSERT_TRUE(status);
  EXPECT_EQ(status->mode, 0640u);
  EXPECT_EQ(status->uid, ::getuid());
  EXPECT_EQ(status->kind, FileStatus::Kind::regular);
  EXPECT_EQ(files.status(directory)->kind, FileStatus::Kind::directory);
  ASSERT_EQ(::symlink("a", (directory + "/b").c_str()), 0);
  EXPECT_EQ(files.resolve(directory + "/b").value(), path);
  EXPECT_FALSE(files.resolve(directory + "/none"));
  EXPECT_THAT(files.list(directory).value(), ElementsAre("a", "b"));
  EXPECT_FALSE(files.list(path));
}

TEST_F(SystemFilesTest, BaseDirectory) {
  write("a", "x");
  const BasedFiles based(files, directory);
  EXPECT_EQ(based.read("a").value(), "x");
  EXPECT_EQ(based.read(directory + "/a").value(), "x");
  EXPECT_EQ(based.list(".")->size(), 1u);
}

// Puts pairs into a new LMDB environment.
void make_lmdb(const std::string& path, std::vector<std::pair<std::string, std::string>> pairs) {
  std::filesystem::create_directory(path);
  MDB_env* environment = nullptr;
  ASSERT_EQ(mdb_env_create(&environment), 0);
  ASSERT_EQ(mdb_env_open(environment, path.c_str(), 0, 0600), 0);
  MDB_txn* transaction = nullptr;
  ASSERT_EQ(mdb_txn_begin(environment, nullptr, 0, &transaction), 0);
  MDB_dbi database{};
  ASSERT_EQ(mdb_dbi_open(transaction, nullptr, 0, &database), 0);
  for (auto& [key, value] : pairs) {
    MDB_val raw_key{key.size(), key.data()};
    MDB_val raw_value{value.size(), value.data()};
    ASSERT_EQ(mdb_put(transaction, database, &raw_key, &raw_value, 0), 0);
  }
  ASSERT_EQ(mdb_txn_commit(transaction), 0);
  mdb_env_close(environment);
}

TEST_F(SystemFilesTest, Lmdb) {
  const std::string path = directory + "/env";
  make_lmdb(path, {{"key", "d.example:s:/k"}, {std::string("l\0", 2), std::string("v\0", 2)}});
  const auto pairs = files.read_lmdb(path);
  ASSERT_TRUE(pairs) << pairs.error();
  EXPECT_THAT(*pairs, ElementsAre(std::pair("key", "d.example:s:/k"), std::pair("l", "v")))
      << "the final NUL of C strings is cut";
  EXPECT_EQ(files.read_lmdb(path + "/data.mdb")->size(), 2u);
  make_lmdb(directory + "/empty", {});
  EXPECT_TRUE(files.read_lmdb(directory + "/empty")->empty());
}

TEST_F(SystemFilesTest, WhatIsNoLmdb) {
  EXPECT_EQ(files.read_lmdb(directory + "/none").error(), "No such file or directory");
  EXPECT_FALSE(files.read_lmdb(write("file", std::string(10'000, 'x'))));
  EXPECT_FALSE(files.read_lmdb(directory));
}

TEST(SystemAccounts, RootIsThere) {
  const SystemAccounts accounts;
  const std::optional<User> root = accounts.find_user("root");
  ASSERT_TRUE(root);
  EXPECT_EQ(root->uid, 0u);
  EXPECT_THAT(root->groups, Contains(0u));
  EXPECT_EQ(accounts.find_user("0")->name, "root");
  EXPECT_EQ(accounts.user_name(0), "root");
  EXPECT_EQ(accounts.find_group(accounts.group_name(0)), 0u);
  EXPECT_THAT(accounts.members(0), Contains("root"));
  EXPECT_FALSE(accounts.find_user("no such user"));
  EXPECT_FALSE(accounts.find_group("no such group"));
  EXPECT_EQ(accounts.user_name(4'000'000'000u), "4000000000");
  EXPECT_EQ(accounts.current().uid, ::geteuid());
}

}  // namespace
}  // namespace countersign::service::config
