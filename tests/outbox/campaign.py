"""Workers are killed, stopped and robbed of their disk: nothing accepted is lost, nothing doubled, each case in order.

campaign.py KIND WORKER SHIM [long | middle] [postgresql://...]

KIND   kill      a worker is killed at random moments, the tracker misbehaves
       disk      it is killed at every write and sync; what was not synced is lost
       machines  three workers on one PostgreSQL, with wrong clocks, killed, and stopped for longer than their lease
"""
import itertools
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time

from tracker import Tracker


class Alerts:
    """Entry k is the one of its number, seq, in its case: a push first, then comments and pushes that change the status."""

    def __init__(self, count, cases, prefix="", seconds=0):
        """seconds: they come one after the other in this time; else at once."""
        self.lines, self.accepted, self.place = [], set(), {}
        self.began, self.pace = time.monotonic(), seconds / count
        for k in range(count):
            label, seq = f"{prefix}c{k % cases}", k // cases
            key, title = f"{prefix}a{k}", f"{label} {seq}"
            incident = {"title": title, "id": label}
            if seq % 2:
                params = {"incident": incident, "comments": [{"commentId": str(seq), "comment": title}]}
            else:
                params = {"incident": dict(incident, status=f"s{seq}")}
            self.place[key] = (label, seq)
            self.lines.append((key, f"{key} {'comment' if seq % 2 else 'push'} {json.dumps(params)}\n"))

    def left(self):
        return [(number, line) for number, (key, line) in enumerate(self.lines) if key not in self.accepted]

    def wait_for(self, number):
        return self.began + number * self.pace - time.monotonic()


class Worker:
    """A process that puts what is left of the alerts, in their order, and delivers."""

    def __init__(self, campaign, alerts, name, lease=1000, **shim):
        environment = dict(os.environ, **{f"SHIM_{each.upper()}": str(value) for each, value in shim.items()})
        if shim:
            environment["LD_PRELOAD"] = campaign.preload
        self.alerts, self.log = alerts, campaign.log
        self.name = f"w{next(campaign.numbers)}"
        self.process = subprocess.Popen([campaign.worker, campaign.location, campaign.write_document(self.name), "work", name, str(lease)],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log, env=environment, text=True)
        self.threads = [threading.Thread(target=each, daemon=True) for each in (self.feed, self.read)]
        for thread in self.threads:
            thread.start()

    def feed(self):
        try:
            for number, line in self.alerts.left():
                while self.process.poll() is None and (left := self.alerts.wait_for(number)) > 0:
                    time.sleep(min(left, 0.1))
                self.process.stdin.write(line)
                self.process.stdin.flush()
        except (OSError, ValueError):
            pass

    def read(self):
        for line in self.process.stdout:
            if line[0] == "+" and line[-1] == "\n":
                self.alerts.accepted.add(line[1:-1])

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.wait()

    def end_input(self):
        try:
            self.process.stdin.close()
        except OSError:
            pass  # it has gone already

    def wait(self):
        self.process.wait()
        self.threads[1].join()
        self.end_input()
        self.threads[0].join()
        self.process.stdout.close()


class Campaign:
    def __init__(self, worker, shim, location, seed):
        self.worker, self.shim, self.postgres = worker, shim, location
        self.folder = tempfile.mkdtemp(prefix="casehook-outbox-")
        self.numbers, self.pauses, self.began = itertools.count(1), [], time.monotonic()
        self.log = open(os.path.join(self.folder, "log"), "a+", encoding="utf-8")
        self.random, self.tracker, self.number = random.Random(seed), None, 0
        # The sanitizers want to be the first library.
        libraries = subprocess.run(["ldd", worker], capture_output=True, text=True).stdout
        first = [line.split("=>")[1].split()[0] for line in libraries.splitlines() if "libasan" in line and "=>" in line]
        self.preload = " ".join(first + [shim])

    def fresh(self, keys, find, seed):
        """A new outbox and a new tracker."""
        if self.tracker:
            self.tracker.close()
        self.tracker = Tracker(keys, seed)
        self.find, self.pauses = find, []
        self.number += 1
        self.location = self.postgres or os.path.join(self.folder, f"outbox{self.number}.db")
        if self.postgres:
            for _ in range(50):
                if subprocess.run(["psql", "-q", self.postgres, "-c", "SET client_min_messages TO error; DROP TABLE IF EXISTS "
                                   "casehook_entry, casehook_case, casehook_tally, casehook_outbox"], stderr=self.log).returncode == 0:
                    break
                time.sleep(0.1)

    def write_document(self, name):
        path = os.path.join(self.folder, f"connector-{name}.json")
        with open(path, "w", encoding="utf-8") as out:
            json.dump(self.tracker.document(self.find, name), out)
        return path

    def call(self, *arguments):
        document = "-" if arguments[0] != "drain" else self.write_document("drain")
        for _ in range(100):
            done = subprocess.run([self.worker, self.location, document, *arguments],
                                  stdout=subprocess.PIPE, stderr=self.log, text=True)
            if done.returncode != 4:
                break
            time.sleep(0.1)
        if done.returncode:
            raise AssertionError(f"worker {arguments}: {done.returncode}\n{self.tail()}")
        return done.stdout

    def entries(self):
        return [entry for line in self.call("list").splitlines() for entry in json.loads(line)]

    def tail(self):
        self.log.seek(0)
        return self.log.read()[-3000:]

    def finish(self, all_alerts, name, may_be_unknown):
        """All is well from now on: everything is put and delivered, and a person looks after what is unknown."""
        self.tracker.misbehaves = 0.0
        for alerts in all_alerts:
            alerts.pace = 0
            for _ in range(20):
                if not alerts.left():
                    break
                worker = Worker(self, alerts, name)
                end = time.monotonic() + 30
                while alerts.left() and time.monotonic() < end and worker.process.poll() is None:
                    time.sleep(0.005)
                worker.end_input()
                worker.wait()
            assert not alerts.left(), "not everything was accepted"
        asked = 0
        for _ in range(400):
            self.call("drain", name, "1000")
            states = {}
            for entry in self.entries():
                states[entry["state"]] = states.get(entry["state"], 0) + 1
                if entry["state"] not in ("unknown", "parked"):
                    continue
                label, seq = next(alerts.place[entry["key"]] for alerts in all_alerts if entry["key"] in alerts.place)
                assert may_be_unknown and entry["state"] == "unknown", f"{entry}"
                asked += 1
                if self.tracker.has(label, seq):
                    self.call("done", entry["id"], self.tracker.name_of(label))
                else:
                    self.call("retry", entry["id"])
            if set(states) == {"done"}:
                break
            time.sleep(0.02)
        else:
            raise AssertionError(f"it does not end: {states}\n{self.tail()}")
        return asked

    def verify(self, all_alerts):
        wrong = self.tracker.doubled_or_out_of_order()
        wrong += [line for label in {each.split()[0].rstrip(":") for each in wrong} for line in self.story(label)]
        for alerts in all_alerts:
            wrong += [f"{key} is lost" for key in alerts.accepted if not self.tracker.has(*alerts.place[key])]
        if wrong:
            raise AssertionError("\n".join(wrong[:60]) + f"\n{self.folder} {self.location}\n" + self.tail())

    def story(self, label):
        """What the tracker was asked to do with a case, and when those who asked were stopped."""
        asked = [each for each in self.tracker.history if each[4] == label]
        for came, done, worker, kind, _, seq in asked:
            yield f"  {label}: {came - self.began:9.3f} {done - self.began:9.3f} {worker} {kind} {seq}"
        for worker, stopped, woken in self.pauses:
            if any(each[2] == worker and stopped - 1 < each[0] < woken + 1 for each in asked):
                yield f"  {label}: {worker} was stopped from {stopped - self.began:.3f} to {woken - self.began:.3f}"

    # ---- a worker is killed

    def kill(self, count, cases, kills):
        for keys, find in ((True, False), (False, True), (False, False)):
            self.fresh(keys, find, self.random.random())
            self.tracker.misbehaves = 0.1
            alerts = Alerts(count, cases)
            server = os.environ.get("CASEHOOK_PG_DATA") if self.postgres else None
            for i in range(kills):
                ended = sum(entry["state"] in ("done", "unknown") for entry in self.entries()) if i else 0
                if ended == count:
                    break
                worker = Worker(self, alerts, "one")
                # Where the work runs ahead of the kills it is killed sooner, or few of them would meet any.
                time.sleep(self.random.uniform(0.01, 0.04 if ended * kills > i * count else 0.3))
                if server and i % 10 == 7:
                    subprocess.run([server + "/pg.sh", "kill"], stdout=self.log, stderr=self.log)
                    time.sleep(self.random.uniform(0, 0.1))
                worker.kill()
                if server and i % 10 == 7:
                    subprocess.run([server + "/pg.sh", "start"], stdout=self.log, stderr=self.log)
            put_before = len(alerts.accepted)
            asked = self.finish([alerts], "one", may_be_unknown=not keys)
            self.verify([alerts])
            print(f"{'keys' if keys else 'find' if find else 'none'}: {count} alerts of {cases} cases, {i + 1} kills, "
                  f"{put_before} accepted meanwhile, {self.tracker.mishaps} mishaps, a person was asked {asked} times: "
                  f"0 lost, 0 doubled", flush=True)

    # ---- its disk

    def disk(self, stride):
        total = self.points({})
        ways = [{}, {"torn": 1}, {"loses": 2}, {"loses": 3}, {"loses": 5, "torn": 1}]
        tried = 0
        for number, way in enumerate(ways):
            for point in range(1 + number % stride, total + 1, stride):
                self.points(dict(way, kill_at=point))
                tried += 1
        print(f"{total} writes and syncs, killed at {tried} of them in {len(ways)} ways: 0 lost, 0 doubled", flush=True)

    def points(self, shim):
        self.fresh(True, False, 1)
        alerts = Alerts(8, 2)
        counted = os.path.join(self.folder, "count")
        worker = Worker(self, alerts, "one", files="outbox", count=counted, **shim)
        end = time.monotonic() + 20
        while worker.process.poll() is None and time.monotonic() < end:
            if not alerts.left() and len(self.tracker.cases) == 2 and all(
                    len(case["effects"]) == 4 for case in list(self.tracker.cases.values())):
                break
            time.sleep(0.002)
        worker.end_input()
        worker.wait()
        if worker.process.returncode == -signal.SIGKILL and os.path.exists(self.location + "-shm"):
            os.unlink(self.location + "-shm")  # it is memory, which the power takes away
        self.finish([alerts], "one", may_be_unknown=False)
        self.verify([alerts])
        for ending in ("", "-wal", "-shm"):
            if os.path.exists(self.location + ending):
                os.unlink(self.location + ending)
        if "kill_at" in shim:
            return 0
        with open(counted, encoding="utf-8") as source:
            return int(source.read())

    # ---- three machines

    def machines(self, seconds, count, cases):
        for keys, find in ((True, False), (False, True)):
            self.fresh(keys, find, self.random.random())
            self.tracker.misbehaves = 0.05
            all_alerts = [Alerts(count, cases, prefix, seconds * 0.45) for prefix in "xyz"]
            shifts = [0, 420, -380]
            start = lambda i: Worker(self, all_alerts[i], "-", 1000, clock=shifts[i])
            workers = [start(i) for i in range(3)]
            end = time.monotonic() + seconds / 2
            kills = stops = restarts = 0
            restart = time.monotonic() + self.random.uniform(1, 8)
            while time.monotonic() < end:
                time.sleep(self.random.uniform(0.05, 0.4))
                i = self.random.randrange(3)
                if self.random.random() < 0.5:
                    workers[i].kill()
                    workers[i] = start(i)
                    kills += 1
                else:
                    stopped = time.monotonic()
                    workers[i].process.send_signal(signal.SIGSTOP)
                    time.sleep(self.random.choice([0.1, 2.0]))
                    self.pauses.append((workers[i].name, stopped, time.monotonic()))
                    workers[i].process.send_signal(signal.SIGCONT)
                    stops += 1
                if time.monotonic() > restart:
                    restart = time.monotonic() + self.random.uniform(3, 12)
                    restarts += 1
                    for word in ("kill", "start"):
                        subprocess.run([os.environ["CASEHOOK_PG_DATA"] + "/pg.sh", word], stdout=self.log, stderr=self.log)
            for worker in workers:
                worker.kill()
            put_before = sum(len(alerts.accepted) for alerts in all_alerts)
            asked = self.finish(all_alerts, "last", may_be_unknown=not keys)
            self.verify(all_alerts)
            print(f"{'keys' if keys else 'find'}: three workers, {3 * count} alerts, {put_before} accepted meanwhile, {kills} killed, "
                  f"{stops} stopped, the database restarted {restarts} times, {self.tracker.mishaps} mishaps, a person was asked {asked} times: "
                  f"0 lost, 0 doubled", flush=True)


def main():
    kind, worker, shim = sys.argv[1:4]
    rest = sys.argv[4:]
    size = 2 if "long" in rest else 1 if "middle" in rest else 0
    location = next((each for each in rest if each.startswith("postgresql://")), None)
    seed = int(os.environ.get("CASEHOOK_SEED", "7"))
    campaign = Campaign(os.path.abspath(worker), os.path.abspath(shim), location, seed)
    if kind == "kill":
        campaign.kill(*((150, 30, 12), (500, 100, 60), (1000, 200, 200))[size])
    elif kind == "disk":
        campaign.disk((24, 6, 1)[size])
    else:
        campaign.machines(*((16, 150, 20), (90, 1200, 80), (300, 3000, 200))[size])
    campaign.tracker.close()
    subprocess.run(["rm", "-rf", campaign.folder], check=True)


main()
