// SPDX-License-Identifier: Apache-2.0
//
// Zip files for tests, stored and not packed, written octet by octet, so that a test can lie in
// them.

#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace countersign::test {

/// CRC-32 as zip and gzip have it.
[[nodiscard]] inline std::uint32_t crc32_of(std::string_view octets) {
  std::uint32_t crc = 0xFFFFFFFFU;
  for (const char c : octets) {
    crc ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1U) ^ ((crc & 1U) != 0 ? 0xEDB88320U : 0U);
  }
  return ~crc;
}

/// A number, least significant octet first.
[[nodiscard]] inline std::string little_endian(std::uint64_t value, unsigned octets) {
  std::string out;
  for (unsigned i = 0; i < octets; ++i) out += static_cast<char>((value >> (8U * i)) & 0xFFU);
  return out;
}

/// A zip file with those names and contents.
[[nodiscard]] inline std::string zip_of(
    const std::vector<std::pair<std::string, std::string>>& entries) {
  std::string files;
  std::string directory;
  for (const auto& [name, content] : entries) {
    const std::string common = little_endian(0, 2) + little_endian(0, 2) + little_endian(0, 4) +
                               little_endian(crc32_of(content), 4) +
                               little_endian(content.size(), 4) + little_endian(content.size(), 4) +
                               little_endian(name.size(), 2) + little_endian(0, 2);
    directory += "PK\1\2" + little_endian(20, 2) + little_endian(20, 2) + common +
                 little_endian(0, 2) + little_endian(0, 2) + little_endian(0, 2) +
                 little_endian(0, 4) + little_endian(files.size(), 4) + name;
    files += "PK\3\4" + little_endian(20, 2) + common + name + content;
  }
  return files + directory + "PK\5\6" + little_endian(0, 4) + little_endian(entries.size(), 2) +
         little_endian(entries.size(), 2) + little_endian(directory.size(), 4) +
         little_endian(files.size(), 4) + little_endian(0, 2);
}

}  // namespace countersign::test
