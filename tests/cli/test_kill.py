"""
kill -9 of a batch with a journal, at random moments: test_kill.py TOOL TRACKER CONNECTOR [KILLS [SEED]]

Each time the batch is started again until it is done, and is killed again with a chance of one in three.  Every other
time the tracker loses answers and refuses requests as well.  At the end it has each case once and each comment once:
with finding, with idempotency keys, and with both.
"""
import json
import os
import random
import subprocess
import sys
import tempfile
import time

from server import PASSWORD, USER, Tracker

TOOL, TRACKER, CONNECTOR = sys.argv[1:4]
KILLS = int(sys.argv[4]) if len(sys.argv) > 4 else 6
SEED = int(sys.argv[5]) if len(sys.argv) > 5 else random.randrange(1 << 32)
CASES = 200
ROUNDS = 30  # more than a batch needs until nothing fails any more
FAULTS = ("drop-after-commit:create:20-35", "drop-before-commit:create:60-62", "status=503:create:90-99", "status=500:get:5-12",
          "status=503:find:1-4", "drop-after-commit:find:7", "drop-after-commit:comment:3-9", "drop-before-commit:comment:30-33",
          "status=422:comment:50-55")
FIND = ("findIncidentUrl", "findIncidentResponseKey")
KEY = ("idempotencyHeader",)
WAYS = {"find": KEY, "key": FIND, "both": ()}  # what is taken out


def cases_of(way):
    """Comments need a key; so does a case without an id, which nothing can look for."""
    cases = []
    for number in range(CASES):
        case = {"title": f"case {number}", "id": f"alert-{number}"}
        if way != "find":
            case["comments"] = [{"commentId": str(i), "comment": f"{number} {i}"} for i in range(number % 3)]
        if way == "key" and number % 2:
            del case["id"]
        cases.append(case)
    return cases


class Batch:
    def __init__(self, folder, way, url):
        with open(CONNECTOR, encoding="utf-8") as source:
            document = json.loads(source.read().replace("http://127.0.0.1:8080", url))
        document["secrets"] = {"user": USER, "password": PASSWORD}
        for name in list(document["config"]):
            if name in WAYS[way]:
                del document["config"][name]
        self.cases = cases_of(way)
        files = {"connector": json.dumps(document), "settings": json.dumps({"retry": {"findDelay": "100ms"}}),
                 "cases": "".join(json.dumps(case) + "\n" for case in self.cases)}
        self.paths = {name: os.path.join(folder, name) for name in (*files, "journal")}
        for name, text in files.items():
            with open(self.paths[name], "w", encoding="utf-8") as out:
                out.write(text)

    def start(self):
        return subprocess.Popen([TOOL, "push", "--connector", self.paths["connector"], "--settings", self.paths["settings"], "--batch",
                                 self.paths["cases"], "--journal", self.paths["journal"]], stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def done(self):
        """Runs it until all is done."""
        for _ in range(ROUNDS):
            process = self.start()
            out, error = process.communicate(timeout=120)
            assert process.returncode in (0, 13), (process.returncode, out[-2000:], error[-2000:])
            if process.returncode == 0:
                return
        raise AssertionError(f"it is never done: {out[-2000:]} {error[-2000:]}")

    def kill(self, after):
        """Whether it was under way; what it has printed is not read, as by somebody who died with it."""
        process = self.start()
        time.sleep(after)  # not to wait for anything: the moment is what is being tried
        process.kill()
        process.communicate()
        return process.returncode != 0


def count(tracker, cases, way):
    """
    How many cases and comments are missing, and how many are there once more than they should be.  A comment has no
    key where cases are only found: of one that was under way nobody knows, and it is sent again.
    """
    there = {}
    for case in tracker.ask("/api/cases"):
        there.setdefault(case["title"], []).append(sorted(comment["text"] for comment in case["comments"]))
    lost = doubled = 0
    for case in cases:
        wanted = sorted(comment["comment"] for comment in case.get("comments", []))
        found = there.pop(case["title"], [])
        texts = [text for comments in found for text in comments]
        lost += not found
        doubled += max(0, len(found) - 1)
        lost += len([text for text in wanted if text not in texts])
        if way != "find":
            doubled += len(texts) - len(set(texts))
    assert not there, there
    return lost, doubled


def trial(way, chance, length=None, faults=()):
    """Returns how long it took when nobody kills it, or how many kills hit it under way, what is lost and what is doubled."""
    tracker = Tracker(TRACKER, *faults)
    try:
        with tempfile.TemporaryDirectory() as folder:
            batch = Batch(folder, way, tracker.url)
            hits = 0
            if length is not None:
                hits += batch.kill(chance.uniform(0, length))
                while chance.random() < 1 / 3:
                    hits += batch.kill(chance.uniform(0, length))
            began = time.monotonic()
            batch.done()
            took = time.monotonic() - began
            return (took if length is None else hits, *count(tracker, batch.cases, way))
    finally:
        tracker.close()


def main():
    chance = random.Random(SEED)
    failed = False
    print("seed", SEED)
    for way in WAYS:
        length, lost, doubled = trial(way, chance)
        hits = 0
        for number in range(KILLS):
            hit, *counted = trial(way, chance, length, FAULTS if number % 2 else ())
            hits += hit
            lost += counted[0]
            doubled += counted[1]
        print(f"{way}: {KILLS} batches of {CASES} cases, {hits} times killed under way: {lost} lost, {doubled} doubled")
        failed |= bool(lost or doubled)
        assert hits or KILLS < 3, "nothing was under way"
    sys.exit(failed)


main()
