# SPDX-License-Identifier: Apache-2.0
"""What a filter did to a mail, in a form in which two filters can be compared."""

import re
from dataclasses import dataclass, field

# The value of the signature itself and its time differ from run to run.
PASSING_TAGS = ("b", "t")
# What a case says about a signature beside its tags.
ABOUT_VERIFYING = ("key", "refused-by")


@dataclass
class Outcome:
    """The verdict, the signatures from the top of the mail down, and the fields that came out."""

    verdict: str
    signatures: list = field(default_factory=list)
    fields: list = field(default_factory=list)
    mail: bytes = b""  # The mail that came out.
    body: bytes = b""

    @property
    def word(self):
        """The outcome in one word of the case files."""
        if self.verdict != "accept":
            return self.verdict
        return "signed" if self.signatures else "unsigned"

    def to_lines(self):
        """What a person needs to see of it."""
        if self.word != "signed":
            return [self.word]
        return ["signed " + show_tags(tags) for tags in self.signatures]


def read_outcome(verdict, mail, before):
    """The outcome of a verdict and the mail that came out; before is the one that went in. A
    signature that the mail came with is no work of the filter."""
    header, _, body = mail.partition(b"\r\n\r\n")
    old = signature_fields(before)
    signatures = []
    for value in signature_fields(mail):
        if value in old:
            old.remove(value)
        else:
            signatures.append(read_tags(value))
    names = [one.partition(b":")[0].decode("latin-1") for one in _fields(header)]
    return Outcome(verdict, signatures, names, mail, body)


def signature_fields(mail):
    """The values of the DKIM-Signature fields, from the top down."""
    header = mail.partition(b"\r\n\r\n")[0]
    found = [one.partition(b":") for one in _fields(header)]
    return [value for name, _, value in found if name.strip().lower() == b"dkim-signature"]


def read_tags(value):
    """The tags of a signature: without folding, the expiry as the time since signing."""
    text = re.sub(r"\s+", " ", value.decode("utf-8", "backslashreplace"))
    tags = {}
    for one in text.split(";"):
        name, equals, content = one.partition("=")
        if equals:
            # Only z= may hold what a blank stands for, and there they are encoded.
            tags[name.strip()] = content.replace(" ", "")
    if "x" in tags:
        tags["x"] = "+" + str(int(tags["x"]) - int(tags.get("t", "0")))
    return tags


def differences(ours, theirs):
    """Sentences about each respect in which the outcomes differ."""
    if ours.verdict != theirs.verdict:
        yield f"verdict: opendkim {theirs.verdict}, countersign {ours.verdict}"
        return
    if len(ours.signatures) != len(theirs.signatures):
        yield f"signatures: opendkim {len(theirs.signatures)}, countersign {len(ours.signatures)}"
    for number, (our, their) in enumerate(zip(ours.signatures, theirs.signatures), 1):
        for tag in sorted({*our, *their} - set(PASSING_TAGS)):
            if our.get(tag) != their.get(tag):
                yield (
                    f"signature {number}: opendkim {tag}={their.get(tag, '-')}, "
                    f"countersign {tag}={our.get(tag, '-')}"
                )
    if [name.lower() for name in ours.fields] != [name.lower() for name in theirs.fields]:
        yield f"fields: opendkim {', '.join(theirs.fields)}; countersign {', '.join(ours.fields)}"
    if ours.body != theirs.body:
        yield "the body that comes out"


def unmet(expectation, outcome):
    """Sentences about each respect in which the outcome is not as expected."""
    if expectation.outcome != outcome.word:
        yield f"expected {expectation.outcome}"
        return
    if len(expectation.signatures) != len(outcome.signatures):
        yield f"expected {len(expectation.signatures)} signatures"
        return
    for number, (wanted, tags) in enumerate(zip(expectation.signatures, outcome.signatures), 1):
        for tag, value in wanted.items():
            if tag not in ABOUT_VERIFYING and tags.get(tag, "-") != value:
                yield f"signature {number}: expected {tag}={value}"


def show_tags(tags):
    """The tags that tell signatures apart, in one line."""
    shown = ("a", "c", "d", "s", "i", "x", "l", "r", "h", "z")
    return " ".join(f"{tag}={tags[tag]}" for tag in shown if tag in tags)


def _fields(header):
    """The fields of a header, unfolded by nothing but their line ends."""
    return [one for one in re.split(rb"\r\n(?![ \t])", header) if one]
