// SPDX-License-Identifier: Apache-2.0
//
// A small HTTP server for what programs and people ask of the daemon: it reads a request, hands it
// to a function and writes what that returns. What is served is decided in routes.hpp. It is meant
// for loopback: it knows no TLS and no passwords.

#pragma once

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace countersign::service {

class Log;

/// What was asked for; a stranger's text of bounded length.
struct HttpRequest {
  std::string method;  ///< "GET"; HEAD is asked as GET and answered without a body
  std::string path;    ///< of the target, up to "?", not decoded
};

/// What is answered.
struct HttpResponse {
  unsigned status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
};

/// Answers a request. Called on the server's thread; must not block, and may throw, which is a 500.
using HttpHandler = std::function<HttpResponse(const HttpRequest&)>;

/// The bounds of a server, each with its reason.
struct HttpLimits {
  /// A few scrapers and a person. One more is taken in all the same, and the one that has asked for
  /// nothing for longest is ended: whoever holds connections open must not keep others out.
  std::size_t connections = 32;
  std::size_t header_octets = 8UL * 1024;  ///< as common servers have it
  std::size_t body_octets = 1024;          ///< nothing that is served wants one
  /// For a whole request and its reply, and between two requests of a connection.
  std::chrono::seconds patience{30};
};

/// The server. Lives on one thread, that of its context.
class HttpServer {
 public:
  /// sockets       listening inet or inet6 sockets that do not block; they stay the caller's, open
  ///               until stop().
  HttpServer(boost::asio::io_context& context, const std::vector<int>& sockets, HttpHandler handler,
             Log& log, HttpLimits limits = {});
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  /// Begins to accept.
  void start();
  /// Accepts no more and ends all connections.
  void stop();

 private:
  class State;
  std::shared_ptr<State> state_;
};

}  // namespace countersign::service
