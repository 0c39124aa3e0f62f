// SPDX-License-Identifier: Apache-2.0
//
// Reads the shared conformance data: public test cases in one neutral JSON form, kept outside of
// the repository. COUNTERSIGN_CONFORMANCE names their folder; without it, ../shared/conformance
// beside the repository is tried. Where there are none, a loud line says so and nothing fails: a
// clone alone still passes its tests.
//
// Each case is a test of its own:
//
//   class DkimVerify : public testing::TestWithParam<ConformanceCase> {};
//   GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(DkimVerify);
//   INSTANTIATE_TEST_SUITE_P(Matrix, DkimVerify, ValuesIn(conformance_cases("dkim/matrix.json")),
//                            conformance_test_name);

#pragma once

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <memory>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "countersign/dns/zone.hpp"

namespace countersign::test {

/// A whole file of cases.
struct ConformanceFile {
  std::string name;  ///< as given to conformance_cases()
  boost::json::object content;
};

/// One case, with the file that holds its zone.
class ConformanceCase {
 public:
  ConformanceCase(std::shared_ptr<const ConformanceFile> file, const boost::json::object& data)
      : file_(std::move(file)), data_(&data) {}

  /// The members of the case.
  [[nodiscard]] const boost::json::object& data() const { return *data_; }
  /// The name of the case, unique in its file.
  [[nodiscard]] std::string id() const { return text("id"); }
  /// A member that is text; empty when absent.
  [[nodiscard]] std::string text(std::string_view member) const;
  /// A member that stands for octets off the wire; empty when absent.
  [[nodiscard]] std::string octets(std::string_view member) const;
  /// The zone that the case names; an empty one when it names none.
  [[nodiscard]] dns::Zone zone() const;

 private:
  std::shared_ptr<const ConformanceFile> file_;
  const boost::json::object* data_;
};

/// How a failed test prints its case.
void PrintTo(const ConformanceCase& given, std::ostream* out);

/// All cases of a file, named by its path in the folder: "dkim/matrix.json".
[[nodiscard]] std::vector<ConformanceCase> conformance_cases(std::string_view file_name);

/// The octets of a file of the folder: "aggregate/one.xml".
[[nodiscard]] std::string read_conformance_file(std::string_view file_name);

/// The case's id as a GoogleTest name, its place added so that it is unique.
[[nodiscard]] std::string conformance_test_name(
    const testing::TestParamInfo<ConformanceCase>& info);

/// The octets that a JSON string stands for: one for each code point U+0000..U+00FF.
[[nodiscard]] std::string octets_of(const boost::json::value& value);

/// The strings of a JSON array.
[[nodiscard]] std::vector<std::string> strings_of(const boost::json::value& value);

}  // namespace countersign::test
