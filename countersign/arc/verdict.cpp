// SPDX-License-Identifier: Apache-2.0
//
// The words of statuses, and for each reason a sentence that says what happened and who can act.

#include "countersign/arc/verdict.hpp"

namespace countersign::arc {

std::string_view to_string(ChainStatus status) {
  switch (status) {
    case ChainStatus::none:
      return "none";
    case ChainStatus::pass:
      return "pass";
    case ChainStatus::fail:
      return "fail";
  }
  return "fail";
}

std::string_view to_string(Reason reason) {
  switch (reason) {
    case Reason::valid:
      return "the chain is valid";
    case Reason::no_sets:
      return "the message has no ARC fields (RFC 8617 §5.2)";
    case Reason::bad_field:
      return "an ARC field cannot be read (RFC 8617 §4.1)";
    case Reason::too_many_sets:
      return "the chain has more than 50 sets (RFC 8617 §5.2)";
    case Reason::ended:
      return "an earlier host found the chain broken and said so with cv=fail (RFC 8617 §5.2)";
    case Reason::duplicate_field:
      return "a set has two fields of one kind (RFC 8617 §5.2)";
    case Reason::missing_field:
      return "a set lacks one of its three fields (RFC 8617 §5.2)";
    case Reason::missing_set:
      return "the sets are not numbered from 1 without a gap (RFC 8617 §5.2)";
    case Reason::bad_chain_status:
      return "cv= is not none in the first seal and pass in all others (RFC 8617 §5.2)";
    case Reason::message_signature_failed:
      return "the newest ARC-Message-Signature does not verify: the message was changed after it "
             "was sealed (RFC 8617 §5.2)";
    case Reason::seal_failed:
      return "an ARC-Seal does not verify: the chain was changed after it was sealed "
             "(RFC 8617 §5.2)";
    case Reason::key_unavailable:
      return "DNS did not answer when asked for a key of the chain (RFC 8617 §5.2.1)";
  }
  return "unknown reason";
}

std::string_view name_of(Reason reason) {
  switch (reason) {
    case Reason::valid:
      return "valid";
    case Reason::no_sets:
      return "no_sets";
    case Reason::bad_field:
      return "bad_field";
    case Reason::too_many_sets:
      return "too_many_sets";
    case Reason::ended:
      return "ended";
    case Reason::duplicate_field:
      return "duplicate_field";
    case Reason::missing_field:
      return "missing_field";
    case Reason::missing_set:
      return "missing_set";
    case Reason::bad_chain_status:
      return "bad_chain_status";
    case Reason::message_signature_failed:
      return "message_signature_failed";
    case Reason::seal_failed:
      return "seal_failed";
    case Reason::key_unavailable:
      return "key_unavailable";
  }
  return "unknown";
}

}  // namespace countersign::arc
