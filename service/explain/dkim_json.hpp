// SPDX-License-Identifier: Apache-2.0
//
// What became of a DKIM signature, as a document.

#pragma once

#include <boost/json/fwd.hpp>

#include "countersign/dkim/verifier.hpp"

namespace countersign::service {

/// One signature as {result, reason, explanation, sdid, auid, selector, algorithm, key_bits,
/// key_testing, header_canonicalization, body_canonicalization, signed_fields, body_octets_signed,
/// body_octets_total, time, expires}. Every key is there whatever the result; what is not known is
/// null.
[[nodiscard]] boost::json::object to_json(const dkim::SignatureResult& result);

}  // namespace countersign::service
