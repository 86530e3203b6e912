"""What the front page shows works: test_front_page.py ROOT TOOL PUSH LIBRARY TRACKER

The two programs that push, from C and from Python, and the way from a call of curl to a case.  LIBRARY is "none" where
Python cannot load it.
"""
import json
import os
import re
import subprocess
import sys
import tempfile
import unittest
import urllib.request

from server import PASSWORD, Tracker

ROOT, TOOL, PUSH, LIBRARY, TRACKER = sys.argv[1:]
del sys.argv[1:]
PYTHON_PUSH = os.path.join(ROOT, "examples", "python", "push.py")


class FrontPage(unittest.TestCase):
    def setUp(self):
        self.tracker = Tracker(TRACKER)
        self.addCleanup(self.tracker.close)
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        with open(os.path.join(ROOT, "README.md"), encoding="utf-8") as page:
            self.page = page.read()
        self.document = re.search(r"(?ms)^```json\n(.*?)^```$", self.page).group(1)

    def connector(self, changes=()):
        text = self.document.replace("http://127.0.0.1:8080", self.tracker.url).replace("not-a-secret", PASSWORD)
        for before, after in changes:
            self.assertIn(before, text)
            text = text.replace(before, after)
        path = os.path.join(self.folder.name, "first.json")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def run_it(self, *command):
        return subprocess.run(command, capture_output=True, text=True, timeout=60,
                              env={**os.environ, "CASEHOOK_LIBRARY": LIBRARY})

    def case(self, number):
        request = urllib.request.Request(f"{self.tracker.url}/api/cases/{number}",
                                         headers={"Authorization": self.tracker.authorization})
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=20) as answer:
            return json.load(answer)

    def check_push(self, *program):
        done = self.run_it(*program, self.connector(), 'A "case"', "one", "two")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertRegex(done.stdout, rf"^case 1\s+{self.tracker.url}/cases/1\s+comment 1: sent\s+comment 2: sent\n$")
        case = self.case(1)
        self.assertEqual(case["title"], 'A "case"')
        self.assertEqual(len(case["comments"]), 2)

        # The case is made, a comment is not: id and states are shown, and what was wrong.
        broken = self.connector([("/comments", "/remarks")])
        done = self.run_it(*program, broken, "Another", "one", "two")
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stdout, r"^case 2\b")
        self.assertRegex(done.stdout, r"comment 1: failed\ncomment 2: not_attempted\n$")
        self.assertIn("404", done.stderr)

        done = self.run_it(*program, self.connector([("case.title", "case.titel")]), "Third")
        self.assertEqual(done.returncode, 1)
        self.assertIn("did you mean {{case.title}}", done.stderr)
        self.assertEqual(done.stdout, "")

    def test_push_from_c(self):
        self.check_push(PUSH)
        self.assertEqual(self.run_it(PUSH).returncode, 2)
        most = self.run_it(PUSH, self.connector(), "Many", *["text"] * 9)
        self.assertEqual(most.stdout.count(": sent"), 9)
        self.assertEqual(self.run_it(PUSH, self.connector(), "Too many", *["text"] * 10).returncode, 2)

    def test_push_from_python(self):
        if LIBRARY == "none":
            self.skipTest("SKIP: python3 cannot load a library with a sanitizer")
        self.check_push(sys.executable, "-B", PYTHON_PUSH)

    def test_from_curl_to_a_case(self):
        done = self.run_it(TOOL, "check", "--connector", self.connector())
        self.assertRegex(done.stdout, "no faults")
        # The mistakes that the page shows, as it shows them.
        path = self.connector([('createIncidentUrl"', 'createIncidentURL"'),
                               ('createIncidentJson": "{\\"title\\": {{case.title}}',
                                'createIncidentJson": "{\\"title\\": {{case.titel}}')])
        done = self.run_it(TOOL, "check", "--connector", path)
        shown = re.search(r"(?ms)^\$ casehook check.*?\n(.*?)^```$", self.page).group(1)
        self.assertEqual(done.stdout.replace(path, "first.json"), shown)
        for line in re.findall(r"(?m)^    casehook (.*) --connector first.json (.*)$", self.page):
            words = re.findall(r'"[^"]*"|\S+', line[1])
            done = self.run_it(TOOL, line[0].strip(), "--connector", self.connector(), *[word.strip('"') for word in words])
            self.assertEqual((done.returncode, done.stderr), (0, ""), line)
        self.assertEqual(self.case(1)["title"], "Disk full")


unittest.main(verbosity=2)
