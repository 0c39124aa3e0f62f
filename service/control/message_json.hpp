// SPDX-License-Identifier: Apache-2.0
//
// A kept message as a document: what `countersign explain` prints.

#pragma once

#include <boost/json/fwd.hpp>

#include "service/control/kept_messages.hpp"

namespace countersign::service {

/// A message as {queue_id, finished, client, helo_name, mail_from, rcpt_to, rcpt_to_count, author,
/// judged, action, text, signatures, reasons, header_octets, body_octets}, and for one that was
/// judged all members of the verdict besides (service/explain/verdict_json.hpp), as `countersign
/// verify --json` has them.
///
/// finished     seconds since 1970 UTC
/// rcpt_to      the first recipients; rcpt_to_count has how many there were
/// signatures   those that were made: [{sdid, selector, auid, algorithm}]
/// reasons      why it was signed or not, in sentences, in the order of deciding
[[nodiscard]] boost::json::object to_json(const KeptMessage& message);

/// The same in short, for a list: {queue_id, finished, client, mail_from, author, judged, signed,
/// action, shadow, spf, dkim, dmarc}. What was not checked is null.
[[nodiscard]] boost::json::object summary_of(const KeptMessage& message);

/// What the ring holds: {messages, messages_max, octets, octets_max, forgotten, since, oldest};
/// times in seconds since 1970 UTC, oldest null when it is empty.
[[nodiscard]] boost::json::object to_json(const KeptReach& reach);

}  // namespace countersign::service
