// SPDX-License-Identifier: Apache-2.0
//
// The octets that an MTA sends, for tests that cut, join and spoil them.

#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "countersign/milter/packet.hpp"
#include "tests/support/mta_connection.hpp"
#include "tests/support/served_filter.hpp"

namespace countersign::test {

/// Commands as octets.
[[nodiscard]] inline std::string frames(const std::vector<milter::Command>& commands) {
  std::string octets;
  for (const milter::Command& command : commands) append_command(octets, command);
  return octets;
}

/// What Postfix offers.
[[nodiscard]] inline std::string negotiation() {
  const milter::MtaOffer offer;
  return frames({milter::Negotiate{offer.version, offer.actions, offer.steps, {}}});
}

/// A message up to, but without, the end of its body.
[[nodiscard]] inline std::string message_without_end(std::string_view author = "alice@example.org",
                                                     std::string_view subject = " Hi") {
  const std::string path = "<" + std::string(author) + ">";
  const std::string from = " " + std::string(author);
  return frames({milter::MailFrom{path, {}}, milter::RcptTo{"<bob@example.net>", {}},
                 milter::HeaderField{"From", from}, milter::HeaderField{"Subject", subject},
                 milter::HeaderField{"Date", " Fri, 15 Jan 2027 08:00:00 +0000"},
                 milter::EndOfHeader{}, milter::BodyChunk{"Hi\r\n"}});
}

/// The end of the body.
[[nodiscard]] inline std::string end_of_body() { return frames({milter::EndOfBody{}}); }

/// A connection that has negotiated and told of a client of ours, to go on by hand.
[[nodiscard]] inline MtaConnection negotiated(const ServedFilter& filter, std::size_t door = 0) {
  MtaConnection mta = filter.connect(door);
  mta.send(negotiation());
  if (mta.receive_frames(1).size() != 1) throw std::runtime_error("the filter does not negotiate");
  mta.send(frames({milter::Connect{"localhost", '4', 25, "127.0.0.1"}}));
  return mta;
}

/// The codes of replies: "ia".
[[nodiscard]] inline std::string codes(const std::vector<std::pair<char, std::string>>& replies) {
  std::string text;
  for (const auto& [code, data] : replies) text += code;
  return text;
}

}  // namespace countersign::test
