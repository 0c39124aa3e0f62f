// SPDX-License-Identifier: Apache-2.0
//
// Domains, selectors and private keys as the command line names them.

#pragma once

#include <string>

#include "countersign/crypto/private_key.hpp"
#include "countersign/domain/name.hpp"

namespace countersign::cli {

/// The value of an option that is a domain name or a selector.
/// option   as the user wrote it, "--domain"; for the sentence.
/// Throws Failure(exit_usage) when it is no name.
[[nodiscard]] DomainName parse_name(const std::string& option, const std::string& text);

/// Reads a private key: PEM, or base64 of DER or of an Ed25519 seed; "-" is standard input.
/// Throws Failure: exit_no_input when the file cannot be opened, exit_data when it holds no key
/// that we use.
[[nodiscard]] crypto::PrivateKey read_private_key(const std::string& file);

}  // namespace countersign::cli
