// SPDX-License-Identifier: Apache-2.0
//
// Archives: what is packed unpacks to the same, and what is made to hurt does not.

#include "countersign/encoding/archive.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/exact.hpp"
#include "tests/support/zip.hpp"

namespace countersign::encoding {
namespace {

using test::zip_of;

void bad(std::string_view octets, ArchiveErrorCode code, const Limits& limits = {}) {
  const auto files = unpack_files(test::exact(octets).view(), limits);
  ASSERT_FALSE(files);
  EXPECT_EQ(files.error(), code) << to_string(files.error());
  EXPECT_FALSE(to_string(code).empty());
}

TEST(Archive, PacksAndUnpacks) {
  for (const std::string& text : {std::string("x"), std::string(300'000, 'a'),
                                  std::string("\0\1\xFF", 3), std::string("<feedback/>")}) {
    const auto files = unpack_files(test::exact(gzip(text)).view(), Limits{});
    ASSERT_TRUE(files);
    EXPECT_EQ(files->files, std::vector{text});
    EXPECT_EQ(files->layers, std::vector{ArchiveForm::gzip});
  }
}

TEST(Archive, PacksTheSameAlwaysTheSameWay) {
  const std::string packed = gzip("the same");
  EXPECT_EQ(packed, gzip("the same"));
  EXPECT_EQ(packed.substr(0, 3), "\x1F\x8B\x08");
  EXPECT_EQ(packed.substr(3, 5), std::string(5, '\0')) << "no name, no time";
}

TEST(Archive, TakesOctetsThatAreNoArchiveAsTheyAre) {
  const auto files = unpack_files("<feedback/>", Limits{});
  ASSERT_TRUE(files);
  EXPECT_EQ(files->files, std::vector<std::string>{"<feedback/>"});
  EXPECT_EQ(files->layers, std::vector{ArchiveForm::plain});
  bad("", ArchiveErrorCode::damaged);
}

TEST(Archive, ReadsZip) {
  const auto files =
      unpack_files(zip_of({{"../../etc/passwd", "one"}, {"b.xml", "two"}}), Limits{});
  ASSERT_TRUE(files);
  EXPECT_EQ(files->files, (std::vector<std::string>{"one", "two"}));
  EXPECT_EQ(files->layers, std::vector{ArchiveForm::zip});
  const auto inside = unpack_files(gzip(zip_of({{"a", "one"}})), Limits{});
  ASSERT_TRUE(inside);
  EXPECT_EQ(inside->layers, (std::vector{ArchiveForm::gzip, ArchiveForm::zip}));
}

TEST(Archive, S45LayersAreBounded) {
  std::string packed = gzip("x");
  const Limits limits;
  for (std::size_t i = 1; i < limits.archive_layers_max; ++i) packed = gzip(packed);
  const auto files = unpack_files(packed, limits);
  ASSERT_TRUE(files);
  EXPECT_EQ(files->layers.size(), limits.archive_layers_max);
  bad(gzip(packed), ArchiveErrorCode::too_many_layers);
}

TEST(Archive, S45EntriesAreBounded) {
  std::vector<std::pair<std::string, std::string>> entries;
  const Limits limits;
  for (std::size_t i = 0; i < limits.archive_entries_max; ++i) entries.push_back({"a", "x"});
  EXPECT_TRUE(unpack_files(zip_of(entries), limits));
  entries.push_back({"a", "x"});
  bad(zip_of(entries), ArchiveErrorCode::too_many_entries);
}

TEST(Archive, S45ASizeThatTheArchiveClaimsIsNotBelieved) {
  std::string octets = zip_of({{"a", "four"}});
  octets[22] = 1;  // The uncompressed size in the local header.
  const auto files = unpack_files(octets, Limits{});
  if (files) EXPECT_LE(files->files.front().size(), 4U);
  bad(octets.substr(0, 20), ArchiveErrorCode::damaged);
}

TEST(Archive, S45ABombStopsAtItsLimit) {
  const std::string bomb = gzip(std::string(8'000'000, 'a'));
  EXPECT_LT(bomb.size(), 20'000U);
  bad(bomb, ArchiveErrorCode::bad_ratio);
  Limits limits;
  limits.archive_ratio_max = 10'000;
  EXPECT_TRUE(unpack_files(bomb, limits));
  limits.report_bytes_max = 7'999'999;
  bad(bomb, ArchiveErrorCode::too_much, limits);
  std::size_t taken = 0;
  const auto unpacked = unpack(bomb, limits, [&taken](std::size_t, std::string_view block) {
    taken += block.size();
    return true;
  });
  EXPECT_FALSE(unpacked);
  EXPECT_LE(taken, limits.report_bytes_max);
}

TEST(Archive, S45LongArchivesAreNotLookedAt) {
  Limits limits;
  limits.archive_bytes_max = 4;
  bad("<a/>x", ArchiveErrorCode::too_long, limits);
  EXPECT_TRUE(unpack_files("<a/>", limits));
}

TEST(Archive, DamageIsSeen) {
  const std::string packed = gzip("a text that is long enough to be cut off somewhere");
  for (const std::size_t length : {packed.size() - 1, packed.size() - 8, packed.size() / 2})
    bad(packed.substr(0, length), ArchiveErrorCode::damaged);
  EXPECT_TRUE(unpack_files(packed + "trailing", Limits{}));
  const auto both = unpack_files(packed + gzip("second"), Limits{});
  ASSERT_TRUE(both);
  EXPECT_TRUE(both->files.front().ends_with("second"));
}

TEST(Archive, TheSinkMayStopIt) {
  std::size_t blocks = 0;
  const auto unpacked = unpack(gzip(std::string(1'000'000, 'a')), Limits{},
                               [&blocks](std::size_t, std::string_view) { return ++blocks < 2; });
  EXPECT_TRUE(unpacked);
  EXPECT_EQ(blocks, 2U);
}

}  // namespace
}  // namespace countersign::encoding
