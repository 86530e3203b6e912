"""Batches with a journal: test_journal.py TOOL TRACKER CONNECTOR"""
import json
import os
import resource
import signal
import subprocess
import sys
import unittest

from test_batch import Batch
from test_cli import FIND, JSON, KEY, TOOL

GOOD = {"POST": (201, JSON, '{"id": 7}'), "GET": (200, JSON, '{"key": "K"}')}
HUGE = '{"big": %d, "real": 1e999, "long": %s}' % (1 << 63, "9" * 400)  # JSON, and no number of a machine


def case(number, **members):
    return json.dumps({"title": f"case {number}", **members}) + "\n"


class Journal(Batch):
    def setUp(self):
        super().setUp()
        self.journal = os.path.join(self.folder, "journal")

    def push(self, code, url, cases, *options, **config):
        """Runs the batch; its lines and what it said."""
        out, error = self.tool(code, "push", "--connector", self.connector(url, **config), "--batch",
                               self.file("cases.ndjson", cases), "--journal", self.journal, *options)
        return self.lines(out), error

    def killed(self, server, cases, requests, *options, **config):
        """Runs the batch until so many requests have arrived, and kills it."""
        while server.arrived.acquire(blocking=False):
            pass
        process = subprocess.Popen([TOOL, "push", "--connector", self.connector(server.url, **config), "--batch",
                                    self.file("cases.ndjson", cases), "--journal", self.journal, *options],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(requests):
            self.assertTrue(server.arrived.acquire(timeout=30))
        process.kill()
        process.communicate()

    def entries(self):
        with open(self.journal, encoding="utf-8") as file:
            return [json.loads(line) for line in file]

    def bytes(self):
        with open(self.journal, "rb") as file:
            return file.read()

    def titles(self, server):
        return [json.loads(body)["title"] for method, _, body in server.requests if method == "POST"]


class GoesOn(Journal):
    def test_what_is_done_is_left_alone(self):
        server = self.server(**GOOD)
        cases = "\n" + "".join(case(i) for i in range(50)) + " \t\n"
        lines, error = self.push(0, server.url, cases)
        self.assertEqual((sorted(lines), error), (list(range(1, 51)), ""))
        entries = self.entries()
        self.assertEqual(entries[0]["journal"], "casehook batch")
        self.assertEqual(sorted(entry["begun"] for entry in entries if "begun" in entry), sorted(lines))
        self.assertEqual({entry["index"]: entry["result"] for entry in entries if "result" in entry},
                         {index: line["result"] for index, line in lines.items()})
        before = self.bytes()
        lines, error = self.push(0, server.url, cases)
        self.assertEqual((lines, error), ({}, "casehook: 50 cases: 0 done, 0 failed, 0 not attempted, 50 done before\n"))
        self.assertEqual(self.bytes(), before)
        lines, _ = self.push(0, server.url, cases + case("new"))  # what was appended is new
        self.assertEqual(sorted(lines), [52])
        self.assertEqual(sorted(self.titles(server)), sorted([f"case {i}" for i in range(50)] + ["case new"]))

    def test_it_is_known_before_it_is_sent_and_told(self):
        server = self.server(POST=(201, JSON, "hang"))
        process = self.start(server.url, "--batch", self.file("cases.ndjson", case(0) * 9), "--journal", self.journal,
                             "--concurrency", "3")
        for _ in range(3):
            self.assertTrue(server.arrived.acquire(timeout=30))
        self.assertEqual([entry.get("begun") for entry in self.entries()], [None, 0, 1, 2])
        process.kill()
        process.communicate()
        os.remove(self.journal)
        process = self.start(self.server(**GOOD).url, "--batch", "-", "--journal", self.journal, stdin=subprocess.PIPE)
        for i in range(5):
            self.write(process, case(i).encode())
            line = json.loads(process.stdout.readline())
            known = [entry for entry in self.entries() if entry.get("index") == i]
            self.assertEqual([entry["result"] for entry in known], [line["result"]])
        process.stdin.close()
        self.assertEqual(process.wait(30), 0)

    def test_what_was_refused_is_tried_again_as_it_is(self):
        server = self.server(POST=(422, JSON, '{"e": "no"}'), GET=GOOD["GET"])
        cases = case(0) + '{"titel": "x"}\n'
        for _ in range(2):
            lines, error = self.push(13, server.url, cases)
            self.assertEqual({i: line["result"]["step"] for i, line in lines.items()}, {0: "create", 1: "params"})
            self.assertEqual(len(error.splitlines()), 3)
        server.answers["POST"] = GOOD["POST"]
        self.assertEqual(sorted(self.push(13, server.url, cases)[0]), [0, 1])
        self.assertEqual(sorted(self.push(13, server.url, cases)[0]), [1])
        self.assertEqual(len(self.titles(server)), 3)

    def test_what_may_have_been_sent_is_told(self):
        """Neither finding nor a key: only who looks can know."""
        server = self.server(POST=(201, JSON, None), GET=GOOD["GET"], PUT=(200, JSON, None))
        cases = case(0) + case(1, externalId="5")  # an update may be made again
        self.assertEqual(sorted(self.push(13, server.url, cases)[0]), [0, 1])
        server.answers["PUT"] = (200, JSON, "{}")
        server.answers.update(GOOD)
        for _ in range(2):
            lines, error = self.push(13, server.url, cases)
            self.assertEqual(lines[0], {"index": 0, "outcomeUnknown": True})
            self.assertIn("casehook: case 0: may have been sent by an earlier run: look for it in the tracker, then --retry-unknown\n",
                          error)
            self.assertIn(", 1 left alone", error)
        self.assertEqual(self.titles(server), ["case 0"], "not sent again")
        lines, _ = self.push(0, server.url, cases, "--retry-unknown")
        self.assertTrue(lines[0]["result"]["ok"])
        self.assertEqual(len(self.titles(server)), 2)

    def test_killed_without_find_and_key(self):
        server = self.server(POST=(201, JSON, "hang"), GET=GOOD["GET"])
        process = self.start(server.url, "--batch", self.file("cases.ndjson", "".join(map(case, range(9)))), "--journal",
                             self.journal, "--concurrency", "2")
        for _ in range(2):
            self.assertTrue(server.arrived.acquire(timeout=30))
        process.kill()
        process.communicate()
        server.answers.update(GOOD)
        lines, error = self.push(13, server.url, "".join(map(case, range(9))))
        self.assertEqual([i for i in sorted(lines) if "result" not in lines[i]], [0, 1])
        self.assertEqual(error.count("may have been sent"), 2)
        self.assertEqual(sorted(self.titles(server)), [f"case {i}" for i in range(9)])

    def test_killed_with_find_alone(self):
        """It tells whether there is a case, not which comments it has; and without an id there is nothing to look for."""
        comments = [{"commentId": "c", "comment": "x"}]
        cases = case(0, id="a", comments=comments) + case(1) + case(2, id="c") + case(3, externalId="7", comments=comments)
        server = self.server(POST=(201, JSON, "hang"), GET=GOOD["GET"], PUT=(200, JSON, "hang"))
        document = self.connector(server.url, safe=FIND)
        options = ("--connector", document, "--batch", self.file("cases.ndjson", cases), "--journal", self.journal, "--settings",
                   self.file("settings.json", {"retry": {"findDelay": "1ms"}}))
        process = subprocess.Popen([TOOL, "push", *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(4):
            self.assertTrue(server.arrived.acquire(timeout=30))
        process.kill()
        process.communicate()
        server.answers.update(GOOD, PUT=(200, JSON, "{}"))
        server.answers["GET /api/cases?reference=c"] = (200, JSON, '{"items": [{"id": 30}]}')
        lines = self.lines(self.tool(13, "push", *options)[0])
        self.assertEqual([i for i in sorted(lines) if "outcomeUnknown" in lines[i]], [0, 1, 3])
        self.assertEqual((lines[2]["result"]["id"], lines[2]["result"]["found"]), ("30", True))
        server.answers["GET /api/cases?reference=a"] = (200, JSON, '{"items": [{"id": 10}]}')
        lines = self.lines(self.tool(0, "push", *options, "--retry-unknown")[0])
        self.assertEqual({i: (line["result"]["id"], line["result"]["found"]) for i, line in lines.items()},
                         {0: ("10", True), 1: ("7", False), 3: ("7", False)})

    def test_killed_with_a_find_by_a_key_that_is_made_up(self):
        """Of a case without an id it is another one each time, under whatever name the find has it."""
        server = self.server(POST=(201, JSON, "hang"), GET=(200, JSON, '{"items": []}'))
        for place in ("findIncidentUrl", "findIncidentHeaders"):
            for made in ("case.idempotencyKey", ["case.id", "case.idempotencyKey"]):
                find = {"findIncidentUrl": server.url + "/api/cases?reference={{{case.title}}}",
                        "createIncidentJson": '{"title": {{{case.title}}}, "reference": {{{value.ref}}}}'}
                find[place] = {"X-Ref": "{{{value.ref}}}"} if place[-1] == "s" else server.url + "/api/cases?reference={{{value.ref}}}"
                config = {"safe": FIND, "strict": "names", "values": {"ref": {"from": made}}, **find}
                with self.subTest(place=place, made=made):
                    before = len(self.titles(server))
                    server.answers["POST"] = (201, JSON, "hang")
                    self.killed(server, case(0), 1, **config)
                    server.answers["POST"] = GOOD["POST"]
                    lines, _ = self.push(13, server.url, case(0), **config)
                    self.assertEqual(lines, {0: {"index": 0, "outcomeUnknown": True}})
                    self.assertEqual(len(self.titles(server)), before + 1)
                    os.remove(self.journal)

    def test_killed_on_the_way_from_a_result_with_a_key(self):
        server = self.server(POST=(201, JSON, None), GET=GOOD["GET"])
        cases = case(0, resume={"comments": [], "requests": []})
        settings = ("--settings", self.file("settings.json", {"run": {"maxAttempts": 1}}))
        lines, _ = self.push(13, server.url, cases, *settings, safe=KEY)
        key = lines[0]["result"]["idempotencyKey"]
        server.answers["POST"] = (201, JSON, "hang")
        self.killed(server, cases, 1, *settings, safe=KEY)
        server.answers.update(GOOD)
        lines, _ = self.push(0, server.url, cases, *settings, safe=KEY)
        self.assertEqual(lines[0]["result"]["idempotencyKey"], key)
        self.assertEqual(len(self.titles(server)), 3)

    def test_a_transition_is_not_made_twice(self):
        """It has no key, and nobody can look whether it was done."""
        cases = case(0, externalId="7", status="closed")
        for safe in ((), KEY):
            server = self.server(**{**GOOD, "PUT": (200, JSON, "{}"), "POST /move": (200, JSON, "hang")})
            config = {"safe": safe, "transitionIncidentUrl": server.url + "/move", "transitionIncidentJson": '{"to": {{{case.status}}}}'}
            left = {0: {"index": 0, "outcomeUnknown": True}}

            def moves():
                return [path for _, path, _ in server.requests].count("/move")
            self.killed(server, cases, 2, **config)
            server.answers["POST /move"] = (200, JSON, None)
            self.assertEqual((self.push(13, server.url, cases, **config)[0], moves()), (left, 1))
            self.push(13, server.url, cases, "--retry-unknown", **config)
            self.assertEqual((self.push(13, server.url, cases, **config)[0], moves()), (left, 2))  # there is a result that says so
            os.remove(self.journal)
            server.answers["POST /move"] = (422, JSON, "{}")  # refused, gone on from there, and killed
            self.push(13, server.url, cases, **config)
            server.answers["POST /move"] = (200, JSON, "hang")
            self.killed(server, cases, 1, **config)
            server.answers["POST /move"] = (200, JSON, "{}")
            self.assertEqual((self.push(13, server.url, cases, **config)[0], moves()), (left, 4))
            os.remove(self.journal)
            server.answers.update({"GET": (500, JSON, "{}")})  # what is behind it may be asked again
            self.push(13, server.url, cases, **config)
            server.answers["GET"] = (200, JSON, "hang")
            self.killed(server, cases, 1, **config)
            server.answers.update(GOOD)
            self.assertTrue(self.push(0, server.url, cases, **config)[0][0]["result"]["ok"])
            self.assertEqual(moves(), 5)
            os.remove(self.journal)

    def test_interrupted_before_what_may_have_been_sent(self):
        server = self.server(POST=(422, JSON, '{"e": "no"}'), GET=GOOD["GET"])
        process = self.start(server.url, "--batch", "-", "--journal", self.journal, stdin=subprocess.PIPE)
        self.write(process, case(0).encode())
        process.stdout.readline()
        self.assertTrue(server.arrived.acquire(timeout=30))
        server.answers["POST"] = (201, JSON, "hang")
        self.write(process, case(1).encode())
        self.assertTrue(server.arrived.acquire(timeout=30))
        process.kill()
        process.communicate()
        failed = os.path.join(self.folder, "failed")
        process = self.start(server.url, "--batch", self.file("cases.ndjson", case(0) + case(1) + case(2)), "--journal", self.journal,
                             "--concurrency", "1", "--deadline", "2000", "--failed", failed)
        self.assertTrue(server.arrived.acquire(timeout=30))
        process.send_signal(signal.SIGINT)
        code, lines, error = self.end(process)
        self.assertEqual((code, lines[1], lines[2]), (13, {"index": 1, "outcomeUnknown": True}, {"index": 2, "notAttempted": True}))
        self.assertIn("casehook: case 1: may have been sent by an earlier run", error)
        with open(failed, encoding="utf-8") as file:
            self.assertEqual(file.read(), case(2))

    def test_interrupted(self):
        server = self.server(**GOOD)
        cases = "".join(map(case, range(500)))
        process = self.start(server.url, "--batch", self.file("cases.ndjson", cases), "--journal", self.journal)
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
        self.assertEqual(process.returncode, 13)
        self.push(0, server.url, cases)
        self.assertEqual(sorted(self.titles(server)), sorted(f"case {i}" for i in range(500)))


class Huge(Journal):
    """Numbers of the tracker that no program holds."""

    def test_in_a_journal(self):
        server = self.server(POST=(201, JSON, '{"id": 7, "o": %s}' % HUGE), GET=GOOD["GET"])
        cases = case(0) + case(1)
        self.push(0, server.url, cases, "--concurrency", "1", createResponseFields={"o": "o"})
        before = self.bytes()
        self.assertIn(HUGE.replace(" ", "").encode(), before.replace(b" ", b""))
        for more in (cases, cases + case(2)):  # the last line, and one in the middle
            lines, _ = self.push(0, server.url, more, createResponseFields={"o": "o"})
            self.assertEqual(sorted(lines), [2] if more != cases else [])
            self.assertTrue(self.bytes().startswith(before))
        self.assertEqual(len(self.titles(server)), 3)

    def test_torn(self):
        server = self.server(POST=(201, JSON, '{"id": 7, "o": %s}' % HUGE), GET=GOOD["GET"])
        self.push(0, server.url, case(0), createResponseFields={"o": "o"})
        whole = self.bytes()
        end = whole.rindex(b'{"index"')
        for size in range(end, len(whole) - 1, 7):
            for filler in (b"", b"\n", b"\0" * (len(whole) - 3 - size) + b"}}\n"):
                torn = whole[:size] + filler
                if torn == whole:  # it ends with what the filler ends with
                    continue
                with open(self.journal, "wb") as file:
                    file.write(torn)
                lines, _ = self.push(13, server.url, case(0), createResponseFields={"o": "o"})
                self.assertEqual((lines, self.bytes()), ({0: {"index": 0, "outcomeUnknown": True}}, whole[:end]))

    def test_in_lines_to_try_again(self):
        path = os.path.join(self.folder, "failed")
        server = self.server(POST=(201, JSON, '{"id": 7, "o": %s}' % HUGE), GET=(500, JSON, "{}"))
        connector = self.connector(server.url, createResponseFields={"o": "o"})
        for journal in (), ("--journal", self.journal):
            before = len(self.titles(server))
            server.answers["GET"] = (500, JSON, "{}")
            for _ in range(2):
                self.tool(13, "push", "--connector", connector, "--batch", self.file("cases", case(0)), *journal, "--failed", path)
                if not journal:
                    break
            server.answers["GET"] = GOOD["GET"]
            lines = self.lines(self.tool(0, "push", "--connector", connector, "--batch", path)[0])
            self.assertEqual((lines[0]["result"]["id"], lines[0]["result"]["ok"]), ("7", True))
            self.assertEqual(len(self.titles(server)), before + 1)


class Torn(Journal):
    def test_end_that_is_cut(self):
        server = self.server(POST=(422, JSON, '{"e": "no"}'), GET=GOOD["GET"])
        cases = case(0) + case(1)
        self.push(13, server.url, cases)
        server.answers.update(GOOD)
        self.push(0, server.url, cases)
        whole = self.bytes()
        for size in range(0, len(whole), 23):
            with self.subTest(size=size):
                with open(self.journal, "wb") as file:
                    file.write(whole[:size])
                out = subprocess.run([TOOL, "push", "--connector", self.connector(server.url), "--batch",
                                      self.file("cases.ndjson", cases), "--journal", self.journal], capture_output=True, timeout=60)
                self.assertIn(out.returncode, (0, 13), out.stderr)
                kept = whole[:size].rpartition(b"\n")[0]
                self.assertTrue(self.bytes().startswith(kept))
                self.entries()  # all of them are JSON

    def test_tail_of_rubbish(self):
        server = self.server(**GOOD)
        self.push(0, server.url, case(0))
        whole = self.bytes()
        for rubbish in (b"\0" * 5000, b"\n\n", b'{"begun":1}\n', b'{"begun":-1,"hash":"0123456789abcdef"}\n{"be', b"x\ny\nz"):
            with open(self.journal, "wb") as file:
                file.write(whole + rubbish)
            self.assertEqual(sorted(self.push(0, server.url, case(0) + case(1))[0]), [1])

    def test_damage_in_the_middle(self):
        server = self.server(**GOOD)
        self.push(0, server.url, case(0) + case(1))
        lines = self.bytes().splitlines(True)
        asked = len(server.requests)
        for broken in (b"\0" * 20 + b"\n", b'{"begun":0}\n', lines[1][:-10] + b"\n"):
            with open(self.journal, "wb") as file:
                file.write(b"".join([lines[0], broken, *lines[2:]]))
            before = self.bytes()
            _, error = self.push(4, server.url, case(0) + case(1))
            self.assertIn(f"{self.journal}: line 2 is damaged", error)
            self.assertEqual((self.bytes(), len(server.requests)), (before, asked))


class Others(Journal):
    """A journal that is not this batch's."""

    def refused(self, url, cases, words, *options, stdin=None):
        before = self.bytes()
        if stdin is None:
            _, error = self.push(4, url, cases, *options)
        else:
            error = self.tool(4, "push", "--connector", self.connector(url), "--batch", "-", "--journal", self.journal, stdin=stdin)[1]
        self.assertIn(words, error)
        self.assertEqual(len(error.splitlines()), 1, error)
        self.assertEqual(self.bytes(), before)

    def test_other_cases(self):
        server = self.server(**GOOD)
        cases = "".join(map(case, range(4)))
        self.push(0, server.url, cases)
        asked = len(server.requests)
        for other, number in ((cases.replace("case 2", "case x"), 2), ("\n" + cases, 0), ("".join(map(case, range(3))), 3), ("", 0),
                              (cases.replace(case(1), case(1) + "\n"), 2)):
            with self.subTest(number=number):
                self.refused(server.url, other, f"case {number} of ")
                self.refused(server.url, other, f"case {number} of ", stdin=other.encode())
        self.assertEqual(len(server.requests), asked)

    def test_another_tracker(self):
        self.push(0, self.server(**GOOD).url, case(0))
        self.refused(self.server(**GOOD).url, case(0), "createIncidentUrl")

    def test_what_is_no_journal(self):
        server = self.server(**GOOD)
        for text in ("x", case(0), '{"journal":"casehook batch"}\n', '{"journal":"casehook batch","version":1,"batch":"x"}\n', "\n", "[]\n"):
            with open(self.journal, "w", encoding="utf-8") as file:
                file.write(text)
            self.refused(server.url, case(0), "no journal")
        head = '{"journal":"casehook batch","version":2,"batch":"%s","target":"0123456789abcdef"}\n' % ("0" * 32)
        with open(self.journal, "w", encoding="utf-8") as file:
            file.write(head)
        self.refused(server.url, case(0), "another version")
        for path in (self.folder, "/dev/null", os.path.join(self.folder, "no", "such")):
            self.journal = path
            self.assertIn(path, self.push(4, server.url, case(0))[1])
        self.assertEqual(server.requests, [])

    def test_two_at_once(self):
        server = self.server(POST=(201, JSON, "hang"))
        process = self.start(server.url, "--batch", self.file("cases.ndjson", case(0)), "--journal", self.journal)
        self.assertTrue(server.arrived.acquire(timeout=30))
        self.refused(server.url, case(0), "another casehook works with this journal")
        process.kill()
        process.communicate()
        self.assertEqual(len(server.requests), 1)
        self.push(13, server.url, case(0))  # the lock went with the process

    def test_options(self):
        path = self.connector("http://127.0.0.1:1")
        for words in (("--journal", "j"), ("--failed", "f"), ("--retry-unknown",), ("--batch", "b", "--retry-unknown"),
                      ("--batch", "b", "--journal", "-"), ("--batch", "b", "--failed", "-"), ("--batch", "b", "--resume", "r"),
                      ("--batch", "b", "--idempotency-key", "k"), ("--title", "t", "--max-attempts", "11"), ("--title", "t", "--max-attempts", "0")):
            self.assertIn(words[-2] if words[-1][0] != "-" else "--", self.tool(2, "push", "--connector", path, *words)[1])


class Disk(Journal):
    def test_full(self):
        """No other case is begun, and what was done meanwhile is told."""
        server = self.server(**GOOD)
        cases = "".join(map(case, range(100)))
        done = subprocess.run([TOOL, "push", "--connector", self.connector(server.url), "--batch", self.file("cases.ndjson", cases),
                               "--journal", self.journal], capture_output=True, timeout=60, restore_signals=False,
                              preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000)))
        error = done.stderr.decode()
        self.assertEqual(done.returncode, 11, error)
        self.assertEqual(error.count(f"{self.journal}: File too large; no other case is begun"), 1)
        told = {i for i, line in self.lines(done.stdout.decode()).items() if line.get("result", {}).get("ok")}
        known = {entry["index"] for entry in self.entries() if "result" in entry}
        self.assertEqual(told, known)
        sent = self.titles(server)
        self.assertLess(len(sent), 100)
        self.assertEqual(error.count("its result cannot be written: id 7"), len(sent) - len(known))
        lines, _ = self.push(13, server.url, cases)
        self.assertEqual(len([line for line in lines.values() if "outcomeUnknown" in line]), len(sent) - len(known))
        self.assertEqual(sorted(self.titles(server)), sorted(f"case {i}" for i in range(100)))


class Failed(Journal):
    def lines_of(self, path):
        with open(path, encoding="utf-8") as file:
            return file.read()

    def test_lines_to_try_again(self):
        path = os.path.join(self.folder, "failed")
        server = self.server(POST=(422, JSON, '{"e": "no"}'), GET=GOOD["GET"])
        cases = '{"title": "a", "fields": {"count": 1.50}}\n{"titel": "x"}\n'
        with open(path, "w", encoding="utf-8") as file:
            file.write("something older")
        for journal in ((), ("--journal", self.journal)):
            self.tool(13, "push", "--connector", self.connector(server.url), "--batch", self.file("cases", cases), *journal, "--failed", path,
                      "--concurrency", "1")
            self.assertEqual(self.lines_of(path), cases)
        server.answers.update(GOOD)
        again = os.path.join(self.folder, "again")
        self.tool(13, "push", "--connector", self.connector(server.url), "--batch", path, "--failed", again)
        self.assertEqual(self.lines_of(again), '{"titel": "x"}\n')
        self.tool(0, "push", "--connector", self.connector(server.url), "--batch", "-", "--failed", again, stdin=case(1).encode())
        self.assertEqual(self.lines_of(again), "")

    def test_what_may_have_been_done_is_not_among_them(self):
        path = os.path.join(self.folder, "failed")
        server = self.server(POST=(201, JSON, None))
        self.tool(13, "push", "--connector", self.connector(server.url), "--batch", self.file("cases", case(0)), "--failed", path)
        self.assertEqual(self.lines_of(path), "")

    def test_what_was_not_attempted_is(self):
        path = os.path.join(self.folder, "failed")
        server = self.server(POST=(201, JSON, "hang"))
        process = self.start(server.url, "--batch", self.file("cases.ndjson", "".join(map(case, range(9)))), "--failed", path,
                             "--concurrency", "2", "--deadline", "2000")
        for _ in range(2):
            self.assertTrue(server.arrived.acquire(timeout=30))
        process.send_signal(signal.SIGINT)
        self.assertEqual(self.end(process)[0], 13)
        self.assertEqual(self.lines_of(path), "".join(map(case, range(2, 9))))

    def test_an_older_file_stays_until_the_batch_is_good(self):
        server = self.server(**GOOD)
        self.push(0, server.url, case(0))
        path = self.file("failed", "something older\n")
        for cases in ('[{"title": "a"}]\n', case(1)):
            for stdin in (None, cases.encode()):
                self.tool(4, "push", "--connector", self.connector(server.url), "--batch", self.file("cases", cases) if stdin is None else "-",
                          "--journal", self.journal, "--failed", path, stdin=stdin or b"")
                self.assertEqual(self.lines_of(path), "something older\n")
        self.push(0, server.url, case(0), "--failed", path)  # all of it is done
        self.assertEqual(self.lines_of(path), "")

    def test_files_that_cannot_be(self):
        path, cases = self.connector("http://127.0.0.1:1"), self.file("cases", case(0))
        for failed, words in ((cases, "file of their own"), (self.folder, "directory"), ("/no/such/file", "No such")):
            error = self.tool(4, "push", "--connector", path, "--batch", cases, "--failed", failed)[1]
            self.assertIn(words, error)
        self.assertEqual(self.lines_of(cases), case(0))
        error = self.tool(4, "push", "--connector", path, "--batch", cases, "--journal", self.journal, "--failed", self.journal)[1]
        self.assertIn("file of their own", error)
        before = self.lines_of(path)
        document = json.loads(before)
        secrets, settings = self.file("secrets", document.pop("secrets")), self.file("settings", {})
        for other in (secrets, settings):
            error = self.tool(4, "push", "--connector", self.file("bare.json", document), "--secrets", secrets, "--settings", settings,
                              "--batch", cases, "--failed", other)[1]
            self.assertIn("file of their own", error)
            self.assertNotEqual(self.lines_of(other), "")
        for way in (path, "-"):
            with open(path, "rb") as stdin:
                done = subprocess.run([TOOL, "push", "--connector", way, "--batch", cases, "--failed", path], stdin=stdin,
                                      capture_output=True, timeout=60)
            self.assertEqual((done.returncode, self.lines_of(path)), (4, before))
            self.assertIn(b"file of their own", done.stderr)
        if os.path.exists("/dev/full"):
            out, error = self.tool(1, "push", "--connector", path, "--batch", cases, "--failed", "/dev/full")
            self.assertIn("No space left", error)
            self.assertIn("result", out)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
