// SPDX-License-Identifier: Apache-2.0
//
// libpsl reads lists from a stream, so the text is made one in memory. Once it is read, searches
// share it without a lock.

#include "countersign/domain/public_suffix.hpp"

#include "countersign/limits.hpp"

#include <libpsl.h>

#include <algorithm>
#include <cstdio>
#include <string>
#include <utility>

namespace countersign {

namespace {

using Code = PublicSuffixErrorCode;

/// Nothing when there is no memory for it.
std::shared_ptr<const psl_ctx_st> load(std::string text) {
  const std::unique_ptr<std::FILE, decltype([](std::FILE* file) { std::fclose(file); })> stream(
      ::fmemopen(text.data(), text.size(), "r"));
  if (!stream) return nullptr;
  return {::psl_load_fp(stream.get()), ::psl_free};
}

}  // namespace

std::string_view to_string(PublicSuffixErrorCode code) {
  switch (code) {
    case Code::too_long:
      return "the public suffix list is longer than any that is known";
    case Code::no_rules:
      return "there is no rule of a public suffix list in it";
  }
  return "unknown error";
}

Result<PublicSuffixList, PublicSuffixErrorCode> PublicSuffixList::parse(std::string_view text) {
  if (text.size() > Limits{}.public_suffix_bytes_max) return std::unexpected(Code::too_long);
  if (text.empty()) return std::unexpected(Code::no_rules);
  PublicSuffixList list(load(std::string(text)));
  if (list.rules() == 0) return std::unexpected(Code::no_rules);
  return list;
}

std::optional<PublicSuffixList> PublicSuffixList::built_in() {
  const psl_ctx_t* const context = ::psl_builtin();
  if (context == nullptr) return std::nullopt;
  return PublicSuffixList(Context(context, [](const psl_ctx_t*) {}));
}

DomainName PublicSuffixList::org_domain(const DomainName& name) const {
  const char* const found = ::psl_registrable_domain(context_.get(), name.text().c_str());
  if (found == nullptr) return name;
  const std::string_view domain = found;
  return name.ancestor(static_cast<std::size_t>(std::ranges::count(domain, '.')) + 1);
}

std::size_t PublicSuffixList::rules() const {
  const int count = context_ ? ::psl_suffix_count(context_.get()) : 0;
  return count > 0 ? static_cast<std::size_t>(count) : 0;
}

}  // namespace countersign
