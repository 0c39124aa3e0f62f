// SPDX-License-Identifier: Apache-2.0

#include "service/config/socket_spec.hpp"

#include <sys/un.h>

#include <charconv>

#include "countersign/domain/address.hpp"
#include "countersign/text/abnf.hpp"

namespace countersign::service::config {
namespace {

using Parsed = std::expected<SocketSpec, std::string>;

constexpr text::CharClass is_host = text::is_alnum | text::CharClass("-_.:");

Parsed parse_path(std::string_view path) {
  if (path.empty()) return std::unexpected("a socket path is missing after the colon");
  if (path.find('\0') != std::string_view::npos) {
    return std::unexpected("a socket path holds no NUL octet");
  }
  if (path.size() >= sizeof(sockaddr_un::sun_path)) {
    return std::unexpected("the socket path is longer than the " +
                           std::to_string(sizeof(sockaddr_un::sun_path) - 1) +
                           " octets that the system takes");
  }
  return SocketSpec{.family = SocketSpec::Family::unix, .path = std::string(path)};
}

// Brackets mark a literal address and must then hold one; without them an address is taken too, as
// the name look-up of Sendmail's library takes it.
std::expected<std::string, std::string> parse_host(SocketSpec::Family family,
                                                   std::string_view host) {
  const bool bracketed = host.starts_with('[') && host.ends_with(']');
  if (bracketed) host = host.substr(1, host.size() - 2);
  const std::optional<IpAddress> address = IpAddress::parse(host);
  if (bracketed && !address) return std::unexpected("there is no IP address in the brackets");
  if (address && address->is_v4() != (family == SocketSpec::Family::inet)) {
    return std::unexpected(address->is_v4() ? "an IPv4 address needs inet:"
                                            : "an IPv6 address needs inet6:");
  }
  if (host.empty() || !is_host.all_of(host)) {
    return std::unexpected("after the @ a host name or an address is expected");
  }
  return std::string(host);
}

Parsed parse_inet(SocketSpec::Family family, std::string_view rest) {
  const std::size_t at = rest.find('@');
  const std::string_view digits = rest.substr(0, at);
  unsigned port = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  const bool whole = error == std::errc() && end == digits.data() + digits.size();
  if (!whole || port == 0 || port > 65'535) {
    return std::unexpected("a port is a number from 1 to 65535, as in inet:8891@localhost");
  }
  SocketSpec socket{.family = family, .port = static_cast<std::uint16_t>(port)};
  if (at == std::string_view::npos) return socket;
  auto host = parse_host(family, rest.substr(at + 1));
  if (!host) return std::unexpected(host.error());
  socket.host = std::move(*host);
  return socket;
}

}  // namespace

Parsed parse_socket(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (text.empty()) return std::unexpected("a socket is missing");
  if (colon == std::string_view::npos) return parse_path(text);
  const std::string_view family = text.substr(0, colon);
  const std::string_view rest = text.substr(colon + 1);
  if (text::equal_ignoring_case(family, "inet")) {
    return parse_inet(SocketSpec::Family::inet, rest);
  }
  if (text::equal_ignoring_case(family, "inet6")) {
    return parse_inet(SocketSpec::Family::inet6, rest);
  }
  if (text::equal_ignoring_case(family, "local") || text::equal_ignoring_case(family, "unix")) {
    return parse_path(rest);
  }
  if (text.starts_with('/')) return parse_path(text);
  return std::unexpected("'" + std::string(family) +
                         ":' is no kind of socket; there are inet:, inet6:, local: and unix:");
}

std::string to_string(const SocketSpec& socket) {
  if (socket.family == SocketSpec::Family::unix) return "local:" + socket.path;
  const bool v6 = socket.family == SocketSpec::Family::inet6;
  std::string text = (v6 ? "inet6:" : "inet:") + std::to_string(socket.port);
  if (socket.host.empty()) return text;
  const bool literal = IpAddress::parse(socket.host).has_value();
  return text + "@" + (literal ? "[" + socket.host + "]" : socket.host);
}

}  // namespace countersign::service::config
