#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
#
# Checks the rules of the house and prints each violation as `file:line: rule: what to do`. It needs
# python3 and git; the slower groups need clang-19, clang-format-19 or shellcheck besides.
#
#   tests/house_rules/house_rules.py [rules] [format] [headers] [shell] [docs]
#
# Without an argument all groups run. The last line counts the rules that hold and that are broken.

import argparse
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from os import cpu_count
from pathlib import Path

import rules_of_code
import rules_of_tree
from project import Project

ROOT = Path(__file__).resolve().parents[2]


def check_rules(project):
    """The rules that need no tool."""
    for rule in (*rules_of_code.RULES, *rules_of_tree.RULES):
        yield rule.__name__.replace("_", " "), rule.__doc__, rule(project)


def check_format(project):
    """clang-format-19 would change nothing."""
    paths = project.paths(suffixes=(".cpp", ".hpp"))
    failures = run_each(paths, lambda path: ["clang-format-19", "--dry-run", "-Werror", path])
    broken = [
        (path, int(output.split(":")[1]), f"run clang-format-19 -i {path}")
        for path, output in failures
    ]
    yield "formatting", check_format.__doc__, broken


def check_headers(project):
    """Every header compiles by itself."""
    command = "clang++-19 -std=c++23 -c -I. -Wall -Wextra -Wno-missing-field-initializers".split()
    command += ["-DBOOST_ASIO_SEPARATE_COMPILATION"]
    if ccache := shutil.which("ccache"):  # Most headers are what they were at the last run.
        command.insert(0, ccache)
    paths = project.paths("countersign/", "service/", "cli/", "tests/", suffixes=(".hpp",))

    def compile_alone(path):
        source = ROOT / "out/headers" / f"{path}.cpp"
        source.parent.mkdir(parents=True, exist_ok=True)
        source.write_text(f'#include "{path}"\n', encoding="utf-8")
        return [*command, str(source.relative_to(ROOT)), "-o", f"out/headers/{path}.o"]

    broken = []
    for path, output in run_each(paths, compile_alone):
        first = next((line for line in output.split("\n") if "error:" in line), output.strip())
        broken.append((path, 1, f"include what it names: {first}"))
    yield "header alone", check_headers.__doc__, broken


def check_shell(project):
    """shellcheck has nothing to say."""
    paths = [path for path, lines in project.prose() if lines[0] in ("#!/bin/bash", "#!/bin/sh")]
    broken = []
    for _, output in run_each(paths, lambda path: ["shellcheck", "-x", "-f", "gcc", path]):
        for finding in output.strip().split("\n"):
            path, line, _, text = finding.split(":", 3)
            broken.append((path, int(line), text.strip()))
    yield "shellcheck", check_shell.__doc__, broken


# Each takes --check, and then fails with a sentence when what it writes is not what is committed.
GENERATORS = ("scripts/rfc_map.py",)


def check_docs(project):
    """The generated documents are up to date."""
    scripts = [script for script in GENERATORS if script in project.texts]
    failures = run_each(scripts, lambda path: [sys.executable, path, "--check"])
    broken = [(path, 1, output.strip()) for path, output in failures]
    yield "generated documents", check_docs.__doc__, broken


def run_each(paths, command_of):
    """Runs a command for each path, side by side; gives (path, output) of those that failed."""
    environment = {**os.environ, "CCACHE_BASEDIR": str(ROOT)}

    def run(path):
        command = command_of(path)
        return path, subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
        )

    with ThreadPoolExecutor(cpu_count()) as pool:
        results = list(pool.map(run, paths))
    return [(path, run.stderr or run.stdout) for path, run in results if run.returncode != 0]


GROUPS = {
    "rules": check_rules,
    "format": check_format,
    "headers": check_headers,
    "shell": check_shell,
    "docs": check_docs,
}


def main():
    parser = argparse.ArgumentParser(description="Checks the rules of the house.")
    parser.add_argument("groups", nargs="*", metavar="group", help=", ".join(GROUPS))
    arguments = parser.parse_args()
    if unknown := set(arguments.groups) - set(GROUPS):
        parser.error(f"there is no group '{unknown.pop()}'; there are {', '.join(GROUPS)}")

    project = Project.read(ROOT)
    passed = failed = 0
    for group in arguments.groups or GROUPS:
        for name, sentence, violations in GROUPS[group](project):
            lines = sorted(set(violations))
            for path, line, remedy in lines:
                print(f"{path}:{line}: {name}: {remedy}")
            if lines:
                print(f"broken: {sentence}\n")
            passed, failed = passed + (not lines), failed + bool(lines)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
