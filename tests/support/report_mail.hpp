// SPDX-License-Identifier: Apache-2.0
//
// The report in a mail, as whoever gets it finds it.

#pragma once

#include <gtest/gtest.h>

#include <string>

#include "countersign/encoding/archive.hpp"
#include "countersign/limits.hpp"
#include "countersign/report/aggregate_xml.hpp"
#include "countersign/text/base64.hpp"

namespace countersign::test {

/// The aggregate report that is attached to a mail; it must be one that is read as it should be.
[[nodiscard]] inline report::Aggregate report_in_mail(const std::string& mail) {
  const std::size_t at = mail.find("Content-Type: application/gzip");
  EXPECT_NE(at, std::string::npos) << mail;
  const std::size_t begin = mail.find("\r\n\r\n", at) + 4;
  std::string base64 = mail.substr(begin, mail.find("\r\n--", begin) - begin);
  std::erase_if(base64, [](char c) { return c == '\r' || c == '\n'; });
  const auto octets = text::decode_base64(base64);
  EXPECT_TRUE(octets);
  const auto files = encoding::unpack_files(*octets, Limits());
  EXPECT_TRUE(files);
  const auto read = report::parse_aggregate(files->files.at(0), Limits());
  EXPECT_TRUE(read);
  EXPECT_TRUE(read->leniencies.empty());
  return read->aggregate;
}

}  // namespace countersign::test
