// SPDX-License-Identifier: Apache-2.0
//
// Bare CR and LF become CRLF, wherever chunks are cut.

#include "countersign/mailflow/line_ends.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>

#include "tests/support/exact.hpp"

namespace countersign::mailflow {
namespace {

std::string mend(std::string_view text, std::size_t chunk_octets) {
  std::string out;
  const auto pass = [&](std::string_view piece) { out += piece; };
  LineEndMender mender;
  for (; !text.empty(); text.remove_prefix(std::min(chunk_octets, text.size()))) {
    const test::Exact chunk = test::exact(text.substr(0, chunk_octets));
    mender.feed(chunk.view(), pass);
    mender.feed("", pass);
  }
  mender.finish(pass);
  return out;
}

void becomes(std::string_view text, std::string_view expected) {
  for (std::size_t chunk = 1; chunk <= text.size() + 1; ++chunk)
    EXPECT_EQ(mend(text, chunk), expected) << "chunks of " << chunk;
}

TEST(LineEndMender, LeavesCrlfAlone) {
  becomes("", "");
  becomes("a\r\nb\r\n", "a\r\nb\r\n");
  becomes("\r\n\r\n", "\r\n\r\n");
}

TEST(LineEndMender, MendsBareLineEnds) {
  becomes("a\nb", "a\r\nb");
  becomes("a\rb", "a\r\nb");
  becomes("\n", "\r\n");
  becomes("\r", "\r\n");
  becomes("\n\n", "\r\n\r\n");
  becomes("\r\r", "\r\n\r\n");
  becomes("\r\r\n", "\r\n\r\n");
  becomes("\n\r", "\r\n\r\n");
  becomes("\r\n\n", "\r\n\r\n");
  becomes("a\r\nb\nc\rd\r\r\n\n", "a\r\nb\r\nc\r\nd\r\n\r\n\r\n");
}

}  // namespace
}  // namespace countersign::mailflow
