// SPDX-License-Identifier: Apache-2.0
//
// The documents that are made from the tables are as committed, and the example can be read. With
// COUNTERSIGN_WRITE_DOCS set the documents are written instead.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <set>

#include "service/config/import/recognize.hpp"
#include "service/config/load.hpp"
#include "service/config/settings_doc.hpp"
#include "service/config/settings_table.hpp"

namespace countersign::service::config {
namespace {

std::string root() {
  const char* source = std::getenv("COUNTERSIGN_SOURCE");
  return source ? source : ".";
}

std::string read(const std::string& path) {
  std::ifstream file(root() + "/" + path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void expect_committed(const std::string& path, const std::string& made) {
  if (std::getenv("COUNTERSIGN_WRITE_DOCS")) std::ofstream(root() + "/" + path) << made;
  EXPECT_EQ(read(path), made) << path << " is not what the tables make; run the service tests with "
                              << "COUNTERSIGN_WRITE_DOCS=1 and commit the result";
}

TEST(SettingsDoc, PagesAreAsCommitted) {
  expect_committed("docs/settings.md", settings_markdown());
  expect_committed("docs/countersign.toml.5.scd", settings_manual());
}

void expect_options(const std::string& path, Form form) {
  const std::string begin = "<!-- made from the option table; do not edit -->\n\n";
  const std::string end = "<!-- end of the option table -->";
  std::string page = read(path);
  const std::size_t from = page.find(begin);
  const std::size_t to = page.find(end);
  ASSERT_NE(from, std::string::npos) << path;
  ASSERT_NE(to, std::string::npos) << path;
  page.replace(from + begin.size(), to - from - begin.size(),
               options_markdown(dialect_of(form).options) + "\n");
  expect_committed(path, page);
}

TEST(SettingsDoc, OptionsOfOtherProgramsAreAsCommitted) {
  expect_options("docs/opendkim.md", Form::opendkim);
  expect_options("docs/opendmarc.md", Form::opendmarc);
  expect_options("docs/openarc.md", Form::openarc);
  expect_options("docs/policyd-spf.md", Form::policyd_spf);
  expect_options("docs/dkimpy-milter.md", Form::dkimpy);
}

TEST(SettingsDoc, EverySettingHasHelpAndASection) {
  std::set<std::string_view> names;
  for (const Section& section : sections()) names.insert(section.name);
  std::set<std::string_view> keys;
  for (const Setting& setting : settings_table()) {
    EXPECT_TRUE(keys.insert(setting.key).second) << setting.key << " stands twice";
    if (setting.scope != Scope::own) continue;
    EXPECT_TRUE(names.contains(setting.key.substr(0, setting.key.rfind('.')))) << setting.key;
    EXPECT_TRUE(setting.help.ends_with('.')) << setting.key;
  }
}

TEST(SettingsDoc, DefaultsAreWithinTheirRange) {
  for (const Setting& setting : settings_table()) {
    Settings settings;
    const Slot slot = setting.slot(settings);
    if (const auto* number = std::get_if<std::uint64_t*>(&slot)) {
      EXPECT_GE(**number, setting.range.least) << setting.key;
      EXPECT_LE(**number, setting.range.most) << setting.key;
    }
    if (const auto* time = std::get_if<std::chrono::seconds*>(&slot)) {
      EXPECT_GE(static_cast<std::uint64_t>((*time)->count()), setting.range.least) << setting.key;
      EXPECT_LE(static_cast<std::uint64_t>((*time)->count()), setting.range.most) << setting.key;
    }
  }
}

TEST(SettingsDoc, TheExampleCanBeRead) {
  Problems problems;
  const Settings settings =
      load_toml(root() + "/docs/countersign.toml", {}, SystemFiles(), problems);
  for (const Problem& problem : problems.all()) ADD_FAILURE() << to_string(problem);
  ASSERT_EQ(settings.signing.domains.size(), 1u);
  EXPECT_EQ(settings.signing.domains[0].keys.size(), 2u);
}

}  // namespace
}  // namespace countersign::service::config
