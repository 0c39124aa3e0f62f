// SPDX-License-Identifier: Apache-2.0
//
// Which valid signatures the operator does not take. They keep their place among the results, with
// the result policy, so that nobody relies on them and everybody can see why.

#pragma once

#include "countersign/mailflow/judging_policy.hpp"
#include "countersign/mailflow/verdict.hpp"
#include "countersign/message/header_field.hpp"

namespace countersign::mailflow {

/// Makes policy of the signatures that passed and that leave a field unsigned which must be signed,
/// or that a third party made who is not trusted. A signer at, above or below the author's domain
/// is no third party; of a message whose author is uncertain every signer is one.
/// header  of the message.
/// RFC 6376 §6.1, §6.3, RFC 8601 §2.7.1
void apply_signature_policy(const SignaturePolicy& policy, const Header& header, Verdict& verdict);

}  // namespace countersign::mailflow
