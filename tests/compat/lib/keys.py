# SPDX-License-Identifier: Apache-2.0
"""The keys of the cases, made anew for each run: cases name them, and never hold one."""

import base64
import subprocess

_COMMANDS = {
    "rsa-1": ["openssl", "genrsa", "2048"],
    "rsa-2": ["openssl", "genrsa", "2048"],
    "rsa-3": ["openssl", "genrsa", "2048"],
    "rsa-1024": ["openssl", "genrsa", "1024"],
    "rsa-768": ["openssl", "genrsa", "768"],
    "rsa-pkcs1": ["openssl", "genrsa", "-traditional", "2048"],
    "ed25519": ["openssl", "genpkey", "-algorithm", "ed25519"],
}
NAMES = tuple(_COMMANDS)


def make_keys(folder):
    """Makes NAME.pem in the folder for each name."""
    for name, command in _COMMANDS.items():
        made = subprocess.run(command, capture_output=True, check=True)
        (folder / f"{name}.pem").write_bytes(made.stdout)


class Keys:
    """The keys in a folder that make_keys() filled."""

    def __init__(self, folder):
        self.folder = folder

    def pem(self, name):
        """The private key as its file has it."""
        return (self.folder / f"{name}.pem").read_bytes()

    def base64(self, name):
        """The private key as one line of base64, which a KeyTable may hold."""
        return b"".join(line for line in self.pem(name).splitlines() if not line.startswith(b"-"))

    def record(self, name):
        """The key record for DNS."""
        command = ["openssl", "pkey", "-pubout", "-outform", "DER"]
        made = subprocess.run(command, input=self.pem(name), capture_output=True, check=True)
        public = made.stdout[-32:] if name == "ed25519" else made.stdout
        kind = "ed25519" if name == "ed25519" else "rsa"
        return f"v=DKIM1; k={kind}; p={base64.b64encode(public).decode()}"

    def fill_in(self, text):
        """The text with @NAME.base64@ replaced by that key."""
        for name in NAMES:
            token = f"@{name}.base64@".encode()
            if token in text:
                text = text.replace(token, self.base64(name))
        return text
