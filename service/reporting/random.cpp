// SPDX-License-Identifier: Apache-2.0

#include "service/reporting/random.hpp"

#include <fmt/format.h>
#include <sys/random.h>

#include <cerrno>
#include <system_error>

namespace countersign::service {

std::string random_hex(std::size_t octets) {
  std::string raw(octets, '\0');
  if (::getrandom(raw.data(), raw.size(), 0) != static_cast<ssize_t>(raw.size()))
    throw std::system_error(errno, std::generic_category(), "the system has no random octets");
  std::string text;
  for (const char c : raw) text += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return text;
}

}  // namespace countersign::service
