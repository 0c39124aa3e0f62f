// SPDX-License-Identifier: Apache-2.0
//
// The events that libunbound is given behave as those of libevent do.

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <memory>
#include <string>

#include "service/dns/descriptor_event.hpp"

namespace countersign::service {
namespace {

using Reason = DescriptorEvent::Reason;
using std::chrono::milliseconds;

class Event : public testing::Test {
 protected:
  Event() {
    if (pipe(ends_.data()) != 0) ADD_FAILURE() << "no pipe";
  }
  ~Event() override {
    for (const int end : ends_) close(end);
  }

  std::shared_ptr<DescriptorEvent> make(int descriptor, DescriptorEvent::Interest interest) {
    return std::make_shared<DescriptorEvent>(
        io, descriptor, interest,
        DescriptorEvent::Callback{[](int, Reason reason, void* argument) {
                                    static_cast<Event*>(argument)->called(reason);
                                  },
                                  this});
  }
  void called(Reason reason) {
    seen += reason == Reason::readable ? 'r' : reason == Reason::writable ? 'w' : 't';
    if (then) then();
  }
  [[nodiscard]] int reading() const { return ends_[0]; }
  [[nodiscard]] int writing() const { return ends_[1]; }
  void fill() const { EXPECT_EQ(write(ends_[1], "x", 1), 1); }
  void drain() const {
    char octet = 0;
    EXPECT_EQ(read(ends_[0], &octet, 1), 1);
  }

  boost::asio::io_context io{1};
  std::string seen;
  std::function<void()> then;

 private:
  std::array<int, 2> ends_{-1, -1};
};

TEST_F(Event, CallsBackOnceUnlessItPersists) {
  const auto once = make(reading(), {.read = true});
  ASSERT_TRUE(once->activate(std::nullopt));
  fill();
  io.run();
  EXPECT_EQ(seen, "r");

  seen.clear();
  const auto persistent = make(reading(), {.read = true, .persist = true});
  ASSERT_TRUE(persistent->activate(std::nullopt));
  then = [&] {
    if (seen.size() == 3) persistent->deactivate();
  };
  io.restart();
  io.run();
  EXPECT_EQ(seen, "rrr");  // What is ready and not read stays ready.
}

TEST_F(Event, TellsReadFromWriteFromTimeout) {
  const auto writable = make(writing(), {.write = true});
  ASSERT_TRUE(writable->activate(milliseconds{5'000}));
  io.run();
  EXPECT_EQ(seen, "w");
  const auto silent = make(reading(), {.read = true});
  ASSERT_TRUE(silent->activate(milliseconds{5}));
  io.restart();
  io.run();
  EXPECT_EQ(seen, "wt");
  const auto timer = make(-1, {});
  ASSERT_TRUE(timer->activate(milliseconds{0}));
  io.restart();
  io.run();
  EXPECT_EQ(seen, "wtt");
}

TEST_F(Event, APersistentTimeoutComesAgain) {
  const auto event = make(reading(), {.read = true, .persist = true});
  ASSERT_TRUE(event->activate(milliseconds{2}));
  then = [&] {
    if (seen.size() == 3) event->deactivate();
  };
  io.run();
  EXPECT_EQ(seen, "ttt");
}

TEST_F(Event, ActivityPutsTheTimeoutOff) {
  const auto event = make(reading(), {.read = true, .persist = true});
  const auto begin = std::chrono::steady_clock::now();
  ASSERT_TRUE(event->activate(milliseconds{100}));
  boost::asio::steady_timer later(io, milliseconds{60});
  later.async_wait([this](const boost::system::error_code&) { fill(); });
  then = [&] {
    if (seen.back() == 'r') drain();
    if (seen.back() == 't') event->deactivate();
  };
  io.run();
  EXPECT_EQ(seen, "rt");
  EXPECT_GE(std::chrono::steady_clock::now() - begin, milliseconds{160});
}

TEST_F(Event, IsSilentOnceDeactivated) {
  auto event = make(reading(), {.read = true, .persist = true});
  ASSERT_TRUE(event->activate(milliseconds{0}));
  fill();
  event->deactivate();
  io.run();
  ASSERT_TRUE(event->activate(milliseconds{0}));
  event->deactivate();
  event.reset();  // Its handlers are still to come.
  io.restart();
  io.run();
  EXPECT_EQ(seen, "");
}

TEST_F(Event, MayBeFreedOrChangedByItsCallback) {
  auto event = make(reading(), {.read = true, .persist = true});
  ASSERT_TRUE(event->activate(milliseconds{1'000}));
  fill();
  then = [&] {
    event->deactivate();
    event.reset();
  };
  io.run();
  EXPECT_EQ(seen, "r");

  auto changing = make(reading(), {.read = true});
  ASSERT_TRUE(changing->activate(std::nullopt));
  then = [&] {
    if (seen.back() == 'w') return;
    changing->set_descriptor(writing());
    changing->interest() = {.write = true};
    EXPECT_TRUE(changing->activate(std::nullopt));
  };
  io.restart();
  io.run();
  EXPECT_EQ(seen, "rrw");
}

TEST_F(Event, LeavesTheDescriptorOpen) {
  auto event = make(reading(), {.read = true});
  ASSERT_TRUE(event->activate(std::nullopt));
  event->deactivate();
  event.reset();
  io.run();
  fill();
  drain();
}

TEST_F(Event, SaysWhenADescriptorCannotBeWatched) {
  EXPECT_FALSE(make(1'000'000, {.read = true})->activate(std::nullopt));
}

}  // namespace
}  // namespace countersign::service
