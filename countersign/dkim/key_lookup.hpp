// SPDX-License-Identifier: Apache-2.0
//
// From a selector to its key, through DNS: one question, and every way in which its answer can fall
// short. DKIM and ARC share it.

#pragma once

#include <optional>
#include <string>

#include "countersign/dkim/key_record.hpp"
#include "countersign/dkim/verdict.hpp"
#include "countersign/dns/asking.hpp"
#include "countersign/domain/name.hpp"
#include "countersign/limits.hpp"

namespace countersign::dkim {

/// What DNS said about one key: a record, or the result that its absence has for every signature
/// that needs it.
struct KeyLookup {
  std::optional<KeyRecord> record;
  bool authenticated = false;         ///< DNSSEC validated the answer
  Result result = Result::permerror;  ///< without a record: temperror when DNS failed
  Reason reason = Reason::key_not_found;
  std::optional<KeyRecordErrorCode> record_error;  ///< why a record that is there cannot be read
  std::string detail;  ///< what is wrong, with the name that was asked for; safe to print

  /// The memory that it takes, roughly.
  [[nodiscard]] std::size_t octets() const;
};

/// The name of the key record of a selector: "june._domainkey.example.com". RFC 6376 §3.6.2.1
[[nodiscard]] std::string key_name(const DomainName& selector, const DomainName& sdid);

/// Asks for the TXT records at a key_name() and reads the key record among them. Where answers are
/// cached, the key comes decoded from there.
///
/// Leniency     records that are clearly no key, as a wildcard TXT record brings along, are left
///              out of account when there are several. Two key records are an error: RFC 6376
///              §3.6.2.2 leaves that undefined, and choosing one is not ours to do.
/// RFC 6376 §6.1.2
[[nodiscard]] dns::Asking<KeyLookup> look_up_key(std::string name, Limits limits);

}  // namespace countersign::dkim
