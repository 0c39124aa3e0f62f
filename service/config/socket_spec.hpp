// SPDX-License-Identifier: Apache-2.0
//
// Where the milter listens, in the syntax that Sendmail's library gave to every filter:
//
//   inet:8891@localhost   inet:8891   inet:8891@[192.0.2.1]   inet6:8891@[::1]
//   local:/run/x.sock     unix:/run/x.sock     /run/x.sock

#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

namespace countersign::service::config {

/// A place to listen at.
struct SocketSpec {
  /// The family that the text asks for.
  enum class Family : std::uint8_t { inet, inet6, unix };

  Family family = Family::unix;
  std::uint16_t port = 0;  ///< inet and inet6
  /// Name or address without brackets; empty: all interfaces of the family.
  std::string host;
  std::string path;  ///< unix; absolute or relative to the working directory

  friend bool operator==(const SocketSpec&, const SocketSpec&) = default;
};

/// Reads one socket.
/// Errors       a sentence that says what is wrong with the text.
[[nodiscard]] std::expected<SocketSpec, std::string> parse_socket(std::string_view text);

/// Writes it as it would be configured: "inet:8891@localhost", "local:/run/x.sock".
[[nodiscard]] std::string to_string(const SocketSpec& socket);

}  // namespace countersign::service::config
