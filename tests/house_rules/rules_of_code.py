# SPDX-License-Identifier: Apache-2.0
#
# The rules about C++: who includes whom, which library lives where, what the pure core may not do,
# sizes, docstrings and citations. A rule yields (path, line, remedy) for each line that breaks it;
# its docstring is the rule. ARCHITECTURE.md and CONTRIBUTING.md say why each exists.

import re

from cpp_text import parameters

PRODUCT = ("countersign/", "service/", "cli/", "examples/")
ALL_CODE = (*PRODUCT, "tests/", "fuzz/", "bench/")

GROUND = -1  # files directly in countersign/: limits, results, assertions
RUNGS = {
    **dict.fromkeys(("text", "domain", "crypto", "encoding"), 0),
    **dict.fromkeys(("message", "dns"), 1),
    **dict.fromkeys(("dkim", "spf", "authres", "arc"), 2),
    **dict.fromkeys(("dmarc", "report"), 3),
    **dict.fromkeys(("milter", "mailflow"), 4),
}
# Arrows along one rung, and steps down that are closed all the same.
SIDEWAYS = {
    *(("domain", "text"), ("encoding", "text")),
    *(("arc", "dkim"), ("report", "dmarc"), ("milter", "mailflow")),
}
CLOSED = {("dmarc", "dkim"), ("dmarc", "spf")}


def room_and_rung(path):
    """The room a file is in and its rung; (None, None) for tests and all that may include all."""
    parts = path.split("/")
    if parts[0] == "countersign":
        if len(parts) == 2:
            return "countersign", GROUND
        if parts[1] == "milter" and parts[2].startswith("packet"):
            return "milter/packet", 2
        return parts[1], RUNGS.get(parts[1])
    if parts[0] in ("service", "cli", "examples"):
        return parts[0], 5 if parts[0] == "service" else 6
    return None, None


def include_ladder(project):
    """Includes go down the ladder."""
    for path, cpp in project.cpp(*PRODUCT):
        room, rung = room_and_rung(path)
        if rung is None:
            yield path, 1, f"countersign/{room}/ has no rung: give it one in rules_of_code.py"
            continue
        for line, included, quoted in cpp.includes:
            if quoted and included in project.texts:
                if remedy := _step(room, rung, included):
                    yield path, line, remedy


def _step(room, rung, included):
    below, rung_below = room_and_rung(included)
    if rung_below is None:
        return f"{room}/ is shipped and may not include {included}, which is not"
    allowed = room == below or (room, below) in SIDEWAYS
    if allowed or (rung_below < rung and (room, below) not in CLOSED):
        return None
    return (
        f"{room}/ (rung {rung}) may not include {below}/ (rung {rung_below}): "
        "move down what both need, or hand it over as a value"
    )


def include_form(project):
    """An include is a header's path from the root; <…> is for foreign headers."""
    for path, cpp in project.cpp(*ALL_CODE):
        for line, included, quoted in cpp.includes:
            if quoted and included not in project.texts:
                yield path, line, f'"{included}" is no path from the root, or write <…>'
            elif quoted and not included.endswith(".hpp"):
                yield path, line, f'"{included}": include headers only'


# A header, the places that may include it, and in how many files it may stand.
LIBRARIES = (
    (r"openssl/", ("countersign/crypto/",), None),
    (r"(idn2|libpsl)\.h", ("countersign/domain/",), None),
    (r"boost/json", ("countersign/dns/zone_json.cpp", "service/", "cli/"), None),
    (r"boost/beast", ("service/web/server.cpp",), 1),
    (r"boost/(?!json|beast)", ("service/",), None),
    (r"archive(_entry)?\.h|pugixml\.hpp|gmime/", ("countersign/encoding/",), None),
    (r"unbound(-event)?\.h", ("service/dns/unbound.cpp",), 1),
    (r"toml\+\+/", ("service/config/",), 1),
    (r"lmdb\.h", ("service/config/",), 1),
    (r"re2/", ("service/config/header_checks.cpp",), 1),
    (r"sqlite3\.h|libpq", ("service/store/",), None),
    (r"curl/", ("service/reporting/",), 1),
    (r"prometheus/", ("service/metrics/",), None),
    (r"(spdlog|systemd)/", ("service/",), None),
    (r"fmt/", ("service/", "cli/"), None),
    (r"CLI/", ("cli/",), None),
)


def library_folders(project):
    """A foreign library is included where it lives and nowhere else."""
    users = {}
    for path, cpp in project.cpp(*PRODUCT):
        for line, included, quoted in cpp.includes:
            for pattern, places, most in LIBRARIES:
                if quoted or not re.match(pattern, included):
                    continue
                if not path.startswith(places):
                    yield path, line, f"<{included}> belongs into {' or '.join(places)} only"
                elif most is not None:
                    users.setdefault(pattern, {})[path] = line, included
    for files in users.values():
        first, *others = files
        for path in others:
            line, included = files[path]
            yield path, line, f"<{included}> may stand in one file, and is in {first} already"


BANNED_HEADERS = frozenset(
    """
    fstream filesystem thread mutex shared_mutex condition_variable future semaphore latch barrier
    stop_token atomic iostream random ctime time.h unistd.h fcntl.h netdb.h syslog.h poll.h spawn.h
    dirent.h signal.h csignal format print sys/socket.h sys/stat.h sys/time.h sys/un.h sys/epoll.h
    netinet/tcp.h pthread.h
    """.split()
)
BANNED_WORDS = (
    (r"\bthrow\b", "a failure is a value here: return std::unexpected(…)"),
    (r"\bnow\s*\(\s*\)", "time is a parameter: take std::chrono::sys_seconds now"),
    (r"\b(time|gettimeofday|clock_gettime|localtime(_r)?)\s*\(", "time is a parameter"),
    (r"\b(random_device|mt19937\w*|s?rand(?=\s*\())", "randomness is a parameter"),
    (r"\b((secure_)?getenv|setenv|putenv)\s*\(", "settings come in as values"),
    (r"\b([io]?fstream|std::filesystem)\b|\bfopen\s*\(", "files are read in service/ or cli/"),
    (r"\bstd::(j?thread|(\w+_)?mutex|atomic|async|once_flag)\b", "threads live in service/"),
    (r"\bthread_local\b", "state is in objects that the caller owns"),
    (r"(?<![\w>])::(socket|connect|bind|accept|recv|send|getaddrinfo)\s*\(", "no sockets here"),
    (r"\bstd::(cout|cerr|clog|format|print(ln)?)\b", "return what there is to say"),
    (r"(?<![\w.>])(f?printf|f?puts|perror|syslog)\s*\(", "return what there is to say"),
    (r"\bgoto\b", "write a function that returns"),
    (r"\b(const_cast|dynamic_cast)\b", "change the types so that no such cast is needed"),
)
# The check for our own bugs must tell somebody before it ends the program.
MAY_SPEAK = {"countersign/assert.hpp"}


def pure_core(project):
    """The core knows no socket, file, clock, thread or log, and throws nothing."""
    for path, cpp in project.cpp("countersign/"):
        if path in MAY_SPEAK:
            continue
        for line, included, quoted in cpp.includes:
            if not quoted and included in BANNED_HEADERS:
                yield path, line, f"<{included}> has no place here: hand the value in from outside"
        for number, line in enumerate(cpp.code_lines, 1):
            for pattern, remedy in BANNED_WORDS:
                if match := re.search(pattern, line):
                    yield path, number, f"'{match.group(0).strip()}': {remedy}"


def mutable_statics(project):
    """The core keeps no state between calls."""
    remedy = "make it const or constexpr, or a member of what the caller owns"
    for path, cpp in project.cpp("countersign/"):
        for match in re.finditer(r"\bstatic\b([^;{}=]*)", cpp.code):
            declared = match.group(1)
            if not re.search(r"\b(const|constexpr|constinit)\b", declared) and "(" not in declared:
                yield path, cpp.code.count("\n", 0, match.start()) + 1, remedy
        for declared in cpp.declarations:
            outside = declared.kind == "variable" and declared.scope.kind in ("namespace", "file")
            if outside and not re.search(r"\b(const|constexpr)\b", declared.header):
                yield path, declared.line, remedy


def understood(project):
    """The rules understand the code that they measure."""
    for path, cpp in project.cpp(*ALL_CODE):
        if not cpp.is_understood:
            yield path, 1, "cpp_text.py loses its way in this file: teach it, or write it plainer"


FILE_LINES_MAX = 600
HEADER_LINES_MAX = 300
FUNCTION_LINES_MAX = 70
NESTING_MAX = 4
PARAMETERS_MAX = 5


def file_length(project):
    """A file has at most 600 lines, a header 300; tables of data (_table.cpp) are free."""
    for path, cpp in project.cpp(*ALL_CODE):
        most = HEADER_LINES_MAX if path.endswith(".hpp") else FILE_LINES_MAX
        length = len(cpp.lines) - 1
        if length > most and not re.search(r"_table\.[ch]pp$", path):
            yield path, length, f"{length} lines, {most} at most: divide it by concern"


def function_length(project):
    """A function has at most 70 lines."""
    for path, cpp in project.cpp(*ALL_CODE):
        for function in cpp.functions:
            length = function.close_line - function.open_line + 1
            if length > FUNCTION_LINES_MAX:
                remedy = f"{function.path}() has {length} lines, {FUNCTION_LINES_MAX} at most"
                yield path, function.line, f"{remedy}: give its steps names"


def function_nesting(project):
    """A function nests control blocks at most 4 deep."""
    for path, cpp in project.cpp(*ALL_CODE):
        for function in cpp.functions:
            if function.depth > NESTING_MAX:
                remedy = f"{function.path}() nests {function.depth} deep, {NESTING_MAX} at most"
                yield path, function.line, f"{remedy}: return early, or divide it"


def function_parameters(project):
    """A function takes at most 5 parameters."""
    for path, cpp in project.cpp(*ALL_CODE):
        for declared in cpp.declarations:
            count = len(parameters(declared.header)) if declared.kind == "function" else 0
            if count > PARAMETERS_MAX:
                remedy = f"{declared.name}() takes {count}, {PARAMETERS_MAX} at most"
                yield path, declared.line, f"{remedy}: make a struct with named members"


def pragma_once(project):
    """A header is included once."""
    for path, cpp in project.cpp(*ALL_CODE, suffixes=(".hpp",)):
        if not any(re.match(r"#pragma once\b", line) for line in cpp.lines):
            yield path, 1, "write #pragma once below the head comment"


def docstrings(project):
    """Every public declaration of a header has a /// docstring."""
    for path, cpp in project.cpp("countersign/", "service/", "cli/", suffixes=(".hpp",)):
        previous = None
        for declared in sorted(cpp.declarations, key=lambda one: one.line):
            documented = _has_docstring(cpp, declared) or _goes_with(previous, declared)
            if _needs_docstring(declared) and not documented:
                yield path, declared.line, f"say in one /// sentence what {declared.name} is"
            previous = declared if documented else None


def _needs_docstring(declared):
    scope = declared.scope
    if declared.access != "public" or not declared.name or _is_internal(scope):
        return False
    if scope.kind in ("file", "namespace"):
        # A member defined below its class is documented in the class.
        return declared.kind in ("type", "function", "variable") and "::" not in declared.name
    if declared.kind == "function":
        return not _is_self_evident(declared)
    return declared.kind == "type"


def _is_internal(scope):
    while scope is not None:
        if scope.kind == "namespace" and (not scope.name or re.search(r"\bdetail\b", scope.name)):
            return True
        scope = scope.parent
    return False


def _is_self_evident(declared):
    """Constructors and destructors, operators, overrides, and accessors of one return."""
    owner, name = declared.scope.name, declared.name
    if name in (owner, f"~{owner}") or "operator" in name:
        return True
    if re.search(r"\b(override|friend)\b", declared.header):
        return True
    one_return = declared.body is not None and re.fullmatch(r"\s*return [^;]*;\s*", declared.body)
    return one_return and not parameters(declared.header)


def _has_docstring(cpp, declared):
    if _is_documented(cpp, declared.line) or "///<" in cpp.lines[declared.end_line - 1]:
        return True
    # Constants in a namespace of their own may have the namespace's.
    scope = declared.scope
    is_constant = declared.kind == "variable" and scope.kind == "namespace"
    return is_constant and _is_documented(cpp, scope.line)


def _is_documented(cpp, line):
    return line > 1 and cpp.lines[line - 2].strip().startswith("///")


def _goes_with(previous, declared):
    """True for an overload, or a constant of a group, on the line below its documented sibling."""
    if previous is None or previous.end_line + 1 != declared.line:
        return False
    return previous.name == declared.name or previous.kind == declared.kind == "variable"


_RFC = re.compile(r"\brfc[\s-]*\d{3,5}\b", re.IGNORECASE)
_GOOD = re.compile(r"RFC \d{3,5}\b(?!,? (?:[Ss]ect|[Ss]ec\.|[Aa]ppendix))(?!, §|§| § )")
_TERM = re.compile(r"RFC532[12]\.[A-Z]")  # RFC5322.From and its kin are terms of RFC 5598.


def citations(project):
    """A citation is written RFC nnnn §x.y or RFC nnnn erratum n."""
    remedy = "write 'RFC 6376 §3.5', 'RFC 5234 §B.1' or 'RFC 6376 erratum 5070'"
    for path, cpp in project.cpp(*ALL_CODE):
        for comment in cpp.comments:
            for match in _RFC.finditer(comment.text):
                at = match.start()
                if not _TERM.match(comment.text, at) and not _GOOD.match(comment.text, at):
                    yield path, comment.line + comment.text.count("\n", 0, at), remedy


def comments(project):
    """Comments leave nothing to be done and are no banners."""
    for path, cpp in project.cpp(*ALL_CODE):
        for comment in cpp.comments:
            if re.search(r"\b(TODO|FIXME|HACK|XXX)\b", comment.text):
                yield path, comment.line, "finish it or file it; a comment says what is"
            if re.fullmatch(r"//+\s*[-=*#/]{10,}\s*", comment.text):
                yield path, comment.line, "divide the file if it needs banners"


RULES = (
    include_ladder,
    include_form,
    library_folders,
    pure_core,
    mutable_statics,
    understood,
    file_length,
    function_length,
    function_nesting,
    function_parameters,
    pragma_once,
    docstrings,
    citations,
    comments,
)
