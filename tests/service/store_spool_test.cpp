// SPDX-License-Identifier: Apache-2.0
//
// The spool: nothing that is on the disk is lost or handed out twice, and what is broken is told.

#include "service/store/spool.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>

#include "tests/support/child_process.hpp"
#include "tests/support/evaluations.hpp"
#include "tests/support/folder.hpp"
#include "tests/support/log_file.hpp"

namespace countersign::service::store {
namespace {

namespace fs = std::filesystem;
using test::evaluation;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr std::uint64_t roomy = 1'000'000'000;

class SpoolTest : public testing::Test {
 protected:
  static Counts counts(std::uint64_t messages, const std::string& domain = "example.org") {
    return {{row_key(evaluation(domain), Day(std::chrono::days(20'000))), messages}};
  }
  [[nodiscard]] std::string directory() const { return folder_ / "some/spool"; }
  void open(std::uint64_t octets_max = roomy) {
    spool_.reset();
    spool_.emplace(directory(), octets_max, log_.log());
  }
  /// As if the process had ended here: no destructor, and another process that opens the spool.
  void die_after(const std::function<void(Spool&)>& work) {
    test::ChildProcess child([&] {
      Spool spool(directory(), roomy, log_.log());
      work(spool);
      return ::raise(SIGKILL);
    });
    EXPECT_EQ(child.exit_code(), 128 + SIGKILL);
  }
  /// Takes all that waits, and says it is delivered.
  std::uint64_t deliver_all() {
    std::uint64_t messages = 0;
    while (const std::optional<SpooledCounts> waiting = spool_->next()) {
      for (const auto& [key, number] : waiting->counts) messages += number;
      static_cast<void>(spool_->delivered(waiting->position.segment, waiting->position.end));
    }
    return messages;
  }
  [[nodiscard]] std::vector<std::string> files(const std::string& end = ".spool") const {
    std::vector<std::string> found;
    for (const auto& entry : fs::directory_iterator(directory())) {
      if (entry.path().string().ends_with(end)) found.push_back(entry.path().string());
    }
    return found;
  }

  static std::string octets_of(const std::string& file) {
    std::ifstream stream(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
  }

  static void damage(const std::string& file, std::uint64_t at) {
    std::fstream stream(file, std::ios::binary | std::ios::in | std::ios::out);
    stream.seekp(static_cast<std::streamoff>(at));
    stream.put('\xff');
  }

  test::Folder folder_;
  test::LogFile log_;
  std::optional<Spool> spool_;
};

TEST_F(SpoolTest, HandsOutWhatWasAppended) {
  open();
  EXPECT_TRUE(spool_->is_empty());
  EXPECT_EQ(spool_->next(), std::nullopt);
  EXPECT_EQ(spool_->append(counts(3)), Appended::durable);
  EXPECT_FALSE(spool_->is_empty());
  const SpooledCounts first = spool_->next().value();
  EXPECT_EQ(first.counts, counts(3));
  EXPECT_EQ(first.position.begin, segment_head_octets);
  EXPECT_EQ(first.position.segment.size(), 16U);
  EXPECT_EQ(spool_->append(counts(4)), Appended::durable);
  EXPECT_EQ(spool_->append(counts(5, "other.example")), Appended::durable);
  const SpooledCounts all = spool_->next().value();
  EXPECT_THAT(all.counts, SizeIs(2)) << "several that wait come together";
  EXPECT_EQ(all.counts.begin()->second + std::next(all.counts.begin())->second, 12U);
  EXPECT_EQ(all.position.begin, first.position.begin);
  // The store had heard of the first one alone.
  EXPECT_THAT(spool_->delivered(first.position.segment, first.position.end), IsEmpty());
  const SpooledCounts rest = spool_->next().value();
  EXPECT_EQ(rest.position.begin, first.position.end);
  EXPECT_EQ(rest.position.end, all.position.end);
  static_cast<void>(spool_->delivered(rest.position.segment, rest.position.end));
  EXPECT_TRUE(spool_->is_empty());
  spool_.reset();
  EXPECT_THAT(files(), IsEmpty()) << "what is delivered leaves nothing behind";
}

TEST_F(SpoolTest, OutlivesItsProcess) {
  die_after([](Spool& spool) {
    EXPECT_EQ(spool.append(counts(3)), Appended::durable);
    EXPECT_EQ(spool.append(counts(4)), Appended::durable);
  });
  open();
  EXPECT_EQ(spool_->append(counts(10)), Appended::durable);
  const SpooledCounts old = spool_->next().value();
  EXPECT_EQ(old.counts, counts(7)) << "the oldest first";
  EXPECT_THAT(spool_->delivered(old.position.segment, old.position.end), SizeIs(1));
  EXPECT_EQ(deliver_all(), 10U);
  EXPECT_EQ(spool_->octets_lost(), 0U);
}

TEST_F(SpoolTest, IsOneDaemonsAlone) {
  open();
  try {
    const Spool second(directory(), roomy, log_.log());
    FAIL() << "two daemons in one spool";
  } catch (const StoreError& error) {
    EXPECT_THAT(error.what(), HasSubstr("another daemon's; give each its own"));
  }
  EXPECT_EQ(fs::status(directory()).permissions(), fs::perms::owner_all);
}

TEST_F(SpoolTest, SaysWhereItCannotBe) {
  std::ofstream(folder_ / "file") << "x";
  try {
    const Spool spool(folder_ / "file/spool", roomy, log_.log());
    FAIL() << "a spool below a file";
  } catch (const StoreError& error) {
    EXPECT_THAT(error.what(), HasSubstr("cannot be made: Not a directory; see store.spool_dir"));
  }
}

TEST_F(SpoolTest, AnUnfinishedTailCostsItselfAlone) {
  die_after([](Spool& spool) {
    EXPECT_EQ(spool.append(counts(3)), Appended::durable);
    EXPECT_EQ(spool.append(counts(4)), Appended::durable);
  });
  ASSERT_THAT(files(), SizeIs(1));
  const std::string file = files().front();
  const std::string whole = octets_of(file);
  const std::uint64_t first_end = parse_record(std::string_view(whole).substr(24), 24).value().end;
  // Cut anywhere: the first record is there as soon as all of its octets are.
  for (std::uint64_t size = 0; size < whole.size(); size += 7) {
    for (const std::string& one : files("")) {
      if (!one.ends_with("lock")) fs::remove(one);
    }
    std::ofstream(file, std::ios::binary) << whole.substr(0, size);
    const int told = log_.count("did not finish");
    open();
    EXPECT_EQ(deliver_all(), size >= first_end ? 3U : 0U) << size;
    const bool is_torn = size != 24 && size != first_end;
    EXPECT_EQ(log_.count("did not finish") - told, is_torn ? 1 : 0) << size;
    EXPECT_EQ(spool_->octets_lost() > 0, is_torn && size > 0) << size;
    EXPECT_EQ(spool_->append(counts(1)), Appended::durable);
    EXPECT_EQ(deliver_all(), 1U);
    spool_.reset();
    EXPECT_THAT(files(), IsEmpty());
  }
}

TEST_F(SpoolTest, DamageCostsTheRestOfItsSegmentAndIsKept) {
  die_after([](Spool& spool) {
    for (int i = 0; i < 5; ++i) EXPECT_EQ(spool.append(counts(1)), Appended::durable);
  });
  die_after([](Spool& spool) { EXPECT_EQ(spool.append(counts(100)), Appended::durable); });
  std::vector<std::string> found = files();
  ASSERT_THAT(found, SizeIs(2));
  std::ranges::sort(found);
  const auto size = fs::file_size(found.front());
  damage(found.front(), size * 5 / 10);  // Within the third record.
  open();
  EXPECT_EQ(deliver_all(), 102U);
  EXPECT_TRUE(log_.has("the spool is damaged")) << log_.text();
  EXPECT_GT(spool_->octets_lost(), size / 3);
  EXPECT_THAT(files(".damaged"), SizeIs(1));
}

// Each bit of the length of the third record, and of the last one, in a small segment: no length
// makes an unfinished record of what has whole ones behind it, or is itself whole.
TEST_F(SpoolTest, DamageInALengthIsNoUnfinishedTail) {
  constexpr std::size_t records = 20;
  die_after([](Spool& spool) {
    for (std::size_t i = 0; i < records; ++i) EXPECT_EQ(spool.append(counts(1)), Appended::durable);
  });
  const std::string file = files().at(0);
  const std::string whole = octets_of(file);
  const std::size_t record = (whole.size() - segment_head_octets) / records;
  for (const std::size_t damaged : {std::size_t{2}, records - 1}) {
    for (unsigned bit = 0; bit < 32; ++bit) {
      std::string octets = whole;
      char& octet = octets[segment_head_octets + damaged * record + bit / 8];
      octet = static_cast<char>(static_cast<unsigned char>(octet) ^ 1U << bit % 8);
      spool_.reset();
      for (const std::string& kept : files("")) {
        if (!kept.ends_with("lock")) fs::remove(kept);
      }
      std::ofstream(file, std::ios::binary) << octets;
      open();
      EXPECT_EQ(deliver_all(), damaged) << bit;
      EXPECT_EQ(spool_->octets_lost(), (records - damaged) * record) << bit;
      EXPECT_THAT(files(), IsEmpty()) << bit;
      ASSERT_THAT(files(".damaged"), SizeIs(1)) << bit;
      EXPECT_EQ(octets_of(files(".damaged").front()), octets) << bit;
    }
  }
  EXPECT_EQ(log_.count("the spool is damaged"), 64);
  EXPECT_FALSE(log_.has("did not finish"));
}

TEST_F(SpoolTest, WhatIsKeptBesideIsNotOverwritten) {
  for (int i = 1; i <= 2; ++i) {
    die_after([](Spool& spool) { EXPECT_EQ(spool.append(counts(1)), Appended::durable); });
    ASSERT_THAT(files(), SizeIs(1));
    damage(files().front(), 100);
    open();
    EXPECT_EQ(deliver_all(), 0U);
    spool_.reset();
    EXPECT_THAT(files(".damaged"), SizeIs(i));
  }
}

TEST_F(SpoolTest, WhatAnotherVersionWroteStaysWhereItIs) {
  open();
  spool_.reset();
  const std::string newer = directory() + "/0000000000000007.spool";
  const std::string octets = "CSSPOOL2" + std::string(1'000, 'x');
  std::ofstream(newer, std::ios::binary) << octets;
  const std::string no_segment = directory() + "/0000000000000009.spool";
  std::ofstream(no_segment, std::ios::binary) << "something else, of whatever length";
  const std::string cut = directory() + "/000000000000000a.spool";
  std::ofstream(cut, std::ios::binary) << "CSSPOOL1" << "name";
  open();
  EXPECT_TRUE(log_.has("another version of countersign wrote this segment")) << log_.text();
  EXPECT_TRUE(log_.has("the spool is damaged")) << log_.text();
  EXPECT_TRUE(log_.has("did not finish")) << log_.text();
  EXPECT_EQ(spool_->octets(), 0U) << "what nobody will deliver takes no room";
  EXPECT_EQ(spool_->append(counts(3)), Appended::durable);
  EXPECT_EQ(deliver_all(), 3U);
  spool_.reset();
  EXPECT_THAT(files(), testing::ElementsAre(newer));
  EXPECT_EQ(octets_of(newer), octets);
  EXPECT_THAT(files(".damaged"), testing::ElementsAre(no_segment + ".damaged"));
}

// --- what cannot be read for a while -------------------------------------------------------------

TEST_F(SpoolTest, WithoutADescriptorWhatWaitsGoesOnWaiting) {
  test::ChildProcess child([&] {
    Spool spool(directory(), roomy, log_.log());
    if (spool.append(counts(3)) != Appended::durable) return 1;
    rlimit usual{};
    ::getrlimit(RLIMIT_NOFILE, &usual);
    const rlimit none{3, usual.rlim_max};
    ::setrlimit(RLIMIT_NOFILE, &none);
    std::exception_ptr thrown;
    try {
      static_cast<void>(spool.next());
    } catch (...) {
      thrown = std::current_exception();
    }
    ::setrlimit(RLIMIT_NOFILE, &usual);  // Sanitizers need some to look at it.
    if (!thrown) return 2;
    try {
      std::rethrow_exception(thrown);
    } catch (const SpoolError& error) {
      if (error.remedy() != Remedy::wait) return 3;
      if (std::string_view(error.what()).find("Too many open files") == std::string::npos) return 4;
    }
    const std::optional<SpooledCounts> waiting = spool.next();
    if (!waiting || waiting->counts != counts(3)) return 5;
    return spool.octets_lost() == 0 ? 0 : 6;
  });
  EXPECT_EQ(child.exit_code(), 0);
}

TEST_F(SpoolTest, WhatCannotBeReadHoldsNothingElseUp) {
  die_after([](Spool& spool) { EXPECT_EQ(spool.append(counts(3)), Appended::durable); });
  const std::string file = files().at(0);
  open();
  EXPECT_EQ(spool_->append(counts(10)), Appended::durable);
  const std::string aside = folder_ / "aside";
  fs::rename(file, aside);
  fs::create_directory(file);  // It can be opened, and reading it fails.
  const std::optional<SpooledCounts> newer = spool_->next();
  ASSERT_TRUE(newer);
  EXPECT_EQ(newer->counts, counts(10));
  EXPECT_THAT(spool_->delivered(newer->position.segment, newer->position.end), IsEmpty());
  EXPECT_THROW(static_cast<void>(spool_->next()), SpoolError);
  fs::remove(file);
  EXPECT_THROW(static_cast<void>(spool_->next()), SpoolError);
  const std::string octets = octets_of(aside);
  std::ofstream(file, std::ios::binary) << octets.substr(0, octets.size() - 1);
  EXPECT_THROW(static_cast<void>(spool_->next()), SpoolError) << "shorter than it was";
  EXPECT_FALSE(spool_->is_empty());
  EXPECT_EQ(spool_->octets_lost(), 0U);
  fs::rename(aside, file);
  EXPECT_EQ(deliver_all(), 3U);
  EXPECT_EQ(spool_->append(counts(4)), Appended::durable);
  EXPECT_EQ(deliver_all(), 4U);
  spool_.reset();
  EXPECT_THAT(files(""), testing::ElementsAre(directory() + "/lock"));
}

// What is damaged while it is written costs what is damaged, and nothing that comes later.
TEST_F(SpoolTest, DamageBehindTheWriterEndsItsSegment) {
  open();
  EXPECT_EQ(spool_->append(counts(1)), Appended::durable);
  const std::string file = files().at(0);
  damage(file, 100);
  EXPECT_EQ(spool_->next(), std::nullopt);
  EXPECT_TRUE(log_.has("the spool is damaged")) << log_.text();
  for (std::uint64_t i = 2; i < 5; ++i) {
    EXPECT_EQ(spool_->append(counts(i)), Appended::durable);
    EXPECT_EQ(deliver_all(), i);
  }
  spool_.reset();
  EXPECT_THAT(files(""), testing::UnorderedElementsAre(directory() + "/lock", file + ".damaged"));
}

TEST_F(SpoolTest, GrowsToItsBoundAndNotBeyond) {
  constexpr std::uint64_t bound = 100'000;
  open(bound);
  int stored = 0;
  while (spool_->append(counts(1, std::to_string(stored) + ".example")) == Appended::durable) {
    ++stored;
    ASSERT_LT(stored, 10'000);
  }
  EXPECT_GT(spool_->octets(), bound * 9 / 10);
  EXPECT_LE(spool_->octets(), bound);
  EXPECT_EQ(spool_->append(counts(1)), Appended::full);
  EXPECT_EQ(deliver_all(), static_cast<std::uint64_t>(stored));
}

TEST_F(SpoolTest, SegmentsAreClosedAndRemovedAsTheyFillAndEmpty) {
  open();
  Counts many;
  for (int i = 0; i < 3'000; ++i) many.merge(counts(1, std::to_string(i) + ".example"));
  for (int i = 0; i < 15; ++i) ASSERT_EQ(spool_->append(many), Appended::durable);
  const std::size_t segments = files().size();
  EXPECT_GE(segments, 2U);
  EXPECT_EQ(deliver_all(), 45'000U);
  EXPECT_LE(files().size(), 1U);
  EXPECT_LT(spool_->octets(), 10'000'000U);
}

TEST_F(SpoolTest, WhatHasTheSameRowsComesTogetherHoweverMuchItIs) {
  open();
  const auto rows_of = [](int first) {
    Counts many;
    for (int i = first; i < first + 1'000; ++i)
      many.merge(counts(1, std::to_string(i) + ".example"));
    return many;
  };
  for (int i = 0; i < 10; ++i) ASSERT_EQ(spool_->append(rows_of(0)), Appended::durable);
  ASSERT_GT(spool_->octets(), 2'000'000U);
  const SpooledCounts same = spool_->next().value();
  EXPECT_THAT(same.counts, SizeIs(1'000));
  EXPECT_EQ(same.counts.begin()->second, 10U);
  EXPECT_EQ(same.position.end, spool_->octets());
  static_cast<void>(spool_->delivered(same.position.segment, same.position.end));
  // What has not is bounded.
  for (int i = 1; i <= 10; ++i) ASSERT_EQ(spool_->append(rows_of(i * 1'000)), Appended::durable);
  const SpooledCounts various = spool_->next().value();
  EXPECT_THAT(various.counts,
              testing::AllOf(SizeIs(testing::Ge(2'000)), SizeIs(testing::Le(8'000))));
  EXPECT_EQ(deliver_all(), 10'000U);
}

TEST_F(SpoolTest, ADiskThatIsFullTakesNothingByHalves) {
  test::ChildProcess child([&] {
    ::signal(SIGXFSZ, SIG_IGN);
    Spool spool(directory(), roomy, log_.log());
    if (spool.append(counts(1)) != Appended::durable) return 1;
    const rlimit short_file{spool.octets() + 100, RLIM_INFINITY};
    ::setrlimit(RLIMIT_FSIZE, &short_file);  // The next record fits in part.
    if (spool.append(counts(2)) != Appended::failed) return 2;
    if (spool.append(counts(4)) != Appended::failed) return 3;
    const rlimit endless{RLIM_INFINITY, RLIM_INFINITY};
    ::setrlimit(RLIMIT_FSIZE, &endless);
    if (spool.append(counts(8)) != Appended::durable) return 4;
    const std::optional<SpooledCounts> waiting = spool.next();
    return waiting && waiting->counts == counts(9) ? 0 : 5;
  });
  EXPECT_EQ(child.exit_code(), 0);
  open();
  EXPECT_EQ(deliver_all(), 9U) << "and so it is for the next process";
  EXPECT_EQ(spool_->octets_lost(), 0U);
}

TEST(SpoolForm, RecordsAreReadAsTheyWereWrittenOrNotAtAll) {
  const std::string record = format_record("payload");
  const std::string and_more = record + "more";
  const SpoolRecord read = parse_record(and_more, 24).value();
  EXPECT_EQ(read.payload, "payload");
  EXPECT_EQ(read.end, 24 + record.size());
  for (std::size_t size = 0; size < record.size(); ++size) {
    EXPECT_FALSE(parse_record(std::string_view(record).substr(0, size), 0));
  }
  for (std::size_t at = 0; at < record.size(); ++at) {
    std::string changed = record;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    EXPECT_FALSE(parse_record(changed, 0)) << at;
  }
  EXPECT_EQ(segment_name(segment_head("0123456789abcdef")), "0123456789abcdef");
  EXPECT_FALSE(segment_name("CSSPOOL2" + std::string(16, 'x')));
  EXPECT_FALSE(segment_name("CSSPOOL1"));
}

}  // namespace
}  // namespace countersign::service::store
