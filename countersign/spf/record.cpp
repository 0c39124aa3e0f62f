// SPDX-License-Identifier: Apache-2.0
//
// Reads records term by term. A term is a modifier when "=" comes before every ":" and "/", and
// else a directive; each is read from left to right, only the prefix lengths of a and mx are cut
// from the end first, because a domain-spec may hold "/" itself.

#include "countersign/spf/record.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "countersign/text/abnf.hpp"

namespace countersign::spf {

namespace {

using Code = RecordErrorCode;

constexpr std::string_view version = "v=spf1";
constexpr unsigned mapped_bits = 96;  // Of the prefix ::ffff:0:0/96 (RFC 4291 §2.5.5.2).

constexpr text::CharClass is_modifier_name = text::is_alnum | text::CharClass("-_.");
constexpr text::CharClass is_v4 = text::is_digit | text::CharClass(".");
constexpr text::CharClass is_v6 = text::is_hex_digit | text::CharClass(":.");

constexpr std::array<std::pair<std::string_view, Mechanism>, 8> mechanisms{{
    {"all", Mechanism::all},
    {"include", Mechanism::include},
    {"a", Mechanism::a},
    {"mx", Mechanism::mx},
    {"ptr", Mechanism::ptr},
    {"ip4", Mechanism::ip4},
    {"ip6", Mechanism::ip6},
    {"exists", Mechanism::exists},
}};

std::optional<Mechanism> mechanism_of(std::string_view name) {
  for (const auto& [known, mechanism] : mechanisms)
    if (text::equal_ignoring_case(name, known)) return mechanism;
  return std::nullopt;
}

std::optional<Qualifier> qualifier_of(char c) {
  switch (c) {
    case '+':
      return Qualifier::pass;
    case '-':
      return Qualifier::fail;
    case '~':
      return Qualifier::softfail;
    case '?':
      return Qualifier::neutral;
    default:
      return std::nullopt;
  }
}

// "0" / %x31-39 0*2DIGIT, up to the number of bits of an address.
std::optional<unsigned> prefix_length(std::string_view digits, unsigned bits_max) {
  if (digits.empty() || digits.size() > 3 || !text::is_digit.all_of(digits)) return std::nullopt;
  if (digits.size() > 1 && digits.front() == '0') return std::nullopt;
  unsigned bits = 0;
  for (const char digit : digits) bits = bits * 10 + static_cast<unsigned>(digit - '0');
  return bits <= bits_max ? std::optional(bits) : std::nullopt;
}

// Reads the terms of one text into a record, and keeps the first fault of each.
class TermReader {
 public:
  TermReader(std::string_view text, Record& record) : text_(text), record_(record) {}

  void read_all() {
    for (std::size_t begin = version.size(); begin < text_.size();) {
      const std::size_t end = std::min(text_.find(' ', begin), text_.size());
      if (begin != end) read_term({begin, end - begin});
      begin = end + 1;
    }
  }
  [[nodiscard]] const std::vector<RecordError>& errors() const { return errors_; }

 private:
  // What stands behind the name of a mechanism: ":" with an argument, "/" with lengths.
  struct Arguments {
    Part value;
    bool has_value = false;
    bool has_lengths = false;
  };

  void read_term(Part term);
  void read_modifier(Part term, std::size_t equals);
  void read_directive(Part term);
  bool read_arguments(Directive& directive, Part rest);
  bool read_lengths(Directive& directive, Part& rest);
  bool read_domain(Directive& directive, Part rest);
  bool read_network(Directive& directive, Part rest);
  bool check_domain(Part spec);

  [[nodiscard]] std::string_view view(Part part) const { return part.in(text_); }
  static Part behind(Part part, std::size_t octets) {
    return {part.offset + octets, part.size - octets};
  }
  bool fail(Code code, std::size_t offset) {
    errors_.push_back({code, offset, {}});
    return false;
  }
  // A fault of a macro-string that begins at that offset.
  bool fail(Code code, std::size_t offset, MacroError error) {
    errors_.push_back({code, offset + error.offset, error.code});
    return false;
  }

  std::string_view text_;
  Record& record_;
  std::vector<RecordError> errors_;
};

void TermReader::read_term(Part term) {
  const std::size_t end_of_name = view(term).find_first_of("=:/");
  if (end_of_name != std::string_view::npos && view(term)[end_of_name] == '=')
    read_modifier(term, end_of_name);
  else
    read_directive(term);
}

void TermReader::read_modifier(Part term, std::size_t equals) {
  const std::string_view name = view(term).substr(0, equals);
  if (name.empty() || !text::is_alpha(name.front()) || !is_modifier_name.all_of(name)) {
    fail(Code::bad_modifier_name, term.offset);
    return;
  }
  const Modifier modifier{term, behind(term, equals + 1)};
  const bool is_redirect = text::equal_ignoring_case(name, "redirect");
  if (!is_redirect && !text::equal_ignoring_case(name, "exp")) {
    const auto checked = check_macro_string(view(modifier.value), MacroPlace::unknown_modifier);
    if (checked)
      record_.unknown_modifiers.push_back(modifier);
    else
      fail(Code::bad_modifier_value, modifier.value.offset, checked.error());
    return;
  }
  std::optional<Modifier>& slot = is_redirect ? record_.redirect : record_.explanation;
  if (slot)
    fail(Code::duplicate_modifier, term.offset);
  else if (check_domain(modifier.value))
    slot = modifier;
}

void TermReader::read_directive(Part term) {
  Directive directive{.text = term};
  Part rest = term;
  if (const std::optional<Qualifier> qualifier = qualifier_of(view(rest).front())) {
    directive.qualifier = *qualifier;
    rest = behind(rest, 1);
  }
  const std::size_t name_size = std::min(view(rest).find_first_of(":/"), rest.size);
  const std::optional<Mechanism> mechanism = mechanism_of(view(rest).substr(0, name_size));
  if (!mechanism) {
    fail(Code::unknown_mechanism, rest.offset);
    return;
  }
  directive.mechanism = *mechanism;
  if (read_arguments(directive, behind(rest, name_size))) record_.directives.push_back(directive);
}

// The argument of each mechanism, in the order of RFC 7208 §5.
bool TermReader::read_arguments(Directive& directive, Part rest) {
  switch (directive.mechanism) {
    case Mechanism::all:
      return rest.size == 0 || fail(Code::unexpected_argument, rest.offset);
    case Mechanism::a:
    case Mechanism::mx:
      return read_lengths(directive, rest) && (rest.size == 0 || read_domain(directive, rest));
    case Mechanism::ptr:
      return rest.size == 0 || read_domain(directive, rest);
    case Mechanism::include:
    case Mechanism::exists:
      return read_domain(directive, rest);
    case Mechanism::ip4:
    case Mechanism::ip6:
      return read_network(directive, rest);
  }
  return false;
}

// dual-cidr-length = [ ip4-cidr-length ] [ "/" ip6-cidr-length ]
//
// Cut from the end: no domain-spec ends in "/" and digits, as no toplabel holds a "/".
bool TermReader::read_lengths(Directive& directive, Part& rest) {
  for (const bool is_v6_length : {true, false}) {
    const std::string_view text = view(rest);
    const std::size_t digits_at = text.find_last_not_of("0123456789") + 1;
    const std::string_view slashes = is_v6_length ? "//" : "/";
    if (!text.substr(0, digits_at).ends_with(slashes)) continue;
    const std::optional<unsigned> length =
        prefix_length(text.substr(digits_at), is_v6_length ? 128 : 32);
    if (!length) return fail(Code::bad_prefix_length, rest.offset + digits_at);
    (is_v6_length ? directive.prefix6 : directive.prefix4) = *length;
    rest.size = digits_at - slashes.size();
  }
  return true;
}

bool TermReader::read_domain(Directive& directive, Part rest) {
  if (rest.size == 0) return fail(Code::missing_argument, rest.offset);
  if (view(rest).front() != ':') return fail(Code::unexpected_argument, rest.offset);
  directive.domain_spec = behind(rest, 1);
  return check_domain(directive.domain_spec);
}

bool TermReader::check_domain(Part spec) {
  const auto checked = check_domain_spec(view(spec));
  return checked || fail(Code::bad_domain, spec.offset, checked.error());
}

// ip4-network [ ip4-cidr-length ], ip6-network [ ip6-cidr-length ]
bool TermReader::read_network(Directive& directive, Part rest) {
  if (!view(rest).starts_with(':')) return fail(Code::missing_argument, rest.offset);
  rest = behind(rest, 1);
  const bool wants_v4 = directive.mechanism == Mechanism::ip4;
  const std::string_view text = view(rest);
  const std::size_t slash = std::min(text.find('/'), text.size());
  const std::string_view address = text.substr(0, slash);
  // IpAddress takes more spellings than the grammar does: brackets and "IPv6:".
  const bool may_be_address =
      wants_v4 ? is_v4.all_of(address) : is_v6.all_of(address) && address.contains(':');
  const std::optional<IpAddress> network =
      may_be_address ? IpAddress::parse(address) : std::nullopt;
  if (!network) return fail(Code::bad_network, rest.offset);
  directive.network = *network;
  if (slash == text.size()) return true;
  const auto length = prefix_length(text.substr(slash + 1), wants_v4 ? 32 : 128);
  if (!length) return fail(Code::bad_prefix_length, rest.offset + slash + 1);
  (wants_v4 ? directive.prefix4 : directive.prefix6) = *length;
  // With a shorter prefix it is no network of mapped addresses alone, and holds IPv6 clients.
  if (!wants_v4 && directive.network.is_v4() && *length < mapped_bits)
    directive.network = IpNetwork::parse(text)->address;
  return true;
}

// Reads a text; the record is whole when there is no error.
std::vector<RecordError> read_record(std::string_view text, Record& record, const Limits& limits) {
  if (text.size() > limits.spf_record_bytes_max)
    return {{Code::too_long, limits.spf_record_bytes_max, {}}};
  if (!is_spf_record(text)) return {{Code::not_spf, 0, {}}};
  record.directives.reserve(static_cast<std::size_t>(std::ranges::count(text, ' ')));
  TermReader reader(text, record);
  reader.read_all();
  return reader.errors();
}

}  // namespace

std::string_view to_string(const RecordError& error) {
  if (error.macro) return to_string(*error.macro);
  switch (error.code) {
    case Code::too_long:
      return "the record is longer than any that is used (RFC 7208 §3.4)";
    case Code::not_spf:
      return "an SPF record begins with \"v=spf1\" and a space (RFC 7208 §4.5)";
    case Code::unknown_mechanism:
      return "no mechanism has this name; known are all, include, a, mx, ptr, ip4, ip6 and "
             "exists, and modifiers have \"=\" (RFC 7208 §5)";
    case Code::missing_argument:
      return "this mechanism needs \":\" and a domain or an address (RFC 7208 §5)";
    case Code::unexpected_argument:
      return "this mechanism takes no such argument (RFC 7208 §5)";
    case Code::bad_domain:
      return "this is no domain, and no text with macros that may become one (RFC 7208 §7.1)";
    case Code::bad_network:
      return "this is no IP address of that version (RFC 7208 §5.6)";
    case Code::bad_prefix_length:
      return "a prefix length is 0 to 32 for IPv4 and 0 to 128 for IPv6, behind \"//\" in a and "
             "mx (RFC 7208 §5.6)";
    case Code::bad_modifier_name:
      return "the name of a modifier is a letter, then letters, digits, \"-\", \"_\" and \".\" "
             "(RFC 7208 §4.6.1)";
    case Code::bad_modifier_value:
      return "the value of a modifier is visible ASCII with well-formed macros (RFC 7208 §7.1)";
    case Code::duplicate_modifier:
      return "redirect= and exp= may each stand once in a record (RFC 7208 §6)";
  }
  return "unknown error";
}

bool is_spf_record(std::string_view text) {
  return text::starts_with_ignoring_case(text, version) &&
         (text.size() == version.size() || text[version.size()] == ' ');
}

countersign::Result<Record, RecordError> parse_record(std::string_view text, const Limits& limits) {
  Record record;
  const std::vector<RecordError> errors = read_record(text, record, limits);
  if (!errors.empty()) return std::unexpected(errors.front());
  return record;
}

std::vector<RecordError> record_errors(std::string_view text, const Limits& limits) {
  Record record;
  return read_record(text, record, limits);
}

}  // namespace countersign::spf
