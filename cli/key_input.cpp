// SPDX-License-Identifier: Apache-2.0

#include "cli/key_input.hpp"

#include <fmt/format.h>

#include "cli/failure.hpp"
#include "cli/input.hpp"
#include "service/config/key_store.hpp"

namespace countersign::cli {

DomainName parse_name(const std::string& option, const std::string& text) {
  Result<DomainName, DomainNameError> name = DomainName::parse(text);
  if (name) return *name;
  throw Failure(exit_usage, fmt::format("{} {}: {}", option, text, to_string(name.error().code)));
}

crypto::PrivateKey read_private_key(const std::string& file) {
  Result<crypto::PrivateKey, crypto::KeyError> key =
      service::config::decode_private_key(read_small_input(file), Limits());
  if (key) return *key;
  throw Failure(exit_data, fmt::format("{}: {}", input_name(file), to_string(key.error())));
}

}  // namespace countersign::cli
