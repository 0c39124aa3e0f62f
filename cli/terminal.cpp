// SPDX-License-Identifier: Apache-2.0

#include "cli/terminal.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>

namespace countersign::cli {
namespace {

bool wants_colour() {
  const char* const no_colour = std::getenv("NO_COLOR");
  const char* const term = std::getenv("TERM");
  return (no_colour == nullptr || *no_colour == '\0') &&
         (term == nullptr || std::string_view(term) != "dumb");
}

}  // namespace

Terminal::Terminal(std::FILE* stream)
    : interactive_(::isatty(::fileno(stream)) == 1), colour_(interactive_ && wants_colour()) {}

std::string Terminal::paint(Colour colour, std::string_view text) const {
  if (!colour_) return std::string(text);
  const int number = colour == Colour::green ? 32 : colour == Colour::red ? 31 : 33;
  return fmt::format("\x1b[{}m{}\x1b[0m", number, text);
}

Progress::Progress(std::size_t total, std::string what)
    : total_(total),
      what_(std::move(what)),
      watched_(total > 1 && Terminal(stderr).is_interactive()) {}

void Progress::show(std::size_t done) {
  if (watched_) fmt::print(stderr, "\r{} of {} {}", done, total_, what_);
}

void Progress::clear() {
  if (watched_) fmt::print(stderr, "\r{:{}}\r", "", 2 * 20 + what_.size());
}

}  // namespace countersign::cli
