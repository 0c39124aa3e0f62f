# SPDX-License-Identifier: Apache-2.0
"""Sends the message on standard input as a client somewhere else would, which XCLIENT makes of it.

Line ends become CRLF and nothing else is changed, so that odd octets arrive as they are. Printed is
the reply that the message got: that to the end of DATA, or the refusal before it. Where some of
several recipients are refused, those replies are printed before it.
"""

import argparse
import smtplib
import sys

options = argparse.ArgumentParser()
options.add_argument("--port", type=int, default=25)
options.add_argument("--client", required=True, help="address of the client")
options.add_argument("--name", default="[UNAVAILABLE]", help="the client's name in DNS")
options.add_argument("--helo", default="client.example")
options.add_argument("--from", dest="path", default="", help="empty: the null path")
options.add_argument("--to", action="append", help="default: user@rcpt.example")
options.add_argument("--login", help="who has logged in, to a Postfix with SASL")
options.add_argument("--smtputf8", action="store_true")
chosen = options.parse_args()

message = sys.stdin.buffer.read().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def send(smtp):
    """Returns the replies that are printed, code and text."""
    smtp.ehlo()
    attributes = f"ADDR={chosen.client} NAME={chosen.name}"
    if chosen.login:
        attributes += f" LOGIN={chosen.login}"
    code, text = smtp.docmd("XCLIENT", attributes)
    if code != 220:
        sys.exit(f"XCLIENT: {code} {text}")
    smtp.ehlo(chosen.helo)
    parameters = ["BODY=8BITMIME"]
    if chosen.smtputf8:
        parameters.append("SMTPUTF8")
    reply = smtp.mail(chosen.path, parameters)
    if reply[0] >= 400:
        return [reply]
    replies = [smtp.rcpt(recipient) for recipient in chosen.to or ["user@rcpt.example"]]
    refusals = [one for one in replies if one[0] >= 400]
    if len(refusals) == len(replies):
        return refusals[-1:]
    try:
        return [*refusals, smtp.data(message)]
    except smtplib.SMTPDataError as error:
        return [*refusals, (error.smtp_code, error.smtp_error)]


with smtplib.SMTP("127.0.0.1", chosen.port, timeout=30) as connection:
    printed = send(connection)
for status, words in printed:
    print(status, words.decode("utf-8", "replace").replace("\n", " / "))
