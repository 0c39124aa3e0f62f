// SPDX-License-Identifier: Apache-2.0
//
// Which addresses a login may send as: the operator's table as a value.
//
//   login                  what it may use
//
//   alice@example.org      alice@example.org, shop@example.net     two addresses
//   *@example.org          example.org                             each login there: its domain
//   *@.example.org         example.org, .example.org               and what is below it
//   *@*                    %d                                      each its own domain
//   *                      %s@example.org                          alice: alice@example.org
//   robot                  *                                       everything
//
// The most specific login decides, wherever its line stands: the login itself, then "*@domain",
// "*@.domain" from the longest domain on, "*@*", "*". All lines of that login count together, and
// no others, so that a line of its own can take from a login what "*@*" gives to all.

#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "countersign/domain/name.hpp"
#include "countersign/mailflow/host_list.hpp"
#include "countersign/message/author.hpp"

namespace countersign::mailflow {

/// Who logged in, as the MTA names it ({auth_authen}).
struct Login {
  std::string text;  ///< the whole, in lower case, its domain as A-labels
  /// What stands before and behind its only "@". A login without "@", with several, or with what is
  /// no domain behind it, has no domain: which of its parts a domain is cannot be told.
  std::string local_part;
  std::optional<DomainName> domain;

  /// Reads a login. Any text is one.
  ///
  /// Leniency     case does not count, as it does not in Postfix's smtpd_sender_login_maps. Where
  ///              "Alice" and "alice" are two people, they may use the same addresses here.
  [[nodiscard]] static Login parse(std::string_view text);
};

/// A set of addresses that a login may use.
///
///   senders = "*"                              every address
///           / "%s"                             the login, which is an address
///           / domain                           every address at that domain
///           / (local-part / "%s") "@" domain   "*" in the local part stands for any octets
///   domain  = name / "." name / "%d" / ".%d" / "*"
///
/// "%s" is the login, "%d" its domain, as in Postfix's tables; ".name" is what is below a domain.
class SenderPattern {
 public:
  /// Parses a pattern of at most Limits::signing_pattern_bytes_max octets; nothing for what is
  /// none.
  /// Leniency     "*.name" is ".name", "@name" is "name", as people write them in other tables.
  [[nodiscard]] static std::optional<SenderPattern> parse(std::string_view text);

  /// True when this login may send as that address. Case does not count. What stands for the login
  /// is compared octet for octet: a "*" in a login is no wildcard.
  [[nodiscard]] bool matches(const Login& login, const Mailbox& sender) const;
  /// True for "*".
  [[nodiscard]] bool is_everything() const;

 private:
  enum class Local { any, glob, login, login_local_part };
  enum class Domain { any, name, login };

  [[nodiscard]] static std::optional<SenderPattern> parse_domain(std::string_view text);
  [[nodiscard]] bool matches_local_part(const Login& login, std::string_view local_part) const;
  [[nodiscard]] bool matches_domain(const Login& login, const DomainName& domain) const;

  Local local_ = Local::any;
  std::string glob_;
  Domain domain_ = Domain::any;
  std::optional<DomainName> name_;
  bool below_ = false;  ///< what is below the domain, not the domain
};

/// A line of the table.
struct LoginLine {
  std::string login;  ///< as written
  std::vector<SenderPattern> senders;
  Place place;

  /// True when one of its patterns matches.
  [[nodiscard]] bool allows(const Login& who, const Mailbox& sender) const;
  /// True when the login may use everything.
  [[nodiscard]] bool allows_everything() const;
};

/// Logins and what they may send as.
class LoginTable {
 public:
  /// The table that holds where none is given: "*@* %d", "* *". A login that has a domain may use
  /// that domain. From one that has none nothing can be told, so the signing tables alone decide.
  [[nodiscard]] static LoginTable own_domains();

  /// Adds a line; `senders` are separated by commas or blanks.
  ///
  /// Returns      a sentence about the login, or about the first of the senders that cannot be
  ///              read. The line stays with the others, even when that is none: its login must not
  ///              get what a more general line gives.
  [[nodiscard]] std::optional<std::string> add(std::string_view login, std::string_view senders,
                                               Place place);

  /// The lines that count for the login, in the order in which they were added.
  [[nodiscard]] std::vector<const LoginLine*> find(const Login& login) const;
  /// Number of lines.
  [[nodiscard]] std::size_t size() const { return lines_.size(); }

 private:
  std::vector<LoginLine> lines_;
  std::unordered_map<std::string, std::vector<std::size_t>, TextHash, std::equal_to<>> by_key_;
};

}  // namespace countersign::mailflow
