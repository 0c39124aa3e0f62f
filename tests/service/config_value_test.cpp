// SPDX-License-Identifier: Apache-2.0
//
// Values and the settings that they go into: each type, what it takes and what it says when it does
// not; problems, their order and their number; the nearest name.

#include "service/config/value.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "service/config/problem.hpp"
#include "service/config/settings_table.hpp"
#include "service/config/suggest.hpp"

namespace countersign::service::config {
namespace {

using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

Value text(std::string data) { return {std::move(data), {"f", 1}}; }
Value number(std::int64_t data) { return {data, {"f", 1}}; }
Value list(Value::List items) { return {std::move(items), {"f", 1}}; }

template <class T>
T take(const Value& value, const Range& range = {}) {
  T slot{};
  const std::optional<std::string> expected = assign(&slot, value, range);
  EXPECT_FALSE(expected) << *expected;
  return slot;
}

template <class T>
std::string refuse(const Value& value, const Range& range = {}) {
  T slot{};
  const T before = slot;
  const std::optional<std::string> expected = assign(&slot, value, range);
  EXPECT_TRUE(expected);
  if constexpr (requires { slot == before; })
    EXPECT_EQ(slot, before) << "a refused value stays out";
  return expected.value_or("");
}

TEST(ConfigValue, Booleans) {
  EXPECT_TRUE(take<bool>({true, {}}));
  EXPECT_THAT(refuse<bool>(text("true")), HasSubstr("true or false"));
  EXPECT_THAT(refuse<bool>(number(1)), HasSubstr("true or false"));
}

TEST(ConfigValue, NumbersWithinTheirRange) {
  EXPECT_EQ(take<std::uint64_t>(number(0)), 0u);
  EXPECT_EQ(take<std::uint64_t>(number(7), {1, 7}), 7u);
  EXPECT_THAT(refuse<std::uint64_t>(number(8), {1, 7}), HasSubstr("from 1 to 7"));
  EXPECT_THAT(refuse<std::uint64_t>(number(0), {1, 7}), HasSubstr("from 1 to 7"));
  EXPECT_THAT(refuse<std::uint64_t>(number(-1)), HasSubstr("at least 0"));
  EXPECT_THAT(refuse<std::uint64_t>(text("7")), HasSubstr("number"));
  EXPECT_EQ(take<std::optional<std::uint64_t>>(number(7)), 7u);
}

TEST(ConfigValue, Times) {
  EXPECT_EQ(take<seconds>(number(90)), seconds(90));
  EXPECT_EQ(take<seconds>(text("90")), seconds(90));
  EXPECT_EQ(take<seconds>(text("90s")), seconds(90));
  EXPECT_EQ(take<seconds>(text("5M")), seconds(300));
  EXPECT_EQ(take<seconds>(text("2h")), seconds(7'200));
  EXPECT_EQ(take<seconds>(text("7d")), seconds(604'800));
  EXPECT_EQ(take<seconds>(text("1w")), seconds(604'800));
  for (const char* wrong : {"", "s", "5x", "5 s", "-5", "5.5", "5ss", "99999999999999999999s"}) {
    EXPECT_THAT(refuse<seconds>(text(wrong)), HasSubstr("seconds")) << wrong;
  }
  EXPECT_THAT(refuse<seconds>(text("99999999999w")), HasSubstr("seconds"));
  EXPECT_THAT(refuse<seconds>(number(-1)), HasSubstr("seconds"));
  EXPECT_THAT(refuse<seconds>(text("2h"), {1, 60}), HasSubstr("from 1 to 60"));
}

TEST(ConfigValue, Rates) {
  EXPECT_EQ(take<Rate>(text("10/1h")), (Rate{10, seconds(3'600)}));
  EXPECT_EQ(take<Rate>(text("10/1M")), (Rate{10, seconds(60)}));
  EXPECT_EQ(take<Rate>(text("3/90")), (Rate{3, seconds(90)}));
  for (const char* wrong : {"", "10", "10/", "/1h", "0/1h", "10/0s", "a/1h", "10/1h/2"}) {
    EXPECT_THAT(refuse<Rate>(text(wrong)), HasSubstr("10/1h")) << wrong;
  }
}

TEST(ConfigValue, PermissionBits) {
  EXPECT_EQ(take<std::optional<FileMode>>(text("0007"))->bits, 7u);
  EXPECT_EQ(take<std::optional<FileMode>>(text("22"))->bits, 022u);
  EXPECT_EQ(take<std::optional<FileMode>>(number(022))->bits, 022u);
  for (const char* wrong : {"", "8", "0x7", "1000"}) {
    EXPECT_THAT(refuse<std::optional<FileMode>>(text(wrong)), HasSubstr("octal")) << wrong;
  }
}

TEST(ConfigValue, Lists) {
  using Texts = std::vector<std::string>;
  EXPECT_THAT(take<Texts>(text("a")), ElementsAre("a"));
  EXPECT_THAT(take<Texts>(list({text("a"), text("b")})), ElementsAre("a", "b"));
  EXPECT_THAT(refuse<Texts>(list({text("a"), number(1)})), HasSubstr("list of texts"));
  EXPECT_THAT(refuse<Texts>(number(1)), HasSubstr("list of texts"));
  EXPECT_EQ(take<std::vector<SocketSpec>>(list({text("inet:1"), text("local:x")})).size(), 2u);
  EXPECT_THAT(refuse<std::vector<SocketSpec>>(list({text("inet:1"), text("tcp:1")})),
              HasSubstr("'tcp:1'"));
}

TEST(ConfigValue, DataSets) {
  DataSet set;
  EXPECT_FALSE(assign(&set, text("refile:/x")));
  EXPECT_EQ(set.source, "refile:/x");
  EXPECT_EQ(set.place, (Place{"f", 1}));
  EXPECT_FALSE(assign(&set, list({text("a"), text("b c")})));
  EXPECT_EQ(set.source, "");
  EXPECT_THAT(set.lines, ElementsAre("a", "b c"));
  EXPECT_TRUE(assign(&set, number(1)));
}

TEST(ConfigValue, Words) {
  EXPECT_EQ(take<mailflow::Action>(text("tempfail")), mailflow::Action::tempfail);
  EXPECT_EQ(take<mailflow::Action>(text("Reject")), mailflow::Action::reject);
  EXPECT_THAT(refuse<mailflow::Action>(text("r")), HasSubstr("accept, discard, quarantine"));
  EXPECT_EQ(take<LogLevel>(text("debug")), LogLevel::debug);
  EXPECT_THAT(refuse<LogLevel>(text("")), HasSubstr("error, warning"));
  EXPECT_EQ(take<Mode>(text("both")), Mode::both);
  EXPECT_THAT(refuse<Mode>(number(1)), HasSubstr("sign, verify, both"));
}

TEST(ConfigValue, Canonicalizations) {
  const auto read = take<Canonicalizations>(text("relaxed/Simple"));
  EXPECT_EQ(read.header, dkim::Canonicalization::relaxed);
  EXPECT_EQ(read.body, dkim::Canonicalization::simple);
  for (const char* wrong :
       {"", "/", "relaxed", "relaxed/", "relaxed/simple/simple", "nowsp/simple"}) {
    EXPECT_THAT(refuse<Canonicalizations>(text(wrong)), HasSubstr("relaxed/relaxed")) << wrong;
  }
}

TEST(ConfigValue, EveryDefaultIsReadAsItIsWritten) {
  for (const Setting& setting : settings_table()) {
    Settings settings;
    const Slot slot = setting.slot(settings);
    EXPECT_FALSE(type_of(slot).empty()) << setting.key;
    std::string written = to_toml(slot);
    if (!written.starts_with('"')) continue;
    const Value value{written.substr(1, written.size() - 2), {}};
    EXPECT_FALSE(assign(slot, value, setting.range)) << setting.key << " = " << written;
    EXPECT_EQ(to_toml(slot), written) << setting.key;
  }
}

TEST(ConfigProblems, AreSortedByFileAndLine) {
  Problems problems;
  problems.warning({"b", 9}, "1");
  problems.error({"a", 7}, "2");
  problems.note({"b", 2}, "3");
  problems.fatal({"a", 7}, "4", "do it");
  problems.error({"a", 7}, "2");
  std::vector<std::string> lines;
  const std::vector<Problem> sorted = problems.take_sorted();
  for (const Problem& problem : sorted) lines.push_back(to_string(problem));
  EXPECT_THAT(lines, ElementsAre("b:2: note: 3", "b:9: warning: 1", "a:7: error: 2",
                                 "a:7: fatal: 4; do it"));
  EXPECT_EQ(worst(sorted), Severity::fatal);
  EXPECT_EQ(worst({}), Severity::note);
}

TEST(ConfigProblems, AreCountedWhenThereAreTooMany) {
  Problems problems;
  for (std::size_t i = 0; i < problems_max + 5; ++i) problems.warning({"f", i}, "bad");
  problems.fatal({"f", 0}, "worse");
  const std::vector<Problem> sorted = problems.take_sorted();
  EXPECT_EQ(sorted.size(), problems_max + 1);
  EXPECT_EQ(to_string(sorted.back()), "fatal: 6 more problems");
}

TEST(ConfigSuggestion, IsTheNearestName) {
  const std::vector<std::string_view> known{"KeyTable", "KeyFile", "SigningTable"};
  EXPECT_EQ(suggestion("keytabel", known), "did you mean KeyTable?");
  EXPECT_EQ(suggestion("SingingTable", known), "did you mean SigningTable?");
  EXPECT_EQ(suggestion("KeyFiles", known), "did you mean KeyFile?");
  EXPECT_EQ(suggestion("Cheese", known), "");
  EXPECT_EQ(suggestion("", known), "");
  EXPECT_EQ(suggestion(std::string(41, 'K'), known), "");
}

}  // namespace
}  // namespace countersign::service::config
