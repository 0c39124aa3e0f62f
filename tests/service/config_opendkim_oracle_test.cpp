// SPDX-License-Identifier: Apache-2.0
//
// The same files before OpenDKIM itself, where that is installed: does it take them (opendkim -n),
// what does it read from a data set (opendkim -Q), and do we agree? Each difference is intended and
// says why.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <optional>

#include "service/config/data_set.hpp"
#include "service/config/snapshot.hpp"
#include "tests/support/keys.hpp"

namespace countersign::service::config {
namespace {

struct Ran {
  int exit_code = -1;
  std::string output;
};

Ran run(const std::string& command) {
  Ran ran;
  FILE* pipe = ::popen((command + " 2>&1").c_str(), "r");
  if (pipe == nullptr) return ran;
  std::array<char, 4'096> buffer{};
  while (const std::size_t got = std::fread(buffer.data(), 1, buffer.size(), pipe)) {
    ran.output.append(buffer.data(), got);
  }
  const int status = ::pclose(pipe);
  if (WIFEXITED(status)) ran.exit_code = WEXITSTATUS(status);
  return ran;
}

class OpenDkimOracle : public ::testing::Test {
 protected:
  void SetUp() override {
    if (run("opendkim -V").exit_code != 0) {
      std::cerr << "opendkim is not installed: nothing is compared with it\n";
      GTEST_SKIP();
    }
    std::string pattern = (std::filesystem::temp_directory_path() / "countersign-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    directory = pattern;
    write("key", test::rsa_pem());
    ASSERT_EQ(::chmod((directory + "/key").c_str(), 0600), 0);
    write("kt", "k example.org:s:" + directory + "/key\n");
    write("st", "example.org k\n");
    write("more", "Syslog yes\n");
  }
  void TearDown() override {
    if (!directory.empty()) std::filesystem::remove_all(directory);
  }

  std::string write(const std::string& name, const std::string& octets) {
    std::ofstream(directory + "/" + name, std::ios::binary) << octets;
    return directory + "/" + name;
  }

  // The text with every "@" in front of a name made the directory of the test.
  std::string place(std::string text) const {
    for (std::size_t at = 0; (at = text.find("@/", at)) != std::string::npos;) {
      text.replace(at, 1, directory);
    }
    return text;
  }

  bool theirs(const std::string& text) {
    return run("opendkim -n -x '" + write("conf", text) + "'").exit_code == 0;
  }

  bool ours(const std::string& text) {
    const Source source{Source::Form::opendkim, write("conf", text), {}};
    return load(source, this_machine()).policy != nullptr;
  }

  std::string directory;
};

struct Case {
  const char* text;
  bool theirs;
  const char* why_ours_differs = nullptr;
};

constexpr Case cases[] = {
    {"", true},
    {"Mode s\n", true},
    {"Mode S\n", false},
    {"Mode vs\n", true},
    {"Syslog yup\n", true},
    {"Syslog on\n", false, "every other program takes on and off"},
    {"Syslog maybe\n", false},
    {"Syslog\n", false},
    {"Syslog # yes\n", false},
    {"syslog YES # comment\n", true},
    {"Cheese yes\n", false},
    {"ADSPAction none\n", false, "old files go on working"},
    {"SendADSPReports no\n", false, "old files go on working"},
    {"LDAPSoftStart no\n", false, "old files go on working"},
    {"X-Header yes\n", true},
    {"UMask 0077\n", true},
    {"UMask 08\n", false},
    {"UMask 7x\n", false},
    {"DNSTimeout 0\n", true},
    {"DNSTimeout ten\n", false},
    {"SignatureTTL 0x10\n", true},
    {"Canonicalization relaxed\n", true},
    {"Canonicalization Relaxed/SIMPLE\n", true},
    {"Canonicalization nofws\n", false},
    {"Canonicalization relaxed/\n", false},
    {"SignatureAlgorithm rsa-sha256\n", true},
    {"SignatureAlgorithm rot13\n", false},
    {"On-Default tempfail\n", true},
    {"On-BadSignature r\n", true},
    {"On-BadSignature bounce\n", true},
    {"Minimum 100%\n", true},
    {"Minimum 101%\n", false},
    {"Minimum 5+\n", true},
    {"BogusKey neutral\n", true},
    {"BogusKey maybe\n", false},
    {"Include @/more\n", true},
    {"Include @/none\n", false},
    {"Include @/conf\n", false},
    {"TrustAnchorFile @/none\n", false},
    {"InternalHosts 127.0.0.1,::1\n", true},
    {"InternalHosts ::1\n", false, "no prefix begins with a colon"},
    {"InternalHosts @/none\n", false},
    {"InternalHosts flie:@/more\n", false},
    {"InternalHosts refile:@/more\n", true},
    {"MacroList daemon_name=a|b\n", true},
    {"KeyTable @/kt\nSigningTable @/st\n", true},
    {"KeyTable file:@/kt\nSigningTable refile:@/st\n", true},
    {"KeyTable @/kt\n", false},
    {"SigningTable @/st\n", false},
    {"Mode v\nSigningTable @/st\n", false, "a verifier reads no tables"},
    {"Domain example.org\n", false},
    {"Domain example.org\nSelector s\nKeyFile @/key\nRequireSafeKeys no\n", true},
    {"Selector s\n", false},
    {"KeyFile @/none\nSelector s\nDomain example.org\n", false},
    {"OversignHeaders From\nOversignHeaders To\n", true},
};

TEST_F(OpenDkimOracle, TakesWhatWeTake) {
  for (const Case& one : cases) {
    const std::string text = place(std::string("Socket inet:8891@localhost\n") + one.text);
    EXPECT_EQ(theirs(text), one.theirs) << text << "OpenDKIM is not what it was recorded to be";
    EXPECT_EQ(ours(text), one.theirs != (one.why_ours_differs != nullptr)) << text;
  }
}

// --- data sets ---

struct Query {
  const char* set;
  const char* key;
};

constexpr Query queries[] = {
    {"file:@/set", "a.example"},
    {"@/set", "a.example"},
    {"FILE:@/set", "novalue"},
    {"file:@/set", "blanks.example"},
    {"file:@/set", "crlf.example"},
    {"file:@/set", "hash"},
    {"file:@/set", "hash#x"},
    {"file:@/set", "indented.example"},
    {"file:@/set", "#comment"},
    {"refile:@/set", "a.example"},
    {"csl:a,b=1", "b"},
    {"a , b = 2 ,c", "b"},
    {"a , b = 2 ,c", "c"},
    {"a,b", "d"},
    {"x=y=z", "x"},
};

// The value that OpenDKIM reads for a key; nothing when it finds none. A key without a value has
// an empty one.
std::optional<std::string> query(const std::string& set, const std::string& key,
                                 const std::string& script) {
  std::ofstream(script) << set << "\n" << key << "/1\n";
  const Ran ran = run("opendkim -Q < '" + script + "'");
  const std::size_t begin = ran.output.find('\'');
  const std::size_t end = ran.output.rfind('\'');
  if (ran.output.find("not found") != std::string::npos) return std::nullopt;
  if (begin == std::string::npos || begin == end) return "";
  return ran.output.substr(begin + 1, end - begin - 1);
}

TEST_F(OpenDkimOracle, ReadsTheSameEntries) {
  write("set",
        "a.example  one two\n#comment\nnovalue\nblanks.example \t x  y \ncrlf.example v\r\n"
        "hash#x v\n  indented.example w\n");
  for (const Query& one : queries) {
    const std::string set = place(one.set);
    Problems problems;
    std::optional<std::string> found;
    for (const DataEntry& entry : read_data_set({.source = set}, SystemFiles(), problems).entries) {
      if (entry.key == one.key && !found) found = entry.value;
    }
    EXPECT_EQ(found, query(set, one.key, directory + "/script")) << set << " " << one.key;
    EXPECT_TRUE(problems.all().empty());
  }
}

}  // namespace
}  // namespace countersign::service::config
