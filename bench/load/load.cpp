// SPDX-License-Identifier: Apache-2.0

#include "bench/load/load.hpp"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <stdexcept>

namespace countersign::bench {
namespace {

using Clock = std::chrono::steady_clock;

/// Where the filter listens, ready for connect(2).
struct Target {
  sockaddr_storage address{};
  socklen_t length = 0;
};

Target unix_target(const std::string& path) {
  Target target;
  auto* address = reinterpret_cast<sockaddr_un*>(&target.address);
  if (path.size() >= sizeof address->sun_path) throw std::runtime_error("the path is too long");
  address->sun_family = AF_UNIX;
  std::memcpy(address->sun_path, path.data(), path.size());
  target.length = sizeof(sockaddr_un);
  return target;
}

Target inet_target(const std::string& port_at_host) {
  const std::size_t at = port_at_host.find('@');
  const std::string port = port_at_host.substr(0, at);
  const std::string host = at == std::string::npos ? "127.0.0.1" : port_at_host.substr(at + 1);
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (::getaddrinfo(host.c_str(), port.c_str(), &hints, &found) != 0) {
    throw std::runtime_error("no address for " + port_at_host);
  }
  Target target;
  std::memcpy(&target.address, found->ai_addr, found->ai_addrlen);
  target.length = found->ai_addrlen;
  ::freeaddrinfo(found);
  return target;
}

Target parse_target(const std::string& socket) {
  if (socket.starts_with("inet:")) return inet_target(socket.substr(5));
  for (const std::string prefix : {"unix:", "local:"}) {
    if (socket.starts_with(prefix)) return unix_target(socket.substr(prefix.size()));
  }
  return unix_target(socket);
}

/// A connection to one filter.
struct Link {
  int socket = -1;
  std::unique_ptr<milter::Mta> mta;
  std::string output;
};

/// One session slot: a connection to each filter, and the message that they are about.
struct Slot {
  std::vector<Link> links;
  std::size_t at = 0;         // The filter that has the message.
  std::size_t sent_here = 0;  // Messages begun on these connections.
  std::size_t mail = 0;       // Which of the plan's mails it is.
  milter::Mail passed_on;     // For the filters after the first.
  Clock::time_point begun;
  bool busy = false;

  [[nodiscard]] bool is_open() const { return !links.empty(); }
  Link& link() { return links[at]; }
};

/// The run: slots, the messages that are left, the loop.
class Run {
 public:
  explicit Run(const LoadPlan& plan) : plan_(plan), epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
    for (const std::string& socket : plan.sockets) targets_.push_back(parse_target(socket));
    slots_.resize(std::min(plan.sessions, plan.messages));
    result_.latencies_ms.reserve(plan.messages);
  }
  ~Run() {
    for (Slot& slot : slots_) close(slot);
    ::close(epoll_);
  }
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;

  LoadResult run() {
    const Clock::time_point start = Clock::now();
    for (Slot& slot : slots_) next_message(slot);
    std::array<epoll_event, 256> events{};
    while (ended_ < plan_.messages) {
      if (Clock::now() - start > plan_.timeout) throw std::runtime_error("the run took too long");
      const int count = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), 1'000);
      for (int i = 0; i < count; ++i) {
        on_event(*static_cast<Slot*>(events[static_cast<std::size_t>(i)].data.ptr));
      }
    }
    result_.seconds = std::chrono::duration<double>(Clock::now() - start).count();
    std::ranges::sort(result_.latencies_ms);
    return std::move(result_);
  }

 private:
  void open(Slot& slot) {
    for (const Target& target : targets_) slot.links.push_back(connect(target, slot));
    slot.sent_here = 0;
  }

  Link connect(const Target& target, Slot& slot) {
    Link link{.socket = ::socket(target.address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    const auto* address = reinterpret_cast<const sockaddr*>(&target.address);
    if (link.socket < 0 || ::connect(link.socket, address, target.length) != 0) {
      throw std::runtime_error(std::string("cannot connect: ") + std::strerror(errno));
    }
    const int on = 1;
    ::setsockopt(link.socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    ::fcntl(link.socket, F_SETFL, ::fcntl(link.socket, F_GETFL) | O_NONBLOCK);
    epoll_event event{.events = EPOLLIN | EPOLLOUT | EPOLLET, .data = {.ptr = &slot}};
    ::epoll_ctl(epoll_, EPOLL_CTL_ADD, link.socket, &event);
    link.mta = std::make_unique<milter::Mta>(plan_.offer);
    return link;
  }

  void close(Slot& slot) {
    for (Link& link : slot.links) {
      const std::string quit = milter::Mta::quit();
      static_cast<void>(::send(link.socket, quit.data(), quit.size(), MSG_NOSIGNAL | MSG_DONTWAIT));
      result_.replies += link.mta->replies();
      ::close(link.socket);
    }
    slot.links.clear();
  }

  void next_message(Slot& slot) {
    if (begun_ == plan_.messages) return close(slot);
    slot.begun = Clock::now();
    if (slot.is_open() && slot.sent_here == plan_.messages_a_session) close(slot);
    if (!slot.is_open()) open(slot);
    slot.at = 0;
    slot.mail = begun_ % plan_.mails.size();
    slot.link().mta->begin(plan_.mails[slot.mail]);
    ++begun_;
    ++slot.sent_here;
    slot.busy = true;
    flush(slot);
  }

  void flush(Slot& slot) {
    Link& link = slot.link();
    link.output += link.mta->take_output();
    while (!link.output.empty()) {
      const ssize_t put =
          ::send(link.socket, link.output.data(), link.output.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      if (put < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return;
      if (put < 0) return lose(slot);
      link.output.erase(0, static_cast<std::size_t>(put));
    }
  }

  void on_event(Slot& slot) {
    if (!slot.is_open()) return;
    for (;;) {
      Link& link = slot.link();
      const ssize_t got = ::recv(link.socket, buffer_.data(), buffer_.size(), MSG_DONTWAIT);
      if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) break;
      if (got <= 0) return lose(slot);
      if (!link.mta->receive({buffer_.data(), static_cast<std::size_t>(got)})) return lose(slot);
    }
    flush(slot);
    if (slot.is_open() && slot.busy && slot.link().mta->outcome()) pass_on(slot);
  }

  // To the next filter, unless this was the last one or it refused the message.
  void pass_on(Slot& slot) {
    const milter::FilterOutcome& outcome = *slot.link().mta->outcome();
    const bool is_last = slot.at + 1 == slot.links.size();
    if (is_last || outcome.verdict != milter::ReplyCode::accept) return end(slot, outcome);
    slot.passed_on = plan_.mails[slot.mail];
    slot.passed_on.header = outcome.header;
    if (outcome.body) slot.passed_on.body = *outcome.body;
    ++slot.at;
    slot.link().mta->begin(slot.passed_on);
    flush(slot);
  }

  void end(Slot& slot, const milter::FilterOutcome& outcome) {
    const std::chrono::duration<double, std::milli> took = Clock::now() - slot.begun;
    result_.latencies_ms.push_back(took.count());
    if (outcome.changes > 0) ++result_.changed;
    if (outcome.verdict != milter::ReplyCode::accept) ++result_.refused;
    if (!plan_.expected.empty()) compare(slot, outcome.header);
    if (ended_ == 0) result_.first = outcome;
    ++ended_;
    slot.busy = false;
    next_message(slot);
  }

  void compare(const Slot& slot, const Header& header) {
    const std::vector<authres::MethodResult> results = results_of(header);
    if (results.empty()) ++result_.unmarked;
    if (is_right(plan_.expected[slot.mail], results)) ++result_.right;
  }

  void lose(Slot& slot) {
    for (const Link& link : slot.links) ::close(link.socket);
    slot.links.clear();
    if (!slot.busy) return;
    slot.busy = false;
    ++result_.broken;
    ++ended_;
    next_message(slot);
  }

  const LoadPlan& plan_;
  std::vector<Target> targets_;
  int epoll_;
  std::vector<Slot> slots_;
  std::array<char, 65'536> buffer_{};
  std::size_t begun_ = 0;
  std::size_t ended_ = 0;
  LoadResult result_;
};

}  // namespace

double LoadResult::percentile(double part) const {
  if (latencies_ms.empty()) return 0;
  const auto index = static_cast<std::size_t>(part * static_cast<double>(latencies_ms.size()));
  return latencies_ms[std::min(index, latencies_ms.size() - 1)];
}

LoadResult run_load(const LoadPlan& plan) { return Run(plan).run(); }

}  // namespace countersign::bench
