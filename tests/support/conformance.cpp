// SPDX-License-Identifier: Apache-2.0
//
// The reader of the conformance data. What it cannot read is an exception: such a test must not
// pass.

#include "tests/support/conformance.hpp"

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>

namespace countersign::test {

namespace {

namespace json = boost::json;
using std::filesystem::path;

path conformance_folder() {
  if (const char* folder = std::getenv("COUNTERSIGN_CONFORMANCE")) return folder;
  const char* source = std::getenv("COUNTERSIGN_SOURCE");
  return (source != nullptr ? path(source) : std::filesystem::current_path()) /
         "../shared/conformance";
}

// True when the data are there; says loudly, once, when they are not.
bool has_conformance_data() {
  static const bool present = [] {
    const bool found = std::filesystem::is_directory(conformance_folder());
    if (!found)
      std::fprintf(stderr,
                   "\n*** No conformance data at %s: these cases are NOT tested. "
                   "Set COUNTERSIGN_CONFORMANCE.\n\n",
                   conformance_folder().c_str());
    return found;
  }();
  return present;
}

std::shared_ptr<const ConformanceFile> load(std::string_view file_name) {
  return std::make_shared<const ConformanceFile>(
      std::string(file_name), json::parse(read_conformance_file(file_name)).as_object());
}

}  // namespace

std::string read_conformance_file(std::string_view file_name) {
  std::ifstream stream(conformance_folder() / file_name, std::ios::binary);
  if (!stream) throw std::runtime_error("cannot read conformance data " + std::string(file_name));
  return {std::istreambuf_iterator<char>(stream), {}};
}

std::string ConformanceCase::text(std::string_view member) const {
  const json::value* value = data_->if_contains(member);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

std::string ConformanceCase::octets(std::string_view member) const {
  const json::value* value = data_->if_contains(member);
  return value != nullptr && value->is_string() ? octets_of(*value) : std::string();
}

dns::Zone ConformanceCase::zone() const {
  const std::string name = text("zone");
  if (name.empty()) return {};
  const json::value& content = file_->content.at("zones").at(name);
  auto zone = dns::Zone::parse_json(json::serialize(content), Limits{});
  if (!zone) throw std::runtime_error("zone " + name + ": " + zone.error().message);
  return *std::move(zone);
}

void PrintTo(const ConformanceCase& given, std::ostream* out) { *out << given.id(); }

std::vector<ConformanceCase> conformance_cases(std::string_view file_name) {
  std::vector<ConformanceCase> cases;
  if (!has_conformance_data()) return cases;
  const std::shared_ptr<const ConformanceFile> file = load(file_name);
  for (const json::value& data : file->content.at("cases").as_array())
    cases.emplace_back(file, data.as_object());
  return cases;
}

std::string conformance_test_name(const testing::TestParamInfo<ConformanceCase>& info) {
  std::string name = info.param.id();
  for (char& c : name)
    if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '_';
  return name + "_" + std::to_string(info.index);
}

std::string octets_of(const json::value& value) {
  // The reader gives UTF-8, in which U+0080..U+00FF are two octets, C2 or C3 first.
  const json::string& text = value.as_string();
  std::string octets;
  octets.reserve(text.size());
  for (std::size_t at = 0; at < text.size(); ++at) {
    const auto lead = static_cast<unsigned char>(text[at]);
    if (lead < 0x80) {
      octets += text[at];
      continue;
    }
    if ((lead & 0xFE) != 0xC2 || at + 1 == text.size())
      throw std::runtime_error("an octet string holds a code point above U+00FF");
    const auto trail = static_cast<unsigned char>(text[++at]);
    octets += static_cast<char>(((lead & 0x03) << 6) | (trail & 0x3F));
  }
  return octets;
}

std::vector<std::string> strings_of(const json::value& value) {
  std::vector<std::string> strings;
  for (const json::value& element : value.as_array()) strings.emplace_back(element.as_string());
  return strings;
}

}  // namespace countersign::test
