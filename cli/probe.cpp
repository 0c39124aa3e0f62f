// SPDX-License-Identifier: Apache-2.0
//
// `countersign probe`: pushes one message through a running milter, as an MTA would, and shows what
// came out. It answers "is my filter there, and what does it do to this mail?" without sending
// anything.

#include <fmt/format.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <memory>

#include "cli/command.hpp"
#include "cli/failure.hpp"
#include "cli/input.hpp"
#include "countersign/message/author.hpp"
#include "countersign/message/splitter.hpp"
#include "countersign/milter/mta.hpp"
#include "service/config/socket_spec.hpp"
#include "service/log/escape.hpp"

namespace countersign::cli {
namespace {

using service::config::SocketSpec;

struct Options {
  std::string socket;
  std::string file = "-";
  std::string client = "127.0.0.1";
  std::string host;
  std::string helo = "localhost";
  std::string mail_from;
  std::vector<std::string> rcpt_to = {"probe@localhost"};  // No MTA has mail without recipients.
  std::string auth_user;
  std::vector<std::string> macros;
  unsigned timeout_seconds = 30;
};

/// A connected socket that is closed with its scope.
class Connection {
 public:
  explicit Connection(const SocketSpec& spec) {
    if (spec.family == SocketSpec::Family::unix) {
      connect_unix(spec);
    } else {
      connect_inet(spec);
    }
    if (socket_ < 0) {
      throw Failure(exit_unavailable, fmt::format("no filter answers at {}: {}", to_string(spec),
                                                  std::strerror(errno)));
    }
  }
  ~Connection() {
    if (socket_ >= 0) ::close(socket_);
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void send(std::string_view octets) const {
    while (!octets.empty()) {
      const ssize_t put = ::send(socket_, octets.data(), octets.size(), MSG_NOSIGNAL);
      if (put < 0) throw Failure(exit_unavailable, "the filter closed the connection");
      octets.remove_prefix(static_cast<std::size_t>(put));
    }
  }

  std::string_view receive(std::chrono::steady_clock::time_point deadline) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        deadline - std::chrono::steady_clock::now());
    pollfd waiting{.fd = socket_, .events = POLLIN, .revents = 0};
    if (left.count() <= 0 || ::poll(&waiting, 1, static_cast<int>(left.count())) <= 0) {
      throw Failure(exit_unavailable, "the filter did not answer in time");
    }
    const ssize_t got = ::recv(socket_, buffer_.data(), buffer_.size(), 0);
    if (got <= 0) throw Failure(exit_unavailable, "the filter closed the connection");
    return {buffer_.data(), static_cast<std::size_t>(got)};
  }

 private:
  void connect_unix(const SocketSpec& spec) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (spec.path.size() >= sizeof address.sun_path) {
      errno = ENAMETOOLONG;
      return;
    }
    std::memcpy(address.sun_path, spec.path.data(), spec.path.size());
    try_address(AF_UNIX, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  }

  void connect_inet(const SocketSpec& spec) {
    addrinfo hints{};
    hints.ai_family = spec.family == SocketSpec::Family::inet6 ? AF_INET6 : AF_INET;
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    const std::string port = std::to_string(spec.port);
    const char* const host = spec.host.empty() ? nullptr : spec.host.c_str();
    if (::getaddrinfo(host, port.c_str(), &hints, &found) != 0) {
      errno = EADDRNOTAVAIL;
      return;
    }
    for (const addrinfo* one = found; one != nullptr && socket_ < 0; one = one->ai_next) {
      try_address(one->ai_family, one->ai_addr, one->ai_addrlen);
    }
    ::freeaddrinfo(found);
  }

  void try_address(int family, const sockaddr* address, socklen_t length) {
    const int socket = ::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (socket >= 0 && ::connect(socket, address, length) == 0) {
      socket_ = socket;
      return;
    }
    const int error = errno;
    if (socket >= 0) ::close(socket);
    errno = error;
  }

  int socket_ = -1;
  std::array<char, 65'536> buffer_{};
};

/// What an MTA says that a client is called: an address in brackets when it has no name.
std::string client_host(const Options& options) {
  if (!options.host.empty()) return options.host;
  return options.client == "127.0.0.1" ? "localhost" : "[" + options.client + "]";
}

std::map<std::string, std::string> read_macros(const Options& options) {
  std::map<std::string, std::string> macros = {{"i", "probe"}};
  if (!options.auth_user.empty()) {
    macros["auth_type"] = "PLAIN";
    macros["auth_authen"] = options.auth_user;
  }
  for (const std::string& macro : options.macros) {
    const std::size_t equals = macro.find('=');
    if (equals == std::string::npos || equals == 0) {
      throw Failure(exit_usage, "--macro takes NAME=VALUE, as in daemon_name=ORIGINATING");
    }
    macros[macro.substr(0, equals)] = macro.substr(equals + 1);
  }
  return macros;
}

milter::Mail read_mail(const Options& options) {
  const Result<Message, SplitError> message =
      split_message(read_small_input(options.file), Limits());
  if (!message) {
    throw Failure(exit_data, fmt::format("{}: {} (octet {})", options.file,
                                         to_string(message.error().code), message.error().offset));
  }
  milter::Mail mail{.client_host = client_host(options),
                    .client_address = options.client,
                    .helo = options.helo,
                    .mail_from = options.mail_from,
                    .rcpt_to = options.rcpt_to,
                    .header = message->header,
                    .body = message->body,
                    .macros = read_macros(options)};
  if (mail.mail_from.empty()) {
    if (const auto authors = find_authors(mail.header)) mail.mail_from = authors->front().address();
  }
  return mail;
}

milter::FilterOutcome push(const Options& options, const milter::Mail& mail) {
  const std::expected<SocketSpec, std::string> spec = service::config::parse_socket(options.socket);
  if (!spec) throw Failure(exit_usage, options.socket + ": " + spec.error());
  Connection connection(*spec);
  const auto deadline =
      std::chrono::steady_clock::now() + std::chrono::seconds(options.timeout_seconds);
  milter::Mta mta;
  mta.begin(mail);
  while (!mta.outcome()) {
    connection.send(mta.take_output());
    const Result<void, milter::MtaError> taken = mta.receive(connection.receive(deadline));
    if (!taken) throw Failure(exit_unavailable, std::string(to_string(taken.error().code)));
  }
  connection.send(milter::Mta::quit());
  return *mta.outcome();
}

std::string_view to_word(milter::ReplyCode code) {
  switch (code) {
    case milter::ReplyCode::accept:
      return "accept";
    case milter::ReplyCode::reject:
      return "reject";
    case milter::ReplyCode::tempfail:
      return "tempfail";
    case milter::ReplyCode::discard:
      return "discard";
    default:
      return "unknown";
  }
}

int run(const Options& options) {
  const milter::Mail mail = read_mail(options);
  const milter::FilterOutcome outcome = push(options, mail);
  fmt::print(stderr, "verdict: {}{}{}\n", to_word(outcome.verdict), outcome.text.empty() ? "" : " ",
             service::printable(outcome.text));
  if (!outcome.quarantine.empty()) {
    fmt::print(stderr, "quarantined: {}\n", service::printable(outcome.quarantine));
  }
  fmt::print(stderr, "header fields changed: {}\n", outcome.changes);
  for (const HeaderField& field : outcome.header) fmt::print("{}\r\n", field.raw());
  fmt::print("\r\n{}", outcome.body.value_or(mail.body));
  return outcome.verdict == milter::ReplyCode::accept ? exit_ok : exit_no;
}

}  // namespace

void add_probe(CLI::App& root, int& exit_code) {
  CLI::App* command = root.add_subcommand(
      "probe",
      "Push a message through a running milter as an MTA would, and print what comes out.");
  const auto options = std::make_shared<Options>();
  command->add_option("file", options->file, "the message, or - for standard input")
      ->capture_default_str();
  command->add_option("-p,--socket", options->socket, "the filter, as inet:8891@localhost")
      ->required();
  command->add_option("--ip", options->client, "address of the SMTP client")->capture_default_str();
  command->add_option("--host", options->host, "its name; default: none, or localhost");
  command->add_option("--helo", options->helo, "what it says with HELO")->capture_default_str();
  command->add_option("--mail-from", options->mail_from, "envelope sender; default: the author");
  command->add_option("--rcpt", options->rcpt_to, "envelope recipients")
      ->allow_extra_args(false)
      ->capture_default_str();
  command->add_option("--auth-user", options->auth_user, "pretend that this user logged in");
  command->add_option("--macro", options->macros, "a macro of the MTA, as daemon_name=ORIGINATING")
      ->allow_extra_args(false);
  command->add_option("--timeout", options->timeout_seconds, "seconds")->capture_default_str();
  command->footer("Exit codes: 0 accepted, 1 another verdict, 69 no filter answers.");
  command->callback([options, &exit_code] { exit_code = run(*options); });
}

}  // namespace countersign::cli
