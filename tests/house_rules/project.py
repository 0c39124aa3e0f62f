# SPDX-License-Identifier: Apache-2.0
#
# The files that the rules look at, read once.

import subprocess
from pathlib import Path

from cpp_text import CppText

CPP_SUFFIXES = (".cpp", ".hpp")
# Text that we write for people or machines to read; inputs of tests and fuzzers are not among it.
PROSE_SUFFIXES = (
    *CPP_SUFFIXES,
    ".py",
    ".pl",
    ".sh",
    ".inc",
    ".md",
    ".cmake",
    ".txt",
    ".json",
    ".toml",
    ".scd",
    ".in",
    ".lua",
)
DATA_FOLDERS = ("fuzz/corpus/", "fuzz/dict/", "tests/data/")


class Project:
    """A set of files by their path from the root, with their texts."""

    def __init__(self, texts):
        self.texts = texts
        self._cpp = {}

    @classmethod
    def read(cls, root):
        """All files that git tracks or would track; in a tree without git all but build and out."""
        root = Path(root)
        listing = subprocess.run(
            [
                "git",
                "-c",
                "safe.directory=*",
                "-C",
                str(root),
                "ls-files",
                "-z",
                "-c",
                "-o",
                "--exclude-standard",
            ],
            capture_output=True,
            check=False,
        )
        if listing.returncode == 0:
            paths = [name for name in listing.stdout.decode().split("\0") if name]
        else:
            paths = [str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()]
            paths = [path for path in paths if not path.startswith(("build/", "out/", ".git/"))]
        texts = {}
        for path in sorted(set(paths)):
            file = root / path
            if file.is_file() and not file.is_symlink():
                texts[path] = None if is_data(path) else _read_text(file)
        return cls(texts)

    def paths(self, *prefixes, suffixes=None):
        """The paths below the prefixes (all without one) that end in one of the suffixes."""
        for path in self.texts:
            if prefixes and not path.startswith(prefixes):
                continue
            if suffixes is None or path.endswith(suffixes):
                yield path

    def cpp(self, *prefixes, suffixes=CPP_SUFFIXES):
        """The C++ files below the prefixes, as (path, CppText)."""
        for path in self.paths(*prefixes, suffixes=suffixes):
            if self.texts[path] is None:
                continue
            if path not in self._cpp:
                self._cpp[path] = CppText(self.texts[path])
            yield path, self._cpp[path]

    def prose(self):
        """What is written by hand, as (path, lines): code, scripts, documents, build files."""
        for path, text in self.texts.items():
            if text is not None and (path.endswith(PROSE_SUFFIXES) or is_script(path, text)):
                yield path, text.split("\n")


def is_data(path):
    """True for inputs of tests, whose octets are theirs."""
    return path.startswith(DATA_FOLDERS)


def is_script(path, text):
    """True for a program that names its interpreter first, and for the settings of tools."""
    return text.startswith("#!") or path.split("/")[-1].startswith(".")


def _read_text(file):
    try:
        return file.read_bytes().decode("utf-8")
    except UnicodeDecodeError:
        return None
