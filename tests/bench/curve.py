#!/usr/bin/env python3
"""How the cost of a push grows with what is in flight: curve.py [--check] PROGRAM...

A server that answers after 20 ms, from one push at a time to 10,000 of them, each on a connection of its
own; the loop waited on and driven by its descriptor, and libcurl alone.  Memory is the peak of the process
beyond that of one push, for each push in flight.  With --check: only 1,000 and 10,000 and only the loop, and it
fails when a push fails or the memory of each grows; what a push costs in time is printed and never judged.
"""
import os
import re
import resource
import subprocess
import sys
import time

CHECK = sys.argv[1] == "--check"
PROGRAMS = {os.path.basename(path): path for path in sys.argv[1 + CHECK:]}
CLIENTS = [("wait", "bench_push", {"BENCH_LOOP": "wait"}), ("descriptor", "bench_push", {"BENCH_LOOP": "fd"}),
           ("libcurl, sockets", "floor_multi", {"FLOOR_LOOP": "socket"})]
SKIP = 77


def files(needed):
    """Raises the limit of open files for us and what we start; False when that is not allowed."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < needed:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (needed, max(needed, hard)))
        except (ValueError, OSError):
            return False
    return True


def peak_kib(pid):
    try:
        with open(f"/proc/{pid}/status", encoding="ascii") as status:
            return max([int(line.split()[1]) for line in status if line.startswith("VmHWM:")], default=0)
    except OSError:
        return 0


def run(program, environment, url, concurrency):
    """The fields of its RESULT line, and its peak of memory."""
    count = max(1000, 5 * concurrency) if concurrency > 1 else 50
    warmup = str(2 * concurrency)  # connections are made before the clock runs
    process = subprocess.Popen([PROGRAMS[program], url, str(count), str(concurrency)], stdout=subprocess.PIPE, text=True,
                               env={**os.environ, **environment, "BENCH_WARMUP": warmup})
    peak = 0
    while process.poll() is None:
        peak = max(peak, peak_kib(process.pid))
        time.sleep(0.01)
    fields = {name: float(value) for name, value in re.findall(r"(\w+)=(\S+)", process.stdout.read())}
    process.stdout.close()
    if process.returncode or fields.get("errors"):
        raise SystemExit(f"{program}, {concurrency} in flight: exit code {process.returncode}, {fields.get('errors')} failed")
    return fields, peak


def curve(url, name, program, environment, steps):
    """Prints a line for each number in flight; the memory of each push in flight, KiB."""
    memory, (_, base) = {}, run(program, environment, url, 1)
    for concurrency in steps:
        fields, peak = run(program, environment, url, concurrency)
        cpu = 1e6 * (fields["user"] + fields["sys"]) / fields["pushes"]
        memory[concurrency] = (peak - base) / concurrency
        print("| %s | %d | %.0f | %.1f | %.1f | %.1f |" % (name, concurrency, fields["pushes"] / fields["seconds"], cpu,
              memory[concurrency], fields["p99_us"] / 1000), flush=True)
    return memory


def main():
    steps = [1000, 10000] if CHECK else [4, 16, 64, 256, 1000, 4000, 10000]
    most = max((step for step in steps if files(2 * step if step < 10000 else step + 500)), default=0)
    steps = [step for step in steps if step <= most]
    if CHECK and len(steps) < 2:
        print("SKIP: this system does not allow 10,500 open files, so 10,000 connections were not tried")
        if not steps:
            return SKIP
    server = subprocess.Popen([PROGRAMS["bench_server"], "20"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    url = server.stdout.readline().strip()
    failed = 0
    print("| loop | in flight | pushes/s | CPU us/push | KiB each | p99 ms |\n|---|---|---|---|---|---|")
    try:
        for name, program, environment in CLIENTS[:2] if CHECK else CLIENTS:
            memory = curve(url, name, program, environment, steps)
            if CHECK and memory.get(10000, 0) > 1.2 * memory[1000]:
                print("%s: the memory of each push in flight grew" % name)
                failed = 1
    finally:
        server.stdin.close()
        server.wait()
        server.stdout.close()
    return failed


sys.exit(main())
