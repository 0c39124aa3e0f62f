# SPDX-License-Identifier: Apache-2.0
"""The two filters as programs: to start, probe and check, and to ask what opendkim alone knows."""

import json
import os
import re
import signal
import subprocess
import time
from pathlib import Path

from case_file import Mail
from outcome import Outcome, read_outcome

CONF = "/etc/opendkim.conf"
SOCKET = "local:/run/compat/filter.sock"
COUNTERSIGN = os.environ.get("COUNTERSIGN", "")
START_SECONDS = 20
PROBE_SECONDS = 10

COMMANDS = {"opendkim": ["opendkim"], "countersign": [COUNTERSIGN, "serve"]}


def call(command, text=b""):
    """Runs a command to its end; returns its exit code, standard output and standard error."""
    done = subprocess.run(command, input=text, capture_output=True, timeout=60, check=False)
    return done.returncode, done.stdout, done.stderr


class Filter:
    """One of the filters, running on the configuration of the case."""

    def __init__(self, who, own_socket="", conf=CONF):
        self.socket = own_socket or SOCKET
        self.log = Path(f"/run/compat/{who}.log")
        command = [*COMMANDS[who], "-f", "-x", conf]
        if not own_socket:
            command += ["-p", SOCKET]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        self.started = self._wait_for_socket()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
        Path(SOCKET.removeprefix("local:")).unlink(missing_ok=True)

    def push(self, mail, file):
        """Pushes the mail through the filter."""
        command = [COUNTERSIGN, "probe", f"--timeout={PROBE_SECONDS}", "-p", self.socket]
        command += [f"--ip={mail.client}"] if mail.client else []
        command += [f"--host={mail.client_name}"] if mail.client_name else []
        command += [f"--auth-user={mail.login}"] if mail.login else []
        for rcpt in mail.recipients:
            command += ["--rcpt", rcpt]
        for macro in mail.macros:
            command += ["--macro", macro]
        _, output, errors = call([*command, file])
        verdict = re.search(rb"^verdict: (\w+)", errors, re.MULTILINE)
        if verdict:
            return read_outcome(verdict[1].decode(), output, mail.text)
        if self._has_crashed():
            return Outcome("crash")
        return Outcome("no answer: " + errors.decode("utf-8", "backslashreplace").strip())

    def log_text(self):
        """What the filter has written so far."""
        return self.log.read_text(encoding="utf-8", errors="backslashreplace")

    def _has_crashed(self):
        """True when a signal has ended the process, or does so now."""
        try:
            return self.process.wait(2) < 0
        except subprocess.TimeoutExpired:
            return False

    def _wait_for_socket(self):
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                return False
            if _listens(self.socket):
                return True
            time.sleep(0.01)
        return False


def _listens(spec):
    """True when a process listens there; without connecting, which is more than a filter may
    bear."""
    if not spec.startswith("inet"):
        path = spec.partition(":")[2] or spec
        lines = Path("/proc/net/unix").read_text(encoding="ascii").splitlines()
        return any(line.endswith(" " + path) and line.split()[3] == "00010000" for line in lines)
    port = int(re.split("[:@]", spec)[1])
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in Path(table).read_text(encoding="ascii").splitlines()[1:]:
            words = line.split()
            if words[3] == "0A" and int(words[1].rsplit(":", 1)[1], 16) == port:
                return True
    return False


def check_word(who):
    """What the checker of the filter says in a word, and its output."""
    if who == "opendkim":
        code, output, errors = call(["opendkim", "-n", "-x", CONF])
        words = {0: "clean", 78: "errors"}
    else:
        code, output, errors = call([COUNTERSIGN, "config", "check", "-x", CONF])
        words = {0: "clean", 1: "warns", 78: "errors"}
    text = (output + errors).decode("utf-8", "backslashreplace")
    return words.get(code, f"exit code {code}"), text


def sign_from_file(who, file, before):
    """Signs the file without a daemon: opendkim's test mode, countersign's subcommand."""
    if who == "opendkim":
        _, output, _ = call(["opendkim", "-x", CONF, "-b", "s", "-t", file, "-vv"])
        values = re.findall(rb"hname='DKIM-Signature' hvalue='(.*?)'$", output, re.M | re.S)
        # Each is inserted above those before it.
        lines = [b"DKIM-Signature: " + value.replace(b"\n", b"\r\n") for value in values[::-1]]
        return read_outcome("accept", b"\r\n".join(lines) + b"\r\n\r\n", b"")
    code, output, errors = call([COUNTERSIGN, "sign", "-x", CONF, file])
    if code not in (0, 1):
        return Outcome("failure: " + errors.decode("utf-8", "backslashreplace").strip())
    return read_outcome("accept", output, before) if code == 0 else Outcome("accept")


def look_up(data_set, key):
    """What opendkim finds under the key of the data set, or an empty text."""
    code, output, errors = call(["opendkim", "-Q"], f"{data_set}\n{key}/1\n".encode())
    found = re.search(rb"'(.*)'", output)
    if found:
        return found[1].decode("utf-8", "backslashreplace")
    return "" if b"not found" in errors + output else f"exit code {code}"


def failing_by_opendkim(mails, records):
    """The files of which opendkim, when it judges mail, does not accept each new signature,
    with what it says. mails: the outcome by file; records: the key records by name."""
    keys = "".join(f"{name} {record}\n" for name, record in records.items())
    Path("/run/compat/public").write_text(keys, encoding="ascii")
    Path("/run/compat/verify.conf").write_text(
        "Mode v\nTestPublicKeys /run/compat/public\nMaximumSignaturesToVerify 9\n"
        "AlwaysAddARHeader yes\nAuthservID verifier\n",
        encoding="ascii",
    )
    with Filter("opendkim", conf="/run/compat/verify.conf") as verifier:
        for file, outcome in mails.items():
            mail = Mail(file, outcome.mail, client="192.0.2.250")
            judged = verifier.push(mail, file).mail.partition(b"\r\n\r\n")[0]
            results = re.sub(r"\s+", " ", judged.decode("utf-8", "backslashreplace"))
            passed = re.findall(r"dkim=pass [^;]*header\.b=\"?([^;\" ]+)", results)
            if not all(any(one["b"].startswith(b) for b in passed) for one in outcome.signatures):
                yield file, "\n".join(re.findall(r"dkim=[^;]*", results))


def failing_by_countersign(mails, records):
    """The same by countersign verify."""
    zone = "".join(
        f'{name}. 60 IN TXT {" ".join(_quote(part) for part in re.findall(".{1,200}", record))}\n'
        for name, record in records.items()
    )
    Path("/run/compat/zone").write_text(zone, encoding="ascii")
    verify = [COUNTERSIGN, "verify", "--zone", "/run/compat/zone", "--json"]
    for file, outcome in mails.items():
        _, output, errors = call([*verify, file])
        results = json.loads(output)["dkim"] if output else []
        passed = [(one["sdid"], one["selector"]) for one in results if one["result"] == "pass"]
        if not all((tags["d"].lower(), tags["s"].lower()) in passed for tags in outcome.signatures):
            told = [f"{one['result']}: {one['explanation']}" for one in results]
            yield file, "\n".join([*told, errors.decode("utf-8", "backslashreplace")])


def _quote(text):
    return f'"{text}"'
