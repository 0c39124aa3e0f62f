// SPDX-License-Identifier: Apache-2.0

#include "service/config/import/recognize.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "countersign/text/abnf.hpp"
#include "service/config/import/dkimpy.hpp"
#include "service/config/import/openarc.hpp"
#include "service/config/import/opendkim.hpp"
#include "service/config/import/opendmarc.hpp"
#include "service/config/import/policyd_spf.hpp"

namespace countersign::service::config {
namespace {

struct Name {
  std::string_view word;
  Form form;
};

constexpr Name names[] = {
    {"opendkim", Form::opendkim},        {"opendmarc", Form::opendmarc},
    {"openarc", Form::openarc},          {"policyd-spf", Form::policyd_spf},
    {"pyspf-milter", Form::policyd_spf}, {"dkimpy-milter", Form::dkimpy},
};

// In the order in which the first of several that fit equally well is taken.
constexpr Form foreign_forms[] = {Form::opendkim, Form::opendmarc, Form::openarc, Form::dkimpy,
                                  Form::policyd_spf};

// A look at the beginning tells.
constexpr std::size_t octets_looked_at = 65'536;

std::vector<ConfigLine> cut(std::string_view text, Form form) {
  Problems ignored;
  text = text.substr(0, octets_looked_at);
  return form == Form::policyd_spf ? split_policyd_spf_lines(text, "", ignored)
                                   : split_config_lines(text, "", ignored);
}

std::ptrdiff_t count_known(const std::vector<ConfigLine>& lines, Form form) {
  return std::ranges::count_if(lines, [form](const ConfigLine& line) {
    return find_option(dialect_of(form).options, line.name) != nullptr;
  });
}

Form recognize_by_options(std::string_view text) {
  Form best = Form::opendkim;
  std::ptrdiff_t most = 0;
  for (const Form form : foreign_forms) {
    const std::ptrdiff_t known = count_known(cut(text, form), form);
    if (known > most) best = form;
    most = std::max(most, known);
  }
  return best;
}

}  // namespace

const Dialect& dialect_of(Form form) {
  switch (form) {
    case Form::opendmarc:
      return opendmarc_dialect();
    case Form::openarc:
      return openarc_dialect();
    case Form::policyd_spf:
      return policyd_spf_dialect();
    case Form::dkimpy:
      return dkimpy_dialect();
    case Form::any:
    case Form::countersign:
    case Form::opendkim:
      break;
  }
  return opendkim_dialect();
}

std::optional<Form> form_named(std::string_view word) {
  for (const Name& name : names) {
    if (text::equal_ignoring_case(name.word, word)) return name.form;
  }
  return std::nullopt;
}

Form recognize(const std::string& file, const Files& files) {
  const std::string_view base = std::string_view(file).substr(file.rfind('/') + 1);
  for (const Name& name : names) {
    if (text::starts_with_ignoring_case(base, name.word)) return name.form;
  }
  const std::expected<std::string, std::string> octets = files.read(file);
  return octets ? recognize_by_options(*octets) : Form::opendkim;
}

}  // namespace countersign::service::config
