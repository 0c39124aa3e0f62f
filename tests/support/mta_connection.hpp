// SPDX-License-Identifier: Apache-2.0
//
// An MTA at the other end of a real socket: blocking, with a deadline, so that a filter that hangs
// fails a test instead of hanging it.

#pragma once

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "countersign/milter/mta.hpp"
#include "service/run/descriptor.hpp"
#include "tests/support/signing.hpp"

namespace countersign::test {

using service::Descriptor;

/// A socket that is not connected yet, of the family of a listening one.
[[nodiscard]] inline Descriptor make_socket(int family) {
  return Descriptor(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
}

/// Connects to where a listening socket is bound. Throws when nobody answers.
inline void connect_to(const Descriptor& socket, int listening) {
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (::getsockname(listening, generic, &length) != 0 ||
      ::connect(socket.get(), generic, length) != 0) {
    throw std::runtime_error(std::string("cannot connect: ") + std::strerror(errno));
  }
}

/// A connection to where a listening socket is bound. Throws when nobody answers.
[[nodiscard]] inline Descriptor connect_to(int listening) {
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  ::getsockname(listening, reinterpret_cast<sockaddr*>(&address), &length);
  Descriptor socket = make_socket(address.ss_family);
  connect_to(socket, listening);
  return socket;
}

/// A connection to a unix socket, or none when nobody answers.
[[nodiscard]] inline std::optional<Descriptor> connect_to_file(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), std::min(path.size(), sizeof address.sun_path - 1));
  Descriptor socket = make_socket(AF_UNIX);
  const auto* generic = reinterpret_cast<const sockaddr*>(&address);
  if (::connect(socket.get(), generic, sizeof address) != 0) return std::nullopt;
  return socket;
}

/// A message of ours, which policy_for_example_org() signs.
[[nodiscard]] inline milter::Mail mail_of(const std::string& author = "alice@example.org",
                                          std::string body = "Hi\r\n") {
  return {.mail_from = author,
          .rcpt_to = {"bob@example.net"},
          .header = header_from(author),
          .body = std::move(body),
          .macros = {{"i", "4QUEUE"}}};
}

/// What a verifier says about the signatures of a message, in its words: "pass fail".
[[nodiscard]] inline std::string verdict_on(const Header& header, std::string_view body,
                                            const std::string& selector = "s1") {
  const mailflow::Outcome signer{
      .signatures = {{.sdid = name("example.org"), .selector = name(selector)}}};
  std::string words;
  for (const dkim::SignatureResult& one : verify(header, body, signer)) {
    words += (words.empty() ? "" : " ") + std::string(to_string(one.result));
  }
  return words;
}

/// One connection of an MTA.
class MtaConnection {
 public:
  explicit MtaConnection(Descriptor socket, milter::MtaOffer offer = {})
      : socket_(std::move(socket)), mta_(offer) {}

  /// Octets that go out in one piece; 0: as many as there are.
  void set_piece(std::size_t octets) { piece_ = octets; }

  /// Pushes a whole message through the filter. Throws when the filter does not see it through.
  milter::FilterOutcome push(const milter::Mail& mail) {
    mta_.begin(mail);
    while (!mta_.outcome()) {
      send(mta_.take_output());
      const std::optional<std::string> replies = receive();
      if (!replies) throw std::runtime_error("the filter did not answer in time");
      if (replies->empty()) throw std::runtime_error("the filter closed the connection");
      if (!mta_.receive(*replies)) throw std::runtime_error("the filter broke the protocol");
    }
    return *mta_.outcome();
  }

  /// Pushes a message and gives what a verifier says about it.
  std::string push_and_verify(const milter::Mail& mail, const std::string& selector = "s1") {
    return verdict_on(push(mail).header, mail.body, selector);
  }

  /// Ends the SMTP session, so that the next message comes from another client.
  void quit_new() { mta_.quit_new(); }

  /// Sends octets as they are. Throws when the filter is gone.
  void send(std::string_view octets) const {
    while (!octets.empty()) {
      const std::string_view piece = octets.substr(0, piece_ == 0 ? octets.size() : piece_);
      const ssize_t put = ::send(socket_.get(), piece.data(), piece.size(), MSG_NOSIGNAL);
      if (put <= 0) throw std::runtime_error("the filter is gone");
      octets.remove_prefix(static_cast<std::size_t>(put));
    }
  }

  /// Octets of the filter; empty at the end of the connection, nothing when none come in time.
  [[nodiscard]] std::optional<std::string> receive(
      std::chrono::milliseconds within = std::chrono::seconds(20)) const {
    pollfd waiting{.fd = socket_.get(), .events = POLLIN, .revents = 0};
    if (::poll(&waiting, 1, static_cast<int>(within.count())) <= 0) return std::nullopt;
    std::array<char, 65'536> buffer{};
    const ssize_t got = ::recv(socket_.get(), buffer.data(), buffer.size(), 0);
    return std::string(buffer.data(), got > 0 ? static_cast<std::size_t>(got) : 0);
  }

  /// Waits for so many complete replies; fewer when the connection ends or nothing comes.
  [[nodiscard]] std::vector<std::pair<char, std::string>> receive_frames(std::size_t count) const {
    std::vector<std::pair<char, std::string>> frames;
    milter::FrameReader reader(Limits().milter_frame_bytes_max);
    while (frames.size() < count) {
      const std::optional<std::string> octets = receive();
      if (!octets || octets->empty()) break;
      std::string_view rest = *octets;
      while (auto frame = reader.next(rest).value()) frames.emplace_back(frame->code, frame->data);
    }
    return frames;
  }

  /// True when the filter ends the connection within that time; what it says before is dropped.
  [[nodiscard]] bool is_closed(std::chrono::milliseconds within = std::chrono::seconds(20)) const {
    const auto end = std::chrono::steady_clock::now() + within;
    for (;;) {
      const auto left =
          std::chrono::ceil<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
      const auto octets = receive(std::max(left, std::chrono::milliseconds(0)));
      if (!octets) return false;
      if (octets->empty()) return true;
    }
  }

  [[nodiscard]] int socket() const { return socket_.get(); }
  void hang_up() { socket_.close(); }

 private:
  Descriptor socket_;
  milter::Mta mta_;
  std::size_t piece_ = 0;
};

}  // namespace countersign::test
