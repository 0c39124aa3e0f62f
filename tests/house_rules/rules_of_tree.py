# SPDX-License-Identifier: Apache-2.0
#
# The rules about the tree: heads and lines of files, the mirror of tests, corpora of fuzzers, files
# that nobody uses, links that lead nowhere, and words that have no place here. A rule yields
# (path, line, remedy) for each line that breaks it; its docstring is the rule.

import posixpath
import re
from fnmatch import fnmatchcase

from project import CPP_SUFFIXES, is_data

LINE_MAX = 100
# A paragraph of Markdown or of a manual page is as long as it is; scdoc indents with tabs.
LONG_LINES = (".md", ".json", ".in", ".scd")
SPDX = "SPDX-License-Identifier: Apache-2.0"


def file_heads(project):
    """Every source begins with the licence line; it, or its header, says what lives in it."""
    for path, lines in project.prose():
        script = lines[0].startswith("#!")
        if not script and not path.endswith((*CPP_SUFFIXES, ".py", ".pl", ".sh", ".inc", ".cmake")):
            continue
        comment = "//" if path.endswith(CPP_SUFFIXES) else "#"
        at = 1 if script else 0
        if lines[at].strip() != f"{comment} {SPDX}":
            yield path, at + 1, f"begin with '{comment} {SPDX}'"
            continue
        head = [line for line in lines[at + 1 : at + 5] if "shellcheck" not in line]
        beside_header = (
            path.endswith(".cpp") and path.removesuffix(".cpp") + ".hpp" in project.texts
        )
        if not beside_header and not any(re.match(rf'({comment} |""")\S', line) for line in head):
            yield path, at + 2, "say below the licence line what lives here and why"


def line_length(project):
    """A line has at most 100 columns."""
    for path, lines in project.prose():
        for number, line in enumerate(lines, 1):
            if len(line) > LINE_MAX and not path.endswith(LONG_LINES) and "http" not in line:
                yield path, number, f"{len(line)} columns, {LINE_MAX} at most"


def white_space(project):
    """No tabs, no white space at the end of a line, and one line end at the end of a file."""
    for path, lines in project.prose():
        for number, line in enumerate(lines, 1):
            if "\t" in line and not path.endswith(".scd"):
                yield path, number, "a tab: indent with spaces, and in a literal write \\t"
            if line != line.rstrip():
                yield path, number, "cut the white space at the end of the line"
        if lines[-1] != "" or (len(lines) > 1 and lines[-2] == ""):
            yield path, len(lines), "end the file with exactly one line end"


def test_mirror(project):
    """Every source of countersign/ has its test in tests/unit/; so has a header with code."""
    for path, cpp in project.cpp("countersign/"):
        stem = path.removeprefix("countersign/").rsplit(".", 1)[0]
        if path.endswith(".hpp"):
            long_body = any(one.close_line - one.open_line > 3 for one in cpp.functions)
            if f"countersign/{stem}.cpp" in project.texts or not long_body:
                continue
        if f"tests/unit/{stem}_test.cpp" not in project.texts:
            yield path, 1, f"write tests/unit/{stem}_test.cpp"


def fuzz_corpora(project):
    """Every fuzz target has a corpus, every corpus and dictionary a target."""
    things = _names(project, r"fuzz/(\w+)_fuzz\.cpp")
    corpora = _names(project, r"fuzz/corpus/([^/]+)/.*")
    for thing in sorted(things - corpora):
        yield f"fuzz/{thing}_fuzz.cpp", 1, f"put a few small inputs into fuzz/corpus/{thing}/"
    for thing in sorted(corpora - things):
        yield f"fuzz/corpus/{thing}/", 1, f"there is no fuzz/{thing}_fuzz.cpp: remove it"
    for thing in sorted(_names(project, r"fuzz/dict/(.*)\.dict") - things):
        yield f"fuzz/dict/{thing}.dict", 1, f"there is no fuzz/{thing}_fuzz.cpp: remove it"


def _names(project, pattern):
    return {match.group(1) for path in project.texts if (match := re.fullmatch(pattern, path))}


# What the build picks up; fnmatch's * crosses folders.
BUILT = (
    *("countersign/*.cpp", "service/*.cpp", "cli/*.cpp", "examples/*.cpp", "bench/*.cpp"),
    *("fuzz/*_fuzz.cpp", "fuzz/run_corpus.cpp", "tests/support/*.cpp"),
    *("tests/unit/*/*_test.cpp", "tests/conformance/*_test.cpp", "tests/service/*_test.cpp"),
    "tests/foreign/*_test.cpp",
)
NAMED = ("scripts/", "cmake/", "docs/", "tests/house_rules/", "tests/e2e/", "bench/")


def dead_files(project):
    """Every file is built, included, run or linked from somewhere."""
    included = {name for _, cpp in project.cpp() for _, name, quoted in cpp.includes if quoted}
    for path in project.texts:
        if path.endswith(".cpp"):
            if not any(fnmatchcase(path, pattern) for pattern in BUILT):
                yield path, 1, "no glob of the build picks it up (BUILT in rules_of_tree.py)"
        elif path.endswith(".hpp"):
            if path not in included and path.removesuffix(".hpp") + ".cpp" not in project.texts:
                yield path, 1, "nothing includes it: use it or remove it"
        elif path.startswith(NAMED) and not is_data(path) and not _is_named(project, path):
            yield path, 1, "nothing names it: link it, call it or remove it"


def _is_named(project, path):
    name = posixpath.basename(path)
    if name in ("README.md", "CMakeLists.txt") or fnmatchcase(path, "tests/e2e/*.sh"):
        return True
    stem = re.sub(r"\.(cmake|py)$", "", name)
    return any(text and stem in text for other, text in project.texts.items() if other != path)


# Each cut in two, so that this file does not hold what it looks for.
FORBIDDEN = tuple(
    re.compile(rf"(?<![a-z]){first}{second}(?![a-z])", re.IGNORECASE)
    for first, second in (
        ("clau", "de"),
        ("anthro", "pic"),
        ("open", "ai"),
        ("chat", "gpt"),
        ("l", "lms?"),
        ("sub", "agents?"),
        ("language ", "model"),
        ("ai", " agents?"),
        ("co-authored", "-by"),
        ("deb", r"\.debian\.org"),
        ("registry", r"\.npmjs\.org"),
        ("py", r"pi\.org"),
        ("proxy", r"\.golang\.org"),
        ("crates", r"\.io"),
    )
) + tuple(re.compile(rf"(?<![\w.]){one}{two}") for one, two in (("/wo", "rk/"), ("/ro", "ot/")))


def forbidden_words(project):
    """The project speaks of mail, not of how or where it was made."""
    for path, text in project.texts.items():
        for number, line in enumerate((text or "").split("\n"), 1):
            for pattern in FORBIDDEN:
                if match := pattern.search(line):
                    yield path, number, f"'{match.group(0)}' has no place in the project"


def shell_scripts(project):
    """A shell script stops at the first command that fails."""
    for path, text in project.texts.items():
        if text and re.match(r"#!.*sh\n", text):
            if not re.search(r"^set -[a-z]*e|lib\.sh|common\.inc", text, re.MULTILINE):
                yield path, 1, "set -euo pipefail, or source scripts/lib.sh, which does"


def dead_links(project):
    """A link in a document leads to a file that exists."""
    for path in project.paths(suffixes=(".md",)):
        for number, line in enumerate((project.texts[path] or "").split("\n"), 1):
            for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", line):
                if not re.match(r"[a-z]+:", target) and not _exists(project, path, target):
                    yield path, number, f"{target} does not exist"


def _exists(project, path, target):
    where = posixpath.normpath(posixpath.join(posixpath.dirname(path), target))
    return where in project.texts or any(name.startswith(where + "/") for name in project.texts)


def attack_rules(project):
    """A rule against an attack (S-01) that is cited is listed in docs/security.md."""
    listed = set(re.findall(r"^\| (S-\d+) \|", project.texts.get("docs/security.md") or "", re.M))
    for path, cpp in project.cpp():
        for comment in cpp.comments:
            for name in re.findall(r"\bS-\d\d\b", comment.text):
                if name not in listed:
                    yield path, comment.line, f"give {name} a line in docs/security.md"


# All rules against attacks.
ATTACK_RULES = tuple(f"S-{number:02}" for number in range(1, 58))


def attack_rules_tested(project):
    """Each rule in docs/security.md has a test with its number in its name, or says why not."""
    document = "docs/security.md"
    rows = {}
    for number, line in enumerate((project.texts.get(document) or "").split("\n"), 1):
        if match := re.match(r"\| (S-\d\d) \|.*\| ([^|]*) \|$", line):
            rows[match.group(1)] = (number, match.group(2))
    if rows:
        for name in sorted(set(ATTACK_RULES) - set(rows)):
            yield document, 1, f"give {name} a line"
    tested = _attack_rules_in_tests(project)
    for name, (number, place) in rows.items():
        is_met = not place.startswith("not met: ")
        if is_met and name not in tested:
            short = name.replace("-", "")
            yield document, number, f"name a test {short}…, or say 'not met: ' and why"
        if not is_met and name in tested:
            yield document, number, f"{name} has a test: say where it is met"


def _attack_rules_in_tests(project):
    """The rules in the names of C++ tests, in front or at the end, and of Python's: test_s53_…"""
    found = set()
    for path, text in project.texts.items():
        if not path.startswith("tests/") or path.startswith("tests/house_rules/"):
            continue
        if path.endswith(".cpp"):
            names = re.findall(r"^TEST(?:_F|_P)?\(\s*\w+,\s*(\w+)\s*\)", text or "", re.MULTILINE)
            numbers = [re.findall(r"^S(\d\d)(?=[A-Z])|S(\d\d)$", name) for name in names]
            found |= {one or other for pairs in numbers for one, other in pairs}
        elif path.endswith(".py"):
            found |= set(re.findall(r"def test_s(\d\d)_", text or ""))
    return {f"S-{number}" for number in found}


RULES = (
    file_heads,
    line_length,
    white_space,
    test_mirror,
    fuzz_corpora,
    dead_files,
    forbidden_words,
    shell_scripts,
    dead_links,
    attack_rules,
    attack_rules_tested,
)
