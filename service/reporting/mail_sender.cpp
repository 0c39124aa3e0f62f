// SPDX-License-Identifier: Apache-2.0
//
// SMTP by libcurl, which knows the replies, STARTTLS and AUTH.

#include "service/reporting/mail_sender.hpp"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>
#include <utility>

namespace countersign::service {
namespace {

// A reply is for one line of a log; an MTA may write what it likes.
constexpr std::size_t reply_octets_max = 500;

/// libcurl wants to be started once, before there are threads that use it.
struct Library {
  Library() { ::curl_global_init(CURL_GLOBAL_DEFAULT); }
};

/// What the callbacks see of one delivery.
struct Progress {
  std::string_view rest;   // Of the message.
  bool has_ended = false;  // libcurl was told that there is no more: the final dot follows.
  bool has_named_recipient = false;
  std::string reply;    // The last line that the MTA said.
  std::string refusal;  // The last of those that were 4yz or 5yz: QUIT is answered after it.
};

using Handle = std::unique_ptr<CURL, decltype(&::curl_easy_cleanup)>;
using List = std::unique_ptr<curl_slist, decltype(&::curl_slist_free_all)>;

std::size_t give_octets(char* buffer, std::size_t size, std::size_t count, void* data) {
  auto& progress = *static_cast<Progress*>(data);
  const std::size_t length = std::min(size * count, progress.rest.size());
  std::memcpy(buffer, progress.rest.data(), length);
  progress.rest.remove_prefix(length);
  if (length == 0) progress.has_ended = true;
  return length;
}

std::size_t take_reply(const char* octets, std::size_t size, std::size_t count, void* data) {
  auto& progress = *static_cast<Progress*>(data);
  std::string_view line(octets, std::min(size * count, reply_octets_max));
  while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) line.remove_suffix(1);
  if (!line.empty()) progress.reply = line;
  if (line.starts_with('4') || line.starts_with('5')) progress.refusal = line;
  return size * count;
}

/// Sees how far the dialogue has come.
int note_command(CURL*, curl_infotype type, char* octets, std::size_t size, void* data) {
  const std::string_view line(octets, size);
  if (type == CURLINFO_HEADER_OUT && line.starts_with("RCPT "))
    static_cast<Progress*>(data)->has_named_recipient = true;
  return 0;
}

void set_server(CURL* handle, const SmtpServer& server) {
  const bool is_v6 = server.host.find(':') != std::string::npos;
  const std::string host = is_v6 ? "[" + server.host + "]" : server.host;
  const std::string url = fmt::format("smtp://{}:{}/{}", host, server.port, server.helo_name);
  ::curl_easy_setopt(handle, CURLOPT_URL, url.c_str());
  ::curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "smtp");
  ::curl_easy_setopt(handle, CURLOPT_PROXY, "");  // Whatever the environment says.
  const bool is_required = server.tls == SmtpTls::required;
  const long tls = server.tls == SmtpTls::none ? CURLUSESSL_NONE
                   : is_required               ? CURLUSESSL_ALL
                                               : CURLUSESSL_TRY;
  ::curl_easy_setopt(handle, CURLOPT_USE_SSL, tls);
  ::curl_easy_setopt(handle, CURLOPT_SSL_VERIFYPEER, is_required ? 1L : 0L);
  ::curl_easy_setopt(handle, CURLOPT_SSL_VERIFYHOST, is_required ? 2L : 0L);
  if (!server.user.empty()) {
    ::curl_easy_setopt(handle, CURLOPT_USERNAME, server.user.c_str());
    ::curl_easy_setopt(handle, CURLOPT_PASSWORD, server.password.c_str());
  }
  ::curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT,
                     static_cast<long>(server.connect_patience.count()));
  ::curl_easy_setopt(handle, CURLOPT_TIMEOUT, static_cast<long>(server.patience.count()));
  ::curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);  // There are other threads.
}

/// No path may end the command that it stands in.
bool is_safe_path(std::string_view path) {
  return std::ranges::all_of(path,
                             [](char c) { return c > ' ' && c < 0x7f && c != '<' && c != '>'; });
}

List list_of(const std::vector<std::string>& paths) {
  List list(nullptr, &::curl_slist_free_all);
  for (const std::string& path : paths) {
    curl_slist* longer = ::curl_slist_append(list.get(), ("<" + path + ">").c_str());
    if (longer == nullptr) return {nullptr, &::curl_slist_free_all};
    static_cast<void>(list.release());
    list.reset(longer);
  }
  return list;
}

DeliveryResult judge(CURLcode code, CURL* handle, const Progress& progress,
                     std::string_view details) {
  if (code == CURLE_OK) return {Delivery::accepted, progress.reply};
  long status = 0;
  ::curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
  const bool has_answered = status >= 400;
  // What is refused before anybody is named is refused to us: a greeting, a login or a sender that
  // the operator can mend. It says nothing of the recipient, so the mail can go another time.
  if (has_answered && status >= 500 && progress.has_named_recipient)
    return {Delivery::refused, progress.refusal};
  if (has_answered) return {Delivery::deferred, progress.refusal};
  std::string text = details.empty() ? ::curl_easy_strerror(code) : std::string(details);
  return {progress.has_ended ? Delivery::uncertain : Delivery::deferred, std::move(text)};
}

}  // namespace

std::string_view to_string(SmtpTls tls) {
  if (tls == SmtpTls::none) return "none";
  return tls == SmtpTls::required ? "required" : "opportunistic";
}

std::string_view to_string(Delivery delivery) {
  switch (delivery) {
    case Delivery::accepted:
      return "accepted";
    case Delivery::refused:
      return "refused";
    case Delivery::deferred:
      return "deferred";
    case Delivery::uncertain:
      return "uncertain";
  }
  return "uncertain";
}

SmtpSender::SmtpSender(SmtpServer server) : server_(std::move(server)) {
  static const Library library;
}

DeliveryResult SmtpSender::send(const OutgoingMail& mail) {
  const auto is_recipient = [](const std::string& path) {
    return !path.empty() && is_safe_path(path);
  };
  if (!is_safe_path(mail.mail_from) || mail.rcpt_to.empty() ||
      !std::ranges::all_of(mail.rcpt_to, is_recipient))
    return {Delivery::refused, "an address is none that SMTP could carry"};
  const Handle handle(::curl_easy_init(), &::curl_easy_cleanup);
  const List recipients = list_of(mail.rcpt_to);
  if (!handle || !recipients) return {Delivery::deferred, "out of memory"};
  char details[CURL_ERROR_SIZE] = "";
  Progress progress{.rest = mail.octets};
  const std::string mail_from = "<" + mail.mail_from + ">";
  set_server(handle.get(), server_);
  ::curl_easy_setopt(handle.get(), CURLOPT_MAIL_FROM, mail_from.c_str());
  ::curl_easy_setopt(handle.get(), CURLOPT_MAIL_RCPT, recipients.get());
  ::curl_easy_setopt(handle.get(), CURLOPT_MAIL_RCPT_ALLLOWFAILS, 1L);
  ::curl_easy_setopt(handle.get(), CURLOPT_UPLOAD, 1L);
  ::curl_easy_setopt(handle.get(), CURLOPT_READFUNCTION, give_octets);
  ::curl_easy_setopt(handle.get(), CURLOPT_READDATA, &progress);
  ::curl_easy_setopt(handle.get(), CURLOPT_HEADERFUNCTION, take_reply);
  ::curl_easy_setopt(handle.get(), CURLOPT_HEADERDATA, &progress);
  ::curl_easy_setopt(handle.get(), CURLOPT_DEBUGFUNCTION, note_command);
  ::curl_easy_setopt(handle.get(), CURLOPT_DEBUGDATA, &progress);
  ::curl_easy_setopt(handle.get(), CURLOPT_VERBOSE, 1L);  // Or nothing is noted.
  ::curl_easy_setopt(handle.get(), CURLOPT_ERRORBUFFER, details);
  const CURLcode code = ::curl_easy_perform(handle.get());
  return judge(code, handle.get(), progress, details);
}

}  // namespace countersign::service
