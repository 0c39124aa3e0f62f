// SPDX-License-Identifier: Apache-2.0
//
// The only file that knows Boost.Beast, which takes long to compile.

#include "service/web/server.hpp"

#include <sys/socket.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <exception>
#include <list>
#include <string_view>
#include <utility>

#include "service/log/log.hpp"
#include "service/milter/listener.hpp"
#include "service/run/descriptor.hpp"

namespace countersign::service {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;

constexpr auto or_error = asio::as_tuple(asio::use_awaitable);

tcp family_of(int descriptor) {
  sockaddr_storage address{};
  socklen_t size = sizeof(address);
  // A sockaddr_storage holds any address; the call takes it by that older type.
  auto* any = reinterpret_cast<sockaddr*>(&address);  // NOLINT(*-reinterpret-cast)
  const bool is_known = ::getsockname(descriptor, any, &size) == 0;
  return is_known && address.ss_family == AF_INET6 ? tcp::v6() : tcp::v4();
}

HttpRequest read_target(const http::request<http::string_body>& request) {
  const std::string_view target(request.target().data(), request.target().size());
  const bool is_head = request.method() == http::verb::head;
  const std::string_view method(request.method_string().data(), request.method_string().size());
  return {.method = is_head ? "GET" : std::string(method),
          .path = std::string(target.substr(0, target.find('?')))};
}

}  // namespace

class HttpServer::State : public std::enable_shared_from_this<State> {
 public:
  State(asio::io_context& context, const std::vector<int>& sockets, HttpHandler handler, Log& log,
        HttpLimits limits)
      : context_(context),
        handler_(std::move(handler)),
        log_(log),
        limits_(limits),
        // One more than are served, so that it is heard when all are taken.
        listener_(context, sockets, limits.connections + 1, log,
                  [this](Descriptor socket) { open(std::move(socket)); }) {}

  void start() { listener_.start(); }

  void stop() {
    listener_.stop();
    for (beast::tcp_stream& stream : streams_) stream.close();
  }

 private:
  // The one whose last request is longest ago at the end.
  using Streams = std::list<beast::tcp_stream>;

  void open(Descriptor descriptor) {
    tcp::socket socket(context_);
    socket.assign(family_of(descriptor.get()), descriptor.get());
    static_cast<void>(descriptor.release());
    if (streams_.size() >= limits_.connections) streams_.back().close();
    streams_.emplace_front(std::move(socket));
    asio::co_spawn(context_, serve(streams_.begin()),
                   [self = shared_from_this(),
                    stream = streams_.begin()](const std::exception_ptr&) { self->close(stream); });
  }

  void close(Streams::iterator stream) {
    streams_.erase(stream);
    listener_.connection_ended();
  }

  /// Requests and replies in turn until either side has enough.
  asio::awaitable<void> serve(Streams::iterator stream) {
    beast::flat_buffer buffer;
    for (bool goes_on = true; goes_on;) {
      http::request_parser<http::string_body> parser;
      parser.header_limit(static_cast<std::uint32_t>(limits_.header_octets));
      parser.body_limit(limits_.body_octets);
      stream->expires_after(limits_.patience);
      const auto [failure, ignored] = co_await http::async_read(*stream, buffer, parser, or_error);
      if (failure) co_return;
      streams_.splice(streams_.begin(), streams_, stream);
      http::response<http::string_body> response = answer(parser.get());
      goes_on = response.keep_alive();
      const bool is_head = parser.get().method() == http::verb::head;
      http::response_serializer<http::string_body> serializer(response);
      serializer.split(is_head);
      const auto [unsent, ignored_too] =
          is_head ? co_await http::async_write_header(*stream, serializer, or_error)
                  : co_await http::async_write(*stream, serializer, or_error);
      if (unsent) co_return;
    }
  }

  http::response<http::string_body> answer(const http::request<http::string_body>& request) {
    HttpResponse made = make_answer(read_target(request));
    http::response<http::string_body> response(static_cast<http::status>(made.status),
                                               request.version());
    response.set(http::field::server, "countersign");
    response.set(http::field::content_type, made.content_type);
    response.set(http::field::cache_control, "no-store");
    response.set("X-Content-Type-Options", "nosniff");
    response.set("Content-Security-Policy", "default-src 'none'");
    if (made.status == 405) response.set(http::field::allow, "GET, HEAD");
    response.keep_alive(request.keep_alive());
    response.body() = std::move(made.body);
    response.prepare_payload();
    return response;
  }

  HttpResponse make_answer(const HttpRequest& request) {
    try {
      return handler_(request);
    } catch (const std::exception& error) {
      log_.write(LogLevel::error, "a request over HTTP cannot be answered",
                 {{"path", request.path}, {"error", error.what()}});
      return {.status = 500, .body = "internal error; the log of the daemon has it\n"};
    }
  }

  asio::io_context& context_;
  HttpHandler handler_;
  Log& log_;
  HttpLimits limits_;
  Streams streams_;
  Listener listener_;
};

HttpServer::HttpServer(asio::io_context& context, const std::vector<int>& sockets,
                       HttpHandler handler, Log& log, HttpLimits limits)
    : state_(std::make_shared<State>(context, sockets, std::move(handler), log, limits)) {}

HttpServer::~HttpServer() = default;

void HttpServer::start() { state_->start(); }

void HttpServer::stop() { state_->stop(); }

}  // namespace countersign::service
