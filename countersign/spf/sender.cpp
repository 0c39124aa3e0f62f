// SPDX-License-Identifier: Apache-2.0
//
// Takes reverse-paths apart.

#include "countersign/spf/sender.hpp"

#include <algorithm>
#include <utility>

#include "countersign/text/abnf.hpp"
#include "countersign/text/cfws.hpp"
#include "countersign/text/cursor.hpp"

namespace countersign::spf {

namespace {

constexpr std::string_view postmaster = "postmaster";

// A dot-atom without its rules for dots, and spaces, which senders put there.
constexpr text::CharClass is_bare_local = text::is_dot_atom | text::CharClass(" ");

countersign::Result<Sender, Reason> sender_at(std::string local_part, std::string_view domain,
                                              Reason reason) {
  auto name = DomainName::parse_host(domain);
  if (!name || name->label_count() < 2) return std::unexpected(reason);
  if (local_part.empty()) local_part = postmaster;
  return Sender{std::move(local_part), *std::move(name)};
}

// A-d-l ":" in front of a mailbox: "@a.example,@b.example:". RFC 5321 §4.1.2
void skip_source_route(text::Scanner& scanner) {
  if (!scanner.at('@')) return;
  text::Scanner route = scanner;
  route.take_until(text::CharClass(":"));
  if (route.accept(':')) scanner = route;
}

// What the local-part means, or nothing when it is none; the scanner then stands behind it.
std::optional<std::string> read_local_part(text::Scanner& scanner) {
  if (scanner.at('"')) return text::read_quoted_string(scanner);
  return std::string(scanner.take_while(is_bare_local));
}

}  // namespace

bool Sender::is_internationalized() const {
  return std::ranges::any_of(local_part, [](char c) { return text::is_8bit(c); });
}

countersign::Result<Sender, Reason> helo_sender(std::string_view helo) {
  return sender_at(std::string(postmaster), helo, Reason::bad_helo);
}

countersign::Result<Sender, Reason> mail_from_sender(std::string_view path, std::string_view helo) {
  if (path.empty()) return helo_sender(helo);
  text::Scanner scanner(path);
  skip_source_route(scanner);
  std::optional<std::string> local_part = read_local_part(scanner);
  if (local_part && scanner.at_end()) return std::unexpected(Reason::no_domain);
  if (!local_part || !scanner.accept('@')) return std::unexpected(Reason::bad_mail_from);
  return sender_at(*std::move(local_part), scanner.rest(), Reason::no_domain);
}

}  // namespace countersign::spf
