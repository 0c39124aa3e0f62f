// SPDX-License-Identifier: Apache-2.0
//
// opendkim.conf: its grammar, its values, and what becomes of every kind of option. The outcomes
// were compared with OpenDKIM 2.11 (opendkim -n -x FILE).

#include "service/config/import/opendkim.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "service/config/import/opendkim_lines.hpp"
#include "service/config/import/opendkim_options.hpp"
#include "tests/support/configurations.hpp"
#include "tests/support/exact.hpp"

namespace countersign::service::config {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

std::vector<std::string> split(std::string_view text, Problems& problems) {
  std::vector<std::string> lines;
  for (const ConfigLine& line : split_config_lines(test::exact(text).view(), "f", problems)) {
    lines.push_back(std::to_string(line.place.line) + " " + line.name + "=" + line.value);
  }
  return lines;
}

Imported import(const std::string& text,
                const std::vector<std::pair<std::string, std::string>>& overrides = {}) {
  return config::import(Form::opendkim, text, overrides);
}

Settings clean(const std::string& text) { return config::clean(Form::opendkim, text); }

// --- lines ---

TEST(OpenDkimLines, NamesAndValues) {
  Problems problems;
  EXPECT_THAT(split("A b\nC\t d e \n\n  \nF g#h\n # i\nJ k\r\n\tL m", problems),
              ElementsAre("1 A=b", "2 C=d e", "5 F=g", "7 J=k", "8 L=m"));
  EXPECT_THAT(texts(problems), IsEmpty());
}

TEST(OpenDkimLines, TheHashCutsAnywhereAndQuotesMeanNothing) {
  Problems problems;
  EXPECT_THAT(split("A \"b#c\"\nB 'd e'\nC d\\\n", problems),
              ElementsAre("1 A=\"b", "2 B='d e'", "3 C=d\\"));
}

TEST(OpenDkimLines, ANameNeedsAValue) {
  Problems problems;
  EXPECT_THAT(split("A\nB \t\nC #d\n#E\nF g\n", problems), ElementsAre("5 F=g"));
  EXPECT_THAT(texts(problems), ElementsAre(StartsWith("f:1: fatal: 'A' has no value"),
                                           StartsWith("f:2: fatal: 'B' has no value"),
                                           StartsWith("f:3: fatal: 'C' has no value")));
}

TEST(OpenDkimLines, IncludedFilesStandInTheirPlace) {
  test::MemoryFiles files;
  files.add("a", "A 1\ninclude b\nA 3\n").add("b", "A 2\n");
  Problems problems;
  std::vector<std::string> read;
  for (const ConfigLine& line : read_config_lines("a", files, problems)) {
    read.push_back(line.place.to_string() + " " + line.value);
  }
  EXPECT_THAT(read, ElementsAre("a:1 1", "b:1 2", "a:3 3"));
  EXPECT_THAT(texts(problems), IsEmpty());
}

TEST(OpenDkimLines, IncludesAreFiveDeepAtMost) {
  test::MemoryFiles files;
  for (int i = 0; i < 6; ++i) {
    files.add("f" + std::to_string(i), "Include f" + std::to_string(i + 1) + "\nA b\n");
  }
  files.add("f6", "A c\n");
  Problems problems;
  EXPECT_EQ(read_config_lines("f1", files, problems).size(), 6u);
  EXPECT_THAT(texts(problems), IsEmpty());
  EXPECT_EQ(read_config_lines("f0", files, problems).size(), 6u);
  EXPECT_THAT(texts(problems), ElementsAre(StartsWith("f5:1: fatal: Include is nested deeper")));
}

TEST(OpenDkimLines, AFileThatIncludesItselfIsTold) {
  test::MemoryFiles files;
  files.add("a", "A b\nInclude a\nInclude b\n").add("b", "Include a\nB c\n");
  Problems problems;
  EXPECT_EQ(read_config_lines("a", files, problems).size(), 2u);
  EXPECT_THAT(texts(problems), ElementsAre(StartsWith("a:2: fatal: a includes itself"),
                                           StartsWith("b:1: fatal: a includes itself")));
}

TEST(OpenDkimLines, IncludesAreCounted) {
  test::MemoryFiles files;
  std::string many;
  for (std::size_t i = 0; i < includes_max; ++i) many += "Include b\n";
  files.add("a", many + "A c\n").add("b", "B c\n");
  Problems problems;
  EXPECT_EQ(read_config_lines("a", files, problems).size(), includes_max + 1);
  EXPECT_THAT(texts(problems), IsEmpty());
  files.add("a", many + "Include b\nA c\n");
  EXPECT_EQ(read_config_lines("a", files, problems).size(), includes_max);
  EXPECT_THAT(texts(problems), ElementsAre(HasSubstr("more than 100 files")));
}

TEST(OpenDkimLines, FilesThatCannotBeReadAreTold) {
  test::MemoryFiles files;
  files.add("a", "Include /none\n");
  Problems problems;
  (void)read_config_lines("a", files, problems);
  (void)read_config_lines("/gone", files, problems);
  EXPECT_THAT(texts(problems),
              ElementsAre("a:1: fatal: cannot read /none: No such file or directory",
                          "/gone: fatal: cannot read /gone: No such file or directory"));
}

// --- values ---

TEST(OpenDkimValues, BooleansGoByTheirFirstLetter) {
  for (const char* yes : {"yes", "Yes", "y", "true", "T", "1", "yup", "10"}) {
    EXPECT_TRUE(clean(std::string("Syslog ") + yes + "\n").log.to_syslog) << yes;
  }
  for (const char* no : {"no", "No", "n", "false", "F", "0", "nope", "01"}) {
    EXPECT_FALSE(clean(std::string("Syslog ") + no + "\n").log.to_syslog) << no;
  }
}

TEST(OpenDkimValues, OnAndOffAreTakenWithANote) {
  const Imported on = import("Syslog On\n");
  EXPECT_TRUE(on.settings.log.to_syslog);
  EXPECT_THAT(on.problems, ElementsAre(StartsWith("f:1: note: Syslog On is taken as yes")));
  EXPECT_FALSE(import("Syslog off\n").settings.log.to_syslog);
  EXPECT_THAT(import("Syslog maybe\n").problems, ElementsAre(HasSubstr("fatal: Syslog maybe")));
}

TEST(OpenDkimValues, NumbersHaveTheBasesOfC) {
  EXPECT_EQ(clean("UMask 0077\n").daemon.umask->bits, 077u);
  EXPECT_EQ(clean("UMask 002\n").daemon.umask->bits, 2u);
  EXPECT_EQ(clean("UMask 7\n").daemon.umask->bits, 7u);
  EXPECT_EQ(clean("UMask 0x1f\n").daemon.umask->bits, 037u);
  EXPECT_EQ(clean("SignatureTTL 3600\n").signing.lifetime, std::chrono::hours(1));
  for (const char* wrong : {"08", "7x", "0x", "-", "ten", "1 2"}) {
    EXPECT_THAT(import(std::string("SignatureTTL ") + wrong + "\n").problems,
                ElementsAre(HasSubstr("expected a number")))
        << wrong;
  }
}

TEST(OpenDkimValues, ADecimalUmaskIsNoted) {
  const Imported imported = import("UMask 22\n");
  EXPECT_EQ(imported.settings.daemon.umask->bits, 026u);
  EXPECT_THAT(imported.problems,
              ElementsAre(AllOf(HasSubstr("note: UMask 22"), HasSubstr("write 022"))));
}

TEST(OpenDkimValues, NumbersOutOfOurRangeDoNotStopTheStart) {
  const Imported imported = import("DNSTimeout 5000\nMaximumHeaders 10\n");
  EXPECT_EQ(imported.settings.dns.timeout, std::chrono::seconds(600));
  EXPECT_EQ(imported.settings.limits.header_octets, 1'024u);
  EXPECT_THAT(imported.problems, ElementsAre("f:2: warning: MaximumHeaders 10 is taken as 1024",
                                             "f:1: warning: DNSTimeout 5000 is taken as 600"));
}

TEST(OpenDkimValues, ZeroMeansWithoutLimit) {
  const Settings settings = clean("SignatureTTL 0\nDNSTimeout 0\nMaximumHeaders 0\n");
  EXPECT_FALSE(settings.signing.lifetime);
  EXPECT_EQ(settings.dns.timeout, std::chrono::seconds(600));
  EXPECT_EQ(settings.limits.header_octets, 67'108'864u);
}

TEST(OpenDkimValues, Actions) {
  const Settings settings =
      clean("On-BadSignature r\nOn-DNSError accept\nOn-Default D\nOn-NoSignature Quarantine\n");
  EXPECT_EQ(settings.judging.actions.bad_signature, mailflow::Action::reject);
  EXPECT_EQ(settings.judging.actions.dns_error, mailflow::Action::accept);
  EXPECT_EQ(settings.judging.actions.no_signature, mailflow::Action::quarantine);
  EXPECT_EQ(settings.judging.actions.key_not_found, mailflow::Action::discard);
  EXPECT_EQ(settings.signing.on_signing_error, mailflow::Action::discard);
  EXPECT_EQ(settings.signing.on_limit, mailflow::Action::discard);
  EXPECT_EQ(clean("On-Security reject\n").signing.on_limit, mailflow::Action::reject);

  const Imported wrong = import("On-SignatureError bounce\n");
  EXPECT_THAT(wrong.problems, ElementsAre(HasSubstr("warning: On-SignatureError bounce")));
  EXPECT_EQ(wrong.settings.signing.on_signing_error, mailflow::Action::tempfail);
}

TEST(OpenDkimValues, Modes) {
  EXPECT_EQ(clean("Mode s\n").signing.mode, Mode::sign);
  EXPECT_EQ(clean("Mode v\n").signing.mode, Mode::verify);
  EXPECT_EQ(clean("Mode vs\n").signing.mode, Mode::both);
  EXPECT_EQ(clean("").signing.mode, Mode::both);
  EXPECT_THAT(import("Mode S\n").problems, ElementsAre(HasSubstr("expected s, v or sv")));
}

TEST(OpenDkimValues, Canonicalization) {
  using enum dkim::Canonicalization;
  EXPECT_EQ(clean("").signing.canonicalization, (Canonicalizations{simple, simple}));
  EXPECT_EQ(clean("Canonicalization relaxed\n").signing.canonicalization,
            (Canonicalizations{relaxed, simple}));
  EXPECT_EQ(clean("Canonicalization Relaxed/RELAXED\n").signing.canonicalization,
            (Canonicalizations{relaxed, relaxed}));
  EXPECT_THAT(import("Canonicalization nofws\n").problems, ElementsAre(HasSubstr("fatal")));
}

TEST(OpenDkimValues, Sockets) {
  EXPECT_EQ(clean("Socket inet:8891@localhost\n").daemon.sockets.size(), 1u);
  EXPECT_EQ(clean("Socket inet:8891@localhost, local:/run/x\n").daemon.sockets.size(), 2u);
  EXPECT_THAT(import("Socket inet:x\n").problems, ElementsAre(HasSubstr("'inet:x': a port")));
}

TEST(OpenDkimValues, Minimum) {
  for (const char* whole : {"100%", "0+"}) {
    const std::string line = std::string("Minimum ") + whole + "\n";
    EXPECT_FALSE(clean(line).judging.accepts_partly_signed_body) << whole;
  }
  EXPECT_TRUE(clean("Minimum 0\n").judging.accepts_partly_signed_body);
  for (const char* part : {"512", "512+", "50%"}) {
    EXPECT_THAT(import(std::string("Minimum ") + part + "\n").problems,
                ElementsAre(HasSubstr("has no effect")));
  }
  for (const char* wrong : {"101%", "%", "-1", "5x", "+"}) {
    EXPECT_THAT(import(std::string("Minimum ") + wrong + "\n").problems,
                ElementsAre(HasSubstr("fatal")))
        << wrong;
  }
}

TEST(OpenDkimValues, Nameservers) {
  EXPECT_THAT(clean("Nameservers 192.0.2.1, 2001:db8::1\n").dns.nameservers,
              ElementsAre("192.0.2.1", "2001:db8::1"));
}

// --- options ---

TEST(OpenDkimOptions, DefaultsAreThoseOfOpenDkim) {
  const Settings settings = clean("");
  EXPECT_TRUE(settings.daemon.background);
  EXPECT_FALSE(settings.log.to_syslog);
  EXPECT_FALSE(settings.signing.multiple_signatures);
  EXPECT_TRUE(settings.signing.safe_keys_required);
  EXPECT_EQ(settings.signing.fields, FieldDefaults::opendkim);
  EXPECT_THAT(settings.signing.internal_hosts.lines, ElementsAre("127.0.0.1", "::1"));
  EXPECT_EQ(settings.judging.signatures_max, 3u);
  EXPECT_EQ(settings.signing.on_limit, mailflow::Action::tempfail);
  EXPECT_FALSE(settings.signing.requires_headers);
}

TEST(OpenDkimOptions, NamesAreInAnyCase) {
  EXPECT_EQ(clean("selector a\nSELECTOR a\n").signing.single.selector, "a");
  EXPECT_EQ(clean("OverSignHeaders From\n").signing.oversigned_fields.source, "From");
}

TEST(OpenDkimOptions, UnknownNamesAreFatalWithASuggestion) {
  const Imported imported = import("KeyTabel /x\nCheese yes\nSyslog yes\n");
  EXPECT_THAT(imported.problems,
              ElementsAre("f:1: fatal: there is no option 'KeyTabel'; did you mean KeyTable?",
                          "f:2: fatal: there is no option 'Cheese'"));
  EXPECT_TRUE(imported.settings.log.to_syslog) << "what can be read is read";
}

TEST(OpenDkimOptions, TheLastLineCounts) {
  const Imported list = import("OversignHeaders From\nOversignHeaders To\n");
  EXPECT_EQ(list.settings.signing.oversigned_fields.source, "To");
  EXPECT_THAT(list.problems,
              ElementsAre(AllOf(StartsWith("f:2: warning: OversignHeaders is set again; the value "
                                           "at f:1 is not used"),
                                HasSubstr("separated by commas"))));
  const Imported plain = import("Selector a\nSelector b\n");
  EXPECT_EQ(plain.settings.signing.single.selector, "b");
  EXPECT_THAT(plain.problems, ElementsAre(StartsWith("f:2: note: Selector is set again")));
}

TEST(OpenDkimOptions, TheCommandLineCountsMost) {
  const Imported imported =
      import("Socket inet:1\nBackground yes\n",
             {{"Socket", "inet:2"}, {"Background", "no"}, {"UserID", "opendkim"}});
  EXPECT_THAT(imported.problems, IsEmpty());
  EXPECT_EQ(imported.settings.daemon.sockets.front().port, 2);
  EXPECT_FALSE(imported.settings.daemon.background);
  EXPECT_EQ(imported.settings.place_of("daemon.user"), (Place{"command line", 0}));
  EXPECT_EQ(imported.settings.place_of("daemon.umask"), (Place{"f", 0}));
  EXPECT_THAT(import("", {{"Sockt", "x"}}).problems,
              ElementsAre(StartsWith("command line: fatal: there is no option 'Sockt'")));
}

TEST(OpenDkimOptions, EachThatDoesNothingWarnsOnce) {
  for (const Option& option : opendkim_options()) {
    if (option.fate == Fate::works) continue;
    const std::string line = std::string(option.name) + " x\n";
    EXPECT_THAT(import(line + line).problems,
                ElementsAre(AllOf(HasSubstr(option.name), HasSubstr("has no effect"))));
  }
}

TEST(OpenDkimOptions, WhatAsksForNothingIsNotTold) {
  for (const char* line : {"SendReports no", "ResignAll False", "BogusKey fail",
                           "UnprotectedKey none", "On-InternalError t", "LuaOnlySigning 0"}) {
    EXPECT_THAT(import(std::string(line) + "\n").problems, IsEmpty()) << line;
  }
  for (const char* line : {"SendReports yes", "BogusKey none", "On-InternalError accept"}) {
    EXPECT_THAT(import(std::string(line) + "\n").problems, ElementsAre(HasSubstr("no effect")))
        << line;
  }
}

// --- judging ---

TEST(OpenDkimJudging, NothingButDkimIsJudged) {
  const JudgingSettings judging = clean("").judging;
  EXPECT_FALSE(judging.spf || judging.dmarc || judging.arc || judging.iprev);
  EXPECT_EQ(judging.actions.ambiguous, mailflow::Action::accept);
  EXPECT_EQ(judging.actions.dns_error, mailflow::Action::tempfail);
  EXPECT_EQ(judging.actions.bad_key, mailflow::Action::tempfail);
}

TEST(OpenDkimJudging, ResultsField) {
  const ResultsSettings results =
      clean(
          "AuthservID mx.example\nAuthservIDWithJobID yes\nNoHeaderB yes\n"
          "RemoveARFrom a.example,b.example\nRemoveARAll yes\nAlwaysAddARHeader yes\n")
          .judging.results;
  EXPECT_EQ(results.authserv_id, "mx.example");
  EXPECT_TRUE(results.authserv_id_with_job_id);
  EXPECT_FALSE(results.signature_values);
  EXPECT_EQ(results.removed_ids.source, "a.example,b.example");
  EXPECT_TRUE(results.removes_all);
  EXPECT_TRUE(clean("KeepAuthResults yes\n").judging.results.keeps_all);
  EXPECT_EQ(clean("AuthservID HOSTNAME\n").judging.results.authserv_id, "");
}

TEST(OpenDkimJudging, Quarantine) {
  const auto action = [](const std::string& text) {
    return clean(text).judging.actions.bad_signature;
  };
  EXPECT_EQ(action("Quarantine yes\n"), mailflow::Action::quarantine);
  EXPECT_EQ(action("Quarantine no\n"), mailflow::Action::accept);
  EXPECT_EQ(action("Quarantine yes\nOn-BadSignature reject\n"), mailflow::Action::reject);
}

TEST(OpenDkimJudging, Bounds) {
  EXPECT_EQ(clean("MaximumSignaturesToVerify 5\n").judging.signatures_max, 5u);
  EXPECT_EQ(clean("MaximumSignaturesToVerify 0\n").judging.signatures_max, 1'000u);
  EXPECT_EQ(clean("ClockDrift 60\n").judging.clock_drift, std::chrono::minutes(1));
}

TEST(OpenDkimJudging, RequiredHeadersRejectsMailWithoutAnAuthor) {
  const Settings settings = clean("RequiredHeaders yes\n");
  EXPECT_TRUE(settings.signing.requires_headers);
  EXPECT_EQ(settings.judging.actions.ambiguous, mailflow::Action::reject);
  EXPECT_EQ(clean("RequiredHeaders no\n").judging.actions.ambiguous, mailflow::Action::accept);
}

TEST(OpenDkimOptions, OldNameOfTheSoftwareHeader) {
  const Imported imported = import("X-Header yes\n");
  EXPECT_TRUE(imported.settings.signing.software_header);
  EXPECT_THAT(imported.problems, ElementsAre(HasSubstr("write SoftwareHeader instead")));
}

TEST(OpenDkimOptions, BodyLengthNeedsASecondWord) {
  const Imported silent = import("MaximumSignedBytes 1000\n");
  EXPECT_FALSE(silent.settings.signing.allows_body_length);
  EXPECT_THAT(silent.problems, ElementsAre(HasSubstr("l= lets anybody add")));
  const Settings allowed = clean("MaximumSignedBytes 1000\nAllowBodyLength yes\n");
  EXPECT_TRUE(allowed.signing.allows_body_length);
  EXPECT_EQ(allowed.signing.signed_octets_max, 1'000u);
}

TEST(OpenDkimOptions, AlgorithmIsWhatTheOperatorExpects) {
  EXPECT_EQ(clean("SignatureAlgorithm rsa-sha256\n").signing.expected_key_type,
            crypto::KeyType::rsa);
  EXPECT_EQ(clean("SignatureAlgorithm ed25519-sha256\n").signing.expected_key_type,
            crypto::KeyType::ed25519);
  EXPECT_THAT(import("SignatureAlgorithm rsa-sha1\n").problems,
              ElementsAre(HasSubstr("warning: rsa-sha1 never signs")));
  EXPECT_THAT(import("SignatureAlgorithm rot13\n").problems, ElementsAre(HasSubstr("fatal")));
}

TEST(OpenDkimOptions, ShortKeysStayRefused) {
  const Imported imported = import("MinimumKeyBits 512\n");
  EXPECT_EQ(imported.settings.signing.key_bits_min, 1'024u);
  EXPECT_THAT(imported.problems, ElementsAre(HasSubstr("taken as 1024")));
  EXPECT_EQ(clean("MinimumKeyBits 2048\n").signing.key_bits_min, 2'048u);
  EXPECT_EQ(clean("MinimumKeyBits 2048\n").judging.key_bits_min, 2'048u);
}

TEST(OpenDkimOptions, LoggingWithoutSyslogGoesToTheTerminal) {
  EXPECT_TRUE(clean("Background no\n").log.to_stderr);
  EXPECT_FALSE(clean("Background no\nSyslog yes\n").log.to_stderr);
  EXPECT_FALSE(clean("").log.to_stderr);
  EXPECT_EQ(clean("MilterDebug 6\n").log.level, LogLevel::debug);
  EXPECT_EQ(clean("MilterDebug 0\n").log.level, LogLevel::info);
}

TEST(OpenDkimOptions, ScriptsThatChooseSignaturesAreErrors) {
  for (const char* name : {"SetupPolicyScript", "LuaOnlySigning", "ReplaceRules", "SenderMacro"}) {
    EXPECT_THAT(import(std::string(name) + " x\n").problems, ElementsAre(HasSubstr("error: ")));
  }
}

}  // namespace
}  // namespace countersign::service::config
