// SPDX-License-Identifier: Apache-2.0

#include "service/control/client.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "service/run/descriptor.hpp"

namespace countersign::service {
namespace {

namespace json = boost::json;
using Clock = std::chrono::steady_clock;
using Failed = std::unexpected<ControlFailure>;

// Some messages of a few MiB each, with every octet escaped.
constexpr std::size_t answer_octets_max = 67'108'864;
// An SPF tree has two levels for each include, and there are ten of those at most.
constexpr std::size_t depth_max = 128;

Failed fail(ControlFailureCode code, std::string message) {
  return Failed(ControlFailure{code, std::move(message)});
}

Failed no_answer(const std::string& path, std::string_view why) {
  return fail(ControlFailureCode::no_answer,
              fmt::format("the daemon at {} does not answer: {}; its log may say why", path, why));
}

Failed not_connected(const std::string& path, int error) {
  switch (error) {
    case EACCES:
    case EPERM:
      return fail(ControlFailureCode::not_allowed,
                  fmt::format("{} may be asked by root and by the daemon's user only; try again "
                              "as one of them",
                              path));
    case ENOENT:
    case ENOTDIR:
    case ECONNREFUSED:
      return fail(
          ControlFailureCode::no_daemon,
          fmt::format("no daemon answers at {}: {}; start it (systemctl start countersign), or "
                      "name its socket with --socket (control.socket in its settings); the log of "
                      "a daemon that runs says whether it could open one",
                      path, std::strerror(error)));
    default:
      return fail(ControlFailureCode::no_daemon,
                  fmt::format("cannot connect to {}: {}", path, std::strerror(error)));
  }
}

/// Waits until the socket is ready; false when the time is over.
bool wait_for(const Descriptor& socket, short what, Clock::time_point end) {
  for (;;) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now()).count();
    if (left <= 0) return false;
    pollfd polled{.fd = socket.get(), .events = what, .revents = 0};
    const int ready = ::poll(&polled, 1, static_cast<int>(std::min<long long>(left, 60'000)));
    if (ready > 0) return true;
    if (ready < 0 && errno != EINTR) return false;
  }
}

bool is_for_now(int error) { return error == EAGAIN || error == EWOULDBLOCK || error == EINTR; }

/// An empty text, or why it could not be sent.
std::string send_all(const Descriptor& socket, std::string_view octets, Clock::time_point end) {
  while (!octets.empty()) {
    if (!wait_for(socket, POLLOUT, end)) return "it takes too long";
    const ssize_t put = ::send(socket.get(), octets.data(), octets.size(), MSG_NOSIGNAL);
    if (put > 0) octets.remove_prefix(static_cast<std::size_t>(put));
    if (put < 0 && errno == EPIPE) break;  // It may have said why before it closed.
    if (put < 0 && !is_for_now(errno)) return std::strerror(errno);
  }
  return {};
}

/// The line that comes, without its end.
std::expected<std::string, std::string> receive_line(const Descriptor& socket,
                                                     Clock::time_point end) {
  std::string line;
  std::array<char, 65'536> chunk{};
  for (;;) {
    if (!wait_for(socket, POLLIN, end)) return std::unexpected("it takes too long");
    const ssize_t got = ::recv(socket.get(), chunk.data(), chunk.size(), 0);
    if (got < 0 && is_for_now(errno)) continue;
    if (got < 0) return std::unexpected(std::strerror(errno));
    if (got == 0) return std::unexpected("it closes the connection");
    line.append(chunk.data(), static_cast<std::size_t>(got));
    if (line.ends_with('\n')) break;
    if (line.size() > answer_octets_max) return std::unexpected("the answer has no end");
  }
  line.pop_back();
  return line;
}

std::expected<Descriptor, ControlFailure> connect_to(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return not_connected(path, ENAMETOOLONG);
  std::memcpy(address.sun_path, path.data(), path.size());
  Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket) return not_connected(path, errno);
  const auto* const generic = reinterpret_cast<const sockaddr*>(&address);
  if (::connect(socket.get(), generic, sizeof address) != 0) return not_connected(path, errno);
  return socket;
}

}  // namespace

std::expected<json::object, ControlFailure> ask_daemon(const std::string& path,
                                                       const json::object& request,
                                                       std::chrono::milliseconds within) {
  const Clock::time_point end = Clock::now() + within;
  const auto socket = connect_to(path);
  if (!socket) return std::unexpected(socket.error());
  const std::string trouble = send_all(*socket, json::serialize(request) + '\n', end);
  if (!trouble.empty()) return no_answer(path, trouble);
  const auto line = receive_line(*socket, end);
  if (!line) return no_answer(path, line.error());
  json::error_code error;
  json::value document = json::parse(*line, error, {}, {.max_depth = depth_max});
  if (error || !document.is_object()) return no_answer(path, "what it says is no JSON");
  json::object& answer = document.get_object();
  const json::value* const refusal = answer.if_contains("error");
  if (refusal == nullptr) return std::move(answer);
  const json::object* const details = refusal->if_object();
  const json::value* const message = details == nullptr ? nullptr : details->if_contains("message");
  return fail(ControlFailureCode::refused,
              message != nullptr && message->is_string()
                  ? "the daemon says: " + std::string(std::string_view(message->get_string()))
                  : std::string("the daemon refuses to answer"));
}

}  // namespace countersign::service
