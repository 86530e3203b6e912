#!/usr/bin/env python3
"""Runs the benchmarks and prints their ratios: run.py PROGRAM...

Floor and library run in turn, round by round, against a server of their own; what counts is the median
of the ratios within a round.  Nothing here fails because something is slow.  BENCH_ROUNDS, BENCH_COUNT
(pushes of a run), BENCH_INSTRUCTIONS=0 (no callgrind).
"""
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile

PROGRAMS = {os.path.basename(path): path for path in sys.argv[1:]}
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
COUNT = int(os.environ.get("BENCH_COUNT", "4000"))

# name, server, in flight, (environment, program) of the floor, (environment, program) of the library
SCENARIOS = [
    ("sequential", "0", 1, ({}, "floor_easy"), ({}, "bench_push")),
    ("64 in flight, wait", "0", 64, ({}, "floor_multi"), ({"BENCH_LOOP": "wait"}, "bench_push")),
    ("64 in flight, descriptor", "0", 64, ({"FLOOR_LOOP": "socket"}, "floor_multi"), ({"BENCH_LOOP": "fd"}, "bench_push")),
    ("64 in flight, 20 ms", "20", 64, ({}, "floor_multi"), ({"BENCH_LOOP": "wait"}, "bench_push")),
    ("1,000 in flight, 20 ms", "20", 1000, ({}, "floor_multi"), ({"BENCH_LOOP": "wait"}, "bench_push")),
]


class Server:
    def __init__(self, delay):
        self.process = subprocess.Popen([PROGRAMS["bench_server"], delay], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        self.url = self.process.stdout.readline().strip()

    def stop(self):
        self.process.stdin.close()
        self.process.wait()


def run(client, url, concurrency, count, wrapper=()):
    environment, program = client
    done = subprocess.run([*wrapper, PROGRAMS[program], url, str(count), str(concurrency)],
                          env={**os.environ, **environment}, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit("%s failed: %s" % (program, done.stderr[-500:]))
    fields = dict(re.findall(r"(\w+)=(\S+)", done.stdout))
    fields["stderr"] = done.stderr
    return fields


def numbers(fields):
    pushes = float(fields["pushes"])
    return {"rate": pushes / float(fields["seconds"]),
            "cpu": 1e6 * (float(fields["user"]) + float(fields["sys"])) / pushes,
            "p99": float(fields["p99_us"])}


def compare(name, delay, concurrency, floor, library):
    server = Server(delay)
    rounds = []
    for _ in range(ROUNDS):
        rounds.append([numbers(run(client, server.url, concurrency, COUNT)) for client in (floor, library)])
    server.stop()
    ratio = {key: statistics.median(b[key] / a[key] for a, b in rounds) for key in ("rate", "cpu")}
    middle = {key: statistics.median(b[key] for _, b in rounds) for key in ("rate", "cpu", "p99")}
    print("| %s | %.0f | %.2f | %.1f | %.2f | %.0f |" % (name, middle["rate"], ratio["rate"], middle["cpu"],
                                                         ratio["cpu"], middle["p99"]), flush=True)


def instructions(client, url, concurrency):
    """User-space instructions of a push: what 500 more of them cost."""
    totals = []
    with tempfile.TemporaryDirectory() as folder:
        for count in (200, 700):
            tool = ["valgrind", "--tool=callgrind", "--callgrind-out-file=" + folder + "/out"]
            client_quiet = ({**client[0], "BENCH_WARMUP": "0"}, client[1])
            text = run(client_quiet, url, concurrency, count, tool)["stderr"]
            totals.append(int(re.search(r"Collected : (\d+)", text).group(1)))
    return (totals[1] - totals[0]) // 500


def count_instructions():
    print("\n| instructions per push | floor | library | ratio |\n|---|---|---|---|")
    for name, delay, concurrency, floor, library in SCENARIOS[:3]:
        server = Server(delay)
        a, b = (instructions(client, server.url, concurrency) for client in (floor, library))
        server.stop()
        print("| %s | %d | %d | %.2f |" % (name, a, b, b / a), flush=True)


def main():
    print("| scenario | pushes/s | x floor | CPU us/push | CPU x floor | p99 us |\n|---|---|---|---|---|---|")
    for scenario in SCENARIOS:
        compare(*scenario)
    if shutil.which("valgrind") and os.environ.get("BENCH_INSTRUCTIONS") != "0":
        count_instructions()
    print()
    server = Server("0")
    subprocess.run([PROGRAMS["bench_mem"], server.url, "100"], check=True)
    server.stop()
    subprocess.run([PROGRAMS["bench_micro"]], check=True)


main()
