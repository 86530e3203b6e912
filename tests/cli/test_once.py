"""Answers that are lost, and cases that are there once all the same: test_once.py TOOL TRACKER CONNECTOR"""
import json
import os
import re
import subprocess
import sys
import unittest

from server import Tracker
from test_cli import FIND, JSON, KEY, TOOL, TRACKER, Tool

QUICK = {"retry": {"findDelay": "1ms", "baseDelay": "1ms"}}
COMMENTS = ("--comment", "one", "--comment", "two", "--comment", "three")


class Once(Tool):
    def setUp(self):
        super().setUp()
        self.settings = self.file("settings.json", QUICK)

    def start(self, *faults, safe=()):
        self.tracker = Tracker(TRACKER, *faults)
        self.addCleanup(self.tracker.close)
        self.options = ("--connector", self.connector(self.tracker.url, safe=safe), "--settings", self.settings)

    def cases(self):
        return {case["title"]: [comment["text"] for comment in case["comments"]] for case in self.tracker.ask("/api/cases")}

    def count(self):
        return len(self.tracker.ask("/api/cases"))

    def steps(self, result):
        return [(request["step"], request["attempt"], request["outcome"]) for request in result["requests"]]


class Attempts(Once):
    def test_more_than_one(self):
        self.start("status=503:create:1-2")
        self.json(8, "create", *self.options, "--title", "t")
        result = self.json(0, "create", *self.options, "--title", "t", "--max-attempts", "2")
        self.assertEqual(self.steps(result)[:2], [("create", 1, "refused"), ("create", 2, "done")])
        self.assertEqual(self.count(), 1)

    def test_the_option_beats_the_settings(self):
        for number, settings in enumerate(({"run": {"maxAttempts": 1}}, {"run.maxAttempts": 1}, {"xpack.actions.run.maxAttempts": 1},
                                           {"xpack": {"actions": {"run": {"maxAttempts": 1}}}}, {"xpack.actions": {"run": {"maxAttempts": 1}}})):
            with self.subTest(settings=settings):
                self.settings = self.file(f"settings-{number}.json", {**QUICK, **settings})
                self.start("status=503:create:1")
                self.json(0, "create", *self.options, "--title", "t", "--max-attempts", "2")
        self.settings = self.file("settings.json", '{\n  "allowedHots": []\n}')
        self.start()
        with_option = self.tool(3, "create", *self.options, "--title", "t", "--max-attempts", "2")[1]
        self.assertEqual(with_option, self.tool(3, "create", *self.options, "--title", "t")[1], "places are those of the file")

    def test_verbose(self):
        self.start("status=429,retry-after=1:create:1")
        _, error = self.tool(0, "push", *self.options, "--title", "t", "--max-attempts", "2", "--verbose")
        self.assertRegex(error, r"(?m)^casehook: create: attempt 1, status 429, refused; ms .*\d bytes sent, \d+ received$")
        delay = re.search(r"(?m)^casehook: create: attempt 2, (\d+) ms later, status 201, done; ", error)
        self.assertGreaterEqual(int(delay[1]), 1000)
        self.assertRegex(error, r"(?m)^casehook: get: attempt 1, status 200, done; ms from its beginning: (name [\d.]+, connected [\d.]+, )?"
                                r"first byte [\d.]+, total [\d.]+; \d+ bytes sent, \d+ received(, on a kept connection)?$")
        batch = self.file("cases", '{"title": "t"}\n')
        self.assertRegex(self.tool(0, "push", *self.options, "--batch", batch, "--verbose")[1],
                         r"(?m)^casehook: case 0: create: attempt 1, status 201, done; ")


class Lost(Once):
    def test_found(self):
        self.start("drop-after-commit:create:1", safe=FIND)
        result = self.json(0, "push", *self.options, "--title", "t", "--id", "mine", *COMMENTS)
        self.assertEqual((result["id"], result["found"]), ("1", True))
        self.assertEqual(self.steps(result)[:2], [("create", 1, "unknown"), ("find", 1, "done")])
        self.assertEqual(self.cases(), {"t": ["one", "two", "three"]})

    def test_not_there(self):
        self.start("drop-before-commit:create:1", safe=FIND)
        result = self.json(0, "push", *self.options, "--title", "t", "--id", "mine")
        self.assertEqual(([step for step, *_ in self.steps(result)], result["found"]), (["create", "find", "find", "create", "get"], False))
        self.assertEqual(self.count(), 1)

    def test_keys(self):
        self.start("drop-after-commit:create:1", "drop-after-commit:comment:2", safe=KEY)
        arguments = ("push", *self.options, "--title", "t", *COMMENTS, "--idempotency-key", "a-key", "--max-attempts", "2")
        for _ in range(2):
            result = self.json(0, *arguments)
            self.assertEqual((result["id"], result["idempotencyKey"]), ("1", "a-key"))
            self.assertEqual(self.cases(), {"t": ["one", "two", "three"]})
        self.assertEqual(self.count(), 1)
        self.json(8, "push", *self.options, "--title", "other", "--idempotency-key", "a-key")
        result = self.json(0, "push", *self.options, "--case", "-", "--idempotency-key", "other",
                           stdin=b'{"incident": {"title": "u"}, "idempotencyKey": "x", "comments": []}')
        self.assertEqual(result["idempotencyKey"], "other", "the command line beats the file")

    def test_bad_keys(self):
        self.start(safe=KEY)
        for key in ("", "x" * 256, 'a\x01', "\u00e9"):
            self.assertEqual(self.json(4, "push", *self.options, "--title", "t", "--idempotency-key", key)["error"]["field"], "idempotencyKey")
        self.assertEqual(self.count(), 0)


class Resume(Once):
    def test_after_a_lost_comment(self):
        for way in ("file", "-"):
            self.start("drop-after-commit:comment:2", safe=KEY)
            arguments = ("push", *self.options, "--title", "t", *COMMENTS)
            first = self.json(11, *arguments)
            self.assertEqual([comment["state"] for comment in first["comments"]], ["sent", "failed", "not_attempted"])
            path = self.file("result.json", first) if way == "file" else "-"
            second = self.json(0, *arguments, "--resume", path, stdin=json.dumps(first).encode() if way == "-" else b"")
            self.assertEqual((second["id"], second["idempotencyKey"]), (first["id"], first["idempotencyKey"]))
            self.assertEqual(self.cases(), {"t": ["one", "two", "three"]})
            self.assertEqual(self.count(), 1)

    def test_unknown(self):
        """With neither it says what to look for."""
        self.start("drop-after-commit:create:1")
        path = self.file("result.json", self.json(10, "create", *self.options, "--title", "t"))
        result = self.json(4, "create", *self.options, "--title", "t", "--resume", path)
        self.assertEqual(result["error"]["field"], "resume")
        self.assertIn("look for", result["error"]["message"])
        self.assertEqual(self.count(), 1)

    def test_unknown_and_found_by_a_random_key(self):
        """It is that of the result which is looked for, also where no header carries it."""
        server = self.server(POST=(201, JSON, None), GET=(503, JSON, "{}"))
        connector = self.connector(server.url, safe=FIND, findIncidentUrl=server.url + "/api/cases?reference={{{case.idempotencyKey}}}",
                                   createIncidentJson='{"title": {{{case.title}}}, "reference": {{{case.idempotencyKey}}}}', strict="names")
        options = ("push", "--connector", connector, "--title", "t", "--settings",
                   self.file("settings.json", {"run": {"maxAttempts": 1}, "retry": {"findDelay": "1ms"}}))
        first = self.json(10, *options)
        server.answers.update({"GET": (200, JSON, '{"items": []}'), "GET /api/cases/7": (200, JSON, '{"key": "K"}'), "PUT": (200, JSON, "{}"),
                               "GET /api/cases?reference=" + first["idempotencyKey"]: (200, JSON, '{"items": [{"id": 7}]}')})
        second = self.json(0, *options, "--resume", self.file("result.json", first))
        self.assertEqual((second["id"], second["found"], second["idempotencyKey"]), ("7", True, first["idempotencyKey"]))
        self.assertEqual([method for method, _, _ in server.requests].count("POST"), 1)

    def test_numbers_that_no_program_holds(self):
        self.start()
        done = json.dumps(self.json(0, "push", *self.options, "--title", "t"))
        path = self.file("result.json", done[:-1] + ', "fields": {"o": {"real": 1e999, "long": %s}}}\n' % ("9" * 400))
        self.assertTrue(self.json(0, "push", *self.options, "--title", "t", "--resume", path)["ok"])
        self.assertEqual(self.count(), 1)

    def test_bad_files(self):
        self.start()
        done = self.json(0, "create", *self.options, "--title", "t")
        for text in ("", "x", "[]", "null", '"x"', '{}, "title": "u"', "{} {}", '{"a": "b', '{"a": 1}\0', json.dumps(done)[:-1]):
            _, error = self.tool(4, "push", *self.options, "--title", "t", "--resume", self.file("result.json", text))
            self.assertIn("is not the JSON object of an earlier result", error)
        for text in ("{}", json.dumps(done)):  # no result; of another operation
            self.assertEqual(self.json(4, "push", *self.options, "--title", "t", "--resume", self.file("result.json", text))["error"]["field"],
                             "resume")
        self.assertIn("missing", self.tool(4, "push", *self.options, "--title", "t", "--resume", os.path.join(self.folder, "missing"))[1])
        self.assertIn("standard input", self.tool(2, "push", *self.options, "--case", "-", "--resume", "-")[1])
        self.assertEqual(self.count(), 1)


class Batches(Once):
    CASES = "".join(json.dumps({"title": f"case {i}", **({"id": f"id {i}"} if i % 2 else {}), "comments": [
        {"commentId": "a", "comment": "one"}, {"commentId": "b", "comment": "two"}]}) + "\n" for i in range(6))

    def push(self, cases, *options):
        """Whether all of it is done."""
        done = subprocess.run([TOOL, "push", *self.options, "--batch", self.file("cases", cases), "--concurrency", "1", *options],
                              capture_output=True, timeout=60)
        self.assertIn(done.returncode, (0, 13), done.stderr)
        return done.returncode == 0

    def all_once(self):
        self.assertEqual(self.cases(), {f"case {i}": ["one", "two"] for i in range(6)})
        self.assertEqual(self.count(), 6)

    FAULTS = ("drop-after-commit:create:2-3", "status=503:create:5", "drop-after-commit:comment:1", "drop-before-commit:comment:4",
              "status=422:comment:5", "status=500:get:2")

    def test_journal_goes_on_where_it_was(self):
        self.start(*self.FAULTS, safe=KEY)
        journal = ("--journal", os.path.join(self.folder, "journal"))
        rounds = 1
        while not self.push(self.CASES, *journal) and rounds < 9:
            rounds += 1
        self.assertGreater(rounds, 1)
        self.all_once()

    def test_lines_that_failed_are_a_batch(self):
        for journal in (False, True):
            with self.subTest(journal=journal):
                self.start(*self.FAULTS, safe=KEY)
                cases, rounds = self.CASES, 0
                while cases and rounds < 9:
                    path = os.path.join(self.folder, f"failed {journal} {rounds}")
                    options = ("--journal", path + " journal") if journal and rounds else ()
                    self.push(cases, "--failed", path, *options)
                    with open(path, encoding="utf-8") as file:
                        cases = file.read()
                    rounds += 1
                self.assertGreater(rounds, 1)
                self.all_once()


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
