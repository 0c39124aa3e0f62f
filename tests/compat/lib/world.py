# SPDX-License-Identifier: Apache-2.0
"""A machine for one case: /etc, /var and /run laid over, so that the files of a how-to stand where
the how-to wants them and nothing of it outlasts the case."""

import os
import pwd
import re
import shutil
import subprocess
from pathlib import Path

LAID_OVER = ("/etc", "/var")


def enter():
    """Lays the folders over; in name spaces of one's own, which end with the process."""
    layers = Path("/run")
    _mount("-t", "tmpfs", "-o", "mode=755", "tmpfs", "/run")
    for folder in LAID_OVER:
        upper, work = (layers / "layers" / folder[1:] / one for one in ("upper", "work"))
        upper.mkdir(parents=True)
        work.mkdir()
        shutil.copystat(folder, upper)
        options = f"lowerdir={folder},upperdir={upper},workdir={work}"
        _mount("-t", "overlay", "overlay", "-o", options, folder)
    Path("/etc/resolv.conf").write_text("nameserver 127.0.0.1\n", encoding="ascii")
    Path("/etc/hosts").write_text("127.0.0.1 localhost mx.example\n", encoding="ascii")
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    shutil.rmtree("/etc/opendkim", ignore_errors=True)
    shutil.rmtree("/etc/dkimkeys", ignore_errors=True)
    Path("/run/compat").mkdir()
    Path("/run/compat").chmod(0o777)
    Path("/run/opendkim").mkdir()
    shutil.chown("/run/opendkim", "opendkim", "opendkim")


def furnish(case, keys):
    """Puts the folders, files and keys of the case into their places."""
    Path("/etc/opendkim.conf").write_bytes(keys.fill_in(case.conf))
    user = _user_of(case.conf)
    for folder in case.folders:
        path = Path(folder.path)
        path.mkdir(parents=True, exist_ok=True)
        _give(path, folder.user or "root", folder.mode or "755")
    for file in case.files:
        path = _make_room(file)
        path.write_bytes(keys.fill_in(file.content))
        _give(path, file.user or "root", file.mode or "644")
    for key in case.keys:
        path = _make_room(key)
        path.write_bytes(keys.pem(key.key))
        _give(path, key.user or user, key.mode or "600")


def _user_of(conf):
    """Whom the keys should belong to: whom the filter becomes."""
    found = re.search(rb"^UserID\s+(\w+)", conf, re.MULTILINE | re.IGNORECASE)
    return found[1].decode() if found else "root"


def _make_room(place):
    path = Path(place.path)
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def _give(path, user, mode):
    name, _, group = user.partition(":")
    entry = pwd.getpwnam(name)
    shutil.chown(path, entry.pw_uid, group or entry.pw_gid)
    os.chmod(path, int(mode, 8))


def _mount(*arguments):
    subprocess.run(["mount", *arguments], check=True)
