// SPDX-License-Identifier: Apache-2.0
//
// The rows of a policy, some at a time, by whoever does not want all of them in memory.

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "service/store/store.hpp"
#include "tests/support/evaluations.hpp"
#include "tests/support/store_engines.hpp"

namespace countersign::service::store {
namespace {

using namespace std::chrono_literals;
using report::Evaluation;
using test::evaluation;

constexpr Day day{std::chrono::days(20'000)};
constexpr Time noon = day + 12h;

class StoreReading : public test::StoreTest {};

TEST_P(StoreReading, ReadingGoesOnWhereItStopped) {
  Store store = open();
  Counts counts;
  for (int i = 0; i < 50; ++i) {
    Evaluation one = evaluation("example.org", "192.0.2." + std::to_string(i / 3));
    one.header_from = "h" + std::to_string(i) + ".example.org";
    counts[row_key(one, day)] = 1;
  }
  ASSERT_TRUE(store.append(counts, {"segment", 0, 1}, noon).is_new);
  ASSERT_TRUE(
      store.append({{row_key(evaluation("other.example"), day), 1}}, {"segment", 1, 2}, noon)
          .is_new);
  std::map<Evaluation, std::uint64_t> read;
  RowPosition position;
  for (std::size_t before = 1; before != read.size();) {
    before = read.size();
    int left = 4;
    store.read(
        {day}, 1,
        [&](const CountedEvaluation& row) {
          EXPECT_GT(row.position, position);
          position = row.position;
          EXPECT_TRUE(read.emplace(row.evaluation, row.messages).second) << "no row comes twice";
          return --left > 0;
        },
        RowPosition(position));
  }
  EXPECT_EQ(read.size(), 50U);
}

COUNTERSIGN_ON_BOTH_ENGINES(StoreReading);

}  // namespace
}  // namespace countersign::service::store
