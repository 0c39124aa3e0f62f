#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
#
# Holds the rules to snippets that break them and to snippets that do not, so that a silent checker
# is not mistaken for a clean house.

import sys
import unittest

sys.dont_write_bytecode = True

import rules_of_code as code
import rules_of_tree as tree
from cpp_text import CppText, parameters
from project import Project

HEAD = "// SPDX-License-Identifier: Apache-2.0\n//\n// A file of a test.\n\n"


def lines_of(rule, **texts):
    """The lines that break a rule in a project of these files; `a__b_hpp` names a/b.hpp."""
    return [line for _, line, _ in rule(project_of(texts))]


def project_of(texts):
    """A project of files whose names are given with __ for / and a last _ for the dot."""
    paths = {}
    for name, text in texts.items():
        stem, suffix = name.replace("__", "/").rsplit("_", 1)
        paths[f"{stem}.{suffix}"] = text
    return Project(paths)


class Reading(unittest.TestCase):
    def test_comments_and_literals_are_no_code(self):
        cpp = CppText("int a = 1'000; // throw\nauto b = \"throw\"; /* throw\n */ char c = '\"';")
        self.assertNotIn("throw", cpp.code)
        self.assertEqual(cpp.code.count("\n"), 2)
        self.assertEqual([comment.line for comment in cpp.comments], [1, 2])
        self.assertIn("1'000", cpp.code)

    def test_raw_strings_are_no_code(self):
        cpp = CppText('auto a = R"x(throw " )" // no comment\n)x"; int b;')
        self.assertNotIn("throw", cpp.code)
        self.assertEqual(cpp.comments, [])
        self.assertIn("int b;", cpp.code)

    def test_functions_are_found_with_their_lines(self):
        cpp = CppText(
            """namespace a::b {
struct Point {
  int x{0};
  std::function<void(int)> callback;
  Point(int x, int y) : x_{x}, y_(y) {}
  bool operator==(const Point& other) const = default;
};
constexpr std::array<int, 2> table = {{1, 2}};
auto twice = [](int x) { return 2 * x; };
template <class T>
std::vector<T> Point::make(std::map<int, T> all) {
  for (int i : {1, 2}) {
    if (i) { call([&] { while (true) { stop(); } }); }
  }
  return {};
}
}
"""
        )
        found = [(one.path, one.line, one.close_line, one.depth) for one in cpp.functions]
        self.assertEqual(found, [("Point::Point", 5, 5, 0), ("Point::make", 10, 16, 3)])
        kinds = {declared.name: declared.kind for declared in cpp.declarations}
        self.assertEqual(kinds["callback"], "variable")
        self.assertEqual(kinds["table"], "variable")
        self.assertEqual(kinds["operator=="], "function")

    def test_parameters_are_counted(self):
        self.assertEqual(len(parameters("void f(std::map<int, int> a, int b = g(1, 2))")), 2)
        self.assertEqual(len(parameters("template <class A, class B> void f(A a, B... b)")), 2)
        self.assertEqual(len(parameters("bool operator()(int a, int b) const")), 2)
        self.assertEqual(parameters("void f()"), [])

    def test_symbols(self):
        cpp = CppText(
            "/// Reads.\n/// RFC 6376 §3.5\nint parse(int a);\n\nint g() {\n  // RFC 6376 §5.4\n}\n"
            "class A {\n  /// RFC 5321 §2\n  int b();\n};\n"
        )
        self.assertEqual(cpp.symbol_at(2), "parse")
        self.assertEqual(cpp.symbol_at(6), "g")
        self.assertEqual(cpp.symbol_at(9), "A::b")
        self.assertEqual(cpp.symbol_at(4), "")


class Ladder(unittest.TestCase):
    def check(self, including, included, broken):
        project = Project({including: f'#include "{included}"\n', included: ""})
        self.assertEqual(bool(list(code.include_ladder(project))), broken, (including, included))

    def test_steps(self):
        self.check("countersign/dkim/signer.cpp", "countersign/text/base64.hpp", False)
        self.check("countersign/dkim/signer.cpp", "countersign/dkim/key.hpp", False)
        self.check("countersign/text/base64.hpp", "countersign/limits.hpp", False)
        self.check("countersign/limits.hpp", "countersign/text/base64.hpp", True)
        self.check("countersign/text/base64.cpp", "countersign/dkim/key.hpp", True)
        self.check("countersign/text/base64.cpp", "countersign/domain/name.hpp", True)
        self.check("countersign/domain/name.cpp", "countersign/text/abnf.hpp", False)
        self.check("countersign/crypto/key.cpp", "countersign/text/abnf.hpp", True)
        self.check("countersign/dkim/signer.cpp", "countersign/spf/record.hpp", True)
        self.check("countersign/arc/chain.cpp", "countersign/dkim/key.hpp", False)
        self.check("countersign/dmarc/evaluate.cpp", "countersign/dkim/key.hpp", True)
        self.check("countersign/milter/packet.cpp", "countersign/milter/session.hpp", True)
        self.check("countersign/milter/session.cpp", "countersign/milter/packet.hpp", False)
        self.check("countersign/milter/session.cpp", "countersign/mailflow/outbound.hpp", False)
        self.check("countersign/mailflow/outbound.cpp", "countersign/milter/session.hpp", True)
        self.check("countersign/dkim/signer.cpp", "service/log.hpp", True)
        self.check("service/log.cpp", "cli/serve.hpp", True)
        self.check("service/log.cpp", "tests/support/zone.hpp", True)
        self.check("cli/serve.cpp", "service/log.hpp", False)

    def test_a_new_folder_needs_a_rung(self):
        self.assertEqual(lines_of(code.include_ladder, countersign__new__a_cpp=""), [1])

    def test_form(self):
        text = '#include "a.hpp"\n#include "cli/a.cpp"\n#include <vector>\n'
        self.assertEqual(lines_of(code.include_form, cli__a_cpp=text), [1, 2])


class Libraries(unittest.TestCase):
    def test_folders(self):
        openssl, asio = "#include <openssl/evp.h>\n", "\n#include <boost/asio/io_context.hpp>\n"
        self.assertEqual(lines_of(code.library_folders, countersign__crypto__a_cpp=openssl), [])
        self.assertEqual(lines_of(code.library_folders, countersign__dkim__a_cpp=openssl), [1])
        self.assertEqual(lines_of(code.library_folders, cli__a_cpp=asio), [2])
        self.assertEqual(lines_of(code.library_folders, service__a_cpp=asio), [])

    def test_one_file_only(self):
        toml = "#include <toml++/toml.h>\n"
        files = {"service__config__a_cpp": toml, "service__config__b_cpp": toml}
        self.assertEqual(lines_of(code.library_folders, **files), [1])


class Core(unittest.TestCase):
    def check(self, line, broken):
        found = lines_of(code.pure_core, countersign__text__a_cpp=line)
        self.assertEqual(bool(found), broken, line)

    def test_bans(self):
        for line in (
            'throw std::runtime_error("x");',
            "auto t = std::chrono::system_clock::now();",
            "time_t t = time(nullptr);",
            "#include <fstream>",
            "#include <mutex>",
            "std::mutex m;",
            "thread_local int x;",
            'std::fprintf(stderr, "x");',
            'printf("x");',
            "const char* home = std::getenv(name);",
            "int fd = ::socket(1, 2, 3);",
        ):
            self.check(line, True)

    def test_what_only_looks_like_it(self):
        for line in (
            "// We throw nothing and never ask for now().",
            'const char* text = "throw";',
            "int snprintf_like = 1;",
            "Result r = check(now);",
            "if (cursor.accept(comma)) return;",
            "#include <chrono>",
        ):
            self.check(line, False)

    def test_statics(self):
        text = """namespace a {
static int count = 0;
int other;
static constexpr int a = 1;
const int b = 2;
static int helper(int x);
constexpr char letters[] = {'a'};
int f() {
  static const int table[] = {1};
  static int calls = 0;
  return static_cast<int>(calls);
}
class C {
  static Result make(int x);
  int member_ = 0;
};
}
"""
        found = set(lines_of(code.mutable_statics, countersign__text__a_cpp=text))
        self.assertEqual(found, {2, 3, 10})


class Sizes(unittest.TestCase):
    def test_what_cannot_be_measured(self):
        self.assertEqual(lines_of(code.understood, cli__a_cpp="int f() {\n  if (a) {\n}\n"), [1])
        self.assertEqual(lines_of(code.understood, cli__a_cpp="int f() {\n  if (a) {}\n}\n"), [])

    def test_files(self):
        self.assertEqual(lines_of(code.file_length, service__a_cpp="\n" * 601), [601])
        self.assertEqual(lines_of(code.file_length, service__a_cpp="\n" * 600), [])
        self.assertEqual(lines_of(code.file_length, service__a_hpp="\n" * 301), [301])
        self.assertEqual(lines_of(code.file_length, service__names_table_cpp="\n" * 900), [])

    def test_functions(self):
        long = "\nint f() {\n" + "  g();\n" * 69 + "}\n"
        self.assertEqual(lines_of(code.function_length, service__a_cpp=long), [2])
        short = "\nint f() {\n" + "  g();\n" * 68 + "}\n"
        self.assertEqual(lines_of(code.function_length, service__a_cpp=short), [])

    def test_nesting(self):
        deep = "void f() {\n" + "if (a) {\n" * 5 + "}" * 5 + "\n}\n"
        self.assertEqual(lines_of(code.function_nesting, service__a_cpp=deep), [1])
        chain = "void f() {\n" + "if (a) {\n} else " * 9 + "{}\n}\n"
        self.assertEqual(lines_of(code.function_nesting, service__a_cpp=chain), [])

    def test_parameter_count(self):
        six = "void f(int a, int b, int c, int d, int e, int f);\n"
        self.assertEqual(lines_of(code.function_parameters, service__a_hpp=six), [1])
        five = "void f(int a, int b, int c, int d, std::map<int, int> e);\n"
        self.assertEqual(lines_of(code.function_parameters, service__a_hpp=five), [])


class Comments(unittest.TestCase):
    def test_docstrings(self):
        text = """namespace a {
struct Bare {};
/// A thing.
class Thing {
 public:
  Thing() = default;
  explicit Thing(int size);  // from one value
  Thing(const Thing&) = delete;
  [[nodiscard]] int size() const { return size_; }
  /// Grows.
  void grow();
  void shrink();
  bool operator==(const Thing&) const = default;

 private:
  void hidden();
  int size_ = 0;
};
class Forward;
int free_function();
/// Both.
int overloaded(int a);
int overloaded(long a);
namespace detail {
int internal();
}
inline int Thing::size_of() { return 0; }
/// Steps.
inline constexpr int a = 1;
inline constexpr int b = 2;

inline constexpr int c = 3;
/// Bits.
namespace bits {
inline constexpr int d = 1;
}
}
"""
        found = set(lines_of(code.docstrings, countersign__text__a_hpp=text))
        self.assertEqual(found, {2, 12, 20, 32})

    def test_citations(self):
        text = """// RFC 6376 §3.5, §3.6 and RFC 8301 §3.2 (RFC 6376 erratum 5070).
// RFC6376 §3.5
// rfc 6376
// RFC 6376, section 3.5
// RFC 6376 section 3.5
// RFC5322.From is a term.
// RFC 5234 appendix B.1
// RFC 6376 § 3.5
"""
        self.assertEqual(lines_of(code.citations, cli__a_cpp=text), [2, 3, 4, 5, 7, 8])

    def test_unfinished(self):
        self.assertEqual(
            lines_of(code.comments, cli__a_cpp="// TODO: more\n// ======================\n"), [1, 2]
        )


class Tree(unittest.TestCase):
    def test_heads(self):
        self.assertEqual(lines_of(tree.file_heads, cli__a_cpp=HEAD), [])
        self.assertEqual(lines_of(tree.file_heads, cli__a_cpp="int a;\n"), [1])
        bare = HEAD.split("\n")[0] + "\n\n"
        self.assertEqual(lines_of(tree.file_heads, cli__a_cpp=bare), [2])
        self.assertEqual(lines_of(tree.file_heads, cli__a_cpp=bare, cli__a_hpp=HEAD), [])

    def test_lines(self):
        self.assertEqual(lines_of(tree.line_length, cli__a_cpp="x" * 101), [1])
        self.assertEqual(lines_of(tree.line_length, cli__a_cpp="§" * 100), [])
        self.assertEqual(lines_of(tree.white_space, cli__a_cpp="\tx\ny \n"), [1, 2])
        self.assertEqual(lines_of(tree.white_space, cli__a_cpp="x\n\n"), [3])
        self.assertEqual(lines_of(tree.white_space, cli__a_cpp="x"), [1])

    def test_mirror(self):
        source, test = "countersign__dkim__a_cpp", "tests__unit__dkim__a_test_cpp"
        self.assertEqual(lines_of(tree.test_mirror, **{source: ""}), [1])
        self.assertEqual(lines_of(tree.test_mirror, **{source: "", test: ""}), [])
        header = {"countersign__dkim__b_hpp": "inline int f() {\n\n\n\n\n}\n"}
        self.assertEqual(lines_of(tree.test_mirror, **header), [1])

    def test_corpora(self):
        paths = {"fuzz/a_fuzz.cpp": "", "fuzz/corpus/b/1": None, "fuzz/dict/c.dict": None}
        found = [path for path, _, _ in tree.fuzz_corpora(Project(paths))]
        self.assertEqual(found, ["fuzz/a_fuzz.cpp", "fuzz/corpus/b/", "fuzz/dict/c.dict"])
        paths = {"fuzz/a_fuzz.cpp": "", "fuzz/corpus/a/1": None, "fuzz/dict/a.dict": None}
        self.assertEqual(list(tree.fuzz_corpora(Project(paths))), [])

    def test_dead_files(self):
        files = {
            "countersign/dkim/a.cpp": "",
            "tests/other/a.cpp": "",
            "cli/lonely.hpp": "",
            "scripts/run": "",
            "docs/page.md": "",
            "README.md": "[page](docs/page.md)\n",
        }
        found = [path for path, _, _ in tree.dead_files(Project(files))]
        self.assertEqual(found, ["tests/other/a.cpp", "cli/lonely.hpp", "scripts/run"])

    def test_forbidden(self):
        place = "/wo" + "rk/x"
        self.assertEqual(lines_of(tree.forbidden_words, cli__a_cpp=f"a\n// {place}\n"), [2])
        self.assertEqual(
            lines_of(tree.forbidden_words, cli__a_cpp="// /network/ session agent\n"), []
        )

    def test_links(self):
        text = "[a](b.md) [c](https://x.example/) [d](#e)\n"
        self.assertEqual(lines_of(tree.dead_links, docs__a_md=text), [1])
        self.assertEqual(lines_of(tree.dead_links, docs__a_md=text, docs__b_md=""), [])

    def test_attack_rules(self):
        cited = {"cli__a_cpp": "// Twice (S-01).\n// S-02\n"}
        listed = "| S-01 | Two From fields. |\n"
        self.assertEqual(lines_of(tree.attack_rules, docs__security_md=listed, **cited), [2])

    def test_attack_rules_have_tests(self):
        rows = [f"| {name} | Says. | not met: why. |" for name in tree.ATTACK_RULES]
        rows[:3] = ["| S-01 | A. | `a` |", "| S-02 | B. | `b` |", "| S-03 | C. | `c` |"]
        tests = {
            "tests__unit__a_cpp": "TEST(A, S01Is) {}\nTEST_F(B, IsS02) {}\nTEST(C, S033) {}\n",
            "tests__cli__a_py": "def test_s03_is(self):\n",
        }
        rule = tree.attack_rules_tested
        self.assertEqual(lines_of(rule, docs__security_md="\n".join(rows), **tests), [])
        tests["tests__cli__a_py"] = "# S-03\ndef test_s04_is(self):\n"
        self.assertEqual(lines_of(rule, docs__security_md="\n".join(rows), **tests), [3, 4])
        self.assertEqual(lines_of(rule, docs__security_md="\n".join(rows[:-1]), **tests), [1, 3, 4])


if __name__ == "__main__":
    unittest.main()
