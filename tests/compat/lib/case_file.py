# SPDX-License-Identifier: Apache-2.0
#
# The cases: one file is one configuration with its tables, keys and mails, and what both filters
# make of them.
r"""Reads the cases.

A file is a list of sections. What stands in brackets is copied to its place before a filter starts;
all paths are the real ones, since each case has an /etc, /run and /var of its own.

    # Comment: what the case shows.
    [conf escaped]                 /etc/opendkim.conf, word by word; with "escaped", \r and \xNN
                                   stand for octets
    [file PATH user=U mode=M]      any other file; user, mode and escaped may be left or put in
    [folders]                      lines PATH user=U mode=M, made before all else
    [keys]                         lines PATH KEY user=U mode=M; KEY is one of keys.py
    [socket]                       one line: where the configuration itself listens; without this
                                   section, the filters get a socket with -p
    [daemons-only]                 no lines: mails are not signed without daemons too, as all
                                   that need no envelope are
    [check]                        lines WHO WORD: what the checker says (clean, warns, errors),
                                   and lines "says TEXT": what countersign's must say
    [start]                        lines WHO WORD: starts or refuses
    [senders DATA-SET]             lines ADDRESS OUTCOME: a plain mail From: that address each; with
                                   a data set, opendkim -Q too must find the key name (= selector)
    [mail NAME]                    directives, a line "---", and the mail word by word

Directives of a mail, one a line:

    from ADDRESS                   the plain mail with this From, instead of "---" and a mail
    client IP [NAME]               the SMTP client; 127.0.0.1 localhost if not given
    login USER                     who has logged in
    rcpt ADDRESS                   a recipient; repeated for more
    macro NAME=VALUE               of the MTA; repeated for more
    WHO OUTCOME                    what comes out; repeated for each further signature
    escaped                        in the mail, \r and \xNN stand for octets
    fields WHO NAME, NAME…         the header fields that come out, in order
    difference REASON              why WHO is not "both"; a row of docs/opendkim.md

WHO is both, opendkim or countersign. OUTCOME is unsigned, tempfail, reject, discard, crash or
"signed d=… s=… key=…" with further tags to compare: i= (i=- when there must be none), a= c= h= l=
z= r= and x=+SECONDS. Both programs verify each signature by the public half of that key;
refused-by= names the one that must not accept it (opendkim, countersign, both). In [senders],
[check] and [start], a line "difference REASON" explains the lines behind it. Whatever is expected,
both must agree in all tags but b= and t= when WHO is both.
"""

import re
from dataclasses import dataclass, field

BOTH = ("opendkim", "countersign")
WHO = ("both", *BOTH)
OUTCOMES = ("unsigned", "tempfail", "reject", "discard", "crash", "signed")
SECTION = re.compile(
    r"\[(conf|file|folders|keys|socket|daemons-only|check|start|senders|mail)\b ?(.*)\]"
)

PLAIN_MAIL = """\
From: {sender}
To: rcpt@remote.example
Subject: Compatibility
Date: Mon, 06 Jul 2026 10:00:00 +0000
Message-ID: <one@sender.example>

Hello.
"""


class CaseError(Exception):
    """A case file that cannot be understood; the text names file and line."""


@dataclass
class Place:
    """A file, folder or key to be made."""

    path: str
    user: str = ""
    mode: str = ""
    content: bytes = b""  # Of a file.
    key: str = ""  # Name of a key.


@dataclass
class Expectation:
    """What one of the filters, or both, must do."""

    outcome: str = ""
    signatures: list = field(default_factory=list)  # A dict of tags for each.


@dataclass
class Mail:
    """One mail to push through both filters, with its envelope."""

    name: str
    text: bytes = b""
    client: str = ""
    client_name: str = ""
    login: str = ""
    recipients: list = field(default_factory=list)
    macros: list = field(default_factory=list)
    expected: dict = field(default_factory=dict)  # By who; "both" alone, or the other two.
    fields: dict = field(default_factory=dict)  # Names in lower case, by opendkim or countersign.
    difference: str = ""
    lookup: tuple = ()  # Data set and key to ask opendkim -Q for.

    def has_envelope(self):
        """True when the case says who sends the mail, or to whom."""
        return bool(self.client or self.login or self.recipients or self.macros)


@dataclass
class Words:
    """Words that are expected of the programs themselves: what a checker says, how a start ends."""

    by_who: dict = field(default_factory=dict)
    difference: str = ""
    says: list = field(default_factory=list)


@dataclass
class Case:
    """A whole file."""

    name: str
    conf: bytes = b""
    files: list = field(default_factory=list)
    folders: list = field(default_factory=list)
    keys: list = field(default_factory=list)
    socket: str = ""
    daemons_only: bool = False
    check: Words = field(default_factory=Words)
    start: Words = field(default_factory=Words)
    mails: list = field(default_factory=list)

    def differences(self):
        """The reasons that the case gives."""
        reasons = [self.check.difference, self.start.difference]
        return {one for one in reasons + [mail.difference for mail in self.mails] if one}


def read_case(path):
    """Reads a case file. CaseError when it is not one."""
    return _Reader(path).read()


class _Reader:
    """Goes through the file once, section by section."""

    def __init__(self, path):
        self.path = path
        self.case = Case(path.stem)
        self.number = 0

    def read(self):
        lines = self.path.read_text(encoding="utf-8").split("\n")
        kind, argument, begin, body = "", "", 0, []
        for number, line in enumerate(lines + ["[mail]"], 1):
            match = SECTION.fullmatch(line)
            if not match:
                body.append(line)
                continue
            self.number = begin
            if kind:
                getattr(self, "_" + kind.replace("-", "_"))(argument, _without_last_blank(body))
            kind, argument, begin, body = match[1], match[2], number, []
        self.number = 0
        if not self.case.conf:
            raise self._error("there is no [conf]")
        if not (self.case.mails or self.case.check.by_who or self.case.start.by_who):
            raise self._error("nothing is compared")
        names = [mail.name for mail in self.case.mails]
        if len(set(names)) != len(names):
            raise self._error("two mails have the same name")
        return self.case

    def _error(self, text):
        return CaseError(f"{self.path.name}:{self.number}: {text}")

    def _directives(self, body):
        """The lines that say something, with their numbers."""
        for offset, line in enumerate(body, self.number + 1):
            if line.strip() and not line.startswith("#"):
                self.number = offset
                yield line.split()

    def _conf(self, argument, body):
        self.case.conf = _octets(body, "\n", argument == "escaped")

    def _file(self, argument, body):
        words = argument.split()
        place = self._place([word for word in words if word != "escaped"])
        place.content = _octets(body, "\n", "escaped" in words)
        self.case.files.append(place)

    def _folders(self, _, body):
        self.case.folders += [self._place(words) for words in self._directives(body)]

    def _keys(self, _, body):
        for path, key, *rest in self._directives(body):
            place = self._place([path, *rest])
            place.key = key
            self.case.keys.append(place)

    def _socket(self, _, body):
        for words in self._directives(body):
            self.case.socket = words[0]

    def _daemons_only(self, *_):
        self.case.daemons_only = True

    def _check(self, _, body):
        self._words(self.case.check, body, ("clean", "warns", "errors"))

    def _start(self, _, body):
        self._words(self.case.start, body, ("starts", "refuses"))

    def _senders(self, argument, body):
        difference = ""
        for words in self._directives(body):
            if words[0] == "difference":
                difference = words[1]
                continue
            sender, *rest = words
            mail = Mail(sender, plain_mail(sender), difference=difference)
            mail.lookup = (argument, sender) if argument else ()
            who = rest[0] if rest[0] in WHO else "both"
            for one in " ".join(rest).split(" ; "):
                parts = one.split()
                who = parts.pop(0) if parts[0] in WHO else who
                self._expect(mail, who, parts)
            self._finish(mail)

    def _mail(self, argument, body):
        mail = Mail(argument)
        head, text = body, None
        if "---" in body:
            at = body.index("---")
            head, text = body[:at], body[at + 1 :]
        for words in self._directives(head):
            self._direct(mail, words)
        if text is not None:
            mail.text = _octets(text, "\r\n", ["escaped"] in map(str.split, head))
        if not mail.text:
            raise self._error(f"the mail '{mail.name}' has no text")
        self._finish(mail)

    def _direct(self, mail, words):
        name, *rest = words
        if name == "from":
            mail.text = plain_mail(" ".join(rest))
        elif name == "escaped":
            return
        elif name == "client":
            mail.client, mail.client_name = rest[0], "".join(rest[1:])
        elif name == "login":
            mail.login = rest[0]
        elif name == "rcpt":
            mail.recipients += rest
        elif name == "macro":
            mail.macros.append(" ".join(rest))
        elif name == "fields":
            for who in BOTH if rest[0] == "both" else rest[:1]:
                mail.fields[who] = [one.strip().lower() for one in " ".join(rest[1:]).split(",")]
        elif name == "difference":
            mail.difference = rest[0]
        elif name in WHO:
            self._expect(mail, name, rest)
        else:
            raise self._error(f"there is no directive '{name}'")

    def _expect(self, mail, who, words):
        if not words or words[0] not in OUTCOMES:
            raise self._error("expected one of " + ", ".join(OUTCOMES))
        expectation = mail.expected.setdefault(who, Expectation(words[0]))
        if expectation.outcome != words[0]:
            raise self._error("a mail has one outcome for each")
        if words[0] != "signed":
            return
        tags = dict(word.split("=", 1) for word in words[1:])
        if not {"d", "s", "key"} <= set(tags):
            raise self._error("a signature is expected with d=, s= and key=")
        expectation.signatures.append(tags)

    def _finish(self, mail):
        whos = set(mail.expected)
        if whos != {"both"} and whos != set(BOTH):
            raise self._error(f"'{mail.name}' needs what both do, or what each does")
        if ("both" not in whos) != bool(mail.difference):
            raise self._error(f"'{mail.name}': a difference has a reason, and only a difference")
        self.case.mails.append(mail)

    def _words(self, words, body, known):
        for name, *rest in self._directives(body):
            if name == "difference":
                words.difference = rest[0]
            elif name == "says":
                words.says.append(" ".join(rest))
            elif name in WHO and rest and rest[0] in known:
                for one in BOTH if name == "both" else (name,):
                    words.by_who[one] = rest[0]
            else:
                raise self._error("expected WHO and one of " + ", ".join(known))
        if set(words.by_who) != set(BOTH):
            raise self._error("say what each of the two does")
        if (len(set(words.by_who.values())) > 1) != bool(words.difference):
            raise self._error("a difference has a reason, and only a difference")

    def _place(self, words):
        path, *rest = words
        values = dict(word.split("=", 1) for word in rest)
        if not path.startswith("/") or set(values) - {"user", "mode"}:
            raise self._error("expected a whole path, and user= and mode=")
        return Place(path, **values)


def plain_mail(sender):
    """A mail From: that sender of which nothing else matters."""
    return PLAIN_MAIL.format(sender=sender).replace("\n", "\r\n").encode()


def _octets(lines, line_end, escaped):
    r"""The lines as they go into a file; escaped: with what \r and \xNN stand for."""
    octets = "".join(line + line_end for line in lines).encode()
    if not escaped:
        return octets
    return re.sub(
        rb"\\(r|x[0-9a-f]{2})",
        lambda match: b"\r" if match[1] == b"r" else bytes.fromhex(match[1][1:].decode()),
        octets,
    )


def _without_last_blank(body):
    """A blank line before the next section belongs to nobody."""
    return body[:-1] if body and body[-1] == "" else body
