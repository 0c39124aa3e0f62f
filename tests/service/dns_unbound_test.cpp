// SPDX-License-Identifier: Apache-2.0
//
// libunbound on our event loop against a real name server: every kind of answer, of failure and of
// giving up. Names are of example domains, as libunbound answers .test and .invalid itself.

#include "service/dns/unbound.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_future.hpp>
#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <thread>

#include "countersign/dns/zone.hpp"
#include "service/dns/blocking_lookups.hpp"
#include "service/dns/drive.hpp"
#include "tests/support/name_server.hpp"
#include "tests/support/run_awaitable.hpp"
#include "tests/support/signed_zone.hpp"

namespace countersign::service {
namespace {

namespace asio = boost::asio;
using dns::Answer;
using dns::AnswerStatus;
using dns::Question;
using dns::RecordType;
using std::chrono::milliseconds;
using std::chrono::seconds;
using test::NameServer;
using test::run_awaitable;
using Clock = std::chrono::steady_clock;

std::string long_text(int strings) {
  std::string text;
  for (int i = 0; i < strings; ++i)
    text += " \"" + std::string(250, static_cast<char>('a' + i)) + '"';
  return text;
}

// Served by the name server, and read by our own zone for comparison.
const std::string& zone_text() {
  static const std::string text =
      "$ORIGIN example.com.\n$TTL 300\n"
      "@ IN SOA ns root 1 3600 3600 3600 60\n"
      "@ IN NS ns\n"
      "@ IN MX 10 Mail\n"
      "@ IN MX 20 .\n"
      "@ IN TXT \"v=spf1 -all\"\n"
      "@ IN TXT \"other \\\"text\\\"\" \"\" \"\\000\\255\"\n"
      "ns IN A 192.0.2.53\n"
      "mail IN A 192.0.2.1\n"
      "mail IN A 192.0.2.2\n"
      "mail IN AAAA 2001:db8::1\n"
      "alias 30 IN CNAME mail\n"
      "chain IN CNAME alias\n"
      "gone IN CNAME nowhere\n"
      "ptr IN PTR Host.Example.ORG.\n"
      "big IN TXT" +
      long_text(3) +
      "\n"
      "huge IN TXT" +
      long_text(20) +
      "\n"
      "a.b.deep IN TXT deep\n"
      "*.wild IN TXT any\n"
      "odd\\032name IN TXT odd\n"
      "brief 0 IN TXT \"no time\"\n";
  return text;
}

class Unbound : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    signed_zone = std::make_unique<test::SignedZone>(
        "signed.example", std::chrono::duration_cast<seconds>(now).count());
    signed_zone->add_txt("key._domainkey.signed.example", "v=DKIM1; p=");
    forged_zone = std::make_unique<test::SignedZone>(
        "forged.example", std::chrono::duration_cast<seconds>(now).count());
    forged_zone->add_txt("key.forged.example", "true");
    std::string forged = forged_zone->text();
    const std::string truth = "0474727565";  // A string of four octets, "true".
    forged.replace(forged.find(truth), truth.size(), "0466616c73");
    server = std::make_unique<NameServer>(NameServer::Zones{{"example.com", zone_text()},
                                                            {"signed.example", signed_zone->text()},
                                                            {"forged.example", forged}},
                                          " local-zone: refused.example. always_refuse\n"
                                          " local-zone: silent.example. always_deny\n");
  }
  static void TearDownTestSuite() {
    server.reset();
    signed_zone.reset();
    forged_zone.reset();
  }

  static UnboundOptions options() { return {.nameservers = {server->address()}}; }

  Answer ask(Resolver& resolver, std::string name, RecordType type = RecordType::txt,
             Clock::duration deadline = seconds{20}) {
    return run_awaitable(io, resolver.lookup({std::move(name), type}, deadline));
  }
  AnswerStatus status(Resolver& resolver, std::string name, RecordType type = RecordType::txt) {
    return ask(resolver, std::move(name), type).status;
  }

  static inline std::unique_ptr<NameServer> server;
  static inline std::unique_ptr<test::SignedZone> signed_zone;
  static inline std::unique_ptr<test::SignedZone> forged_zone;
  asio::io_context io{1};
};

TEST_F(Unbound, AnswersAsAZoneInMemoryDoes) {
  const auto zone = dns::Zone::parse_master(zone_text(), Limits{});
  ASSERT_TRUE(zone.has_value()) << zone.error().message;
  UnboundResolver resolver(options());
  for (const char* name :
       {"example.com", "mail.example.com", "MAIL.example.com", "alias.example.com",
        "chain.example.com", "gone.example.com", "ptr.example.com", "big.example.com",
        "huge.example.com", "brief.example.com", "deep.example.com", "b.deep.example.com",
        "x.deep.example.com", "x.wild.example.com", "x.y.wild.example.com", "wild.example.com",
        "nowhere.example.com", "odd name.example.com", "odd name2.example.com"}) {
    for (const RecordType type : {RecordType::txt, RecordType::a, RecordType::aaaa, RecordType::mx,
                                  RecordType::ptr, RecordType::ns, RecordType::cname}) {
      Answer expected = zone->answer({name, type});
      Answer answer = ask(resolver, name, type);
      EXPECT_EQ(answer.status, expected.status) << name << ' ' << to_string(type);
      EXPECT_FALSE(answer.authenticated);
      EXPECT_LE(answer.ttl, std::max(expected.ttl, seconds{60})) << name << ' ' << to_string(type);
      ASSERT_EQ(answer.records.size(), expected.records.size()) << name << ' ' << to_string(type);
      for (const dns::RecordData& record : expected.records)  // Their order is nobody's promise.
        EXPECT_NE(std::ranges::find(answer.records, record), answer.records.end())
            << name << ' ' << to_string(type);
    }
  }
}

TEST_F(Unbound, S40ReadsTextThatOnlyTcpCanCarry) {
  UnboundResolver resolver(options());
  const Answer answer = ask(resolver, "huge.example.com");
  ASSERT_EQ(answer.records.size(), 1u);
  EXPECT_EQ(std::get<dns::Text>(answer.records[0]).joined().size(), 5'000u);
}

TEST_F(Unbound, CountsTheTtlOfAliasesToo) {
  UnboundResolver resolver(options());
  const Answer answer = ask(resolver, "chain.example.com", RecordType::a);
  EXPECT_LE(answer.ttl, seconds{30});
  EXPECT_GT(answer.ttl, seconds{0});
}

TEST_F(Unbound, TellsFailuresFromAbsence) {
  UnboundResolver resolver(options());
  EXPECT_EQ(status(resolver, "nowhere.example.com"), AnswerStatus::nxdomain);
  EXPECT_EQ(status(resolver, "deep.example.com"), AnswerStatus::nodata);
  for (int again = 0; again < 3; ++again)  // The second time it comes from libunbound's memory.
    EXPECT_TRUE(ask(resolver, "refused.example").is_failure());
}

TEST_F(Unbound, NamesThatCannotBeDoNotExist) {
  UnboundResolver resolver(options());
  EXPECT_EQ(status(resolver, "a..example.com"), AnswerStatus::nxdomain);
  EXPECT_EQ(status(resolver, std::string(64, 'a') + ".example.com"), AnswerStatus::nxdomain);
}

TEST_F(Unbound, KeepsTheDeadlineWhenNobodyAnswers) {
  UnboundResolver resolver(options());
  const auto begin = Clock::now();
  EXPECT_EQ(ask(resolver, "silent.example", RecordType::txt, milliseconds{200}).status,
            AnswerStatus::timeout);
  const auto taken = Clock::now() - begin;
  EXPECT_GE(taken, milliseconds{200});
  EXPECT_LT(taken, milliseconds{2'000});
  EXPECT_EQ(status(resolver, "mail.example.com", RecordType::a), AnswerStatus::records);
}

TEST_F(Unbound, S40SaysWhatDnssecSays) {
  const test::TemporaryFolder folder;
  UnboundOptions with_anchors = options();
  with_anchors.trust_anchor_file =
      folder.write("anchors", signed_zone->trust_anchor() + forged_zone->trust_anchor());
  UnboundResolver resolver(with_anchors);

  const Answer secure = ask(resolver, "key._domainkey.signed.example");
  EXPECT_EQ(secure.status, AnswerStatus::records);
  EXPECT_TRUE(secure.authenticated);
  const Answer no_such_name = ask(resolver, "x.signed.example");
  EXPECT_EQ(no_such_name.status, AnswerStatus::nxdomain);
  EXPECT_TRUE(no_such_name.authenticated);
  const Answer no_such_type = ask(resolver, "signed.example");
  EXPECT_EQ(no_such_type.status, AnswerStatus::nodata);
  EXPECT_TRUE(no_such_type.authenticated);

  for (int again = 0; again < 2; ++again) {
    const Answer bogus = ask(resolver, "key.forged.example");
    EXPECT_EQ(bogus.status, AnswerStatus::bogus);
    EXPECT_TRUE(bogus.records.empty());
    EXPECT_FALSE(bogus.authenticated);
  }
  const Answer unsigned_answer = ask(resolver, "mail.example.com", RecordType::a);
  EXPECT_EQ(unsigned_answer.status, AnswerStatus::records);
  EXPECT_FALSE(unsigned_answer.authenticated);

  UnboundResolver without_anchors(options());
  EXPECT_FALSE(ask(without_anchors, "key._domainkey.signed.example").authenticated);
  EXPECT_EQ(status(without_anchors, "key.forged.example"), AnswerStatus::records);
}

TEST_F(Unbound, ManyThreadsAskAtOnce) {
  UnboundResolver resolver(options());
  constexpr int threads = 4;
  constexpr int questions = 200;
  std::vector<std::jthread> workers;
  std::atomic<int> records = 0;
  for (int worker = 0; worker < threads; ++worker)
    workers.emplace_back([&resolver, &records, worker] {
      asio::io_context context{1};
      for (int i = 0; i < questions; ++i) {
        const std::string name = "n" + std::to_string(worker * i) + ".wild.example.com";
        asio::co_spawn(context, resolver.lookup({name, RecordType::txt}, seconds{30}),
                       [&records](std::exception_ptr, const Answer& answer) {
                         if (answer.status == AnswerStatus::records) ++records;
                       });
      }
      context.run();
    });
  workers.clear();
  EXPECT_EQ(records, threads * questions);
}

TEST_F(Unbound, BoundsWhatIsOpenAndWhatWaits) {
  UnboundOptions narrow = options();
  narrow.questions_open_max = 2;
  narrow.questions_waiting_max = 3;
  UnboundResolver resolver(narrow);
  std::map<AnswerStatus, int> counts;
  for (int i = 0; i < 10; ++i)
    asio::co_spawn(
        io, resolver.lookup({"silent.example", RecordType::txt}, milliseconds{300}),
        [&counts](std::exception_ptr, const Answer& answer) { ++counts[answer.status]; });
  io.run();
  EXPECT_EQ(counts[AnswerStatus::timeout], 5);
  EXPECT_EQ(counts[AnswerStatus::servfail], 5);
  EXPECT_EQ(status(resolver, "mail.example.com", RecordType::a), AnswerStatus::records);
}

TEST_F(Unbound, CancellationEndsTheWait) {
  UnboundResolver resolver(options());
  asio::cancellation_signal signal;
  std::optional<AnswerStatus> result;
  asio::co_spawn(io, resolver.lookup({"silent.example", RecordType::txt}, seconds{30}),
                 asio::bind_cancellation_slot(
                     signal.slot(), [&result](std::exception_ptr error, const Answer& answer) {
                       EXPECT_FALSE(error);
                       result = answer.status;
                     }));
  asio::post(io, [&signal] { signal.emit(asio::cancellation_type::terminal); });
  const auto begin = Clock::now();
  io.run();
  EXPECT_LT(Clock::now() - begin, seconds{5});
  EXPECT_EQ(result, AnswerStatus::timeout);
}

TEST_F(Unbound, TheContextOfAWaitMayEndFirst) {
  UnboundResolver resolver(options());
  for (const char* name : {"silent.example", "mail.example.com", "nowhere.example.com"}) {
    auto context = std::make_unique<asio::io_context>(1);
    asio::co_spawn(*context, resolver.lookup({name, RecordType::txt}, seconds{30}), asio::detached);
    context->poll();
    context.reset();
  }
  EXPECT_EQ(status(resolver, "mail.example.com", RecordType::a), AnswerStatus::records);
}

TEST_F(Unbound, TheResolverMayEndWhileQuestionsAreOpen) {
  auto resolver = std::make_unique<UnboundResolver>(options());
  int failures = 0;
  for (int i = 0; i < 5; ++i)
    asio::co_spawn(io, resolver->lookup({"silent.example", RecordType::txt}, seconds{30}),
                   [&failures](std::exception_ptr, const Answer& answer) {
                     if (answer.is_failure()) ++failures;
                   });
  io.poll();
  asio::awaitable<Answer> late = resolver->lookup({"mail.example.com", RecordType::a}, seconds{1});
  resolver.reset();
  const auto begin = Clock::now();
  io.run();
  EXPECT_LT(Clock::now() - begin, seconds{5});
  EXPECT_EQ(failures, 5);
  EXPECT_EQ(run_awaitable(io, std::move(late)).status, AnswerStatus::timeout);
}

TEST_F(Unbound, AnswersProgramsThatWait) {
  BlockingLookups lookups(options());
  for (int again = 0; again < 2; ++again) {
    const std::vector<Answer> answers =
        lookups.answer({{1, {"mail.example.com", RecordType::a}},
                        {2, {"silent.example", RecordType::txt}},
                        {3, {"nowhere.example.com", RecordType::txt}}},
                       milliseconds{300});
    ASSERT_EQ(answers.size(), 3u);
    EXPECT_EQ(answers[0].status, AnswerStatus::records);
    EXPECT_EQ(answers[1].status, AnswerStatus::timeout);
    EXPECT_EQ(answers[2].status, AnswerStatus::nxdomain);
  }
  EXPECT_TRUE(lookups.answer({}, milliseconds{300}).empty());
}

TEST_F(Unbound, StartsAndEndsWithoutAQuestion) {
  for (int i = 0; i < 5; ++i) UnboundResolver resolver(options());
}

TEST_F(Unbound, ReadsAConfigurationFile) {
  const test::TemporaryFolder folder;
  UnboundOptions from_file;
  from_file.configuration_file =
      folder.write("resolver.conf",
                   "server:\n do-not-query-localhost: no\nforward-zone:\n name: "
                   "\".\"\n forward-addr: " +
                       server->address() + "\n");
  UnboundResolver resolver(from_file);
  EXPECT_EQ(status(resolver, "mail.example.com", RecordType::a), AnswerStatus::records);
}

TEST_F(Unbound, SaysWhatIsWrongWithItsOptions) {
  const test::TemporaryFolder folder;
  const auto refuses = [](UnboundOptions wrong, const std::string& part) {
    try {
      UnboundResolver resolver(std::move(wrong));
      ADD_FAILURE() << "should say " << part;
    } catch (const std::runtime_error& error) {
      EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
    }
  };
  refuses({.nameservers = {"ns.example.com"}}, "\"ns.example.com\" is no IP address");
  refuses({.nameservers = {""}}, "is no IP address");
  refuses({.nameservers = {"127.0.0.1@port"}}, "refuses the name server");
  refuses({.trust_anchor_file = "/nonexistent/root.key"}, "trust anchors /nonexistent/root.key");
  refuses({.trust_anchor_file = folder.write("bad.key", "no anchor\n")}, "check the trust anchors");
  refuses({.configuration_file = "/nonexistent/x.conf"}, "configuration /nonexistent/x.conf");
  refuses({.configuration_file = folder.write("bad.conf", "no: such-option\n")},
          "refuses the configuration");
}

dns::Asking<int> ask_for_many(int count) {
  int records = 0;
  for (int i = 0; i < count; ++i) {
    const Answer answer =
        co_await dns::ask({"d" + std::to_string(i) + ".wild.example.com", RecordType::txt});
    if (answer.status == AnswerStatus::records) ++records;
  }
  co_return records;
}

TEST_F(Unbound, DrivesEvaluations) {
  UnboundResolver resolver(options());
  EXPECT_EQ(run_awaitable(io, drive(ask_for_many(20), resolver, {})), 20);
}

}  // namespace
}  // namespace countersign::service
