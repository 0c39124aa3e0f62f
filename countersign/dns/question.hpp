// SPDX-License-Identifier: Apache-2.0
//
// What an evaluation asks of DNS, and every way in which that can be answered.

#pragma once

#include <array>
#include <chrono>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace countersign {
struct Limits;
}

namespace countersign::dns {

/// Record types that we ask for, with their numbers on the wire (RFC 1035 §3.2.2 and the registry).
enum class RecordType : std::uint16_t {
  a = 1,
  ns = 2,
  cname = 5,
  soa = 6,
  ptr = 12,
  mx = 15,
  txt = 16,
  aaaa = 28,
  tlsa = 52,
};

/// The mnemonic of a record type, upper case as in a zone file.
[[nodiscard]] std::string_view to_string(RecordType type);

struct Question;
struct Answer;
struct Parsed;

/// Makes of an answer what the evaluation that asks needs: the key record with its key decoded, the
/// record as a list of terms. Always parse_answer<…> of asking.hpp. Pure, as all that is below
/// service/; so whoever keeps an answer may run it once, and keep with the answer what came of it.
using Reader = Parsed (*)(const Question&, const Answer&, const Limits&);

/// One question. Class IN always.
struct Question {
  /// Lower-case A-labels without a dot at the end; whoever asks has checked the length of the
  /// labels and the name.
  std::string name;
  RecordType type = RecordType::txt;
  /// How the answer will be read, for those who keep answers; no part of what is asked. Null where
  /// the answer is used as it is.
  Reader reader = nullptr;

  friend bool operator==(const Question& a, const Question& b) {
    return a.type == b.type && a.name == b.name;
  }
  friend auto operator<=>(const Question& a, const Question& b) {
    const auto order = a.name <=> b.name;
    return order != 0 ? order : a.type <=> b.type;
  }
};

/// How DNS answered. Only nodata and nxdomain say that there is no such record; every status below
/// them is a failure and must never be read as absence.
enum class AnswerStatus : std::uint8_t {
  records,    ///< at least one record of the type
  nodata,     ///< the name exists, the type does not (NOERROR without data)
  nxdomain,   ///< the name does not exist, nor any below it (RFC 8020)
  servfail,   ///< the resolver gave up
  refused,    ///< the resolver will not answer
  timeout,    ///< nobody answered in time
  malformed,  ///< an answer that cannot be read, or was truncated for good
  bogus,      ///< DNSSEC validation failed (RFC 4035 §4.3)
};

/// The word for an answer status, as RCODEs are written ("NXDOMAIN") or in lower case where there
/// is no RCODE.
[[nodiscard]] std::string_view to_string(AnswerStatus status);

/// A or AAAA: 4 or 16 octets in network order.
struct Address {
  std::array<std::uint8_t, 16> octets{};
  std::uint8_t length = 4;

  friend bool operator==(const Address&, const Address&) = default;
};

/// TXT: the character-strings in order, each 0..255 octets (RFC 1035 §3.3.14).
struct Text {
  std::vector<std::string> strings;

  /// The strings joined with nothing between them, as every mail record is read (RFC 6376 §3.6.2.2,
  /// RFC 7208 §3.3).
  [[nodiscard]] std::string joined() const;
  friend bool operator==(const Text&, const Text&) = default;
};

/// MX: preference and host, lower case without a dot at the end; "." alone is the null MX (RFC 7505
/// §3).
struct MailExchange {
  std::uint16_t preference = 0;
  std::string exchange;

  friend bool operator==(const MailExchange&, const MailExchange&) = default;
};

/// PTR, CNAME, NS: a name, lower case without a dot at the end.
struct NameData {
  std::string name;

  friend bool operator==(const NameData&, const NameData&) = default;
};

/// Any other type: its data as on the wire.
struct RawData {
  std::string octets;

  friend bool operator==(const RawData&, const RawData&) = default;
};

using RecordData = std::variant<Address, Text, MailExchange, NameData, RawData>;

/// What a reader made of an answer. Never changed once it is made, so all threads may share it.
struct Parsed {
  Reader reader = nullptr;            ///< who made it, and so what the value is; null: nothing
  std::shared_ptr<const void> value;  ///< a T, for a reader that returns T
  std::size_t octets = 0;             ///< the memory that it takes, roughly
};

/// The answer to one question, aliases already followed.
struct Answer {
  AnswerStatus status = AnswerStatus::servfail;
  /// The resolver validated it with DNSSEC, its absence proofs included.
  bool authenticated = false;
  /// Records of the type asked for; empty unless status is records. May be left out where `parsed`
  /// has the question's reader.
  std::vector<RecordData> records;
  /// How long the answer holds, seconds from when it was given.
  std::chrono::seconds ttl{60};
  /// What the question's reader made of it, when whoever answered has run that.
  Parsed parsed;

  /// True for the statuses that are a failure of DNS and no statement about the name.
  [[nodiscard]] bool is_failure() const { return status > AnswerStatus::nxdomain; }
  /// Whether both say the same; what was made of them follows from that.
  friend bool operator==(const Answer& a, const Answer& b) {
    return a.status == b.status && a.authenticated == b.authenticated && a.records == b.records &&
           a.ttl == b.ttl;
  }
};

}  // namespace countersign::dns
