// SPDX-License-Identifier: Apache-2.0
//
// The MTA's side: against a real session, that what it hands over is what a verifier sees; against
// replies written by hand, what it makes of each and what it refuses.

#include "countersign/milter/mta.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "countersign/milter/session.hpp"
#include "tests/support/exact.hpp"
#include "tests/support/signing.hpp"

namespace countersign::milter {
namespace {

using test::exact;
using test::signing_time;
using testing::ElementsAre;

Mail mail_from(const std::string& author, std::string body = "Hi\r\n") {
  return {.mail_from = author,
          .rcpt_to = {"bob@example.net", "carol@example.net"},
          .header = test::header_from(author),
          .body = std::move(body),
          .macros = {{"i", "4QUEUE"}, {"auth_type", "PLAIN"}}};
}

/// The verdicts of a verifier about the DKIM-Signature fields of a message.
std::vector<dkim::Result> verify(const FilterOutcome& outcome, const Mail& mail) {
  const mailflow::Outcome signer{
      .signatures = {{.sdid = test::name("example.org"), .selector = test::name("s1")}}};
  std::vector<dkim::Result> results;
  for (const dkim::SignatureResult& one : test::verify(outcome.header, mail.body, signer)) {
    results.push_back(one.result);
  }
  return results;
}

/// A filter that lives in this process.
class Filter {
 public:
  Filter() : session_([policy = policy_] { return policy; }) {}

  /// Hands octets both ways, in pieces of that size, until the MTA knows what became of its mail.
  void serve(Mta& mta, std::size_t piece = 1'000'000) {
    while (!mta.outcome()) {
      const std::string sent = mta.take_output();
      ASSERT_FALSE(sent.empty()) << "both sides wait";
      std::string replies;
      for (std::string_view rest = sent; !rest.empty(); rest = drop(rest, piece)) {
        replies += session_.receive(exact(rest.substr(0, piece)).view(), signing_time).send;
      }
      for (std::string_view rest = replies; !rest.empty(); rest = drop(rest, piece)) {
        ASSERT_TRUE(mta.receive(exact(rest.substr(0, piece)).view()));
      }
    }
  }

 private:
  static std::string_view drop(std::string_view octets, std::size_t piece) {
    return octets.substr(std::min(piece, octets.size()));
  }

  std::shared_ptr<const mailflow::Policy> policy_ =
      std::make_shared<const mailflow::Policy>(test::policy_for_example_org());
  Session session_;
};

TEST(MtaAndSession, SignInEveryVersionAndAnyPieces) {
  for (const std::uint32_t version : {2U, 3U, 4U, 6U}) {
    for (const std::size_t piece : {1U, 7U, 100'000U}) {
      Filter filter;
      Mta mta(MtaOffer::of_version(version));
      const Mail mail = mail_from("alice@example.org", std::string(70'000, 'x') + "\r\n");
      mta.begin(mail);
      filter.serve(mta, piece);
      ASSERT_TRUE(mta.outcome()) << version << ' ' << piece;
      EXPECT_EQ(mta.outcome()->verdict, ReplyCode::accept);
      EXPECT_EQ(mta.outcome()->changes, 1U);
      EXPECT_EQ(mta.outcome()->header.size(), mail.header.size() + 1);
      EXPECT_THAT(verify(*mta.outcome(), mail), ElementsAre(dkim::Result::pass)) << version;
    }
  }
}

TEST(MtaAndSession, OnlyTheNewestVersionSpendsOneReplyOnAMessage) {
  const auto replies = [](std::uint32_t version) {
    Filter filter;
    Mta mta(MtaOffer::of_version(version));
    const Mail mail = mail_from("alice@example.org");
    mta.begin(mail);
    filter.serve(mta);
    return mta.replies();
  };
  EXPECT_EQ(replies(6), 1U);
  // MAIL, six fields, the end of the header, one chunk, the end of the body, and what an old
  // version cannot leave out.
  EXPECT_GE(replies(2), 10U);
}

TEST(MtaAndSession, CarryManyMessagesAndManyClients) {
  Filter filter;
  Mta mta;
  const Mail ours = mail_from("alice@example.org");
  Mail strange = ours;
  strange.client_address = "2001:db8::1";
  strange.macros.clear();
  const Mail* client = &ours;
  std::vector<std::size_t> changes;
  for (const Mail* mail : std::initializer_list<const Mail*>{&ours, &ours, &strange, &ours}) {
    if (mail != client) mta.quit_new();
    client = mail;
    mta.begin(*mail);
    filter.serve(mta);
    ASSERT_TRUE(mta.outcome());
    changes.push_back(mta.outcome()->changes);
  }
  EXPECT_THAT(changes, ElementsAre(1, 1, 0, 1));
}

TEST(MtaAndSession, HandOverFoldedFieldsWithAndWithoutTheLeadingSpace) {
  for (const std::uint32_t left_out : {0U, step::header_leading_space}) {
    Filter filter;
    MtaOffer offer;
    offer.steps &= ~left_out;
    Mta mta(offer);
    Mail mail = mail_from("alice@example.org");
    mail.header.emplace_back("Subject: folded\r\n\tonce\r\n  twice");
    mta.begin(mail);
    filter.serve(mta);
    ASSERT_TRUE(mta.outcome());
    EXPECT_THAT(verify(*mta.outcome(), mail), ElementsAre(dkim::Result::pass));
    EXPECT_TRUE(mta.outcome()->header.front().raw().starts_with("DKIM-Signature: v=1"));
  }
}

// --- replies written by hand ---------------------------------------------------------------------

std::string replies(const std::vector<Reply>& all) {
  std::string octets;
  for (const Reply& reply : all) append_reply(octets, reply);
  return octets;
}

constexpr std::uint32_t all_actions = 0x1ff;
constexpr std::uint32_t only_end_of_body = 0x1f'ffff & ~step::skip;

/// An MTA whose filter agreed on those steps, with its message begun.
class MtaOf {
 public:
  explicit MtaOf(std::uint32_t steps, std::uint32_t actions = all_actions,
                 Mail mail = mail_from("alice@example.org"))
      : mail_(std::move(mail)) {
    mta_.begin(mail_);
    EXPECT_TRUE(take({Negotiate{6, actions, steps, {}}}));
  }

  Result<void, MtaError> take(const std::vector<Reply>& all) {
    const std::string octets = replies(all);
    return mta_.receive(exact(octets).view());
  }
  MtaErrorCode refusal(const std::vector<Reply>& all) {
    const Result<void, MtaError> taken = take(all);
    EXPECT_FALSE(taken);
    return taken ? MtaErrorCode{} : taken.error().code;
  }
  /// The codes of the commands that were sent since the last call.
  std::string commands() {
    std::string codes;
    FrameReader reader(Limits().milter_frame_bytes_max);
    const std::string octets = mta_.take_output();
    std::string_view rest = octets;
    while (auto frame = reader.next(rest).value()) codes += frame->code;
    return codes;
  }
  const FilterOutcome& outcome() { return mta_.outcome().value(); }
  Mta& mta() { return mta_; }

 private:
  Mail mail_;
  Mta mta_;
};

TEST(Mta, SendsWhatWasAgreedAndWaitsOnlyForWhatIsAnswered) {
  MtaOf everything(0);
  EXPECT_EQ(everything.commands(), "OC");
  const Reply go_on = Verdict{ReplyCode::continue_};
  std::string sent;
  for (int i = 0; i < 14 && !everything.mta().outcome(); ++i) {
    ASSERT_TRUE(everything.take({go_on}));
    sent += everything.commands() + " ";
  }
  EXPECT_EQ(sent, "H DM R R T L L L L L L N B E ");
  ASSERT_TRUE(everything.take({go_on}));
  EXPECT_EQ(everything.outcome().verdict, ReplyCode::accept);

  constexpr std::uint32_t no_steps = 0x37f;
  MtaOf silent(only_end_of_body & ~no_steps);  // All steps, no answers but the last.
  EXPECT_EQ(silent.commands(), "OCHDMRRTLLLLLLNBE");
  MtaOf nothing(only_end_of_body);
  EXPECT_EQ(nothing.commands(), "OE");
}

TEST(Mta, SkipsTheBodyWhenTold) {
  const std::uint32_t steps = 0x1f'ffff & ~(step::no_body | step::no_reply_body_chunk);
  MtaOf mta(steps, all_actions, mail_from("alice@example.org", std::string(200'000, 'x')));
  EXPECT_EQ(mta.commands(), "OB");
  ASSERT_TRUE(mta.take({Verdict{ReplyCode::continue_}}));
  EXPECT_EQ(mta.commands(), "B");
  ASSERT_TRUE(mta.take({Verdict{ReplyCode::skip}}));
  EXPECT_EQ(mta.commands(), "E");
  EXPECT_EQ(mta.refusal({Verdict{ReplyCode::skip}}), MtaErrorCode::unexpected_reply);

  MtaOf not_agreed(steps & ~step::skip);
  EXPECT_EQ(not_agreed.refusal({Verdict{ReplyCode::skip}}), MtaErrorCode::unexpected_reply);
}

TEST(Mta, TakesEachVerdict) {
  struct Case {
    Reply reply;
    ReplyCode verdict;
    std::string text;
  };
  const std::vector<Case> cases{
      {Verdict{ReplyCode::accept}, ReplyCode::accept, ""},
      {Verdict{ReplyCode::continue_}, ReplyCode::accept, ""},
      {Verdict{ReplyCode::discard}, ReplyCode::discard, ""},
      {Verdict{ReplyCode::reject}, ReplyCode::reject, ""},
      {Verdict{ReplyCode::tempfail}, ReplyCode::tempfail, ""},
      {ReplyText{"451 4.7.1 later"}, ReplyCode::tempfail, "451 4.7.1 later"},
      {ReplyText{"550 5.7.1 never"}, ReplyCode::reject, "550 5.7.1 never"}};
  for (const Case& one : cases) {
    MtaOf mta(only_end_of_body);
    ASSERT_TRUE(mta.take({Verdict{ReplyCode::progress}}));
    EXPECT_FALSE(mta.mta().outcome());
    ASSERT_TRUE(mta.take({one.reply}));
    EXPECT_EQ(mta.outcome().verdict, one.verdict);
    EXPECT_EQ(mta.outcome().text, one.text);
    EXPECT_EQ(mta.outcome().changes, 0U);
  }
}

TEST(Mta, EndsAMessageThatIsDecidedEarly) {
  MtaOf mta(0);
  mta.commands();
  ASSERT_TRUE(mta.take({Verdict{ReplyCode::reject}}));
  EXPECT_EQ(mta.outcome().verdict, ReplyCode::reject);
  EXPECT_EQ(mta.commands(), "");
}

TEST(Mta, ChangesTheHeaderAsToldAndInOrder) {
  MtaOf mta(only_end_of_body, all_actions,
            {.mail_from = "a@b.example", .header = test::header({"A: 1", "B: 1", "A: 2"})});
  ASSERT_TRUE(mta.take(
      {InsertHeader{0, "Top", " t"}, InsertHeader{99, "End", " e"}, AddHeader{"Last", " l\n more"},
       ChangeHeader{2, "a", " new"}, ChangeHeader{1, "B", ""}, ChangeHeader{5, "A", " added"},
       ChangeHeader{5, "A", ""}, ChangeHeader{0, "A", " first"}, Verdict{ReplyCode::accept}}));
  std::vector<std::string> fields;
  for (const auto& field : mta.outcome().header) fields.emplace_back(field.raw());
  EXPECT_THAT(fields, ElementsAre("Top: t", "A: first", "a: new", "End: e", "Last: l\r\n more",
                                  "A: added"));
  EXPECT_EQ(mta.outcome().changes, 8U);
}

TEST(Mta, PutsTheSpaceThatWasNotAgreedOn) {
  MtaOf mta(only_end_of_body & ~step::header_leading_space);
  ASSERT_TRUE(mta.take({InsertHeader{0, "X", "v"}, Verdict{ReplyCode::accept}}));
  EXPECT_EQ(mta.outcome().header.front().raw(), "X: v");
}

TEST(Mta, TakesQuarantineAndANewBody) {
  MtaOf mta(only_end_of_body);
  ASSERT_TRUE(mta.take(
      {Quarantine{"odd"}, ReplaceBody{"one "}, ReplaceBody{"two"}, Verdict{ReplyCode::accept}}));
  EXPECT_EQ(mta.outcome().quarantine, "odd");
  EXPECT_EQ(mta.outcome().body, "one two");
  EXPECT_EQ(mta.outcome().changes, 0U);
  MtaOf other(only_end_of_body);
  ASSERT_TRUE(other.take({Verdict{ReplyCode::accept}}));
  EXPECT_FALSE(other.outcome().body);
}

TEST(Mta, TakesRecipients) {
  MtaOf mta(only_end_of_body);
  ASSERT_TRUE(
      mta.take({AddRecipient{"<a@b.example>"}, AddRecipient{"<c>"}, Verdict{ReplyCode::accept}}));
  EXPECT_THAT(mta.outcome().added_recipients, ElementsAre("<a@b.example>", "<c>"));
  EXPECT_EQ(mta.outcome().changes, 0U) << "of the header";
}

TEST(Mta, RefusesChangesThatWereNotAgreedOn) {
  const std::vector<std::pair<Reply, std::uint32_t>> changes{
      {InsertHeader{0, "X", " v"}, action::add_headers},
      {AddHeader{"X", " v"}, action::add_headers},
      {ChangeHeader{1, "From", " v"}, action::change_headers},
      {AddRecipient{"<a@b.example>"}, action::add_recipients},
      {Quarantine{"odd"}, action::quarantine},
      {ReplaceBody{"x"}, action::change_body}};
  for (const auto& [change, needed] : changes) {
    MtaOf allowed(only_end_of_body, needed);
    EXPECT_TRUE(allowed.take({change}));
    MtaOf refused(only_end_of_body, all_actions & ~needed);
    EXPECT_EQ(refused.refusal({change}), MtaErrorCode::unexpected_reply);
    MtaOf too_early(0);
    EXPECT_EQ(too_early.refusal({change}), MtaErrorCode::unexpected_reply);
  }
}

TEST(Mta, RefusesRepliesThatItDoesNotWaitFor) {
  MtaOf mta(only_end_of_body);
  const std::vector<Reply> two{Verdict{ReplyCode::accept}, Verdict{ReplyCode::accept}};
  EXPECT_EQ(mta.refusal(two), MtaErrorCode::unexpected_reply);
  MtaOf twice(only_end_of_body);
  EXPECT_EQ(twice.refusal({Negotiate{6, 0, 0, {}}}), MtaErrorCode::unexpected_reply);
  Mta not_begun;
  EXPECT_FALSE(not_begun.receive(replies({Negotiate{6, 0, 0, {}}})));
}

TEST(Mta, RefusesANegotiationBeyondItsOffer) {
  const auto refusal = [](const Reply& reply) {
    Mta mta(MtaOffer{.version = 4, .actions = 0x1, .steps = 0x7f});
    const Mail mail = mail_from("alice@example.org");
    mta.begin(mail);
    const Result<void, MtaError> taken = mta.receive(replies({reply}));
    EXPECT_FALSE(taken);
    return taken ? MtaErrorCode{} : taken.error().code;
  };
  EXPECT_EQ(refusal(Negotiate{1, 0, 0, {}}), MtaErrorCode::bad_negotiation);
  EXPECT_EQ(refusal(Negotiate{5, 0, 0, {}}), MtaErrorCode::bad_negotiation);
  EXPECT_EQ(refusal(Negotiate{4, 0x2, 0, {}}), MtaErrorCode::bad_negotiation);
  EXPECT_EQ(refusal(Negotiate{4, 0x1, 0x80, {}}), MtaErrorCode::bad_negotiation);
  EXPECT_EQ(refusal(Verdict{ReplyCode::continue_}), MtaErrorCode::bad_negotiation);
}

TEST(Mta, SaysWhereTheFilterStopsSpeakingMilter) {
  const auto error = [](std::string octets) {
    MtaOf mta(only_end_of_body);
    const Result<void, MtaError> taken = mta.mta().receive(exact(octets).view());
    EXPECT_FALSE(taken);
    return taken ? MtaError{} : taken.error();
  };
  const std::size_t negotiation = replies({Negotiate{6, all_actions, 0, {}}}).size();
  using namespace std::string_literals;
  EXPECT_EQ(error("\0\0\0\0"s).code, MtaErrorCode::bad_packet);
  EXPECT_EQ(error("\0\0\0\1?"s).code, MtaErrorCode::bad_packet);
  EXPECT_EQ(error("\0\0\0\1?"s).offset, negotiation + 5);
  EXPECT_EQ(error("HTTP/1.1 400 Bad Request\r\n").code, MtaErrorCode::bad_packet);
  for (const auto code :
       {MtaErrorCode::bad_packet, MtaErrorCode::bad_negotiation, MtaErrorCode::unexpected_reply}) {
    EXPECT_THAT(std::string(to_string(code)), testing::HasSubstr("the filter"));
  }
}

TEST(MtaOffer, OffersLessInOlderVersions) {
  EXPECT_EQ(MtaOffer::of_version(2).steps, 0x7fU);
  EXPECT_EQ(MtaOffer::of_version(3).steps, 0x17fU);
  EXPECT_EQ(MtaOffer::of_version(4).steps, 0x37fU);
  EXPECT_EQ(MtaOffer::of_version(6).steps, 0x1f'ffffU);
  EXPECT_EQ(MtaOffer::of_version(6).actions, 0x1ffU);
  EXPECT_EQ(MtaOffer::of_version(2).actions, 0x3fU);
}

}  // namespace
}  // namespace countersign::milter
