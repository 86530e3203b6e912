"""The tool and an outbox: notifications of Nagios and Icinga 2: test_notify.py CASEHOOKD TRACKER CONNECTOR TOOL"""
import json
import os
import subprocess
import sys
import tempfile
import unittest

from daemon import PASSWORD, PATIENCE, Tracker

PROGRAM, TRACKER, DOCUMENT, TOOL = sys.argv[1:5]
del sys.argv[1:5]


class Notify(unittest.TestCase):
    def setUp(self):
        self.tracker = Tracker(TRACKER)
        self.addCleanup(self.tracker.close)
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.outbox = os.path.join(folder.name, "outbox.db")
        self.connector = os.path.join(folder.name, "tracker.json")
        with open(DOCUMENT, encoding="utf-8") as file:
            text = file.read().replace("http://127.0.0.1:8080", self.tracker.url).replace("not-a-secret", PASSWORD)
        with open(self.connector, "w", encoding="utf-8") as file:
            file.write(text)

    def tool(self, code, *words, **environment):
        done = subprocess.run([TOOL, *words], capture_output=True, text=True, timeout=PATIENCE, env={**os.environ, **environment})
        self.assertEqual(done.returncode, code, done.stderr)
        return done.stdout if code == 0 else done.stderr

    def notify(self, *words, code=0, **environment):
        return self.tool(code, "notify", "--outbox", self.outbox, *words, **environment)

    def box(self, *words, code=0):
        return self.tool(code, "outbox", *words, "--outbox", self.outbox)

    def deliver(self):
        self.box("run", "--connector", self.connector)
        return self.tracker.ask("/api/cases")

    def test_a_service(self):
        about = ("--host", "web-01", "--service", "disk")
        self.notify(*about, "--type", "PROBLEM", "--state", "WARNING", "--output", "sda1 at 90 %")
        self.notify(*about, "--type", "PROBLEM", "--state", "CRITICAL", "--output", 'sda1 at 99 % "<\\')
        self.notify(*about, "--type", "ACKNOWLEDGEMENT", "--author", "ops", "--comment", "looking")
        [case] = self.deliver()
        self.assertEqual((case["title"], case["severity"], case["status"], case["reference"]),
                         ("disk on web-01 is CRITICAL", "critical", "open", "web-01!disk"))
        self.assertEqual([each["text"] for each in case["comments"]],
                         ['PROBLEM: CRITICAL sda1 at 99 % "<\\', "ACKNOWLEDGEMENT by ops: looking"])
        self.notify(*about, "--type", "RECOVERY", "--state", "OK", "--output", "sda1 at 50 %")
        [case] = self.deliver()
        self.assertEqual((case["status"], len(case["comments"])), ("closed", 3))
        self.notify(*about, "--type", "PROBLEM", "--state", "CRITICAL", "--output", "again")
        [case] = self.deliver()
        self.assertEqual(case["status"], "open")

    def test_a_comment_on_a_closed_case(self):
        """It neither opens it nor hides that the next problem has to."""
        about = ("--host", "web-01")
        for kind, wanted in (("PROBLEM", "open"), ("FLAPPINGSTART", "open"), ("RECOVERY", "closed"), ("FLAPPINGSTOP", "closed"),
                             ("DOWNTIMEEND", "closed"), ("PROBLEM", "open"), ("CUSTOM", "open"), ("RECOVERY", "closed")):
            self.notify(*about, "--type", kind, "--state", "DOWN")
            [case] = self.deliver()
            self.assertEqual(case["status"], wanted, kind)

    def test_macros_in_the_environment(self):
        self.notify(NAGIOS_HOSTNAME="db-01", NAGIOS_NOTIFICATIONTYPE="PROBLEM", NAGIOS_HOSTSTATE="DOWN",
                    NAGIOS_HOSTOUTPUT="no answer", NAGIOS_SERVICEDESC="")
        self.notify(ICINGA_HOSTNAME="db-01", ICINGA_SERVICEDESC="ping", ICINGA_NOTIFICATIONTYPE="PROBLEM",
                    ICINGA_SERVICESTATE="UNKNOWN", ICINGA_SERVICEOUTPUT=os.fsdecode(b"bad \xff byte"))
        cases = sorted(self.deliver(), key=lambda case: case["reference"])
        self.assertEqual([(case["title"], case["description"]) for case in cases],
                         [("db-01 is DOWN", "no answer"), ("ping on db-01 is UNKNOWN", "bad ? byte")])

    def test_nothing_to_close(self):
        self.notify("--host", "x", "--type", "RECOVERY", "--state", "UP")
        self.notify("--host", "x", "--type", "DOWNTIMESTART")
        self.assertEqual(self.deliver(), [])

    def test_what_is_missing(self):
        for words, told in (((), "--host is missing"), (("--host", "x"), "--type is missing"), (("--nope", "x"), "unknown option"),
                            (("word",), "options only"), (("--host", "x" * 600, "--type", "PROBLEM"), "too long")):
            self.assertIn(told, self.notify(*words, code=2))
        self.assertIn("--outbox LOCATION is missing", self.tool(2, "notify", "--host", "x"))
        self.assertIn("Commands\n", self.tool(0, "notify", "--help"))
        self.tool(1, "notify", "--outbox", "/nope/x.db", "--host", "x", "--type", "PROBLEM")

    def test_looking_and_deciding(self):
        for number in range(3):
            self.notify("--host", f"h{number}", "--type", "PROBLEM", "--state", "DOWN", "--title", "\x1b[31mred" if number else "plain")
        listed = self.box("list")
        self.assertEqual(len(listed.splitlines()), 3)
        self.assertNotIn("\x1b", listed)
        entries = json.loads(self.box("list", "--json"))
        self.assertEqual({entry["state"] for entry in entries}, {"waiting"})
        number = entries[0]["id"]
        self.assertIn("params", self.box("show", number))
        self.box("discard", number)
        self.assertEqual(len(self.box("list", "--state", "waiting").splitlines()), 2)
        self.assertIn("is discarded: this is for entries that are not finished", self.box("retry", number, code=2))
        self.assertIn("is waiting: this is for entries that are parked or unknown", self.box("done", entries[1]["id"], code=2))
        self.box("show", "999", code=2)
        for words in (("show",), ("show", "x"), ("show", "0"), ("list", "1"), ("nonsense",), (), ("list", "--state", "odd"), ("run",)):
            self.box(*words, code=2)
        self.box("run", "--connector", "/nope", code=3)
        self.assertEqual(len(self.deliver()), 2)

    def test_no_outbox_is_made_by_looking(self):
        for words in (("list",), ("show", "1"), ("discard", "1")):
            self.assertIn("there is no such file", self.box(*words, code=1))
        self.assertFalse(os.path.exists(self.outbox))

    def test_a_run_ends_where_nothing_is_due(self):
        """What waits for its next attempt, or for a connector that is not given, is left."""
        self.notify("--host", "a", "--type", "PROBLEM", "--state", "DOWN")
        self.notify("--host", "b", "--type", "PROBLEM", "--state", "DOWN", "--to", "other")
        self.tracker.close()
        self.box("run", "--connector", self.connector)
        entries = json.loads(self.box("list", "--json"))
        self.assertEqual({entry["connector"]: entry["state"] for entry in entries}, {"default": "waiting", "other": "waiting"})
        self.assertTrue(all(entry["message"] for entry in entries))


if __name__ == "__main__":
    unittest.main(verbosity=2)
