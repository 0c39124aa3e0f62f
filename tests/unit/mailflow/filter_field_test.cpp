// SPDX-License-Identifier: Apache-2.0
//
// The field that names the filter.

#include "countersign/mailflow/filter_field.hpp"

#include <gtest/gtest.h>

namespace countersign::mailflow {
namespace {

TEST(FilterField, NamesSoftwareAndMessage) {
  Header header{HeaderField("From: a@b.example")};
  apply_edits({filter_field("DMARC-Filter", "countersign v1 mx.example", "4XyZ12")}, header);
  ASSERT_EQ(header.size(), 2U);
  EXPECT_EQ(header.front().raw(), "DMARC-Filter: countersign v1 mx.example 4XyZ12");
}

TEST(FilterField, SaysWhenTheMtaNamesNoMessage) {
  EXPECT_EQ(filter_field("DKIM-Filter", "countersign v1 mx.example", "").value,
            " countersign v1 mx.example (unknown-jobid)");
}

}  // namespace
}  // namespace countersign::mailflow
