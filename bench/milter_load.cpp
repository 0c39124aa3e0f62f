// SPDX-License-Identifier: Apache-2.0
//
// milter_load: pushes messages through a running milter, or through several in a row, and prints
// rate, latency, and the CPU of both sides.
//
//   milter_load --socket unix:/run/x.sock --sessions 16 --messages 5000 --pid $(pidof …) mail.eml …
//
// Messages may come with a list instead, a line each: file, address of the client, HELO name, MAIL
// FROM, and the results of SPF, DKIM and DMARC that it must get. Then the right ones are counted.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <chrono>
#include <cstdio>
#include <exception>
#include <fstream>
#include <iterator>
#include <sstream>

#include "bench/load/load.hpp"
#include "bench/load/process_usage.hpp"
#include "countersign/message/author.hpp"
#include "countersign/message/splitter.hpp"

namespace countersign::bench {
namespace {

struct Options {
  LoadPlan plan;
  std::vector<std::string> files;
  std::string list;
  std::string client = "127.0.0.1";
  std::string write_first;
  std::vector<pid_t> processes;
  unsigned timeout_seconds = 120;
  bool json = false;
};

milter::Mail read_mail(const std::string& path, const std::string& client) {
  std::ifstream file(path, std::ios::binary);
  const std::string octets{std::istreambuf_iterator<char>(file), {}};
  Result<Message, SplitError> message = split_message(octets, Limits());
  if (!file || !message) throw std::runtime_error("cannot read " + path + " as a message");
  milter::Mail mail{.client_address = client,
                    .mail_from = "sender@sender.example",
                    .rcpt_to = {"user@rcpt.example"},
                    .header = std::move(message->header),
                    .body = std::move(message->body),
                    .macros = {{"i", "4LOAD0000000"}, {"daemon_name", "smtpd"}}};
  if (const auto authors = find_authors(mail.header)) mail.mail_from = authors->front().address();
  return mail;
}

void read_list(const std::string& path, LoadPlan& plan) {
  std::ifstream file(path);
  std::string line;
  while (std::getline(file, line)) {
    std::istringstream words(line);
    std::string mail_file;
    std::string client;
    std::string helo;
    std::string mail_from;
    Expected expected;
    words >> mail_file >> client >> helo >> mail_from >> expected.spf >> expected.dkim >>
        expected.dmarc;
    if (!words) throw std::runtime_error(path + " has a line without seven words: " + line);
    milter::Mail mail = read_mail(mail_file, client);
    mail.client_host = helo;
    mail.helo = helo;
    mail.mail_from = mail_from;
    plan.mails.push_back(std::move(mail));
    plan.expected.push_back(std::move(expected));
  }
  if (plan.mails.empty()) throw std::runtime_error("no messages in " + path);
}

void write_mail(const std::string& path, const milter::FilterOutcome& outcome,
                const std::string& body) {
  std::ofstream file(path, std::ios::binary);
  for (const HeaderField& field : outcome.header) file << field.raw() << "\r\n";
  file << "\r\n" << outcome.body.value_or(body);
}

void print(const Options& options, const LoadResult& result, const ProcessUsage& filter,
           double own_cpu) {
  const double thousand = static_cast<double>(options.plan.messages) / 1'000;
  if (options.json) {
    const boost::json::object document{
        {"messages_per_second", static_cast<double>(options.plan.messages) / result.seconds},
        {"filter_cpu_ms_per_message", filter.cpu_seconds / thousand},
        {"own_cpu_ms_per_message", own_cpu / thousand},
        {"p50_ms", result.percentile(0.5)},
        {"p99_ms", result.percentile(0.99)},
        {"max_ms", result.percentile(1)},
        {"rss_peak_mib", static_cast<double>(filter.rss_peak_kib) / 1'024},
        {"threads", filter.threads},
        {"changed", result.changed},
        {"refused", result.refused},
        {"broken", result.broken},
        {"right", result.right},
        {"unmarked", result.unmarked},
        {"replies", result.replies}};
    fmt::print("{}\n", boost::json::serialize(document));
    return;
  }
  fmt::print("{:.0f} messages/s, {} messages over {} sessions, {} a connection\n",
             static_cast<double>(options.plan.messages) / result.seconds, options.plan.messages,
             options.plan.sessions, options.plan.messages_a_session);
  fmt::print("latency ms: p50 {:.2f}  p90 {:.2f}  p99 {:.2f}  p99.9 {:.2f}  max {:.2f}\n",
             result.percentile(0.5), result.percentile(0.9), result.percentile(0.99),
             result.percentile(0.999), result.percentile(1));
  fmt::print("changed {}  refused {}  broken {}  answers waited for {}\n", result.changed,
             result.refused, result.broken, result.replies);
  if (!options.plan.expected.empty())
    fmt::print("right {}  unmarked {}\n", result.right, result.unmarked);
  fmt::print("own CPU {:.3f} ms a message\n", own_cpu / thousand);
  if (options.processes.empty()) return;
  fmt::print("filter: CPU {:.3f} ms a message, peak RSS {:.1f} MiB, {} threads\n",
             filter.cpu_seconds / thousand, static_cast<double>(filter.rss_peak_kib) / 1'024,
             filter.threads);
}

int run(Options& options) {
  for (const std::string& path : options.files) {
    options.plan.mails.push_back(read_mail(path, options.client));
  }
  if (!options.list.empty()) read_list(options.list, options.plan);
  if (options.plan.mails.empty()) throw std::runtime_error("name a message or a list of them");
  options.plan.timeout = std::chrono::seconds(options.timeout_seconds);
  const ProcessUsage before = usage_of(options.processes);
  const double own_before = own_cpu_seconds();
  const LoadResult result = run_load(options.plan);
  const double own_cpu = own_cpu_seconds() - own_before;
  ProcessUsage filter = usage_of(options.processes);
  filter.cpu_seconds -= before.cpu_seconds;
  print(options, result, filter, own_cpu);
  if (!options.write_first.empty()) {
    write_mail(options.write_first, result.first, options.plan.mails.front().body);
  }
  return result.broken == 0 ? 0 : 1;
}

}  // namespace
}  // namespace countersign::bench

int main(int argc, char** argv) {
  countersign::bench::Options options;
  CLI::App app("Puts a load of messages on a milter, as an MTA would.", "milter_load");
  app.add_option("files", options.files, "messages, sent in turn");
  app.add_option("--list", options.list, "messages with envelope and expected results")
      ->excludes("files");
  app.add_option("--socket", options.plan.sockets,
                 "unix:/path or inet:port@host; several are a row")
      ->required();
  app.add_option("--sessions", options.plan.sessions, "connections open at once");
  app.add_option("--messages", options.plan.messages, "messages in all");
  app.add_option("--per-session", options.plan.messages_a_session, "messages a connection");
  app.add_option("--client", options.client, "address of the SMTP client");
  app.add_option("--timeout", options.timeout_seconds, "seconds for the whole run");
  app.add_option("--version-offered", options.plan.offer.version, "milter protocol version");
  app.add_option("--pid", options.processes, "the filter's processes, for CPU and memory");
  app.add_option("--write-first", options.write_first, "write the first message as it came out");
  app.add_flag("--json", options.json, "print JSON");
  CLI11_PARSE(app, argc, argv);
  try {
    return countersign::bench::run(options);
  } catch (const std::exception& error) {
    fmt::print(stderr, "milter_load: {}\n", error.what());
    return 69;
  }
}
