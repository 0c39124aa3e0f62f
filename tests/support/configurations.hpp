// SPDX-License-Identifier: Apache-2.0
//
// Configurations in memory, ours and those of other programs, and what is told about them.

#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "service/config/import/combine.hpp"
#include "service/config/import/recognize.hpp"
#include "service/config/snapshot.hpp"
#include "tests/support/memory_files.hpp"

namespace countersign::service::config {

/// Problems as people read them.
template <class List>
std::vector<std::string> texts(const List& problems) {
  std::vector<std::string> lines;
  for (const Problem& problem : problems) lines.push_back(to_string(problem));
  return lines;
}
inline std::vector<std::string> texts(const Problems& problems) { return texts(problems.all()); }
inline std::vector<std::string> texts(const Snapshot& snapshot) { return texts(snapshot.problems); }

/// A file as settings, and what was told about it.
struct Imported {
  Settings settings;
  std::vector<std::string> problems;
};

/// Reads a file "f" of another program.
inline Imported import(Form form, const std::string& text, const Overrides& overrides = {}) {
  test::MemoryFiles files;
  files.add("f", text);
  Problems problems;
  Settings settings = import_file(dialect_of(form), "f", overrides, files, problems);
  return {std::move(settings), texts(problems)};
}

/// The settings of one about which nothing is told.
inline Settings clean(Form form, const std::string& text) {
  Imported imported = import(form, text);
  EXPECT_THAT(imported.problems, ::testing::IsEmpty()) << text;
  return imported.settings;
}

/// Whole configurations on a machine in memory.
class ConfigurationTest : public ::testing::Test {
 protected:
  Snapshot load_form(Form form, const std::string& file, Overrides overrides = {}) {
    return load({form, file, std::move(overrides)}, {files, accounts, "mail.example.org"});
  }
  Snapshot load_own(const std::string& text) {
    files.add("/etc/countersign.toml", text);
    return load_form(Form::countersign, "/etc/countersign.toml");
  }

  test::MemoryFiles files;
  test::MemoryAccounts accounts;
};

}  // namespace countersign::service::config
