// SPDX-License-Identifier: Apache-2.0
//
// The reader of mailbox lists. It never goes back: the first word of an address is read as if it
// were a local part, and the octet behind it tells whether it was one. Work is linear in the value,
// and nothing in the grammar nests but comments, which are counted.

#include "countersign/message/author.hpp"

#include <optional>
#include <utility>

#include "countersign/text/cfws.hpp"
#include "countersign/text/cursor.hpp"
#include "countersign/text/utf8.hpp"

namespace countersign {

namespace {

using Code = AuthorErrorCode;

constexpr text::CharClass is_phrase = text::is_dot_atom | text::CharClass("[]");
constexpr text::CharClass is_unwanted = text::is_ctl - text::CharClass("\t");

// Where the first control octet stands that is neither a tab nor part of a fold.
std::optional<std::size_t> find_control_character(std::string_view value) {
  text::Scanner scanner(value);
  for (;;) {
    scanner.take_until(is_unwanted);
    if (scanner.at_end()) return std::nullopt;
    const std::string_view rest = scanner.rest();
    if (!rest.starts_with("\r\n ") && !rest.starts_with("\r\n\t")) return scanner.offset();
    scanner.take(2);
  }
}

// True for text that some reader decodes though it stands in an address. RFC 2047 §5
bool has_encoded_word(std::string_view local_part) {
  const std::size_t begin = local_part.find("=?");
  return begin != std::string_view::npos && local_part.find("?=", begin + 2) != std::string::npos;
}

class MailboxListReader {
 public:
  MailboxListReader(std::string_view value, const Limits& limits)
      : cursor_(value), limits_(limits) {}

  Result<std::vector<Mailbox>, AuthorError> read() {
    skip_cfws();
    if (cursor_.at_end()) cursor_.fail(Code::no_address);
    do {
      if (!read_mailbox()) read_group_members();
    } while (cursor_.accept(','));
    cursor_.expect_end(Code::bad_address);
    if (cursor_.failed()) return std::unexpected(cursor_.error());
    return std::move(mailboxes_);
  }

 private:
  // What may turn out to be a local part, quotes resolved.
  struct Word {
    std::string text;
    std::size_t offset = 0;
  };

  void skip_cfws() {
    if (!text::skip_cfws(cursor_, limits_)) cursor_.fail(Code::bad_address);
  }

  // Reads a mailbox with the white space around it. False when it turns out to be the name of a
  // group; the cursor is then at the colon.
  bool read_mailbox() {
    skip_cfws();
    if (cursor_.at('<')) {
      keep(read_angle_address());
      return true;
    }
    if (!cursor_.at(is_phrase) && !cursor_.at('"')) cursor_.fail(Code::bad_address);
    const Word word = read_word();
    if (cursor_.at('@')) {
      keep(read_bare_address(word));
      return true;
    }
    skip_phrase();
    if (cursor_.at(':')) return false;
    keep(read_angle_address());
    return true;
  }

  // Reads the mailboxes of a group from the colon behind its name to its end.
  void read_group_members() {
    cursor_.accept(':');
    skip_cfws();
    if (cursor_.at(';')) cursor_.fail(Code::no_address);
    do {
      if (!read_mailbox()) cursor_.fail(Code::bad_address);
    } while (cursor_.accept(','));
    cursor_.expect(';', Code::bad_address);
    skip_cfws();
  }

  // "a@b.example <a@b.example>" is what many programs write, and no reader is misled by it.
  std::optional<Mailbox> read_bare_address(const Word& word) {
    std::optional<Mailbox> mailbox = read_addr_spec(word);
    const std::size_t offset = cursor_.offset();
    if (cursor_.at('<') && read_angle_address() != mailbox) cursor_.fail(Code::bad_address, offset);
    return mailbox;
  }

  std::optional<Mailbox> read_angle_address() {
    cursor_.expect('<', Code::bad_address);
    skip_cfws();
    if (cursor_.at('>')) cursor_.fail(Code::no_address);
    std::optional<Mailbox> mailbox = read_addr_spec(read_word());
    cursor_.expect('>', Code::bad_address);
    skip_cfws();
    return mailbox;
  }

  // Reads on at the "@" behind the local part.
  std::optional<Mailbox> read_addr_spec(const Word& word) {
    const bool good =
        !word.text.empty() && !has_encoded_word(word.text) && text::is_utf8(word.text);
    if (!good) cursor_.fail(Code::bad_address, word.offset);
    cursor_.expect('@', Code::bad_address);
    skip_cfws();
    const std::size_t offset = cursor_.offset();
    auto domain = DomainName::parse(cursor_.take_while(text::is_dot_atom));
    if (!domain) {
      cursor_.fail(Code::bad_domain, offset + domain.error().offset);
      return std::nullopt;
    }
    skip_cfws();
    return Mailbox{word.text, *std::move(domain)};
  }

  // Reads a quoted string, or octets of a dot-atom, which may be none; then white space.
  Word read_word() {
    Word word{.text = {}, .offset = cursor_.offset()};
    if (cursor_.at('"')) {
      word.text = read_quoted_string();
    } else {
      word.text = cursor_.take_while(text::is_dot_atom);
    }
    skip_cfws();
    return word;
  }

  std::string read_quoted_string() {
    std::optional<std::string> content = text::read_quoted_string(cursor_);
    if (!content) cursor_.fail(Code::bad_address);
    return std::move(content).value_or("");
  }

  void skip_phrase() {
    for (;;) {
      if (cursor_.at('"')) {
        read_quoted_string();
      } else if (cursor_.take_while(is_phrase).empty()) {
        return;
      }
      skip_cfws();
    }
  }

  void keep(std::optional<Mailbox> mailbox) {
    if (cursor_.failed() || !mailbox) return;
    if (mailboxes_.size() == limits_.mailboxes_max) return cursor_.fail(Code::too_many_addresses);
    mailboxes_.push_back(*std::move(mailbox));
  }

  text::Cursor<Code> cursor_;
  const Limits& limits_;
  std::vector<Mailbox> mailboxes_;
};

// How a field name reads: as From, as something else, or as From to some readers only.
enum class Reading : std::uint8_t { from, other, ambiguous };

// Readers skip, cut at or choke on octets that no name has; what is left may be From to them.
Reading reading_of(const HeaderField& field) {
  constexpr std::string_view from = "from";
  const bool plain = field.is(from) && field.raw().substr(from.size()).starts_with(':');
  if (plain) return Reading::from;
  std::size_t matched = 0;
  for (const char c : field.name()) {
    if (!text::is_ftext(c)) continue;
    if (matched == from.size() || text::to_lower(c) != from[matched]) return Reading::other;
    ++matched;
  }
  return matched == from.size() ? Reading::ambiguous : Reading::other;
}

}  // namespace

std::string_view to_string(AuthorErrorCode code) {
  switch (code) {
    case Code::missing_from:
      return "there is no From field (RFC 5322 section 3.6)";
    case Code::repeated_from:
      return "there is more than one From field (RFC 5322 section 3.6)";
    case Code::ambiguous_from:
      return "the name of the From field is not written plainly (RFC 5322 section 3.6.8)";
    case Code::no_address:
      return "the field has no address or an empty group (RFC 5322 section 3.6.2)";
    case Code::bad_address:
      return "the field is no list of mailboxes (RFC 5322 section 3.4)";
    case Code::bad_domain:
      return "the domain of an address is no domain name (RFC 5321 section 4.1.2)";
    case Code::control_character:
      return "the field has a control character (RFC 5322 section 2.2)";
    case Code::too_many_addresses:
      return "the field has more addresses than the limit";
  }
  return "unknown";
}

std::string Mailbox::address() const { return local_part + '@' + domain.text(); }

Result<std::vector<Mailbox>, AuthorError> parse_mailbox_list(std::string_view value,
                                                             const Limits& limits) {
  if (const std::optional<std::size_t> offset = find_control_character(value))
    return std::unexpected(AuthorError{Code::control_character, *offset});
  return MailboxListReader(value, limits).read();
}

Result<Mailbox, AuthorError> first_mailbox(std::string_view value, const Limits& limits) {
  auto mailboxes = parse_mailbox_list(value, limits);
  if (!mailboxes) return std::unexpected(mailboxes.error());
  return std::move(mailboxes->front());
}

Result<std::vector<Mailbox>, AuthorError> find_authors(const Header& header, const Limits& limits) {
  const HeaderField* from = nullptr;
  for (const HeaderField& field : header) {
    if (reading_of(field) == Reading::other) continue;
    if (from != nullptr) return std::unexpected(AuthorError{Code::repeated_from, 0});
    from = &field;
  }
  if (from == nullptr) return std::unexpected(AuthorError{Code::missing_from, 0});
  if (reading_of(*from) == Reading::ambiguous)
    return std::unexpected(AuthorError{Code::ambiguous_from, 0});
  return parse_mailbox_list(from->value(), limits);
}

}  // namespace countersign
