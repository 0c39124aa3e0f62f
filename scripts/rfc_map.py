#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
#
# Collects the citations in the comments of the code (`RFC 6376 §3.5`, `RFC 6376 erratum 5070`) into
# docs/rfc-map.md: for each section of a standard the files and symbols that obey it. Lines are not
# named, so that the map changes only when a citation does.
#
#   scripts/rfc_map.py            writes docs/rfc-map.md
#   scripts/rfc_map.py --check    fails when it is not up to date

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "house_rules"))
sys.dont_write_bytecode = True

from project import Project  # noqa: E402  (the path is set above)

MAP = ROOT / "docs" / "rfc-map.md"
ITEM = r"(?:§[A-Z\d][\w.]*\b|erratum \d+)"
CITATION = re.compile(rf"RFC (\d{{3,5}}) ({ITEM}(?:(?:, | and ){ITEM})*)")
TITLES = {
    1034: "Domain names: concepts",
    1035: "Domain names: implementation",
    1421: "Privacy-enhanced mail, for the PEM form of keys",
    2045: "MIME: format of message bodies",
    3339: "Date and time on the Internet",
    3629: "UTF-8",
    4035: "DNSSEC: protocol",
    4291: "IPv6 addresses",
    4648: "Base16, base32 and base64",
    5234: "ABNF",
    5280: "X.509, for the form of public keys",
    5321: "SMTP",
    5322: "Internet Message Format",
    5424: "Syslog",
    5890: "Internationalized domain names: definitions",
    5891: "Internationalized domain names: protocol",
    5915: "Elliptic-curve private keys",
    5952: "How IPv6 addresses are written",
    5958: "PKCS #8, private keys",
    6376: "DKIM",
    6531: "SMTP with UTF-8 addresses",
    6532: "Messages with UTF-8 header fields",
    6651: "Reports of DKIM failures",
    7208: "SPF",
    7468: "PEM",
    7505: "Null MX",
    8017: "PKCS #1, RSA",
    8020: "NXDOMAIN: there is nothing below",
    8032: "Ed25519",
    8058: "One-click unsubscription",
    8259: "JSON",
    8301: "DKIM: algorithms and key sizes",
    8410: "The form of Ed25519 keys",
    8463: "DKIM with Ed25519",
    8601: "Authentication-Results",
    8616: "Mail authentication of internationalized mail",
    9989: "DMARC",
}
HEAD = """<!-- Written by scripts/rfc_map.py from comments of the code: change those, run it. -->

# Standards, section by section

Which code obeys which section: the file, and the symbols whose comments cite it.
"""


def comment_blocks(cpp):
    """The comments as (line of each character, text), neighbouring // lines joined."""
    lines, text, last = [], "", -1
    for comment in cpp.comments:
        if comment.line != last + 1 and text:
            yield lines, text
            lines, text = [], ""
        words = re.sub(r"^(//[/<!]*|/\*+)\s*|\s*\*/$", "", comment.text).strip() + " "
        lines += [comment.line] * len(words)
        text += words
        last = comment.line + comment.text.count("\n")
    if text:
        yield lines, text


def citations(project):
    """All citations as {rfc: {section: {(path, symbol)}}}."""
    found = {}
    for path, cpp in project.cpp("countersign/", "service/", "cli/"):
        for lines, text in comment_blocks(cpp):
            for match in CITATION.finditer(text):
                symbol = cpp.symbol_at(lines[match.start()])
                for section in re.split(r", | and ", match.group(2)):
                    sections = found.setdefault(int(match.group(1)), {})
                    sections.setdefault(section.rstrip("."), set()).add((path, symbol))
    return found


def natural(section):
    """Sorts §3.10 after §3.9, §B.1 after both, and errata last."""
    parts = re.findall(r"\d+|[^\d.]+", section.replace("erratum", "~").lstrip("§"))
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in parts]


def render(found):
    """The document."""
    parts = [HEAD]
    for rfc in sorted(found):
        title = f"{TITLES[rfc]}.\n\n" if rfc in TITLES else ""
        parts.append(f"\n## RFC {rfc}\n\n{title}| section | code |\n|---|---|\n")
        for section in sorted(found[rfc], key=natural):
            parts.append(f"| {section} | {places(found[rfc][section])} |\n")
    return "".join(parts)


def places(found):
    """Each file as a link, with its symbols behind it."""
    symbols = {}
    for path, symbol in sorted(found):
        symbols.setdefault(path, []).append(symbol)
    return " · ".join(
        " ".join(
            [
                f"[{path.removeprefix('countersign/')}](../{path})",
                *(f"`{one}`" for one in names if one),
            ]
        )
        for path, names in symbols.items()
    )


def main():
    text = render(citations(Project.read(ROOT)))
    if sys.argv[1:] == ["--check"]:
        if not MAP.exists() or MAP.read_text() != text:
            sys.exit("docs/rfc-map.md is not up to date: run scripts/rfc_map.py and commit it")
    elif sys.argv[1:]:
        sys.exit("usage: scripts/rfc_map.py [--check]")
    else:
        MAP.write_text(text)


if __name__ == "__main__":
    main()
