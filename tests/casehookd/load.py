"""How many alerts casehookd takes and delivers; speed is never asserted: load.py CASEHOOKD TRACKER CONNECTOR [GROUPS [CLIENTS [HISTORY]]]

Each client keeps a connection and sends one group after the other: it fires, then it changes, then it is resolved.  HISTORY
cases are put before, and stay.
"""
import json
import multiprocessing
import os
import socket
import sys
import tempfile
import threading
import time

from daemon import TOKEN, Daemon, alert, payload
from server import Tracker

PROGRAM, TRACKER, DOCUMENT = sys.argv[1:4]
GROUPS, CLIENTS, HISTORY = (int(word) for word in (sys.argv[4:] + ["3000", "16", "0"][len(sys.argv) - 4:]))
HEAD = f"POST %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"


def send_all(port, path, bodies):
    with socket.create_connection(("127.0.0.1", port)) as raw:
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        answers = raw.makefile("rb")
        for body in bodies:
            raw.sendall((HEAD % (path, len(body))).encode() + body)
            status, length = int(answers.readline().split()[1]), 0
            while (line := answers.readline()) != b"\r\n":
                if line.lower().startswith(b"content-length:"):
                    length = int(line.split()[1])
            text = answers.read(length)
            assert status in (200, 202), (status, text)


def client(port, number):
    bodies = []
    for group in range(number, GROUPS, CLIENTS):
        for alerts in ([alert()], [alert(), alert(instance="web-02")], [alert("resolved"), alert("resolved", instance="web-02")]):
            bodies.append(json.dumps(payload(alerts, key=f"group {group}")).encode())
    send_all(port, "/alertmanager", bodies)


def history(port, number):
    send_all(port, "/cases", [json.dumps({"title": f"T{k}", "id": f"h{k}"}).encode() for k in range(number, HISTORY, 16)])


def together(target, port, count):
    processes = [multiprocessing.Process(target=target, args=(port, number)) for number in range(count)]
    began = time.monotonic()
    for each in processes:
        each.start()
    for each in processes:
        each.join()
        assert each.exitcode == 0
    return time.monotonic() - began


def read_on(stderr):
    """A daemon whose log nobody reads waits, as everybody does, when the pipe is full."""
    os.set_blocking(stderr, True)
    while os.read(stderr, 65536):
        pass


def cpu(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS")) / 1024


def main():
    tracker = Tracker(TRACKER)
    with tempfile.TemporaryDirectory() as folder:
        daemon = Daemon(PROGRAM, DOCUMENT, folder, tracker.url)
        daemon.start()
        threading.Thread(target=read_on, args=(daemon.process.stderr.fileno(),), daemon=True).start()
        rest = resident(daemon.process.pid)
        if HISTORY:
            together(history, daemon.port, 16)
            daemon.wait_for("the history", lambda: daemon.metrics()["casehook_outbox_put_total"] >= HISTORY)
        pid, before, used = daemon.process.pid, daemon.metrics(), cpu(daemon.process.pid)
        began = time.monotonic()
        took = together(client, daemon.port, CLIENTS)
        done = "casehook_outbox_delivered_total"
        states = [f'casehook_outbox_entries{{state="{state}"}}' for state in ("waiting", "queued", "sending")]
        while sum(daemon.metrics()[name] for name in states):
            time.sleep(0.05)
        drained, after = time.monotonic() - began, daemon.metrics()
        print(f"{3 * GROUPS} notifications of {GROUPS} groups, {CLIENTS} clients, {HISTORY} cases before: "
              f"{3 * GROUPS / took:.0f} accepted a second, {(after[done] - before[done]) / drained:.0f} delivered a second "
              f"({drained:.1f} s until all was), {(cpu(pid) - used) / GROUPS / 3 * 1e6:.0f} us of CPU each; "
              f"{rest:.1f} MiB at rest, {resident(pid):.1f} afterwards")
        daemon.end()
    tracker.close()


main()
