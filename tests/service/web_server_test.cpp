// SPDX-License-Identifier: Apache-2.0
//
// HTTP over a real socket on loopback: what is served, what is refused, what a peer cannot make
// the server do.

#include "service/web/server.hpp"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/post.hpp>
#include <stdexcept>
#include <string>
#include <thread>

#include "service/milter/listening_socket.hpp"
#include "service/web/routes.hpp"
#include "tests/support/log_file.hpp"

namespace countersign::service {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

/// The routes on a port of their own, served by a thread.
class Server {
 public:
  explicit Server(HttpLimits limits = {})
      : sockets_(open_listening_sockets(
            {.family = config::SocketSpec::Family::inet, .host = "127.0.0.1"}, {})),
        server_(context_, {sockets_.at(0).descriptor()},
                make_routes({.metrics = [this] { return read_metrics(); },
                             .not_ready = [this] { return not_ready; }}),
                log.log(), limits) {
    server_.start();
    thread_ = std::jthread([this] { context_.run(); });
  }
  ~Server() {
    boost::asio::post(context_, [this] { server_.stop(); });
  }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  [[nodiscard]] int connect() const {
    sockaddr_in address{};
    socklen_t length = sizeof address;
    ::getsockname(sockets_.at(0).descriptor(), reinterpret_cast<sockaddr*>(&address), &length);
    const int peer = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    EXPECT_EQ(::connect(peer, reinterpret_cast<sockaddr*>(&address), length), 0);
    return peer;
  }

  /// Sends octets and reads until the server closes the connection.
  [[nodiscard]] std::string exchange(std::string_view octets) const {
    const int peer = connect();
    static_cast<void>(::send(peer, octets.data(), octets.size(), MSG_NOSIGNAL));
    std::string reply = read_all(peer);
    ::close(peer);
    return reply;
  }

  [[nodiscard]] std::string get(const std::string& target,
                                const std::string& method = "GET") const {
    return exchange(method + " " + target + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  }

  /// Asks for /healthz on a connection that goes on; the body of the reply.
  static std::string ask(int peer) {
    constexpr std::string_view request = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
    static_cast<void>(::send(peer, request.data(), request.size(), MSG_NOSIGNAL));
    char buffer[4096];
    pollfd wait{.fd = peer, .events = POLLIN};
    if (::poll(&wait, 1, 20'000) != 1) return "<the server kept silent>";
    const ssize_t got = ::recv(peer, buffer, sizeof buffer, 0);
    const std::string_view reply(buffer, got > 0 ? static_cast<std::size_t>(got) : 0);
    const std::size_t end = reply.find("\r\n\r\n");
    return end == std::string_view::npos ? "<no reply>" : std::string(reply.substr(end + 4));
  }

  static std::string read_all(int peer) {
    std::string text;
    char buffer[4096];
    pollfd wait{.fd = peer, .events = POLLIN};
    while (::poll(&wait, 1, 20'000) == 1) {
      const ssize_t got = ::recv(peer, buffer, sizeof buffer, 0);
      if (got <= 0) return text;
      text.append(buffer, static_cast<std::size_t>(got));
    }
    return text + " <the server kept silent>";
  }

  test::LogFile log;
  std::string not_ready;
  bool breaks = false;

 private:
  std::string read_metrics() const {
    if (breaks) throw std::runtime_error("no metrics today");
    return "a 1\n";
  }

  boost::asio::io_context context_{1};
  std::vector<ListeningSocket> sockets_;
  HttpServer server_;
  std::jthread thread_;
};

std::string body_of(const std::string& reply) {
  const std::size_t end = reply.find("\r\n\r\n");
  return end == std::string::npos ? "<no reply>" : reply.substr(end + 4);
}

TEST(WebServer, ServesMetricsAsPrometheusReadsThem) {
  const Server server;
  const std::string reply = server.get("/metrics?x=1");
  EXPECT_THAT(reply, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(reply, HasSubstr("Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"));
  EXPECT_THAT(reply, HasSubstr("X-Content-Type-Options: nosniff\r\n"));
  EXPECT_EQ(body_of(reply), "a 1\n");
}

TEST(WebServer, TellsWhetherMailIsTaken) {
  Server server;
  EXPECT_THAT(server.get("/healthz"), StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(server.get("/readyz"), StartsWith("HTTP/1.1 200 OK\r\n"));
  server.not_ready = "stopping";
  const std::string reply = server.get("/readyz");
  EXPECT_THAT(reply, StartsWith("HTTP/1.1 503 Service Unavailable\r\n"));
  EXPECT_EQ(body_of(reply), "stopping\n");
  EXPECT_THAT(server.get("/healthz"), StartsWith("HTTP/1.1 200 OK\r\n"));
}

TEST(WebServer, AnswersHeadWithoutABody) {
  const Server server;
  const std::string reply = server.get("/metrics", "HEAD");
  EXPECT_THAT(reply, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(reply, HasSubstr("Content-Length: 4\r\n"));
  EXPECT_EQ(body_of(reply), "");
}

TEST(WebServer, KnowsNoOtherPathsAndMethods) {
  const Server server;
  for (const char* path : {"/", "/metrics/", "/../metrics", "//metrics", "*", "http://x/metrics"})
    EXPECT_THAT(server.get(path), StartsWith("HTTP/1.1 404 Not Found\r\n")) << path;
  for (const char* method : {"POST", "DELETE", "OPTIONS", "BREW"}) {
    const std::string reply = server.get("/metrics", method);
    EXPECT_THAT(reply, StartsWith("HTTP/1.1 405 Method Not Allowed\r\n")) << method;
    EXPECT_THAT(reply, HasSubstr("Allow: GET, HEAD\r\n")) << method;
  }
}

TEST(WebServer, KeepsAConnectionForSeveralRequests) {
  const Server server;
  const std::string replies = server.exchange(
      "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
      "GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(replies, HasSubstr("\r\n\r\nok\nHTTP/1.1 200 OK\r\n"));
  EXPECT_EQ(body_of(replies.substr(replies.rfind("HTTP/1.1"))), "a 1\n");
}

TEST(WebServer, ClosesOnWhatIsNoRequestAndOnWhatIsTooLarge) {
  const Server server;
  EXPECT_EQ(server.exchange("\x16\x03\x01\x02 no http at all\r\n\r\n"), "");
  const std::string field = "X: " + std::string(9'000, 'a') + "\r\n";
  EXPECT_EQ(server.exchange("GET /metrics HTTP/1.1\r\n" + field + "\r\n"), "");
  EXPECT_EQ(server.exchange("GET /metrics HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n"), "");
  EXPECT_EQ(body_of(server.get("/healthz")), "ok\n");
}

TEST(WebServer, LetsNobodyHoldAConnectionInSilence) {
  const Server server({.patience = std::chrono::seconds{1}});
  EXPECT_EQ(server.exchange("GET /metr"), "");
}

TEST(WebServer, EndsWhoHasAskedForNothingForLongestWhenAllAreTaken) {
  const Server server({.connections = 2});
  const int first = server.connect();
  const int second = server.connect();
  EXPECT_EQ(Server::ask(first), "ok\n");
  EXPECT_EQ(Server::ask(second), "ok\n");
  EXPECT_EQ(Server::ask(first), "ok\n");
  EXPECT_EQ(body_of(server.get("/healthz")), "ok\n") << "whatever others hold";
  EXPECT_EQ(Server::read_all(second), "");
  EXPECT_EQ(Server::ask(first), "ok\n");
  for (int i = 0; i < 10; ++i) EXPECT_EQ(body_of(server.get("/healthz")), "ok\n");
  EXPECT_EQ(Server::ask(first), "ok\n") << "those that have ended leave room";
  ::close(first);
  ::close(second);
}

TEST(WebServer, TellsTheLogWhatFailsAndThePeerNoMore) {
  Server server;
  server.breaks = true;
  const std::string reply = server.get("/metrics");
  EXPECT_THAT(reply, StartsWith("HTTP/1.1 500 Internal Server Error\r\n"));
  EXPECT_THAT(reply, Not(HasSubstr("today")));
  EXPECT_TRUE(server.log.has("no metrics today"));
}

TEST(WebServer, EndsWithConnectionsOpen) {
  int peer = -1;
  {
    const Server server;
    peer = server.connect();
    EXPECT_EQ(body_of(server.get("/healthz")), "ok\n");
  }
  EXPECT_EQ(Server::read_all(peer), "");
  ::close(peer);
}

}  // namespace
}  // namespace countersign::service
