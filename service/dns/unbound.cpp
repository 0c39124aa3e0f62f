// SPDX-License-Identifier: Apache-2.0
//
// libunbound's event API on Asio (unbound-event.h), the only file that knows the library. What is
// odd about it, and obeyed here:
//
//   - a context with an event base is for one thread only;
//   - the callback may come before ub_resolve_event() returns, so before the query's id is known;
//   - after ub_cancel() no callback comes; ub_ctx_delete() calls back for all open queries;
//   - a bogus answer comes with rcode 0 and with the forged records in the packet;
//   - NXDOMAIN comes with rcode 0; a cached failure may too, and is in the packet then;
//   - with another rcode the packet must not be touched;
//   - files are opened, and refused, only at the first query;
//   - it may take 17 seconds to give up: each question has its own deadline, kept by who asks.

#include "service/dns/unbound.hpp"

#include <signal.h>
#include <sys/time.h>
#include <unbound-event.h>
#include <unbound.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/post.hpp>
#include <deque>
#include <fstream>
#include <future>
#include <thread>
#include <unordered_map>
#include <utility>

#include "countersign/dns/packet.hpp"
#include "countersign/dns/presentation.hpp"
#include "service/dns/answer_slot.hpp"
#include "service/dns/descriptor_event.hpp"
#include "service/run/start_error.hpp"

namespace countersign::service {

namespace asio = boost::asio;
using dns::Answer;
using dns::AnswerStatus;
using dns::Question;

namespace {

// --- libunbound's event loop, as it sees it ---

struct EventBase : ub_event_base {
  explicit EventBase(asio::io_context& io);
  asio::io_context& context;
};

// One libevent-like event; libunbound holds the only pointer, and frees it.
struct Event : ub_event {
  Event(EventBase& base, int descriptor, short bits, void (*callback)(int, short, void*),
        void* argument);

  static Event& of(ub_event* event) { return static_cast<Event&>(*event); }

  void (*function)(int, short, void*);
  void* argument;
  std::shared_ptr<DescriptorEvent> watched;
};

void call_back(int descriptor, DescriptorEvent::Reason reason, void* argument) {
  const Event& event = *static_cast<const Event*>(argument);
  short bits = UB_EV_TIMEOUT;
  if (reason == DescriptorEvent::Reason::readable) bits = UB_EV_READ;
  if (reason == DescriptorEvent::Reason::writable) bits = UB_EV_WRITE;
  event.function(descriptor, bits, event.argument);  // May free the event.
}

int activate(ub_event* event, timeval* timeout) {
  std::optional<std::chrono::microseconds> wait;
  if (timeout != nullptr)
    wait = std::chrono::seconds(timeout->tv_sec) + std::chrono::microseconds(timeout->tv_usec);
  return Event::of(event).watched->activate(wait) ? 0 : -1;
}

int deactivate(ub_event* event) {
  Event::of(event).watched->deactivate();
  return 0;
}

void set_bits(ub_event* event, short bits, bool on) {
  DescriptorEvent::Interest& interest = Event::of(event).watched->interest();
  if ((bits & UB_EV_READ) != 0) interest.read = on;
  if ((bits & UB_EV_WRITE) != 0) interest.write = on;
  if ((bits & UB_EV_PERSIST) != 0) interest.persist = on;
}

void free_event(ub_event* event) {
  deactivate(event);
  delete &Event::of(event);
}

ub_event* new_event(ub_event_base* base, int descriptor, short bits,
                    void (*callback)(int, short, void*), void* argument) {
  return new Event(static_cast<EventBase&>(*base), descriptor, bits, callback, argument);
}

ub_event_base_vmt base_functions{
    .free = [](ub_event_base*) {},
    .dispatch = [](ub_event_base*) { return -1; },
    .loopexit = [](ub_event_base*, timeval*) { return -1; },
    .new_event = new_event,
    .new_signal = [](ub_event_base*, int, void (*)(int, short, void*), void*) -> ub_event* {
      return nullptr;
    },
    .winsock_register_wsaevent = [](ub_event_base*, void*, void (*)(int, short, void*),
                                    void*) -> ub_event* { return nullptr; },
};

ub_event_vmt event_functions{
    .add_bits = [](ub_event* event, short bits) { set_bits(event, bits, true); },
    .del_bits = [](ub_event* event, short bits) { set_bits(event, bits, false); },
    .set_fd = [](ub_event* event,
                 int descriptor) { Event::of(event).watched->set_descriptor(descriptor); },
    .free = free_event,
    .add = activate,
    .del = deactivate,
    .add_timer =
        [](ub_event* event, ub_event_base*, void (*callback)(int, short, void*), void* argument,
           timeval* timeout) {
          Event::of(event).function = callback;
          Event::of(event).argument = argument;
          return activate(event, timeout);
        },
    .del_timer = deactivate,
    .add_signal = [](ub_event*, timeval*) { return -1; },
    .del_signal = [](ub_event*) { return -1; },
    .winsock_unregister_wsaevent = [](ub_event*) {},
    .winsock_tcp_wouldblock = [](ub_event*, int) {},
};

EventBase::EventBase(asio::io_context& io)
    : ub_event_base{.magic = UB_EVENT_MAGIC, .vmt = &base_functions}, context(io) {}

Event::Event(EventBase& base, int descriptor, short bits, void (*callback)(int, short, void*),
             void* callback_argument)
    : ub_event{.magic = UB_EVENT_MAGIC, .vmt = &event_functions},
      function(callback),
      argument(callback_argument),
      watched(std::make_shared<DescriptorEvent>(
          base.context, descriptor,
          DescriptorEvent::Interest{.read = (bits & UB_EV_READ) != 0,
                                    .write = (bits & UB_EV_WRITE) != 0,
                                    .persist = (bits & UB_EV_PERSIST) != 0},
          DescriptorEvent::Callback{call_back, this})) {}

// --- the context and its options ---

struct DeleteContext {
  void operator()(ub_ctx* context) const { ub_ctx_delete(context); }
};
using Context = std::unique_ptr<ub_ctx, DeleteContext>;

[[noreturn]] void refuse(const std::string& sentence) { throw StartError(sentence, EX_CONFIG); }

void check(int error, const std::string& what) {
  if (error != 0) refuse(what + ": " + ub_strerror(error));
}

void set(const Context& context, const char* option, const std::string& value) {
  check(ub_ctx_set_option(context.get(), option, value.c_str()),
        std::string("the resolver refuses the option ") + option + ' ' + value);
}

// libunbound opens files late and says little; whether they can be read is asked before.
void require_readable(const std::string& file, const std::string& what) {
  if (!std::ifstream(file)) refuse("cannot read the " + what + ' ' + file);
}

void add_nameserver(const Context& context, const std::string& nameserver) {
  boost::system::error_code error;
  const asio::ip::address address =
      asio::ip::make_address(nameserver.substr(0, nameserver.find('@')), error);
  if (error)
    refuse("the name server \"" + nameserver +
           "\" is no IP address; write ADDRESS or ADDRESS@PORT");
  check(ub_ctx_set_fwd(context.get(), nameserver.c_str()),
        "the resolver refuses the name server " + nameserver);
  if (address.is_loopback()) set(context, "do-not-query-localhost:", "no");
}

constexpr const char* system_file = "/etc/resolv.conf";

void choose_nameservers(const Context& context, const UnboundOptions& options) {
  for (const std::string& nameserver : options.nameservers) add_nameserver(context, nameserver);
  // Without that file libunbound walks down from the root servers itself.
  const bool asks_system = options.nameservers.empty() && options.configuration_file.empty() &&
                           std::ifstream(system_file).is_open();
  if (asks_system) {
    check(ub_ctx_resolvconf(context.get(), system_file), "cannot read /etc/resolv.conf");
    // A resolver on this very machine is common there. Whoever forwards everything follows no
    // delegation to a local address, against which the option protects.
    set(context, "do-not-query-localhost:", "no");
  }
  // Whom all questions go to learns whole names anyway; hiding them costs a query a label.
  if (asks_system || !options.nameservers.empty()) set(context, "qname-minimisation:", "no");
}

Context make_context(EventBase& base, const UnboundOptions& options) {
  Context context(ub_ctx_create_ub_event(&base));
  if (context == nullptr) refuse("the resolver cannot start: out of memory");
  const std::string cache_size = std::to_string(options.cache_mebibytes) + 'm';
  set(context, "msg-cache-size:", cache_size);
  set(context, "rrset-cache-size:", cache_size);
  set(context, "outgoing-range:", std::to_string(options.questions_open_max));
  if (!options.configuration_file.empty()) {
    require_readable(options.configuration_file, "resolver configuration");
    check(ub_ctx_config(context.get(), options.configuration_file.c_str()),
          "the resolver refuses the configuration " + options.configuration_file);
  }
  choose_nameservers(context, options);
  if (!options.trust_anchor_file.empty()) {
    require_readable(options.trust_anchor_file, "trust anchors");
    check(ub_ctx_add_ta_file(context.get(), options.trust_anchor_file.c_str()),
          "the resolver refuses the trust anchors " + options.trust_anchor_file);
  }
  return context;
}

// A first question, which libunbound answers itself; only with it are options put to use.
void finalize(const Context& context) {
  constexpr int type_a = 1;
  constexpr int class_in = 1;
  const auto ignore = [](void*, int, void*, int, int, char*, int) {};
  check(ub_resolve_event(context.get(), "localhost.", type_a, class_in, nullptr, ignore, nullptr),
        "the resolver cannot start; look for its own message above, and check the trust anchors "
        "and the resolver configuration");
}

// What a callback of libunbound says.
struct Outcome {
  int rcode = 0;
  std::string_view packet;
  int security = 0;
};

Answer read_outcome(const Outcome& outcome, const Question& question, const Limits& limits) {
  constexpr int refused = 5;
  constexpr int bogus = 1;
  constexpr int secure = 2;
  if (outcome.security == bogus) return {.status = AnswerStatus::bogus};
  if (outcome.rcode == refused) return {.status = AnswerStatus::refused};
  if (outcome.rcode != 0) return {.status = AnswerStatus::servfail};
  Answer answer = dns::read_packet(outcome.packet, question, limits);
  answer.authenticated = outcome.security == secure && !answer.is_failure();
  return answer;
}

}  // namespace

// The thread and everything in it. Lookups share it, so that they may outlive the resolver.
class UnboundResolver::Thread : public std::enable_shared_from_this<Thread> {
 public:
  explicit Thread(UnboundOptions options) : options_(std::move(options)), base_(io_) {}

  void start() {
    std::promise<void> started;
    std::future<void> result = started.get_future();
    thread_ = std::thread([this, &started] { run(started); });
    try {
      result.get();
    } catch (...) {
      thread_.join();
      throw;
    }
  }

  void stop() {
    closed_ = true;
    asio::post(io_, [this] { close(); });
    thread_.join();
  }

  static asio::awaitable<Answer> look_up(std::shared_ptr<Thread> thread, Question question,
                                         std::chrono::steady_clock::duration deadline) {
    if (thread->closed_) co_return Answer{.status = AnswerStatus::timeout};
    const auto query = std::make_shared<Query>(*thread, std::move(question));
    asio::post(thread->io_, [thread = thread.get(), query] { thread->take(query); });
    std::optional<Answer> answer = co_await AnswerSlot::wait(query->slot, deadline);
    if (answer) co_return std::move(*answer);
    asio::post(thread->io_, [thread = thread.get(), query] { thread->cancel(query); });
    co_return Answer{.status = AnswerStatus::timeout};
  }

 private:
  struct Query {
    Query(Thread& its_thread, Question asked) : thread(its_thread), question(std::move(asked)) {}
    Thread& thread;
    const Question question;
    const std::shared_ptr<AnswerSlot> slot = std::make_shared<AnswerSlot>();
    int id = 0;              // libunbound's, while it works on the question; 0 is none.
    bool cancelled = false;  // Nobody waits any more.
  };

  void run(std::promise<void>& started) {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, nullptr);  // Signals are for the other threads.
    try {
      context_ = make_context(base_, options_);
      finalize(context_);
    } catch (...) {
      context_.reset();
      started.set_exception(std::current_exception());
      return;
    }
    started.set_value();
    io_.run();
  }

  void close() {
    for (const auto& query : waiting_) query->slot->give({.status = AnswerStatus::servfail});
    waiting_.clear();
    context_.reset();  // Calls back for every open query.
    open_.clear();
    work_.reset();
  }

  void take(const std::shared_ptr<Query>& query) {
    if (waiting_.size() >= options_.questions_waiting_max || context_ == nullptr) {
      query->slot->give({.status = AnswerStatus::servfail});
      return;
    }
    waiting_.push_back(query);
    begin_waiting();
  }

  // Callbacks may come from within and end up here again; the outer call goes on then.
  void begin_waiting() {
    if (std::exchange(is_beginning_, true)) return;
    while (!waiting_.empty() && open_.size() < options_.questions_open_max) {
      const std::shared_ptr<Query> query = std::move(waiting_.front());
      waiting_.pop_front();
      if (!query->cancelled) begin(query);
    }
    is_beginning_ = false;
  }

  void begin(const std::shared_ptr<Query>& query) {
    constexpr int class_in = 1;
    open_.emplace(query.get(), query);
    int id = 0;
    const int error = ub_resolve_event(
        context_.get(), dns::escape_name(query->question.name).c_str(),
        static_cast<int>(query->question.type), class_in, query.get(), on_answer(), &id);
    if (!open_.contains(query.get())) return;  // Called back already.
    if (error == 0)
      query->id = id;
    else  // A name that cannot be on the wire does not exist.
      finish(*query,
             {.status = error == UB_SYNTAX ? AnswerStatus::nxdomain : AnswerStatus::servfail});
  }

  void cancel(const std::shared_ptr<Query>& query) {
    query->cancelled = true;
    if (open_.erase(query.get()) == 0) return;
    ub_cancel(context_.get(), query->id);
    begin_waiting();
  }

  // What libunbound calls with an answer; a lambda, as the signature is not ours to shorten.
  static ub_event_callback_type on_answer() {
    return [](void* argument, int rcode, void* packet, int octets, int security, char*, int) {
      Query& query = *static_cast<Query*>(argument);
      Outcome outcome{.rcode = rcode, .security = security};
      if (rcode == 0 && packet != nullptr && octets > 0)
        outcome.packet = {static_cast<const char*>(packet), static_cast<std::size_t>(octets)};
      Thread& thread = query.thread;
      thread.finish(query, read_outcome(outcome, query.question, thread.options_.limits));
    };
  }

  void finish(Query& query, Answer answer) {
    query.slot->give(std::move(answer));
    open_.erase(&query);
    begin_waiting();
  }

  const UnboundOptions options_;
  asio::io_context io_{1};
  asio::executor_work_guard<asio::io_context::executor_type> work_ = asio::make_work_guard(io_);
  EventBase base_;
  Context context_;
  std::unordered_map<const Query*, std::shared_ptr<Query>> open_;
  std::deque<std::shared_ptr<Query>> waiting_;
  bool is_beginning_ = false;
  std::atomic<bool> closed_ = false;
  std::thread thread_;
};

UnboundResolver::UnboundResolver(UnboundOptions options)
    : thread_(std::make_shared<Thread>(std::move(options))) {
  thread_->start();
}

UnboundResolver::~UnboundResolver() { thread_->stop(); }

asio::awaitable<Answer> UnboundResolver::lookup(Question question,
                                                std::chrono::steady_clock::duration deadline) {
  return Thread::look_up(thread_, std::move(question), deadline);
}

}  // namespace countersign::service
