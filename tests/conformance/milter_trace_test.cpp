// SPDX-License-Identifier: Apache-2.0
//
// Conversations with MTAs, recorded once and replayed against a session. A line is a packet:
//
//   > L "Subject\0 Hi\0"      the MTA's: code, data
//   < c                       ours; "*" in its data stands for any octets
//   > end      < end          the MTA closes the connection; we do
//
// "mode" names what the filter does. It signs for *@sender.example when mail comes from 127.0.0.1
// or from somebody who logged in. Each conversation is replayed packet by packet, octet by octet,
// and pipelined, all packets up to the next answer at once.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <ostream>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "countersign/milter/session.hpp"
#include "tests/support/exact.hpp"
#include "tests/support/milter_mta.hpp"
#include "tests/support/signing.hpp"

namespace countersign::milter {
namespace {

/// A line of a trace.
struct Line {
  bool from_mta = false;
  bool is_end = false;
  std::string packet;  ///< code and data
  std::size_t number = 0;
};

/// A whole trace.
struct Trace {
  std::string name;
  std::set<std::string> mode;
  std::vector<Line> lines;
};

void PrintTo(const Trace& trace, std::ostream* out) { *out << trace.name; }

/// The octets that a text in quotes stands for.
std::string unquoted(std::string_view text) {
  std::string octets;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      octets += text[i];
      continue;
    }
    switch (text[++i]) {
      case '0':
        octets += '\0';
        break;
      case 'n':
        octets += '\n';
        break;
      case 'r':
        octets += '\r';
        break;
      case 't':
        octets += '\t';
        break;
      case 'x':
        octets += static_cast<char>(std::stoi(std::string(text.substr(i + 1, 2)), nullptr, 16));
        i += 2;
        break;
      default:
        octets += text[i];
    }
  }
  return octets;
}

Line parse_line(const std::string& text, std::size_t number) {
  Line line{.from_mta = text[0] == '>', .number = number};
  const std::string rest = text.substr(2);
  line.is_end = rest == "end";
  if (line.is_end) return line;
  line.packet = rest[0];
  const std::size_t quote = rest.find('"');
  if (quote != std::string::npos)
    line.packet += unquoted(std::string_view(rest).substr(quote + 1, rest.size() - quote - 2));
  return line;
}

Trace read_trace(const std::filesystem::path& path) {
  Trace trace{.name = path.stem().string()};
  std::ifstream file(path);
  std::string text;
  for (std::size_t number = 1; std::getline(file, text); ++number) {
    if (text.starts_with("mode")) {
      std::istringstream words(text.substr(4));
      for (std::string word; words >> word;) trace.mode.insert(word);
    } else if (text.starts_with("> ") || text.starts_with("< ")) {
      trace.lines.push_back(parse_line(text, number));
    }
  }
  return trace;
}

std::vector<Trace> all_traces() {
  const char* source = std::getenv("COUNTERSIGN_SOURCE");
  const std::filesystem::path root = source == nullptr ? "." : source;
  std::vector<Trace> traces;
  for (const auto& entry : std::filesystem::directory_iterator(root / "tests/conformance/milter"))
    if (entry.path().extension() == ".trace") traces.push_back(read_trace(entry.path()));
  std::ranges::sort(traces, {}, &Trace::name);
  return traces;
}

mailflow::Policy policy_for(const Trace& trace) {
  mailflow::Policy policy = test::signing_policy();
  policy.signs = trace.mode.contains("sign");
  policy.judges = trace.mode.contains("judge");
  policy.key_table.add(test::key_entry("key", "sender.example", "s1"));
  policy.signing_table =
      test::signing_table(mailflow::SigningTable::Kind::patterns, {"*@sender.example key"});
  return policy;
}

bool matches(std::string_view pattern, std::string_view text) {
  const std::size_t star = pattern.find('*');
  if (star == std::string_view::npos) return pattern == text;
  if (!text.starts_with(pattern.substr(0, star))) return false;
  for (std::size_t at = star; at <= text.size(); ++at)
    if (matches(pattern.substr(star + 1), text.substr(at))) return true;
  return false;
}

std::string framed(std::string_view packet) {
  std::string octets;
  for (int shift = 24; shift >= 0; shift -= 8)
    octets += static_cast<char>((packet.size() >> shift) & 0xFF);
  return octets + std::string(packet);
}

/// A replay in one manner of sending.
class Replay {
 public:
  /// chunk_octets sent at a time; 0 for everything up to the next answer.
  Replay(const Trace& trace, std::size_t chunk_octets)
      : trace_(trace),
        chunk_octets_(chunk_octets),
        session_([policy = std::make_shared<const mailflow::Policy>(policy_for(trace))] {
          return policy;
        }) {}

  void run() {
    for (const Line& line : trace_.lines) {
      if (line.from_mta && line.is_end) {
        flush();
        take(session_.end_of_input());
      } else if (line.from_mta) {
        waiting_ += framed(line.packet);
        if (chunk_octets_ != 0) flush();
      } else {
        flush();
        expect(line);
      }
    }
    flush();
    EXPECT_TRUE(replies_.empty()) << "an answer too many: " << replies_.front();
    EXPECT_TRUE(closed_);
  }

 private:
  void flush() {
    std::string_view rest = waiting_;
    const std::size_t chunk = chunk_octets_ == 0 ? rest.size() : chunk_octets_;
    for (; !rest.empty(); rest.remove_prefix(std::min(chunk, rest.size()))) {
      const test::Exact copy = test::exact(rest.substr(0, chunk));
      take(session_.receive(copy.view(), test::signing_time));
    }
    waiting_.clear();
  }

  void take(const Step& step) {
    EXPECT_FALSE(closed_ && !step.send.empty());
    closed_ = closed_ || step.close;
    for (const auto& [code, data] : test::frames_of(step.send)) replies_.push_back(code + data);
  }

  void expect(const Line& line) {
    if (line.is_end) {
      EXPECT_TRUE(closed_) << "line " << line.number;
      return;
    }
    ASSERT_FALSE(replies_.empty()) << "no answer, line " << line.number;
    EXPECT_TRUE(matches(line.packet, replies_.front()))
        << "line " << line.number << ": " << replies_.front();
    replies_.erase(replies_.begin());
  }

  const Trace& trace_;
  std::size_t chunk_octets_;
  Session session_;
  std::string waiting_;
  std::vector<std::string> replies_;
  bool closed_ = false;
};

class MilterTrace : public testing::TestWithParam<Trace> {};

TEST_P(MilterTrace, PacketByPacket) { Replay(GetParam(), 100'000).run(); }
TEST_P(MilterTrace, OctetByOctet) { Replay(GetParam(), 1).run(); }
TEST_P(MilterTrace, Pipelined) { Replay(GetParam(), 0).run(); }

INSTANTIATE_TEST_SUITE_P(Recorded, MilterTrace, testing::ValuesIn(all_traces()),
                         [](const auto& tested) { return tested.param.name; });

}  // namespace
}  // namespace countersign::milter
