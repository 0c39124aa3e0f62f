// SPDX-License-Identifier: Apache-2.0
//
// The file with the process id: written whole, never through a link, removed by whom it names.

#include "service/run/pid_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "tests/support/child_process.hpp"
#include "tests/support/folder.hpp"

namespace countersign::service {
namespace {

using test::Folder;
using testing::HasSubstr;

std::string content(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// The sentence with which a file is refused; the exit code is always the same.
std::string refusal(const std::string& path) {
  const auto [code, sentence] = test::start_error([&] { const PidFile file(path); });
  EXPECT_EQ(code, EX_CANTCREAT);
  EXPECT_THAT(sentence, HasSubstr(path));
  return sentence;
}

const std::string own_line = std::to_string(::getpid()) + "\n";

TEST(PidFile, NamesThisProcessAsLongAsItLives) {
  const Folder folder;
  {
    const PidFile file(folder / "pid");
    EXPECT_EQ(content(folder / "pid"), own_line);
  }
  EXPECT_FALSE(std::filesystem::exists(folder / "pid"));
}

TEST(PidFile, ReplacesWhatADeadProcessLeft) {
  const Folder folder;
  std::ofstream(folder / "pid") << "4194303000 and more\n";
  const PidFile file(folder / "pid");
  EXPECT_EQ(content(folder / "pid"), own_line);
}

TEST(PidFile, IsNothingWithoutAPath) { EXPECT_NO_THROW(PidFile("")); }

TEST(PidFile, IsNotWrittenThroughLinksOrIntoAnythingElse) {
  const Folder folder;
  std::ofstream(folder / "precious") << "precious";
  std::filesystem::create_symlink(folder / "precious", folder / "link");
  EXPECT_THAT(refusal(folder / "link"), HasSubstr("it is a link"));
  std::filesystem::create_symlink(folder / "nothing", folder / "dangling");
  EXPECT_THAT(refusal(folder / "dangling"), HasSubstr("it is a link"));
  std::filesystem::create_hard_link(folder / "precious", folder / "hard");
  EXPECT_THAT(refusal(folder / "hard"), HasSubstr("something else of that name"));
  ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);
  EXPECT_THAT(refusal(folder / "pipe"), HasSubstr("pid file"));  // And does not wait for a reader.
  EXPECT_THAT(refusal(folder / ""), HasSubstr("directory"));
  EXPECT_THAT(refusal(folder / "missing/pid"), HasSubstr("make its directory"));
  EXPECT_EQ(content(folder / "precious"), "precious");
  EXPECT_FALSE(std::filesystem::exists(folder / "nothing"));
}

TEST(PidFile, StaysWhenItNamesAnotherProcess) {
  const Folder folder;
  {
    const PidFile file(folder / "pid");
    std::ofstream(folder / "pid") << "1\n";
  }
  EXPECT_EQ(content(folder / "pid"), "1\n");
}

TEST(PidFile, StaysWhenAChildEnds) {
  const Folder folder;
  const PidFile file(folder / "pid");
  test::ChildProcess child([&file] {
    file.~PidFile();
    return 0;
  });
  EXPECT_EQ(child.exit_code(), 0);
  EXPECT_EQ(content(folder / "pid"), own_line);
}

}  // namespace
}  // namespace countersign::service
