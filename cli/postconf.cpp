// SPDX-License-Identifier: Apache-2.0

#include "cli/postconf.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/failure.hpp"

namespace countersign::cli {
namespace {

// Far more than Postfix prints of a dozen parameters and its services.
constexpr std::size_t output_bytes_max = 1'048'576;

/// What a program printed, and whether it ended well.
struct Printed {
  std::string text;
  bool good = false;
};

std::string read_all(int descriptor) {
  std::string text;
  std::array<char, 4'096> chunk{};
  while (text.size() < output_bytes_max) {
    const ssize_t got = ::read(descriptor, chunk.data(), chunk.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    text.append(chunk.data(), static_cast<std::size_t>(got));
  }
  return text;
}

/// Runs a program of the search path without a shell. What it writes on standard error is dropped.
Printed run(std::vector<std::string> words) {
  std::array<int, 2> pipe{};
  if (::pipe2(pipe.data(), O_CLOEXEC) != 0) throw Failure(exit_data, "there is no pipe to be had");
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, pipe[1], STDOUT_FILENO);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  pid_t child = 0;
  const int error =
      ::posix_spawnp(&child, words.front().c_str(), &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  ::close(pipe[1]);
  Printed printed;
  if (error == 0) printed.text = read_all(pipe[0]);
  ::close(pipe[0]);
  int status = 0;
  if (error == 0 && ::waitpid(child, &status, 0) == child)
    printed.good = WIFEXITED(status) && WEXITSTATUS(status) == 0;
  return printed;
}

std::vector<std::string> postconf(const std::string& folder, std::string_view option) {
  std::vector<std::string> words = {"postconf"};
  if (!folder.empty()) words.insert(words.end(), {"-c", folder});
  words.emplace_back(option);
  return words;
}

}  // namespace

service::config::PostfixParameters ask_postconf(const std::string& folder) {
  std::vector<std::string> words = postconf(folder, "-x");
  for (const std::string_view name : service::config::postfix_parameters())
    words.emplace_back(name);
  const Printed main = run(std::move(words));
  auto parameters = service::config::parse_postconf(main.text);
  if (!main.good || parameters.empty())
    throw Failure(exit_data, "postconf does not tell the settings of Postfix" +
                                 (folder.empty() ? "" : " in " + folder) +
                                 "; run it yourself to see why");
  // Without a master.cf there are no services, and nothing is missed.
  for (auto& [name, value] : service::config::parse_postconf(run(postconf(folder, "-Px")).text))
    if (name.contains('/')) parameters.emplace(name, value);
  return parameters;
}

}  // namespace countersign::cli
