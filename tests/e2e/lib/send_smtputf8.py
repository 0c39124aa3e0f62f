# SPDX-License-Identifier: Apache-2.0
"""Sends one internationalised message (RFC 6531, RFC 6532) by SMTP to 127.0.0.1."""

import smtplib
import sys

sender, recipient = sys.argv[1:]
message = (
    f"From: Jörg <{sender}>\r\nTo: {recipient}\r\nSubject: Grüße\r\n"
    "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nGrüße\r\n"
).encode()
with smtplib.SMTP("127.0.0.1", 25, timeout=20) as smtp:
    smtp.ehlo()
    smtp.sendmail(sender, [recipient], message, mail_options=["SMTPUTF8", "BODY=8BITMIME"])
