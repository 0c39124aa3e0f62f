// SPDX-License-Identifier: Apache-2.0
//
// The file of store.history_file: whole records and all of them, whoever moves, locks or fills it.

#include "service/store/history_file.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "service/run/descriptor.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/folder.hpp"
#include "tests/support/log_file.hpp"

namespace countersign::service::store {
namespace {

using namespace std::chrono_literals;
using test::eventually;

std::string text_of(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

std::string record(int number) { return "job " + std::to_string(number) + "\naction 2\n"; }

std::string records(int first, int last) {
  std::string text;
  for (int i = first; i <= last; ++i) text += record(i);
  return text;
}

/// A lock as opendmarc-import holds it while it reads.
Descriptor read_lock(const std::string& path) {
  Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  EXPECT_EQ(::flock(file.get(), LOCK_SH), 0);
  return file;
}

class HistoryFileTest : public ::testing::Test {
 protected:
  HistoryOptions options() const { return {.path = path_, .pause = 5ms, .stop_within = 50ms}; }

  test::Folder folder_;
  std::string path_ = folder_ / "history.dat";
  test::LogFile log_;
};

TEST_F(HistoryFileTest, AddsRecordsToWhatIsThere) {
  std::ofstream(path_) << record(0);
  {
    HistoryFile file(options(), log_.log());
    for (int i = 1; i <= 500; ++i) file.record(record(i));
    file.stop();
    EXPECT_EQ(file.counters().written, 500U);
    EXPECT_EQ(file.counters().queued, 0U);
    file.record(record(501));
    EXPECT_EQ(file.counters().lost, 1U) << "too late";
  }
  EXPECT_EQ(text_of(path_), records(0, 500));
  EXPECT_EQ(log_.text(), "");
}

TEST_F(HistoryFileTest, WritesSoon) {
  HistoryFile file(options(), log_.log());
  file.record(record(1));
  EXPECT_TRUE(eventually([&] { return file.counters().written == 1; }));
  EXPECT_EQ(text_of(path_), record(1));
}

TEST_F(HistoryFileTest, OthersCannotReadIt) {
  const mode_t before = ::umask(0);
  {
    HistoryFile file(options(), log_.log());
    file.record(record(1));
  }
  ::umask(before);
  struct stat found{};
  ASSERT_EQ(::stat(path_.c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 07777U, 0660U);
}

TEST_F(HistoryFileTest, ManyThreadsRecordAtOnce) {
  HistoryFile file(options(), log_.log());
  std::vector<std::jthread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&file] {
      for (int i = 0; i < 1'000; ++i) file.record("0123456789\n");
    });
  threads.clear();
  file.stop();
  EXPECT_EQ(file.counters().written, 4'000U);
  std::istringstream lines(text_of(path_));
  int count = 0;
  for (std::string line; std::getline(lines, line); ++count) EXPECT_EQ(line, "0123456789");
  EXPECT_EQ(count, 4'000);
}

TEST_F(HistoryFileTest, AFileThatIsMovedAwayIsLeftAlone) {
  HistoryFile file(options(), log_.log());
  file.record(record(1));
  ASSERT_TRUE(eventually([&] { return file.counters().written == 1; }));
  std::filesystem::rename(path_, path_ + ".old");
  file.record(record(2));
  ASSERT_TRUE(eventually([&] { return file.counters().written == 2; }));
  EXPECT_EQ(text_of(path_ + ".old"), record(1));
  EXPECT_EQ(text_of(path_), record(2));
}

TEST_F(HistoryFileTest, WhoReadsWithALockSeesAllThatCameBefore) {
  HistoryFile file(options(), log_.log());
  file.record(record(1));
  ASSERT_TRUE(eventually([&] { return file.counters().written == 1; }));
  Descriptor reader = read_lock(path_);
  for (int i = 2; i <= 20; ++i) file.record(record(i));
  std::this_thread::sleep_for(50ms);
  EXPECT_EQ(text_of(path_), record(1)) << "it is being read";
  EXPECT_EQ(file.counters().queued, 19U);
  std::filesystem::rename(path_, path_ + ".old");
  ASSERT_TRUE(eventually([&] { return file.counters().written == 20; }))
      << "the lock is that of the old file";
  EXPECT_EQ(text_of(path_ + ".old"), record(1));
  EXPECT_EQ(text_of(path_), records(2, 20));
  EXPECT_EQ(log_.text(), "");
}

TEST_F(HistoryFileTest, ALockKeepsNoDaemonUp) {
  std::ofstream(path_) << record(0);
  const Descriptor reader = read_lock(path_);
  HistoryFile file(options(), log_.log());
  file.record(record(1));
  const auto before = std::chrono::steady_clock::now();
  file.stop();
  EXPECT_GE(std::chrono::steady_clock::now() - before, 50ms) << "it is respected for a while";
  EXPECT_EQ(text_of(path_), records(0, 1));
}

TEST_F(HistoryFileTest, AQueueThatIsFullIsToldAndWaitsForNothing) {
  std::ofstream(path_) << record(0);
  const Descriptor reader = read_lock(path_);
  HistoryOptions small = options();
  small.queue = 10;
  HistoryFile file(small, log_.log());
  const auto before = std::chrono::steady_clock::now();
  for (int i = 1; i <= 1'000; ++i) file.record(record(i));
  EXPECT_LT(std::chrono::steady_clock::now() - before, 20s);
  EXPECT_EQ(file.counters().lost, 990U);
  EXPECT_EQ(log_.count("its queue is full"), 1) << log_.text();
  file.stop();
  EXPECT_EQ(text_of(path_), records(0, 10));
}

TEST_F(HistoryFileTest, WhatCannotBeOpenedIsToldAndTriedAgain) {
  HistoryOptions nowhere = options();
  nowhere.path = folder_ / "not/there.dat";
  HistoryFile file(nowhere, log_.log());
  file.record(record(1));
  ASSERT_TRUE(eventually([&] { return file.counters().failures > 2; }));
  EXPECT_EQ(log_.count("store.history_file cannot be opened"), 1) << log_.text();
  std::filesystem::create_directory(folder_ / "not");
  ASSERT_TRUE(eventually([&] { return file.counters().written == 1; }));
  EXPECT_TRUE(eventually([&] { return log_.has("takes records again"); }));
  EXPECT_EQ(text_of(nowhere.path), record(1));
}

TEST_F(HistoryFileTest, AtTheEndWhatCannotBeWrittenIsLost) {
  HistoryOptions full = options();
  full.path = "/dev/full";
  HistoryFile file(full, log_.log());
  for (int i = 1; i <= 5; ++i) file.record(record(i));
  ASSERT_TRUE(eventually([&] { return file.counters().failures > 1; }));
  EXPECT_TRUE(log_.has("store.history_file cannot be written to")) << log_.text();
  EXPECT_TRUE(log_.has("No space left on device")) << log_.text();
  EXPECT_EQ(file.counters().queued, 5U);
  file.stop();
  EXPECT_EQ(file.counters().lost, 5U);
  EXPECT_EQ(file.counters().written, 0U);
}

// A limit for files stands for a disk that becomes full in the middle of a record.
TEST_F(HistoryFileTest, NoHalfRecordStaysWhenTheDiskIsFull) {
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const auto room = static_cast<rlim_t>(records(1, 3).size() + 5);
  const rlimit full{.rlim_cur = room, .rlim_max = before.rlim_max};
  // The log is a file as well; it does not grow to that size.
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &full), 0);
  test::LogFile quiet(LogLevel::error);
  HistoryFile file(options(), quiet.log());
  for (int i = 1; i <= 5; ++i) file.record(record(i));
  const bool has_failed = eventually([&] { return file.counters().failures > 1; });
  const std::string part = text_of(path_);
  ::setrlimit(RLIMIT_FSIZE, &before);
  EXPECT_TRUE(has_failed);
  EXPECT_EQ(part, records(1, 3));
  EXPECT_TRUE(eventually([&] { return file.counters().written == 5; }));
  EXPECT_EQ(text_of(path_), records(1, 5));
  std::signal(SIGXFSZ, handler);
}

}  // namespace
}  // namespace countersign::service::store
