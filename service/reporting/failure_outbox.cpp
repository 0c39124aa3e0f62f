// SPDX-License-Identifier: Apache-2.0
//
// The way of one report, in named steps; each may end it, and says so in the log.

#include "service/reporting/failure_outbox.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string_view>
#include <utility>

#include "countersign/mailflow/own_mail.hpp"
#include "service/log/log.hpp"
#include "service/reporting/hourly_cap.hpp"
#include "service/reporting/random.hpp"

namespace countersign::service {
namespace {

using report::Authorization;
using report::CheckedDestination;

constexpr std::size_t id_octets = 16;  // No two reports have one Message-ID.

/// A group on its way, shared by the reports that are made of it.
struct Subject {
  FailureGroup group;
  bool is_copied = false;  // A copy of one of its reports is on its way to ourselves.

  [[nodiscard]] const report::FailedMessage& message() const { return group.first->message; }
};

/// A report to those who stand behind one URI, or the copy of it for us.
struct Task {
  std::shared_ptr<Subject> subject;
  std::string uri;          // A stranger's text.
  std::vector<Mailbox> to;  // Empty until they are checked.
  bool is_copy = false;     // Goes to FailureOutboxOptions::bcc, and is the same mail.
  int attempt = 1;
};

/// How a task ended, or that it did not.
enum class Fate : std::uint8_t { sent, failed, uncertain, suppressed, no_room, deferred };

struct Ending {
  Fate fate = Fate::sent;
  std::string why;  // May hold a stranger's text.
};

std::string_view name_of(Fate fate) {
  switch (fate) {
    case Fate::sent:
      return "sent";
    case Fate::failed:
      return "failed";
    case Fate::uncertain:
      return "uncertain";
    case Fate::suppressed:
      return "suppressed";
    case Fate::no_room:
      return "no_room";
    case Fate::deferred:
      return "deferred";
  }
  return "failed";
}

Fate fate_of(Delivery delivery) {
  switch (delivery) {
    case Delivery::accepted:
      return Fate::sent;
    case Delivery::refused:
      return Fate::failed;
    case Delivery::deferred:
      return Fate::deferred;
    case Delivery::uncertain:
      return Fate::uncertain;
  }
  return Fate::failed;
}

std::vector<std::string> paths_of(const std::vector<Mailbox>& mailboxes) {
  std::vector<std::string> paths;
  for (const Mailbox& one : mailboxes) paths.push_back(format_address(one));
  return paths;
}

static_assert(report::Privacy::never < report::Privacy::redacted &&
              report::Privacy::redacted < report::Privacy::full_headers);

/// How much may be told now: a reload may have made that less, and never makes it more.
report::Privacy privacy_of(const mailflow::FailureToReport& failure,
                           const mailflow::Policy& policy) {
  return std::min(failure.privacy, policy.judging.failures.privacy_for(
                                       failure.message.policy_domain, failure.recipients));
}

}  // namespace

struct FailureOutbox::State {
  State(CheckDestinations check_given, MailSender& sender_given, FailureOutboxOptions options_given,
        FailureReportCounters& counters_given, Log& log_given)
      : check(std::move(check_given)),
        sender(sender_given),
        options(std::move(options_given)),
        counters(counters_given),
        log(log_given),
        cap(options.destination_cap, options.destinations_max) {}

  CheckDestinations check;
  MailSender& sender;
  FailureOutboxOptions options;
  FailureReportCounters& counters;
  Log& log;
  HourlyCap cap;
  std::multimap<std::chrono::sys_seconds, Task> tasks;  // By when they are due.
  std::size_t deferred_octets = 0;                      // Of tasks beyond their first attempt.

  void take(FailureGroup group) {
    const auto subject = std::make_shared<Subject>(Subject{.group = std::move(group)});
    const Limits& limits = options.policy()->limits;
    const std::vector<std::string> uris =
        report::distinct_destinations(subject->group.first->ruf, limits);
    for (std::size_t i = 0; i < std::min(uris.size(), limits.failure_uris_max); ++i)
      tasks.emplace(options.now(), Task{.subject = subject, .uri = uris[i], .to = {}});
  }

  bool step() {
    const auto first = tasks.begin();
    if (first == tasks.end() || first->first > options.now()) return false;
    Task task = std::move(first->second);
    tasks.erase(first);
    if (task.attempt > 1) deferred_octets -= task.subject->group.octets;
    Ending ending = run(task);
    if (ending.fate == Fate::deferred) ending = defer(task, std::move(ending.why));
    if (ending.fate != Fate::deferred) finish(task, ending);
    return true;
  }

  /// Later each time, and given up in the end.
  [[nodiscard]] Ending defer(Task& task, std::string why) {
    const std::size_t octets = task.subject->group.octets;
    if (task.attempt >= options.attempts_max) return {Fate::failed, std::move(why)};
    if (octets > options.waiting_octets_max - deferred_octets)
      return {Fate::failed, "too much waits to be tried again; " + why};
    std::chrono::seconds pause = options.first_pause;
    for (int i = 1; i < task.attempt; ++i) pause *= 4;
    ++task.attempt;
    deferred_octets += octets;
    log.write(LogLevel::debug, "a failure report is tried again later",
              {{"policy_domain", task.subject->message().policy_domain.text()}, {"why", why}});
    tasks.emplace(options.now() + pause, std::move(task));
    return {Fate::deferred, std::move(why)};
  }

  // --- one attempt ---

  [[nodiscard]] Ending run(Task& task) {
    const std::shared_ptr<const mailflow::Policy> policy = options.policy();
    if (privacy_of(*task.subject->group.first, *policy) == report::Privacy::never)
      return {Fate::suppressed, "by the settings in force now nothing is told of it"};
    if (task.to.empty())
      if (std::optional<Ending> ending = find_recipients(task, *policy)) return *std::move(ending);
    const Result<std::string, std::string> mail = make_mail(task, *policy);
    if (!mail) return {Fate::failed, "the mail cannot be made: " + mail.error()};
    DeliveryResult result =
        sender.send({.mail_from = options.mail_from, .rcpt_to = paths(task), .octets = *mail});
    return {fate_of(result.delivery), std::move(result.text)};
  }

  /// Whom the report goes to, or how it ends without having left.
  [[nodiscard]] std::optional<Ending> find_recipients(Task& task, const mailflow::Policy& policy) {
    const DomainName& domain = task.subject->message().policy_domain;
    if (options.opted_out.contains(domain))
      return Ending{Fate::suppressed, "the domain gets no reports from us"};
    std::vector<CheckedDestination> checked;
    try {
      checked = check(report::check_destinations(
          {.policy_domain = domain, .uris = {task.uri}, .kind = report::ReportKind::failure},
          policy.limits));
    } catch (const std::exception& error) {
      return Ending{Fate::deferred, std::string("DNS cannot be asked: ") + error.what()};
    }
    const Authorization authorization =
        checked.empty() ? Authorization::malformed : checked.front().authorization;
    const std::string why(to_string(authorization));
    if (authorization == Authorization::dns_failure) return Ending{Fate::deferred, why};
    std::vector<Mailbox> to = report::recipients_of(checked);
    if (to.empty()) return Ending{Fate::suppressed, why};
    // A host may name as many addresses in place of one.
    while (to.size() > policy.limits.failure_uris_max) to.pop_back();
    return admit(std::move(to), policy, task);
  }

  /// Leaves out whoever is ourselves or has had enough.
  [[nodiscard]] std::optional<Ending> admit(std::vector<Mailbox> to, const mailflow::Policy& policy,
                                            Task& task) {
    report::LoopGuard guard = policy.judging.own_reports;
    guard.report_addresses.push_back(options.from);
    std::erase_if(to, [&guard](const Mailbox& one) { return guard.is_own(one); });
    if (to.empty()) return Ending{Fate::suppressed, "it would come back to ourselves"};
    bool lacks_room = false;
    std::erase_if(to, [this, &lacks_room](const Mailbox& one) {
      const Admission admission = cap.admit(one, options.now());
      lacks_room = lacks_room || admission == Admission::no_room;
      return admission != Admission::granted;
    });
    if (to.empty() && lacks_room)
      return Ending{Fate::no_room, "too many other addresses have had reports this hour"};
    if (to.empty()) return Ending{Fate::suppressed, "the address has had its reports of this hour"};
    task.to = std::move(to);
    return std::nullopt;
  }

  /// The report as a signed mail; the error is a sentence.
  [[nodiscard]] Result<std::string, std::string> make_mail(const Task& task,
                                                           const mailflow::Policy& policy) const {
    const FailureGroup& group = task.subject->group;
    const Result<std::string, ComposeErrorCode> mail = report::format_failure_report(
        group.first->message,
        {.privacy = privacy_of(*group.first, policy),
         .redaction_key = options.redaction_key,
         .reporter = options.reporter,
         .from = options.from,
         .to = task.to,
         .date = options.now(),
         .message_id = random_hex(id_octets) + "@" + options.from.domain.text(),
         .incidents = group.incidents},
        policy.limits);
    if (!mail) return std::unexpected(std::string(to_string(mail.error())));
    return mailflow::sign_own_mail(policy, *mail, options.now());
  }

  [[nodiscard]] std::vector<std::string> paths(const Task& task) const {
    return paths_of(task.is_copy ? options.bcc : task.to);
  }

  // --- afterwards ---

  void finish(const Task& task, const Ending& ending) {
    if (!task.is_copy) count(ending.fate);
    const report::FailedMessage& message = task.subject->message();
    const bool is_sent = ending.fate == Fate::sent;
    const std::vector<std::string> to = paths(task);
    std::vector<LogField> fields = {
        {"policy_domain", message.policy_domain.text()},
        {"author_domain", message.author_domain.text()},
        {"destination", to.empty() ? task.uri : fmt::format("{}", fmt::join(to, ","))},
        {"incidents", std::to_string(task.subject->group.incidents)}};
    if (is_sent) {
      log.write(LogLevel::info, "failure report sent", fields);
      return copy(task);
    }
    fields.emplace_back("state", name_of(ending.fate));
    fields.emplace_back("why", ending.why);
    log.write(LogLevel::notice, "failure report not sent", fields);
  }

  /// The first report of a group that left is copied to us, once.
  void copy(const Task& task) {
    if (options.bcc.empty() || task.is_copy || task.subject->is_copied) return;
    task.subject->is_copied = true;
    tasks.emplace(options.now(),
                  Task{.subject = task.subject, .uri = task.uri, .to = task.to, .is_copy = true});
  }

  void count(Fate fate) {
    if (fate == Fate::sent) ++counters.sent;
    if (fate == Fate::failed) ++counters.failed;
    if (fate == Fate::uncertain) ++counters.uncertain;
    if (fate == Fate::suppressed) ++counters.suppressed;
    if (fate == Fate::no_room) ++counters.no_room;
  }
};

FailureOutbox::FailureOutbox(CheckDestinations check, MailSender& sender,
                             FailureOutboxOptions options, FailureReportCounters& counters,
                             Log& log)
    : state_(std::make_unique<State>(std::move(check), sender, std::move(options), counters, log)) {
}

FailureOutbox::~FailureOutbox() = default;

void FailureOutbox::take(FailureGroup group) { state_->take(std::move(group)); }

bool FailureOutbox::step() { return state_->step(); }

std::optional<std::chrono::sys_seconds> FailureOutbox::next_attempt() const {
  if (state_->tasks.empty()) return std::nullopt;
  return state_->tasks.begin()->first;
}

std::size_t FailureOutbox::waiting() const { return state_->tasks.size(); }

}  // namespace countersign::service
