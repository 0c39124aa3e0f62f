// SPDX-License-Identifier: Apache-2.0
//
// slow_dns: a name server that knows one list of records and takes its time, over UDP and TCP. It
// stands for the name servers of the world in a benchmark: each answer comes so many milliseconds
// after its question, however many are asked at once.
//
//   slow_dns --address 10.53.0.1 --delay 200 FILE
//
// The file has a line a record, "name TYPE data" with TYPE TXT, A or PTR. Names above a record
// exist, all others do not.

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <deque>
#include <exception>
#include <fstream>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace countersign::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr unsigned type_a = 1;
constexpr unsigned type_ptr = 12;
constexpr unsigned type_txt = 16;
constexpr unsigned type_opt = 41;
constexpr std::size_t header_octets = 12;
constexpr std::size_t udp_octets_max = 1'232;

// --- octets ---

std::string number(unsigned value, int octets) {
  std::string text;
  while (octets-- > 0) text += static_cast<char>((value >> (8 * octets)) & 0xffU);
  return text;
}

unsigned number_at(std::string_view octets, std::size_t offset) {
  return offset + 2 > octets.size() ? 0
                                    : static_cast<unsigned char>(octets[offset]) * 256U +
                                          static_cast<unsigned char>(octets[offset + 1]);
}

std::string wire_name(std::string_view name) {
  std::string octets;
  while (!name.empty()) {
    const std::size_t dot = std::min(name.find('.'), name.size());
    (octets += static_cast<char>(dot)) += name.substr(0, dot);
    name.remove_prefix(std::min(dot + 1, name.size()));
  }
  return octets + '\0';
}

std::string wire_data(unsigned type, std::string_view data) {
  if (type == type_ptr) return wire_name(data);
  std::string octets;
  if (type == type_a) {
    octets.resize(4);
    if (::inet_pton(AF_INET, std::string(data).c_str(), octets.data()) != 1)
      throw std::runtime_error("no address: " + std::string(data));
    return octets;
  }
  constexpr std::size_t string_octets_max = 255;
  while (!data.empty()) {
    const std::string_view string = data.substr(0, string_octets_max);
    (octets += static_cast<char>(string.size())) += string;
    data.remove_prefix(string.size());
  }
  return octets;
}

// --- the records ---

// Names in lower case, each with its records; a name without any exists all the same.
class Records {
 public:
  explicit Records(const std::string& path) {
    std::ifstream file(path);
    if (!file) throw std::runtime_error("cannot read " + path);
    std::string name;
    std::string type;
    std::string data;
    while (file >> name >> type && std::getline(file >> std::ws, data)) add(name, type, data);
  }

  // The whole answer to a query; empty when it is none.
  [[nodiscard]] std::string answer(std::string_view query, std::size_t octets_max) const {
    std::size_t end = header_octets;
    std::string name;
    while (end < query.size() && query[end] != 0) {
      const auto length = static_cast<unsigned char>(query[end]);
      if (length > 63 || end + 1 + length >= query.size()) return {};
      if (!name.empty()) name += '.';
      name += query.substr(end + 1, length);
      end += 1 + length;
    }
    end += 5;  // The root, type and class.
    if (end > query.size()) return {};
    std::ranges::transform(name, name.begin(), [](char c) {
      return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    const bool has_opt = number_at(query, 10) > 0 && number_at(query, end + 1) == type_opt;
    const std::size_t room =
        has_opt ? std::max<std::size_t>(number_at(query, end + 3), 512) : std::size_t{512};
    const std::string opt =
        has_opt ? '\0' + number(type_opt, 2) + number(udp_octets_max, 2) + std::string(6, '\0')
                : std::string();
    const Found found = find(name, number_at(query, end - 4));
    std::string message = std::string(query.substr(0, 2)) + "\x85" +
                          static_cast<char>(0x80 | (found.exists ? 0 : 3)) + number(1, 2) +
                          number(found.count, 2) + number(found.count == 0 ? 1 : 0, 2) +
                          number(has_opt ? 1 : 0, 2);
    message += query.substr(header_octets, end - header_octets);
    message += found.octets;
    message += opt;
    if (message.size() <= std::min(room, octets_max)) return message;
    message.resize(end);
    message[2] = '\x87';  // Truncated: ask again by TCP.
    std::fill(message.begin() + 6, message.begin() + header_octets, '\0');
    return message;
  }

 private:
  struct Found {
    bool exists = false;
    unsigned count = 0;
    std::string octets;
  };
  struct Set {
    std::map<unsigned, std::vector<std::string>> by_type;
  };

  void add(const std::string& name, const std::string& type, const std::string& data) {
    const unsigned code = type == "A" ? type_a : type == "PTR" ? type_ptr : type_txt;
    sets_[name].by_type[code].push_back(wire_data(code, data));
    for (std::size_t dot = name.find('.'); dot != std::string::npos; dot = name.find('.', dot + 1))
      sets_.try_emplace(name.substr(dot + 1));
  }

  [[nodiscard]] Found find(const std::string& name, unsigned type) const {
    constexpr unsigned ttl = 3'600;
    constexpr unsigned type_soa = 6;
    Found found;
    const auto set = sets_.find(name);
    found.exists = set != sets_.end();
    if (found.exists && set->second.by_type.contains(type)) {
      for (const std::string& data : set->second.by_type.at(type)) {
        ++found.count;
        found.octets += "\xc0\x0c" + number(type, 2) + number(1, 2) + number(ttl, 4) +
                        number(static_cast<unsigned>(data.size()), 2) + data;
      }
      return found;
    }
    const std::string soa = wire_name("ns.example") + wire_name("root.example") + number(1, 4) +
                            number(ttl, 4) + number(ttl, 4) + number(ttl, 4) + number(ttl, 4);
    const std::size_t dot = name.rfind('.');
    found.octets = wire_name(dot == std::string::npos ? name : name.substr(dot + 1)) +
                   number(type_soa, 2) + number(1, 2) + number(ttl, 4) +
                   number(static_cast<unsigned>(soa.size()), 2) + soa;
    return found;
  }

  std::unordered_map<std::string, Set> sets_;
};

// --- the server ---

// All answers have the same delay, so they leave in the order in which they were asked for.
class Server {
 public:
  Server(const Records& records, const std::string& address, std::uint16_t port,
         std::chrono::milliseconds delay)
      : records_(records), delay_(delay), epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
    sockaddr_in where{
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {}, .sin_zero = {}};
    if (::inet_pton(AF_INET, address.c_str(), &where.sin_addr) != 1)
      throw std::runtime_error("no address: " + address);
    udp_ = open(SOCK_DGRAM, where);
    tcp_ = open(SOCK_STREAM, where);
    if (::listen(tcp_, 1'024) != 0) throw std::runtime_error("cannot listen");
  }

  void run() {
    std::array<epoll_event, 64> events{};
    for (;;) {
      const int count = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()),
                                     milliseconds_to_wait());
      for (int i = 0; i < count; ++i) on_event(events[static_cast<std::size_t>(i)].data.fd);
      send_due();
    }
  }

 private:
  struct Pending {
    Clock::time_point due;
    int socket = -1;  // UDP's, or a connection.
    std::uint64_t connection = 0;
    sockaddr_in client{};
    std::string message;
  };
  struct Connection {
    std::uint64_t id = 0;
    std::string input;
  };

  int open(int type, const sockaddr_in& where) const {
    const int socket = ::socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    const int on = 1;
    const int room = 16 << 20;
    ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    ::setsockopt(socket, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room);
    if (::bind(socket, reinterpret_cast<const sockaddr*>(&where), sizeof where) != 0)
      throw std::runtime_error(std::string("cannot bind: ") + std::strerror(errno));
    watch(socket);
    return socket;
  }

  void watch(int socket) const {
    epoll_event event{.events = EPOLLIN, .data = {.fd = socket}};
    ::epoll_ctl(epoll_, EPOLL_CTL_ADD, socket, &event);
  }

  [[nodiscard]] int milliseconds_to_wait() const {
    if (pending_.empty()) return -1;
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(pending_.front().due - Clock::now());
    return static_cast<int>(std::max<std::int64_t>(left.count(), 0));
  }

  void on_event(int socket) {
    if (socket == udp_) return read_udp();
    if (socket == tcp_) return accept();
    read_tcp(socket);
  }

  void read_udp() {
    std::array<char, 4'096> buffer{};
    for (;;) {
      sockaddr_in client{};
      socklen_t length = sizeof client;
      const ssize_t got = ::recvfrom(udp_, buffer.data(), buffer.size(), 0,
                                     reinterpret_cast<sockaddr*>(&client), &length);
      if (got < 0) return;
      const std::string_view query(buffer.data(), static_cast<std::size_t>(got));
      add({.due = Clock::now() + delay_,
           .socket = udp_,
           .client = client,
           .message = records_.answer(query, udp_octets_max)});
    }
  }

  void accept() {
    const int socket = ::accept4(tcp_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (socket < 0) return;
    connections_[socket] = {.id = ++connections_made_, .input = {}};
    watch(socket);
  }

  void read_tcp(int socket) {
    Connection& connection = connections_[socket];
    std::array<char, 4'096> buffer{};
    const ssize_t got = ::recv(socket, buffer.data(), buffer.size(), 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got <= 0) {
      connections_.erase(socket);
      ::close(socket);
      return;
    }
    std::string& input = connection.input.append(buffer.data(), static_cast<std::size_t>(got));
    while (input.size() >= 2 && input.size() >= 2 + number_at(input, 0)) {
      const std::size_t octets = number_at(input, 0);
      std::string answer = records_.answer(std::string_view(input).substr(2, octets), 65'535);
      answer.insert(0, number(static_cast<unsigned>(answer.size()), 2));
      add({.due = Clock::now() + delay_,
           .socket = socket,
           .connection = connection.id,
           .message = std::move(answer)});
      input.erase(0, 2 + octets);
    }
  }

  void add(Pending pending) {
    if (!pending.message.empty()) pending_.push_back(std::move(pending));
  }

  void send_due() {
    const Clock::time_point now = Clock::now();
    while (!pending_.empty() && pending_.front().due <= now) {
      send(pending_.front());
      pending_.pop_front();
    }
  }

  void send(const Pending& pending) {
    const std::string& message = pending.message;
    if (pending.socket == udp_) {
      ::sendto(udp_, message.data(), message.size(), MSG_DONTWAIT,
               reinterpret_cast<const sockaddr*>(&pending.client), sizeof pending.client);
      return;
    }
    const auto found = connections_.find(pending.socket);
    if (found == connections_.end() || found->second.id != pending.connection) return;
    ::send(pending.socket, message.data(), message.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  }

  const Records& records_;
  const std::chrono::milliseconds delay_;
  int epoll_;
  int udp_ = -1;
  int tcp_ = -1;
  std::deque<Pending> pending_;
  std::unordered_map<int, Connection> connections_;
  std::uint64_t connections_made_ = 0;
};

}  // namespace
}  // namespace countersign::bench

int main(int argc, char** argv) {
  std::string file;
  std::string address = "127.0.0.1";
  std::uint16_t port = 53;
  unsigned delay = 0;
  CLI::App app("A name server that takes its time.", "slow_dns");
  app.add_option("file", file, "records, one a line")->required();
  app.add_option("--address", address, "IPv4 address to listen on");
  app.add_option("--port", port, "port to listen on");
  app.add_option("--delay", delay, "milliseconds that an answer takes");
  CLI11_PARSE(app, argc, argv);
  try {
    const countersign::bench::Records records(file);
    countersign::bench::Server(records, address, port, std::chrono::milliseconds(delay)).run();
  } catch (const std::exception& error) {
    fmt::print(stderr, "slow_dns: {}\n", error.what());
    return 69;
  }
}
