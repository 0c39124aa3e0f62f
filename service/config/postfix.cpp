// SPDX-License-Identifier: Apache-2.0

#include "service/config/postfix.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <vector>

#include "countersign/text/abnf.hpp"

namespace countersign::service::config {
namespace {

constexpr std::array<std::string_view, 12> names = {
    "config_directory",          "smtpd_milters",
    "non_smtpd_milters",         "milter_default_action",
    "milter_protocol",           "milter_mail_macros",
    "milter_connect_macros",     "internal_mail_filter_classes",
    "message_reject_characters", "receive_override_options",
    "smtpd_forbid_bare_newline", "smtpd_forbid_unauth_pipelining"};

constexpr int protocol_newest = 6;

class Check {
 public:
  Check(const PostfixParameters& parameters, const Settings& settings, Problems& problems)
      : parameters_(parameters), settings_(settings), problems_(problems) {
    place_.file = std::string(value("config_directory")) + "/main.cf";
  }

  void run() {
    check_calls();
    check_absence();
    check_protocol();
    check_smuggling();
  }

 private:
  /// The value of a parameter; empty when this Postfix does not have it.
  [[nodiscard]] std::string_view value(std::string_view name) const {
    const auto found = parameters_.find(name);
    return found == parameters_.end() ? std::string_view() : std::string_view(found->second);
  }

  [[nodiscard]] bool signs() const { return settings_.signing.mode != Mode::verify; }

  void warn(std::string message, std::string remedy) {
    problems_.warning(place_, std::move(message), std::move(remedy));
  }
  void note(std::string message, std::string remedy) {
    problems_.note(place_, std::move(message), std::move(remedy));
  }

  /// True when a list of milters, as Postfix has it, names a socket of ours.
  [[nodiscard]] bool names_us(std::string_view list) const {
    return std::ranges::any_of(settings_.daemon.sockets, [list](const SocketSpec& socket) {
      if (socket.family == SocketSpec::Family::unix) {
        // Postfix counts paths from its queue directory, which may be its root.
        const std::string_view path = socket.path;
        return list.contains(path.substr(path.rfind('/') + 1));
      }
      const std::string port = ":" + std::to_string(socket.port);
      for (std::size_t at = list.find(port); at != list.npos; at = list.find(port, at + 1)) {
        const std::size_t end = at + port.size();
        if (end == list.size() || !text::is_digit(list[end])) return true;
      }
      return false;
    });
  }

  /// True when a service of master.cf names us by itself.
  [[nodiscard]] bool a_service_names_us() const {
    return std::ranges::any_of(parameters_, [this](const auto& parameter) {
      return parameter.first.ends_with("/smtpd_milters") && names_us(parameter.second);
    });
  }

  void check_calls() {
    const bool calls = names_us(value("smtpd_milters"));
    if (!calls && !a_service_names_us() && !settings_.daemon.sockets.empty())
      warn("smtpd_milters names no socket of ours, so Postfix does not call us for mail by SMTP",
           "add " + to_string(settings_.daemon.sockets.front()) + " in Postfix's form");
    if (signs() && !names_us(value("non_smtpd_milters")))
      warn(
          "non_smtpd_milters names no socket of ours, so mail of this machine's programs is not "
          "signed",
          "set non_smtpd_milters = $smtpd_milters");
    if (value("receive_override_options").contains("no_milters"))
      warn("receive_override_options says no_milters, so no milter sees any mail",
           "remove no_milters from it");
    if (signs() && !value("internal_mail_filter_classes").contains("bounce"))
      note(
          "bounces that Postfix makes are not signed: internal_mail_filter_classes does not name "
          "bounce",
          "set internal_mail_filter_classes = bounce, if bounces go to other hosts");
  }

  void check_absence() {
    const std::string_view action = value("milter_default_action");
    if (action == "accept")
      note(
          "while the filter does not answer, mail goes through as it is, since "
          "milter_default_action is accept",
          "set milter_default_action = tempfail to have senders try again");
    else if (action != "tempfail" && !action.empty())
      warn(
          "while the filter does not answer, mail is lost or held, since milter_default_action "
          "is " +
              std::string(action),
          "set milter_default_action = tempfail");
  }

  void check_protocol() {
    const std::string_view text = value("milter_protocol");
    int version = protocol_newest;
    std::from_chars(text.data(), text.data() + text.size(), version);
    if (version >= protocol_newest) return;
    warn("milter_protocol is " + std::string(text) +
             ", in which Postfix cuts the space before header values and takes no list of macros",
         "set milter_protocol = 6");
    if (signs() && !value("milter_mail_macros").contains("{auth_type}"))
      warn(
          "milter_mail_macros leaves out {auth_type}, so a login is not seen and its mail not "
          "signed",
          "reset it: postconf -X milter_mail_macros");
    if (!settings_.signing.mta_names.empty() &&
        !value("milter_connect_macros").contains("{daemon_name}"))
      warn("milter_connect_macros leaves out {daemon_name}, so signing.mta_names matches nothing",
           "reset it: postconf -X milter_connect_macros");
  }

  void check_smuggling() {
    if (!parameters_.contains("smtpd_forbid_bare_newline"))
      warn(
          "this Postfix cannot tell line ends of SMTP from bare ones, so one message may hide "
          "another (CVE-2023-51764)",
          "update Postfix to a release of 2024 or later");
    else if (value("smtpd_forbid_bare_newline") == "no")
      warn("smtpd_forbid_bare_newline is no, so one message may hide another (CVE-2023-51764)",
           "set smtpd_forbid_bare_newline = yes, or normalize where Postfix has it");
    if (value("smtpd_forbid_unauth_pipelining") == "no")
      warn("smtpd_forbid_unauth_pipelining is no, which helps to hide one message in another",
           "set smtpd_forbid_unauth_pipelining = yes");
    if (!value("message_reject_characters").contains("\\0"))
      note(
          "Postfix cuts fields at NUL before we see them: message_reject_characters does not name "
          "it",
          "set message_reject_characters = \\0");
  }

  const PostfixParameters& parameters_;
  const Settings& settings_;
  Place place_;
  Problems& problems_;
};

}  // namespace

PostfixParameters parse_postconf(std::string_view text) {
  PostfixParameters parameters;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const std::size_t equals = line.find('=');
    if (equals == line.npos) continue;
    const std::string_view name = text::trim(line.substr(0, equals), text::is_wsp);
    if (!name.empty()) parameters.emplace(name, text::trim(line.substr(equals + 1), text::is_wsp));
  }
  return parameters;
}

std::span<const std::string_view> postfix_parameters() { return names; }

void check_postfix(const PostfixParameters& parameters, const Settings& settings,
                   Problems& problems) {
  Check(parameters, settings, problems).run();
}

}  // namespace countersign::service::config
