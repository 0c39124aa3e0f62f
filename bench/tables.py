# SPDX-License-Identifier: Apache-2.0
"""Makes the tables of bench/compare: medians over the rounds, and the ratio of the filters."""

import collections
import os
import statistics
import subprocess
import sys


def limit_ms():
    """One RSA-2048 signature of this machine, now, in milliseconds of CPU."""
    out = subprocess.run(["openssl", "speed", "-seconds", "1", "rsa2048"],
                         capture_output=True, text=True, check=True).stdout
    line = next(line for line in out.splitlines() if line.startswith("rsa 2048"))
    return float(line.split()[3].rstrip("s")) * 1000


def print_runs(path):
    runs = collections.defaultdict(list)
    for line in open(path, encoding="ascii"):
        name, what, sessions, each, *numbers = line.split()
        runs[what, int(sessions), int(each), name].append([float(x) for x in numbers])
    limit = limit_ms()
    print(f"One RSA-2048 signature costs {limit:.3f} ms here (`openssl speed rsa2048`).\n")
    print("| message, sessions, messages a session | filter | CPU ms | of opendkim | of RSA |"
          " messages/s | p50 ms | p99 ms | peak RSS MiB | threads |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for what, sessions, each in dict.fromkeys(key[:3] for key in runs):
        peer = statistics.median(run[0] for run in runs[what, sessions, each, "opendkim"])
        for name in ("countersign", "opendkim"):
            rows = runs[what, sessions, each, name]
            cpu, rate, p50, p99, rss, threads = (statistics.median(x) for x in zip(*rows))
            print(f"| {what}, {sessions}, {each} | {name} | {cpu:.3f} | {cpu / peer:.2f} |"
                  f" {cpu / limit:.2f} | {rate:.0f} | {p50:.2f} | {p99:.2f} | {rss:.1f} |"
                  f" {threads:.0f} |")


def print_postfix(path):
    rates = collections.defaultdict(list)
    for line in open(path, encoding="ascii"):
        name, *numbers = line.split()
        rates[name].append([float(x) for x in numbers])
    medians = {name: [statistics.median(x) for x in zip(*rows)] for name, rows in rates.items()}
    print("\n| Postfix with | accepted mails/s | kept | delivered mails/s | kept |")
    print("|---|---|---|---|---|")
    for name, numbers in medians.items():
        pairs = zip(numbers, medians["alone"])
        cells = (f"{x:.0f} | {100 * x / alone:.0f} %" for x, alone in pairs)
        print(f"| {name} | {' | '.join(cells)} |")


def print_judging(path):
    runs = collections.defaultdict(list)
    for line in open(path, encoding="ascii"):
        name, *where, cpu, rate, p50, p99, right, unmarked, rss, threads = line.split()
        numbers = (cpu, rate, p50, p99, right, unmarked, rss, threads)
        runs[tuple(where), name].append([float(x) for x in numbers])
    names = list(dict.fromkeys(name for _, name in runs))
    print("\n| DNS ms, sessions, caches | filter | CPU ms | ours is | messages/s | p50 ms |"
          " p99 ms | right | unmarked | peak RSS MiB | threads |")
    print("|---|---|---|---|---|---|---|---|---|---|---|")
    for where in dict.fromkeys(where for where, _ in runs):
        own = statistics.median(run[0] for run in runs[where, names[0]])
        for name in names:
            rows = runs[where, name]
            cpu, rate, p50, p99, right, unmarked, rss, threads = (
                statistics.median(x) for x in zip(*rows))
            print(f"| {', '.join(where)} | {name} | {cpu:.3f} | {own / cpu:.2f} | {rate:.0f} |"
                  f" {p50:.1f} | {p99:.1f} | {right:.1f} % | {unmarked:.1f} % | {rss:.1f} |"
                  f" {threads:.0f} |")


if os.path.exists(sys.argv[1]):
    print_runs(sys.argv[1])
if os.path.exists(sys.argv[2]):
    print_postfix(sys.argv[2])
if os.path.exists(sys.argv[3]):
    print_judging(sys.argv[3])
if os.path.exists(sys.argv[4]):
    print_judging(sys.argv[4])
