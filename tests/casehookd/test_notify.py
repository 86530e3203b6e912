"""The tool and an outbox: notifications of Nagios and Icinga 2: test_notify.py CASEHOOKD TRACKER CONNECTOR TOOL"""
import contextlib
import json
import os
import signal
import socket
import sqlite3
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

    def deliver(self, code=0):
        self.box("run", "--connector", self.connector, code=code)
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

    def test_names_that_are_not_utf8(self):
        """They stay names of their own, whatever their texts look like, and each finds its own case."""
        names = [os.fsdecode(name) for name in (b"Temp \xe4", b"Temp \xf6", "Temp \u00e4".encode(), b"Temp %E4", b"Temp %25E4", b"Temp 9%")]
        for name in names:
            self.notify("--host", "web", "--service", name, "--type", "PROBLEM", "--state", "WARNING")
        self.assertEqual(len(self.deliver()), 6)
        self.notify("--host", "web", "--service", names[1], "--type", "RECOVERY", "--state", "OK")
        cases = {case["reference"]: (case["status"], case["title"]) for case in self.deliver()}
        self.assertEqual(cases, {"web!Temp %E4": ("open", "Temp ? on web is WARNING"), "web!Temp %F6": ("closed", "Temp ? on web is OK"),
                                 "web!Temp \u00e4": ("open", "Temp \u00e4 on web is WARNING"),
                                 "web!Temp %25E4": ("open", "Temp %E4 on web is WARNING"),
                                 "web!Temp %2525E4": ("open", "Temp %25E4 on web is WARNING"),
                                 "web!Temp 9%": ("open", "Temp 9% on web is WARNING")})
        self.notify("--host", os.fsdecode(b"\xff" * 400), "--type", "PROBLEM", code=2)

    def test_one_bad_character_spoils_no_other(self):
        """Neither a stray byte nor one that is cut at the end of a long text."""
        self.notify("--host", "a", "--type", "PROBLEM", "--output", os.fsdecode("Gr\u00fc\u00dfe ".encode() + b"\xe4"))
        self.notify("--host", "b", "--type", "PROBLEM", "--output", "x" + "\u00e4" * 6000)
        self.notify("--host", "c", "--type", "PROBLEM", "--output", "xx" + "\u20ac" * 4000)
        told = {case["reference"]: case["description"] for case in self.deliver()}
        self.assertEqual(told, {"a": "Gr\u00fc\u00dfe ?", "b": "x" + "\u00e4" * 4095, "c": "xx" + "\u20ac" * 2729})

    def test_values_are_no_options(self):
        self.notify("--host", "a", "--type", "PROBLEM", "--output", "--help", "--author=--help", "--comment", "--help")
        self.assertEqual([case["description"] for case in self.deliver()], ["--help"])
        for words in (("notify", "--help"), ("notify", "--outbox", "x", "--help"), ("outbox", "--help"), ("outbox", "list", "--help")):
            self.assertIn("Commands\n", self.tool(0, *words))

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
        self.assertRegex(self.box("run", "--connector", self.connector, code=13), r"(?m)^casehook: 1 waits \(next in [1-5] s\)$")
        entries = json.loads(self.box("list", "--json"))
        self.assertEqual({entry["connector"]: entry["state"] for entry in entries}, {"default": "waiting", "other": "waiting"})
        self.assertTrue(all(entry["message"] for entry in entries))
        self.assertEqual({entry["connector"]: entry["attempts"] for entry in entries}, {"default": 1, "other": 0})

    def test_a_run_says_what_is_left(self):
        def put(*words):
            self.notify(*words, "--type", "PROBLEM", "--state", "DOWN")

        put("--host", "other", "--to", "other")
        told = self.box("run", "--connector", self.connector, code=3)
        self.assertIn('nothing in this outbox is for "default", but there is for "other": is that meant by --to?', told)
        put("--host", "a")
        self.assertEqual(len(self.deliver()), 1)  # of the other one it says nothing then
        # Of two that the tracker refuses for good nothing else is left.
        with open(self.connector, encoding="utf-8") as file:
            text = file.read()
        with open(self.connector, "w", encoding="utf-8") as file:
            file.write(text.replace(PASSWORD, "wrong"))
        put("--host", "a")
        put("--host", "b")
        for _ in range(2):  # it does not pass by itself
            self.assertRegex(self.box("run", "--connector", self.connector, code=13), r"(?m)^casehook: 2 need a person$")
        for entry in json.loads(self.box("list", "--state", "parked", "--json")):
            self.box("discard", entry["id"])
        self.box("run", "--connector", self.connector)
        self.assertEqual(len(json.loads(self.box("list", "--to", "other", "--state", "waiting", "--json"))), 1)

    def test_a_case_that_was_deleted_is_forgotten(self):
        self.notify("--host", "a", "--type", "PROBLEM", "--state", "DOWN")
        [case] = self.deliver()
        self.assertIn("no such case", self.box("forget", "b", code=2))
        self.assertIn("no such case", self.box("forget", "a", "--to", "other", code=2))
        self.box("forget", "a")
        self.notify("--host", "a", "--type", "PROBLEM", "--state", "DOWN")
        self.assertEqual(len(self.deliver()), 2)
        numbers = json.loads(self.box("stats", "--json"))
        self.assertEqual((numbers["done"], numbers["waiting"], numbers["oldestAgeMs"]), (2, 0, 0))
        self.assertIn("done        2\n", self.box("stats"))

    def test_a_case_that_was_deleted_is_made_again(self):
        self.notify("--host", "a", "--type", "PROBLEM", "--state", "DOWN")
        self.deliver()
        with contextlib.closing(sqlite3.connect(self.outbox)) as database, database:
            database.execute("UPDATE casehook_case SET external_id = '999'")  # the tracker has none of that name
        self.notify("--host", "a", "--type", "RECOVERY", "--state", "UP")
        self.assertEqual(len(self.deliver(code=13)), 1)
        self.assertIn("entry 1 is done", self.box("again", "1", code=2))
        self.box("again", "2")
        self.assertEqual([case["title"] for case in self.deliver()][1:], ["a is UP"])

    def test_a_list_says_that_it_is_not_all(self):
        """The newest 100, as many as are wanted, or those before one."""
        self.notify("--host", "h", "--type", "PROBLEM", "--state", "DOWN", "--to", "first")
        with contextlib.closing(sqlite3.connect(self.outbox)) as database, database:
            names = ("connector, case_no, operation, state, due, put_at, bytes, token, params")
            database.executemany(f"INSERT INTO casehook_entry ({names}) SELECT 'default', 0, operation, 6, due, put_at, bytes, token, params"
                                 " FROM casehook_entry WHERE id = 1 AND ?", [(1,)] * 2499)

        def listed(*words):
            done = subprocess.run([TOOL, "outbox", "list", "--outbox", self.outbox, *words], capture_output=True, text=True, timeout=PATIENCE)
            self.assertEqual(done.returncode, 0, done.stderr)
            if "--json" not in words:
                return [int(line.split()[0]) for line in done.stdout.splitlines()], done.stderr
            return [int(entry["id"]) for entry in json.loads(done.stdout)], done.stderr

        for words in ((), ("--json",)):
            self.assertEqual(listed(*words), (list(range(2500, 2400, -1)), "casehook: these are the newest 100; there are more: "
                                              "--limit NUMBER, or --before 2401\n"))
            self.assertEqual(listed("--limit", "2500", *words), (list(range(2500, 0, -1)), ""))
            self.assertEqual(listed("--limit=9999", "--before=2002", *words), (list(range(2001, 0, -1)), ""))
            self.assertEqual(listed("--to", "first", *words), ([1], ""))
            self.assertEqual(listed("--to", "nobody", *words), ([], ""))
        for words in (("--limit", "0"), ("--limit", "x"), ("--before", "-1"), ("--limit", "99999999999999999999")):
            self.box("list", *words, code=2)

    def test_a_list_cuts_titles(self):
        """One line is one entry; all of it is shown alone."""
        host = "\u00e9" * 59 + "\n" + "x" * 300
        self.notify("--host", host, "--type", "PROBLEM", "--state", "DOWN")
        [line] = self.box("list").splitlines()
        self.assertTrue(line.endswith("default: " + "\u00e9" * 59 + "\\n\u2026"), line)
        self.assertIn("\u00e9" * 59 + "\\n" + "x" * 300, self.box("show", "1"))
        self.assertIn("x" * 300, self.box("list", "--json"))
        self.notify("--host", "h" * 52, "--type", "PROBLEM", "--state", "DOWN")
        self.assertTrue(self.box("list").splitlines()[0].endswith("default: " + "h" * 52 + " is DOWN"))

    def test_options_that_are_of_no_use(self):
        self.notify("--host", "a", "--type", "PROBLEM")
        for words in (("list", "--connector", "x"), ("list", "--forever"), ("list", "--external-id", "4"), ("--to", "x", "show", "1"),
                      ("discard", "1", "--json"), ("run", "--json"), ("stats", "--to", "x"), ("retry", "1", "--external-id=2"),
                      ("list", "--host", "a"), ("forget", "a", "--state", "done"), ("done", "1", "--limit", "1")):
            self.assertIn("this command has no use for --", self.box(*words, code=2), words)
        self.assertIn("this command has no use for --json", self.notify("--host", "a", "--type", "PROBLEM", "--json", code=2))
        self.assertEqual(json.loads(self.box("list", "--json"))[0]["state"], "waiting")

    def test_a_password_is_not_repeated(self):
        """Of a location that is wrong, nor of one where nobody answers."""
        for place in ("postgresql://me:hush-canary@127.0.0.1:1/x", "postgresql://me:hush-canary%zz@127.0.0.1/x",
                      "postgresql://me:hush-canary/more@127.0.0.1/x", "postgresql://127.0.0.1:1/x?password=hush-canary",
                      "postgresql://127.0.0.1:1/x?passwort=hush-canary", "mysql://me:hush-canary@h/x"):
            for words in (("outbox", "list"), ("outbox", "run", "--connector", self.connector), ("notify", "--host", "h", "--type", "PROBLEM")):
                told = self.tool(1, *words, "--outbox", place)
                self.assertNotIn("hush", told)
                self.assertNotIn("outbox: outbox", told)
                self.assertNotIn("tried again", told)
                self.assertRegex(told, "^casehook: outbox: ")

    def lock(self):
        """Nobody else writes into it, until the test ends."""
        database = sqlite3.connect(self.outbox, isolation_level=None)
        self.addCleanup(database.close)
        database.execute("BEGIN IMMEDIATE")

    def test_without_a_database_a_run_ends(self):
        self.notify("--host", "a", "--type", "PROBLEM", "--state", "DOWN")
        self.lock()
        self.assertIn("another program", self.box("run", "--connector", self.connector, code=1))

    def test_a_signal_lets_it_finish(self):
        """That of a terminal that is closed, too; what was ignored from the beginning stays ignored."""
        for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGINT):
            self.notify("--host", f"h{number}", "--type", "PROBLEM", "--state", "DOWN")
            with socket.create_server(("127.0.0.1", 0)) as server:
                server.settimeout(PATIENCE)
                with open(self.connector, encoding="utf-8") as file:
                    text = file.read().replace(self.tracker.url, f"http://127.0.0.1:{server.getsockname()[1]}")
                slow = os.path.join(os.path.dirname(self.connector), "slow.json")
                with open(slow, "w", encoding="utf-8") as file:
                    file.write(text)
                command = [TOOL, "outbox", "run", "--outbox", self.outbox, "--connector", slow]
                ignored = signal.SIGINT if number == signal.SIGHUP else signal.SIGHUP

                def ready():
                    for each in (signal.SIGHUP, signal.SIGTERM, signal.SIGINT):
                        signal.signal(each, signal.SIG_IGN if each == ignored else signal.SIG_DFL)
                with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, preexec_fn=ready) as running:
                    self.addCleanup(running.kill)
                    with server.accept()[0] as caller:
                        caller.recv(65536)
                        if os.path.exists(f"/proc/{running.pid}/status"):
                            with open(f"/proc/{running.pid}/status", encoding="ascii") as file:
                                bits = next(line.split()[1] for line in file if line.startswith("SigIgn"))
                            self.assertTrue(int(bits, 16) >> (ignored - 1) & 1, ignored)
                        running.send_signal(number)
                        caller.sendall(b"HTTP/1.1 422 No\r\nContent-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")
                    _, told = running.communicate(timeout=PATIENCE)
            self.assertEqual(running.returncode, 12, told)
            self.assertIn("need", told)
        self.assertEqual({entry["state"] for entry in json.loads(self.box("list", "--json"))}, {"parked"})

    def test_without_a_database_a_run_can_be_stopped(self):
        """What is being sent ends, and cannot be stored: it does not wait for that in vain."""
        self.notify("--host", "a", "--type", "PROBLEM", "--state", "DOWN")
        with socket.create_server(("127.0.0.1", 0)) as deaf:
            with open(self.connector, encoding="utf-8") as file:
                text = file.read().replace(self.tracker.url, f"http://127.0.0.1:{deaf.getsockname()[1]}")
            with open(self.connector, "w", encoding="utf-8") as file:
                file.write(text)
            command = [TOOL, "outbox", "run", "--forever", "--outbox", self.outbox, "--connector", self.connector]
            with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as running:
                self.addCleanup(running.kill)
                deaf.settimeout(PATIENCE)
                caller = deaf.accept()[0]
                self.lock()
                caller.close()
                running.send_signal(signal.SIGTERM)
                running.send_signal(signal.SIGINT)  # the second is in a hurry; one alone waits for 20 s
                _, told = running.communicate(timeout=PATIENCE)
        self.assertEqual(running.returncode, 12, told)
        self.assertIn("stopped before it was stored what became of 1\n", told)


if __name__ == "__main__":
    unittest.main(verbosity=2)
