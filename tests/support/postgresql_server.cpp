// SPDX-License-Identifier: Apache-2.0

#include "tests/support/postgresql_server.hpp"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <stdexcept>
#include <string_view>
#include <vector>

#include "tests/support/eventually.hpp"

namespace countersign::test {
namespace {

const std::string programs = "/usr/lib/postgresql/15/bin/";

/// Becomes the user that a server may run as; called in a child.
void become_server() {
  if (::geteuid() != 0) return;
  const passwd* account = ::getpwnam("postgres");
  if (account == nullptr || ::setgroups(0, nullptr) != 0 || ::setgid(account->pw_gid) != 0 ||
      ::setuid(account->pw_uid) != 0) {
    ::_exit(126);
  }
}

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// The processes whose parent is this one.
std::vector<pid_t> children_of(pid_t parent) {
  const std::string number = std::to_string(parent);
  std::istringstream list(read_file("/proc/" + number + "/task/" + number + "/children"));
  return {std::istream_iterator<pid_t>(list), {}};
}

}  // namespace

PostgresqlServer::PostgresqlServer() {
  if (::access((programs + "initdb").c_str(), X_OK) != 0) {
    throw std::runtime_error(programs +
                             "initdb is missing; install it with scripts/install-deps test");
  }
  if (::geteuid() == 0) {
    const passwd* account = ::getpwnam("postgres");
    if (account == nullptr || ::chown((folder_ / "").c_str(), account->pw_uid, account->pw_gid)) {
      throw std::runtime_error("PostgreSQL's user 'postgres' is missing");
    }
    ::chmod((folder_ / "").c_str(), 0755);
  }
  static_cast<void>(run_as_server(programs + "initdb --no-sync --auth=trust --username=postgres" +
                                  " --encoding=UTF8 --locale=C -D " + data()));
  start();
}

PostgresqlServer::~PostgresqlServer() { stop(); }

PostgresqlServer& PostgresqlServer::shared() {
  static PostgresqlServer server;
  return server;
}

/// Runs a command of the shell as the server's user; what it says.
std::string PostgresqlServer::run_as_server(const std::string& command) const {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error("cannot make a pipe");
  const pid_t child = ::fork();
  if (child == 0) {
    become_server();
    ::dup2(ends[1], STDOUT_FILENO);
    ::dup2(ends[1], STDERR_FILENO);
    if (::chdir("/") == 0) ::execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
    ::_exit(127);
  }
  ::close(ends[1]);
  std::string said;
  std::array<char, 4'096> buffer{};
  for (ssize_t got = 0; (got = ::read(ends[0], buffer.data(), buffer.size())) > 0;) {
    said.append(buffer.data(), static_cast<std::size_t>(got));
  }
  ::close(ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  if (status != 0) throw std::runtime_error(command + ":\n" + said);
  return said;
}

void PostgresqlServer::start() {
  const std::string log = folder_ / "log";
  process_ = ::fork();
  if (process_ == 0) {
    become_server();
    const int output = ::open(log.c_str(), O_CREAT | O_WRONLY | O_APPEND, 0644);
    ::dup2(output, STDOUT_FILENO);
    ::dup2(output, STDERR_FILENO);
    const std::string program = programs + "postgres";
    const std::string sockets = folder_ / "";
    if (::chdir("/") == 0) {
      ::execl(program.c_str(), "postgres", "-D", data().c_str(), "-k", sockets.c_str(), "-c",
              "listen_addresses=", "-c", "fsync=off", "-c", "max_connections=50", nullptr);
    }
    ::_exit(127);
  }
  const bool is_up = eventually([&] {
    if (::waitpid(process_, nullptr, WNOHANG) != 0) return true;
    try {
      static_cast<void>(psql("SELECT 1"));
      return true;
    } catch (const std::runtime_error&) {
      return false;
    }
  });
  if (is_up && ::kill(process_, 0) == 0) return;
  process_ = -1;
  throw std::runtime_error("PostgreSQL does not start:\n" + read_file(log));
}

void PostgresqlServer::stop() {
  if (process_ <= 0) return;
  pause(false);
  ::kill(process_, SIGQUIT);
  ::waitpid(process_, nullptr, 0);
  process_ = -1;
}

void PostgresqlServer::pause(bool is_paused) const {
  const int signal = is_paused ? SIGSTOP : SIGCONT;
  ::kill(process_, signal);
  for (const pid_t child : children_of(process_)) ::kill(child, signal);
}

std::string PostgresqlServer::connection(const std::string& schema) const {
  return "host=" + (folder_ / "") +
         " user=postgres dbname=postgres options='-c search_path=" + schema + "'";
}

std::string PostgresqlServer::new_schema() {
  const std::string name = "test" + std::to_string(++schemas_);
  static_cast<void>(psql("CREATE SCHEMA " + name));
  return name;
}

std::string PostgresqlServer::psql(const std::string& sql) const {
  const std::string file = folder_ / "statements";
  std::ofstream(file, std::ios::binary) << sql;
  return run_as_server("/usr/bin/psql -X -q -A -t -v ON_ERROR_STOP=1 -U postgres -h " +
                       (folder_ / "") + " -d postgres -f " + file);
}

}  // namespace countersign::test
