// SPDX-License-Identifier: Apache-2.0
//
// Reads a DNS message, the octets that a name server or a resolver library hands over, into the
// Answer to one question. The octets are a stranger's: every length is checked before it is
// believed, and compression pointers only ever lead backwards.

#pragma once

#include <string_view>

#include "countersign/dns/question.hpp"
#include "countersign/limits.hpp"

namespace countersign::dns {

/// Reads a response: the records of the type asked for at the end of the chain of aliases that
/// begins at the name asked for.
///
/// packet       a whole message without the two octets of length that TCP puts before it.
/// Returns      records, nodata or nxdomain as the message says; servfail or refused as its RCODE
///              says, servfail for every other RCODE; malformed for a message that cannot be read,
///              is truncated, or answers another question. Never bogus, never authenticated: those
///              are for whoever validates. ttl is the least of the aliases' and the records', for
///              an absence the one of RFC 2308 §5, and 0 where the message states none.
/// Leniency     records past limits.answer_records_max are not looked at; records of other types
///              and at other names are read over.
/// RFC 1035 §4.1, RFC 2181 §8, RFC 2308 §2
[[nodiscard]] Answer read_packet(std::string_view packet, const Question& question,
                                 const Limits& limits);

}  // namespace countersign::dns
