// SPDX-License-Identifier: Apache-2.0
//
// A resolver and an I/O context that runs only as long as there is something to wait for.

#include "service/dns/blocking_lookups.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <utility>

#include "service/dns/unbound.hpp"

namespace countersign::service {

struct BlockingLookups::State {
  explicit State(UnboundOptions options) : resolver(std::move(options)) {}

  boost::asio::io_context context{1};
  UnboundResolver resolver;  // Ends before the context that it answers to.
};

BlockingLookups::BlockingLookups(UnboundOptions options)
    : state_(std::make_unique<State>(std::move(options))) {}

BlockingLookups::~BlockingLookups() = default;

std::vector<dns::Answer> BlockingLookups::answer(const std::vector<dns::OpenQuestion>& questions,
                                                 std::chrono::steady_clock::duration deadline) {
  std::vector<dns::Answer> answers(questions.size());
  for (std::size_t i = 0; i < questions.size(); ++i)
    boost::asio::co_spawn(
        state_->context, state_->resolver.lookup(questions[i].question, deadline),
        [&slot = answers[i]](const std::exception_ptr& error, dns::Answer answer) {
          if (!error) slot = std::move(answer);
        });
  state_->context.restart();
  state_->context.run();
  return answers;
}

}  // namespace countersign::service
