# SPDX-License-Identifier: Apache-2.0
#
# Reads C++ far enough to measure it: which octets are code and which are comments or literals, and
# where namespaces, types, functions and declarations begin and end. It is no parser of C++. It
# follows brackets and looks at the words in front of each brace, which is right for code that
# clang-format has laid out; rules_test.py holds it to that.

import re
from dataclasses import dataclass, field
from functools import cached_property

_TOKEN = re.compile(
    r"""
      (?P<line_comment>//[^\n]*)
    | (?P<block_comment>/\*.*?\*/)
    | (?P<raw>(?:u8|[uUL])?R"(?P<tag>[^()\\\s]{0,16})\(.*?\)(?P=tag)")
    | (?P<number>\b\d(?:'?[\w.])*)
    | (?P<string>"(?:\\.|[^"\\\n])*")
    | (?P<char>'(?:\\.|[^'\\\n])*')
    """,
    re.VERBOSE | re.DOTALL,
)


@dataclass
class Comment:
    """One // line or one /* */ block."""

    line: int
    text: str
    begins_line: bool  # nothing but white space stands before it


@dataclass
class Scope:
    """A pair of braces that is a namespace, a type or a function, and what stands in it."""

    kind: str  # file, namespace, type or function
    name: str
    line: int  # where the declaration begins
    open_line: int
    close_line: int = 0
    header: str = ""
    parent: "Scope | None" = None
    depth: int = 0  # of control blocks in a function: the deepest
    body: str = ""

    @property
    def path(self):
        """The name with the types around it: Splitter::feed."""
        if self.parent and self.parent.kind == "type":
            return f"{self.parent.path}::{self.name}"
        return self.name


@dataclass
class Declaration:
    """What a namespace or a type declares: a type, function, variable, alias or other."""

    kind: str
    name: str
    line: int
    end_line: int
    header: str
    scope: Scope
    access: str  # public, protected or private
    body: str | None = None


@dataclass
class _State:
    scope: Scope
    access: str = "public"
    statement: str = ""
    statement_line: int = 0
    blocks: list = field(default_factory=list)


class CppText:
    """A C++ file, its code separated from its comments and literals."""

    def __init__(self, text):
        self.text = text
        self.lines = text.split("\n")
        self.comments = []
        self.strings = []
        code = []
        at = 0
        for match in _TOKEN.finditer(text):
            kind = match.lastgroup if match.lastgroup != "tag" else "raw"
            if kind == "number":
                continue
            code.append(text[at : match.start()])
            at = match.end()
            found = match.group(0)
            line = text.count("\n", 0, match.start()) + 1
            if kind in ("line_comment", "block_comment"):
                start = text.rfind("\n", 0, match.start()) + 1
                self.comments.append(Comment(line, found, not text[start : match.start()].strip()))
                code.append(_blank(found))
            else:
                self.strings.append((line, found))
                # The quotes stay, so that a literal is still an operand.
                code.append(found[0] + _blank(found[1:-1]) + found[-1] if len(found) > 1 else found)
        code.append(text[at:])
        self.code = "".join(code)
        self.code_lines = self.code.split("\n")

    @cached_property
    def includes(self):
        """Every #include as (line, path, quoted)."""
        found = []
        for number, line in enumerate(self.lines, 1):
            match = re.match(r'\s*#\s*include\s*([<"])([^>"]+)[>"]', line)
            if match:
                found.append((number, match.group(2), match.group(1) == '"'))
        return found

    @cached_property
    def _structure(self):
        reader = _Reader(self.code_without_directives)
        reader.read()
        return reader

    @property
    def scopes(self):
        """All namespaces, types and functions that have braces here."""
        return self._structure.scopes

    @property
    def functions(self):
        """The functions that have a body here."""
        return [scope for scope in self.scopes if scope.kind == "function"]

    @property
    def declarations(self):
        """What namespaces and types declare."""
        return self._structure.declarations

    @property
    def is_understood(self):
        """True when all brackets were found to close and every function has a name."""
        closed = len(self._structure.stack) == 1 and self._structure.depth == 0
        return closed and all(function.name for function in self.functions)

    @cached_property
    def code_without_directives(self):
        """The code with preprocessor lines blanked, continuation lines too."""
        lines, inside = [], False
        for line in self.code_lines:
            directive = inside or line.lstrip().startswith("#")
            inside = directive and line.rstrip().endswith("\\")
            lines.append(" " * len(line) if directive else line)
        return "\n".join(lines)

    def symbol_at(self, line):
        """The function or type that a line, or the comment on it, belongs to; '' when none."""
        best = None
        for scope in self.scopes:
            inside = scope.line <= line <= scope.close_line
            if scope.kind in ("type", "function") and inside:
                if best is None or scope.line >= best.line:
                    best = scope
        for declared in self.declarations:
            inside = self.comment_start(declared.line) <= line <= declared.end_line
            if inside and declared.kind != "other" and declared.name:
                if best is None or declared.line > best.line:
                    path = declared.name
                    if declared.scope.kind == "type":
                        path = f"{declared.scope.path}::{path}"
                    return path
        return best.path if best else ""

    def comment_start(self, line):
        """The first line of the comment directly above a line; the line itself without one."""
        first = line
        while first > 1 and self.lines[first - 2].strip().startswith("//"):
            first -= 1
        return first


def _blank(text):
    return re.sub(r"[^\n]", " ", text)


_CONTROL = re.compile(r"^(?:\}?\s*else\b|if\b|for\b|while\b|switch\b|do\b|try\b|catch\b)")
_TYPE = re.compile(r"^(?:typedef\s+)?(class|struct|union|enum(?:\s+(?:class|struct))?)\b")
_ACCESS = re.compile(r"\b(public|protected|private)\s*:(?!:)")
_NOT_A_NAME = {
    "if",
    "for",
    "while",
    "switch",
    "return",
    "catch",
    "sizeof",
    "decltype",
    "noexcept",
    "requires",
    "alignas",
}


class _Reader:
    """One pass over the code that keeps a stack of scopes."""

    def __init__(self, code):
        self.code = code
        self.line = 1
        self.scopes = []
        self.declarations = []
        self.stack = [_State(Scope("file", "", 1, 1))]
        self.depth = 0  # of parentheses and brackets

    def read(self):
        code, at, size = self.code, 0, len(self.code)
        while at < size:
            char = code[at]
            top = self.stack[-1]
            self.depth += (char in "([") - (char in ")]")
            if char == "{":
                if top.scope.kind == "function":
                    self._open_block(at)
                elif self.depth > 0 or self._is_initializer(top.statement):
                    end = _matching_brace(code, at)
                    self._append(code[at:end])
                    at = end
                    continue
                else:
                    self._open_scope(at)
            elif char == "}":
                self._close(at)
            elif char == ";" and self.depth <= 0:
                self._end_statement()
            elif char == ":" and top.scope.kind == "type" and _is_access(top.statement):
                top.access = _is_access(top.statement)
                top.statement = ""
            else:
                self._append(char)
            at += 1

    def _append(self, text):
        top = self.stack[-1]
        for char in text:
            if not top.statement and not char.isspace():
                top.statement_line = self.line
            if top.statement or not char.isspace():
                top.statement += char
            self.line += char == "\n"

    def _is_initializer(self, statement):
        """True when the brace after this statement begins a value and not a body."""
        header = _without_templates(statement)
        if re.match(r"(inline\s+)?namespace\b|extern\s*\"", header) or _TYPE.match(header):
            return bool(_TYPE.match(header)) and _has_top_level(header, "=")
        if _has_top_level(_without_operator_name(header), "=") or not _parameters_span(header):
            return True
        # The initializer list of a constructor: `: member_{` goes on, `) {` and `} {` begin the
        # body.
        after = _after_parameters(header)
        if re.search(r"(?<!:):(?!:)", after):
            return bool(re.search(r"[\w>]\s*$", header))
        return False

    def _open_scope(self, at):
        top = self.stack[-1]
        header = " ".join(top.statement.split())
        bare = _without_templates(header)
        kind_match = _TYPE.match(bare)
        if re.match(r"(inline\s+)?namespace\b|extern\s*\"", bare):
            kind, name = (
                "namespace",
                re.sub(r"^(inline\s+)?namespace\s*|^extern.*", "", bare).strip(),
            )
        elif kind_match and not re.search(
            r"\w\s*\(", re.sub(r"alignas\s*\([^)]*\)|\[\[.*?\]\]", "", bare)
        ):
            kind, name = "type", _type_name(bare)
        else:
            kind, name = "function", function_name(header)
        scope = Scope(
            kind,
            name,
            top.statement_line or self.line,
            self.line,
            header=header,
            parent=top.scope,
            body=str(at),
        )
        access = "private" if kind == "type" and kind_match.group(1) == "class" else "public"
        self.stack.append(_State(scope, access))

    def _open_block(self, at):
        """A brace inside a function; the state keeps the words since the last ; { or }."""
        top = self.stack[-1]
        top.blocks.append((bool(_CONTROL.match(top.statement.strip())), top.statement, self.depth))
        top.scope.depth = max(top.scope.depth, sum(control for control, _, _ in top.blocks))
        top.statement, self.depth = "", 0

    def _close(self, at):
        top = self.stack[-1]
        if top.scope.kind == "function" and top.blocks:
            _, statement, self.depth = top.blocks.pop()
            # Inside parentheses the brace was a value or a lambda, and the statement around it goes
            # on.
            top.statement = statement if self.depth > 0 else ""
            return
        if len(self.stack) == 1:
            return
        scope = self.stack.pop().scope
        scope.close_line = self.line
        scope.body = self.code[int(scope.body) + 1 : at]
        self.scopes.append(scope)
        outer = self.stack[-1]
        if scope.kind == "namespace":
            outer.statement = ""
        elif scope.kind == "function":
            self._declare("function", scope.name, scope.body)
        else:
            # `struct X {…} name;` goes on to the semicolon.
            self._declare("type", scope.name, scope.body, keep=True)

    def _end_statement(self):
        top = self.stack[-1]
        if top.scope.kind == "function":
            top.statement = ""
            return
        header = " ".join(top.statement.split())
        if header and header != "\0":
            kind, name = _classify(header)
            self._declare(kind, name, None)
        top.statement = ""

    def _declare(self, kind, name, body, keep=False):
        top = self.stack[-1]
        header = " ".join(top.statement.split())
        self.declarations.append(
            Declaration(
                kind,
                name,
                top.statement_line or self.line,
                self.line,
                header,
                top.scope,
                top.access,
                body,
            )
        )
        top.statement = "\0" if keep else ""
        if keep:
            top.statement_line = self.line


def _matching_brace(code, at):
    depth = 0
    while at < len(code):
        depth += (code[at] == "{") - (code[at] == "}")
        at += 1
        if depth == 0:
            break
    return at


def _is_access(statement):
    match = re.fullmatch(r"(public|protected|private)\s*", statement)
    return match.group(1) if match else ""


def _without_templates(statement):
    """The statement without template<…> and extern "C" in front and without attributes."""
    statement = re.sub(r"\[\[.*?\]\]", "", statement.replace("\0", "")).strip()
    statement = re.sub(r'^extern\s*"\s*"\s+(?=\w)', "", statement)
    while True:
        match = re.match(r"template\s*<", statement)
        if not match:
            return statement
        end, depth = match.end(), 1
        while end < len(statement) and depth:
            depth += (statement[end] == "<") - (statement[end] == ">")
            end += 1
        statement = statement[end:].strip()


def _without_operator_name(header):
    return re.sub(r"\boperator\s*(?:\(\s*\)|[^\s\w(]+)", "operator_", header)


def _has_top_level(text, wanted):
    depth = 0
    for char in text:
        depth += (char in "([{") - (char in ")]}")
        if char == wanted and depth == 0:
            return True
    return False


def _parameters_span(header):
    """Start and end of the parameter list: the first parentheses after a name; None without."""
    header, at = _masked(header), 0
    while True:
        match = re.compile(r"([\w~]+)\s*\(").search(header, at)
        if not match:
            return None
        end, depth = match.end(), 1
        while end < len(header) and depth:
            depth += (header[end] == "(") - (header[end] == ")")
            end += 1
        if match.group(1) not in _NOT_A_NAME:
            return match.end(), end - 1
        at = end


def _masked(header):
    """The header, its length kept, with underscores for names of operators and for <…>."""
    header = re.sub(r"\boperator\s*(?:\(\s*\)|[^\s\w(]+)", lambda m: "_" * len(m.group(0)), header)
    masked, angles, depth = [], 0, 0
    for at, char in enumerate(header):
        if (
            depth == 0
            and char == "<"
            and at
            and (header[at - 1].isalnum() or header[at - 1] == "_")
        ):
            angles += 1
        masked.append("_" if angles else char)
        if angles and char == ">" and header[at - 1] != "-":
            angles -= 1
        elif not angles:
            depth += (char in "([{") - (char in ")]}")
    return "".join(masked) if angles == 0 else header


def _after_parameters(header):
    span = _parameters_span(header)
    return header[span[1] + 1 :] if span else ""


def parameters(header):
    """The parameters of a function's header, each as text."""
    bare = _without_templates(header)
    span = _parameters_span(bare)
    if not span:
        return []
    inner = bare[span[0] : span[1]].replace("->", "  ")
    parts, depth, current = [], 0, ""
    for char in inner:
        depth += (char in "([{<") - (char in ")]}>")
        if char == "," and depth == 0:
            parts.append(current.strip())
            current = ""
        else:
            current += char
    parts.append(current.strip())
    return [part for part in parts if part and part != "void"]


def function_name(header):
    """The name in front of the parameter list, qualified as written."""
    bare = _without_templates(header)
    match = re.search(
        r"((?:[\w~]+(?:<[^<>()]*>)?::)*operator\s*(?:\(\s*\)|[^\s(]+(?:\s+[\w:*&]+)?))\s*\(", bare
    )
    if match:
        return " ".join(match.group(1).split())
    span = _parameters_span(bare)
    if not span:
        return ""
    match = re.search(r"((?:[\w~]+(?:<[^<>()]*>)?::)*[\w~]+)\s*\($", bare[: span[0]])
    return match.group(1) if match else ""


def _type_name(bare):
    rest = _TYPE.sub("", bare, count=1)
    rest = re.sub(r"alignas\s*\([^)]*\)", "", rest)
    match = re.match(r"\s*([\w:]+)", rest)
    return match.group(1) if match else ""


def _classify(header):
    """What a statement without a body declares, as (kind, name)."""
    bare = _without_templates(header)
    if re.match(r"(using|typedef)\b", bare):
        match = re.match(r"using\s+(\w+)\s*=", bare)
        return "alias", match.group(1) if match else ""
    if re.match(r"(friend|static_assert|namespace|extern\s+template|template)\b", bare) or not bare:
        return "other", ""
    if _TYPE.match(bare) and not _has_top_level(bare, "="):
        if re.fullmatch(
            r"(class|struct|union|enum(\s+(class|struct))?)\s+[\w:]+(\s*:\s*[\w:]+)?", bare
        ):
            return "other", ""  # a forward declaration
    if re.match(r"concept\b", bare):
        return "type", re.match(r"concept\s+(\w+)", bare).group(1)
    before_value = re.split(r"=(?!=)", _without_operator_name(bare))[0]
    if _parameters_span(bare.split("=")[0] if "operator" not in bare else bare):
        return "function", function_name(bare)
    match = re.search(r"(\w+)\s*(?:\[[^\]]*\])*\s*(?:\{.*\})?\s*$", before_value)
    return "variable", match.group(1) if match else ""
