"""What an outbox and casehookd cost: outbox.py FOLDER BENCH_OUTBOX BENCH_SERVER [CASEHOOKD TRACKER CONNECTOR]

Durable puts beside bare SQLite, on the disk of FOLDER and on tmpfs; a million waiting entries beside a thousand; pushes
through the outbox beside the plain loop; notifications and memory of casehookd.  Speed is never asserted.
"""
import os
import subprocess
import sys

FOLDER, BENCH, SERVER = sys.argv[1:4]
HERE = os.path.dirname(os.path.abspath(__file__))


def run(what, *command):
    print(f"== {what}", flush=True)
    subprocess.run(command, check=True)


def main():
    path = os.path.join(FOLDER, "bench-outbox.db")
    run("8 threads put; wanted: 0.8 of bare SQLite", BENCH, "put", path, "8")
    if os.access("/dev/shm", os.W_OK):
        run("the same on tmpfs; wanted: 20,000 a second", BENCH, "put", f"/dev/shm/bench-outbox-{os.getpid()}.db", "8")
    run("1,000,000 waiting; wanted: put, stats and next within 2 times of 1,000", BENCH, "many", path, "1000000")
    with subprocess.Popen([SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        url = server.stdout.readline().strip()
        run("64 in flight; wanted: at most 2 times the CPU of the plain loop", BENCH, "deliver", path, url + "/issue", "10000")
        server.stdin.close()
    if len(sys.argv) > 4:
        load = [sys.executable, "-B", os.path.join(HERE, "../casehookd/load.py"), *sys.argv[4:]]
        run("casehookd; wanted: at most 16 MiB at rest", *load)
        run("casehookd, with cases from before", *load, "3000", "16", "20000")


main()
