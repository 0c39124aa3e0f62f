// SPDX-License-Identifier: Apache-2.0
//
// The fetch of a missing answer is a coroutine of its own, so that whoever began it may stop
// waiting or be destroyed without taking the answer from the others who wait.

#include "service/dns/cache.hpp"

#include <algorithm>
#include <atomic>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/this_coro.hpp>
#include <map>
#include <mutex>
#include <utility>
#include <vector>

#include "service/dns/answer_slot.hpp"
#include "service/dns/ttl_cache.hpp"

namespace countersign::service {

namespace asio = boost::asio;
using dns::Answer;
using dns::AnswerStatus;
using dns::Question;

namespace {

// Chooses the shard.
struct NameHash {
  std::size_t operator()(const Question& question) const {
    return std::hash<std::string>{}(question.name);
  }
};

// What the nodes of the index and the list take besides what they hold, roughly.
constexpr std::size_t node_octets = 128;

std::size_t octets_of(const dns::RecordData& data) {
  std::size_t octets = sizeof data;
  if (const auto* text = std::get_if<dns::Text>(&data)) {
    for (const std::string& string : text->strings) octets += sizeof string + string.size();
  } else if (const auto* exchange = std::get_if<dns::MailExchange>(&data)) {
    octets += exchange->exchange.size();
  } else if (const auto* name = std::get_if<dns::NameData>(&data)) {
    octets += name->name.size();
  } else if (const auto* raw = std::get_if<dns::RawData>(&data)) {
    octets += raw->octets.size();
  }
  return octets;
}

std::size_t octets_of(const Question& question, const Answer& answer) {
  std::size_t octets = node_octets + 2 * (sizeof question + question.name.size()) + sizeof answer +
                       answer.parsed.octets;
  for (const dns::RecordData& record : answer.records) octets += octets_of(record);
  return octets;
}

Answer without_records(const Answer& answer) {
  return {.status = answer.status,
          .authenticated = answer.authenticated,
          .records = {},
          .parsed = answer.parsed};
}

}  // namespace

class CachingResolver::State : public std::enable_shared_from_this<State> {
 public:
  State(Resolver& behind, CacheOptions options)
      : behind_(&behind),
        options_(std::move(options)),
        answers_(options_.room_octets, options_.shards) {}

  static asio::awaitable<Answer> look_up(std::shared_ptr<State> state, Question question,
                                         std::chrono::steady_clock::duration deadline) {
    if (std::optional<Answer> answer = state->remembered(question)) co_return std::move(*answer);
    const auto slot = std::make_shared<AnswerSlot>();
    if (state->join(question, slot, co_await asio::this_coro::executor)) {
      std::optional<Answer> answer = co_await AnswerSlot::wait(slot, deadline);
      co_return answer ? std::move(*answer) : Answer{.status = AnswerStatus::timeout};
    }
    co_return Answer{.status = AnswerStatus::servfail};
  }

  std::optional<Answer> remembered(const Question& question) {
    const auto now = options_.now();
    auto found = answers_.find(question, now);
    if (!found) return std::nullopt;
    ++hits_;
    const Answer& kept = *found->value;
    const bool is_read = question.reader != nullptr && kept.parsed.reader == question.reader;
    Answer answer = is_read ? without_records(kept) : kept;
    answer.ttl = std::chrono::floor<std::chrono::seconds>(found->expires - now);
    return answer;
  }

  void close() {
    const std::scoped_lock lock(mutex_);
    behind_ = nullptr;
  }
  void clear() { answers_.clear(); }

  CacheCounts counts() const {
    CacheCounts counts{.hits = hits_,
                       .coalesced = coalesced_,
                       .misses = misses_,
                       .refused = refused_,
                       .failures = failures_,
                       .evictions = evictions_,
                       .entries = answers_.size()};
    const std::scoped_lock lock(mutex_);
    counts.under_way = under_way_.size();
    return counts;
  }

 private:
  using Slots = std::vector<std::shared_ptr<AnswerSlot>>;

  // Ends the fetch of a question even if its coroutine is destroyed half-way, as happens when its
  // worker is: who waits elsewhere then waits in vain, until its deadline, and the next one who
  // asks begins anew.
  class Fetching {
   public:
    Fetching(std::shared_ptr<State> state, Question question)
        : state_(std::move(state)), question_(std::move(question)) {}
    Fetching(Fetching&& other) noexcept = default;
    ~Fetching() {
      if (state_ != nullptr) state_->take_slots(question_);
    }

    void end(Answer answer) {
      std::exchange(state_, {})->finish(std::move(question_), std::move(answer));
    }

   private:
    std::shared_ptr<State> state_;
    Question question_;
  };

  // Waits for the question's answer with others, or begins to fetch it; false when too much is
  // under way.
  bool join(const Question& question, const std::shared_ptr<AnswerSlot>& slot,
            const asio::any_io_executor& executor) {
    std::unique_lock lock(mutex_);
    if (const auto found = under_way_.find(question); found != under_way_.end()) {
      ++coalesced_;
      found->second.push_back(slot);
      return true;
    }
    if (behind_ == nullptr || under_way_.size() >= options_.under_way_max) {
      ++refused_;
      return false;
    }
    ++misses_;
    asio::awaitable<Answer> lookup = behind_->lookup(question, options_.lookup_deadline);
    under_way_.emplace(question, Slots{slot});
    lock.unlock();
    asio::co_spawn(executor, fetch(Fetching(shared_from_this(), question), std::move(lookup)),
                   asio::detached);
    return true;
  }

  static asio::awaitable<void> fetch(Fetching fetching, asio::awaitable<Answer> lookup) {
    Answer answer;  // A failure, unless the lookup gives something better.
    try {
      answer = co_await std::move(lookup);
    } catch (const std::exception&) {
      answer = {.status = AnswerStatus::servfail};
    }
    fetching.end(std::move(answer));
  }

  // Kept before those who wait are told, so that whoever asks from now on finds it.
  void finish(Question question, Answer answer) {
    if (answer.is_failure()) ++failures_;
    if (question.reader != nullptr)
      answer.parsed = question.reader(question, answer, options_.limits);
    const std::chrono::seconds ttl = time_to_keep(answer);
    if (ttl > std::chrono::seconds::zero())
      evictions_ += answers_.put(question, std::make_shared<const Answer>(answer),
                                 options_.now() + ttl, octets_of(question, answer));
    for (const auto& slot : take_slots(question)) slot->give(answer);
  }

  std::chrono::seconds time_to_keep(const Answer& answer) const {
    if (answer.is_failure()) return options_.failure_ttl;
    const bool is_absence = answer.status != AnswerStatus::records;
    return std::min(answer.ttl, is_absence ? options_.absence_ttl_max : options_.ttl_max);
  }

  Slots take_slots(const Question& question) {
    const std::scoped_lock lock(mutex_);
    auto node = under_way_.extract(question);
    return node.empty() ? Slots{} : std::move(node.mapped());
  }

  Resolver* behind_;  // Null once the cache is gone; guarded by the mutex, as the next one is.
  std::map<Question, Slots> under_way_;
  mutable std::mutex mutex_;
  const CacheOptions options_;
  TtlCache<Question, std::shared_ptr<const Answer>, NameHash> answers_;
  std::atomic<std::uint64_t> hits_ = 0;
  std::atomic<std::uint64_t> coalesced_ = 0;
  std::atomic<std::uint64_t> misses_ = 0;
  std::atomic<std::uint64_t> refused_ = 0;
  std::atomic<std::uint64_t> failures_ = 0;
  std::atomic<std::uint64_t> evictions_ = 0;
};

CachingResolver::CachingResolver(Resolver& behind, CacheOptions options)
    : state_(std::make_shared<State>(behind, std::move(options))) {}

CachingResolver::~CachingResolver() { state_->close(); }

asio::awaitable<Answer> CachingResolver::lookup(Question question,
                                                std::chrono::steady_clock::duration deadline) {
  return State::look_up(state_, std::move(question), deadline);
}

std::optional<Answer> CachingResolver::at_hand(const Question& question) {
  return state_->remembered(question);
}

void CachingResolver::clear() { state_->clear(); }

CacheCounts CachingResolver::counts() const { return state_->counts(); }

}  // namespace countersign::service
