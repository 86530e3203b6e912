#!/usr/bin/env python3
"""Runs the benchmarks and prints their ratios: run.py [--title] PROGRAM...

Floor and library run in turn, round by round, against a server of their own; what counts is the median
of the ratios within a round.  With --title the create that tells the title runs in turn with the create and its
get instead (K8).  Nothing here fails because something is slow.  BENCH_ROUNDS, BENCH_COUNT
(pushes of a run), BENCH_INSTRUCTIONS=0 (no callgrind).
"""
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

TITLE = sys.argv[1] == "--title"
PROGRAMS = {os.path.basename(path): path for path in sys.argv[1 + TITLE:]}
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
COUNT = int(os.environ.get("BENCH_COUNT", "4000"))
NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
SYSTEM_CAS = "/etc/ssl/certs/ca-certificates.crt"

# name, server, in flight, (environment, program) of the floor, (environment, program) of the library
SCENARIOS = [
    ("sequential", ("0",), 1, ({}, "floor_easy"), ({}, "bench_push")),
    ("64 in flight, wait", ("0",), 64, ({}, "floor_multi"), ({"BENCH_LOOP": "wait"}, "bench_push")),
    ("64 in flight, descriptor", ("0",), 64, ({"FLOOR_LOOP": "socket"}, "floor_multi"), ({"BENCH_LOOP": "fd"}, "bench_push")),
    ("64 in flight, 20 ms", ("20",), 64, ({}, "floor_multi"), ({"BENCH_LOOP": "wait"}, "bench_push")),
    ("1,000 in flight, 20 ms", ("20",), 1000, ({}, "floor_multi"), ({"BENCH_LOOP": "wait"}, "bench_push")),
]

# The same for the title: name, server, in flight, environment of both.  Without gets nothing but a promise of the
# server shows that it keeps its connections, so there is none to see what that costs (H7).
TITLE_SCENARIOS = [
    ("sequential", ("0", "60"), 1, {}),
    ("64 in flight, wait", ("0", "60"), 64, {"BENCH_LOOP": "wait"}),
    ("64 in flight, descriptor", ("0", "60"), 64, {"BENCH_LOOP": "fd"}),
    ("64 in flight, 20 ms", ("20", "60"), 64, {"BENCH_LOOP": "wait"}),
    ("sequential, reuseConnections always", ("0",), 1, {"BENCH_SETTINGS": ',"reuseConnections":"always"'}),
    ("sequential, no promise", ("0",), 1, {}),
]


class Server:
    def __init__(self, *arguments):
        self.process = subprocess.Popen([PROGRAMS["bench_server"], *arguments], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        self.url = self.process.stdout.readline().strip()

    def stop(self):
        self.process.stdin.close()
        self.process.wait()


def run(client, url, concurrency, count, wrapper=()):
    environment, program = client
    done = subprocess.run([*wrapper, PROGRAMS[program], url, str(count), *([str(concurrency)] if concurrency else [])],
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


def compare(name, server, concurrency, floor, library):
    server = Server(*server)
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
    for name, server, concurrency, floor, library in SCENARIOS[:3]:
        server = Server(*server)
        a, b = (instructions(client, server.url, concurrency) for client in (floor, library))
        server.stop()
        print("| %s | %d | %d | %.2f |" % (name, a, b, b / a), flush=True)


class Front:
    """nginx with TLS in front of a server; its certificate comes from the only CA in ca.crt."""

    CONFIG = """daemon off; master_process off; pid nginx.pid; error_log stderr crit; events { worker_connections 4096; }
http { access_log off; client_body_temp_path b; proxy_temp_path p; fastcgi_temp_path f; uwsgi_temp_path u; scgi_temp_path s;
server { listen 127.0.0.1:PORT ssl backlog=4096; ssl_certificate srv.crt; ssl_certificate_key srv.key;
location / { proxy_pass UPSTREAM; proxy_http_version 1.1; proxy_set_header Connection ""; } } }"""

    def __init__(self, folder, upstream):
        self.folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.write("nginx.conf", self.CONFIG.replace("PORT", str(port)).replace("UPSTREAM", upstream))
        self.write("names", "subjectAltName=IP:127.0.0.1\n")
        key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
        self.openssl("req -x509 %s -keyout ca.key -out ca.crt -subj /CN=bench-ca -days 2" % key)
        self.openssl("req %s -keyout srv.key -out srv.csr -subj /CN=bench" % key)
        self.openssl("x509 -req -in srv.csr -CA ca.crt -CAkey ca.key -CAcreateserial -out srv.crt -days 2 -extfile names")
        self.process = subprocess.Popen([NGINX, "-e", "stderr", "-p", folder, "-c", "nginx.conf"])
        self.url = "https://127.0.0.1:%d" % port
        for _ in range(500):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.02)

    def write(self, name, text):
        with open(os.path.join(self.folder, name), "w") as file:
            file.write(text)

    def openssl(self, arguments):
        subprocess.run(["openssl", *arguments.split()], cwd=self.folder, check=True, capture_output=True)

    def stop(self):
        self.process.terminate()
        self.process.wait()


def tls_connections(front, bundle):
    """A new connection under one CA, and under the system's bundle: what 40 more of them cost."""
    kinds = (("one CA", {"BENCH_CA": front.folder + "/ca.crt"}), ("the system's CAs", {"BENCH_BUNDLE": bundle}))
    count = shutil.which("valgrind") and os.environ.get("BENCH_INSTRUCTIONS") != "0"
    print("\n| new TLS connection | instructions | CPU us | the first two, CPU us |\n|---|---|---|---|")
    base = None
    for name, environment in kinds:
        client, totals = (environment, "bench_tls"), [0, 0]
        fields = run(client, front.url, "", "400")
        for i, number in enumerate(("20", "60")) if count else ():
            tool = ["valgrind", "--tool=callgrind", "--callgrind-out-file=" + front.folder + "/out"]
            text = run(client, front.url, "", number, tool)["stderr"]
            totals[i] = int(re.search(r"Collected : (\d+)", text).group(1))
        each = (totals[1] - totals[0]) // 40
        base = base or (each or 1, float(fields["each_us"]))
        print("| %s | %d (x %.2f) | %s (x %.2f) | %s |" % (name, each, each / base[0], fields["each_us"],
              float(fields["each_us"]) / base[1], fields["first_two_us"]), flush=True)


def tls():
    with tempfile.TemporaryDirectory() as folder:
        server = Server("0")
        front = Front(folder, server.url)
        with open(SYSTEM_CAS) as system, open(folder + "/ca.crt") as own:
            front.write("bundle.pem", system.read() + own.read())
        tls_connections(front, folder + "/bundle.pem")
        print("\nwith TLS:", flush=True)
        subprocess.run([PROGRAMS["bench_mem"], front.url, "100"], check=True,
                       env={**os.environ, "BENCH_CA": folder + "/ca.crt"})
        front.stop()
        server.stop()


def title():
    print("| the title from the create | pushes/s | x get | CPU us/push | CPU x get | p99 us |\n|---|---|---|---|---|---|")
    for name, server, concurrency, environment in TITLE_SCENARIOS:
        compare(name, server, concurrency, (environment, "bench_push"),
                ({**environment, "BENCH_TITLE": "key"}, "bench_push"))


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
    if NGINX and os.path.exists(SYSTEM_CAS):
        tls()
    subprocess.run([PROGRAMS["bench_micro"]], check=True)


title() if TITLE else main()
