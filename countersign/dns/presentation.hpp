// SPDX-License-Identifier: Apache-2.0
//
// How names, types and addresses are spelled in text: what the two readers of zone files share.

#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "countersign/dns/question.hpp"

namespace countersign::dns {

/// A name in the form of Question::name and of record data: lower case, no dot at the end. The root
/// alone keeps its dot.
[[nodiscard]] std::string plain_name(std::string_view text);

/// The octets of one label in presentation form: letters in lower case, a dot or a backslash in it
/// with a backslash before it, octets that are no visible ASCII as \DDD. RFC 1035 §5.1
[[nodiscard]] std::string escape_label(std::string_view label);

/// A plain name in presentation form, every dot the end of a label: what a resolver library reads
/// as the very octets of the name.
[[nodiscard]] std::string escape_name(std::string_view name);

/// The type with this mnemonic, in any case, when it is one of RecordType. "TYPE16" is another
/// spelling of TXT. RFC 3597 §5
[[nodiscard]] std::optional<RecordType> parse_type(std::string_view mnemonic);

/// True for the mnemonic of any registered type, in any case, and for "TYPE" with a number.
/// RFC 3597 §5
[[nodiscard]] bool is_type_mnemonic(std::string_view word);

/// The data of an A or AAAA record from its text: a dotted quad or an IPv6 address, no brackets.
[[nodiscard]] std::optional<Address> parse_address(RecordType type, std::string_view text);

}  // namespace countersign::dns
