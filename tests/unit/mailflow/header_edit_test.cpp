// SPDX-License-Identifier: Apache-2.0
//
// Edits as values, and made as an MTA makes them: it renumbers after each.

#include "countersign/mailflow/header_edit.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/signing.hpp"

namespace countersign::mailflow {
namespace {

using test::header;

HeaderEdit removal(std::string name, std::size_t index) {
  return {.kind = HeaderEdit::Kind::remove, .name = std::move(name), .index = index};
}

TEST(HeaderEdit, InsertsTheFieldAsItStands) {
  const HeaderEdit edit = insert_at_top(HeaderField("X-A: b\r\n c"));
  EXPECT_EQ(edit.name, "X-A");
  EXPECT_EQ(edit.value, " b\r\n c");
  Header fields = header({"Y: 1"});
  apply_edits({edit}, fields);
  EXPECT_EQ(fields, header({"X-A: b\r\n c", "Y: 1"}));
}

TEST(HeaderEdit, RemovesByTheIndexAmongFieldsOfThatName) {
  Header fields = header({"A: 1", "B: 1", "a: 2", "B: 2", "A: 3"});
  apply_edits({removal("A", 2)}, fields);
  EXPECT_EQ(fields, header({"A: 1", "B: 1", "B: 2", "A: 3"}));
  apply_edits({removal("b", 2)}, fields);
  EXPECT_EQ(fields, header({"A: 1", "B: 1", "A: 3"}));
}

TEST(HeaderEdit, AnIndexThatIsNotThereChangesNothing) {
  Header fields = header({"A: 1"});
  apply_edits({removal("A", 2), removal("A", 0), removal("B", 1)}, fields);
  EXPECT_EQ(fields, header({"A: 1"}));
}

TEST(HeaderEdit, RemoveAllLeavesNoneThoughTheRestIsRenumbered) {  // CVE-2022-48521
  Header fields = header({"A: 1", "B: 1", "A: 2", "a : 3", "A: 4"});
  const auto edits = remove_all(fields, "A");
  EXPECT_THAT(edits, testing::ElementsAre(removal("A", 4), removal("A", 3), removal("A", 2),
                                          removal("A", 1)));
  apply_edits(edits, fields);
  EXPECT_EQ(fields, header({"B: 1"}));
  EXPECT_TRUE(remove_all(fields, "A").empty());
}

}  // namespace
}  // namespace countersign::mailflow
