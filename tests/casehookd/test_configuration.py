"""Faults are all told, with their place; a reload takes over everything or nothing: test_configuration.py CASEHOOKD TRACKER CONNECTOR"""
import json
import os
import signal
import subprocess
import sys
import threading
import unittest

from daemon import PATIENCE, TOKEN, alert, payload, setup

PROGRAM, TRACKER, DOCUMENT = sys.argv[1:4]
del sys.argv[1:4]

# What is wrong, and how its line begins.
WRONG = {
    "connectors": {"t": "nope.json", "u": {"config": {"createIncidentUrl": "x", "nope": 1}}, "v": 3, "w": {"file": "."}},
    "settings": {"allowedHost": ["x"], "responseTimeout": "soon"},
    "outbox": {"location": 5, "lease": "soon", "maxEntries": 0, "nope": 1},
    "http": {"listen": "nowhere", "maxConnections": 1, "requestTimeout": "10 years"},
    "page": {"login": {"user": "ops"}}, "metrics": {"login": {"bearerFile": "/nope"}},
    "stopTimeout": "1x", "logLevel": "loud", "typo": {},
    "sources": [
        {"type": "alertmanager", "connector": "x", "onChange": "both!", "onRefire": 1, "maxAlerts": 0, "idPrefix": "p" * 65,
         "case": {"title": "{{#a}}", "tags": [1, "{{"], "fields": {"a b": "x", "c": 1}, "titel": ""}, "comments": {"changed": "{{/x}}"}},
        {"type": "cases", "connector": "t", "login": {"bearer": "x"}, "maxBody": "8mb", "idPrefix": "x", "path": "/-/x"},
        {"type": "jira", "path": "no slash", "login": {"password": "long enough"}}, 7, {"connector": "t", "login": "none"},
        {"type": "alertmanager", "connector": "t", "login": "none"}],
}
PLACES = """connectors.t connectors.u connectors.v connectors.w.file settings outbox.location outbox.lease outbox.maxEntries
outbox.nope http.listen http.maxConnections http.requestTimeout page.login.password metrics.login.bearerFile stopTimeout logLevel
typo sources[0].connector sources[0].login sources[0].onChange sources[0].onRefire sources[0].maxAlerts sources[0].idPrefix
sources[0].case.title sources[0].case.tags[0] sources[0].case.tags[1] sources[0].case.fields.c sources[0].case.titel
sources[0].comments.changed sources[1].login.bearer sources[1].maxBody sources[1].idPrefix sources[1].path sources[2].type
sources[2].path sources[2].connector sources[2].login.user sources[3] sources[4].type sources[5]""".split()


class Configuration(unittest.TestCase):
    def setUp(self):
        setup(self, PROGRAM, TRACKER, DOCUMENT)

    def test_every_fault_at_once(self):
        path = self.daemon.write("wrong.json", WRONG)
        done = subprocess.run([PROGRAM, "--check", path], capture_output=True, text=True, timeout=PATIENCE)
        self.assertEqual((done.returncode, done.stdout), (3, ""))
        places = {line.split(": ")[0] for line in done.stderr.splitlines()}
        self.assertEqual(set(PLACES) - places, set(), done.stderr)
        self.assertNotIn("sources[4]", places)  # its path is not known, so it is nobody else's
        self.assertIn("sources[0].case.fields.a b: a name has letters", done.stderr)
        self.assertIn('config.nope: there is no such field', done.stderr)
        # It does not start with it either, and says the same.
        done = subprocess.run([PROGRAM, path], capture_output=True, text=True, timeout=PATIENCE)
        self.assertEqual(done.returncode, 3)
        self.assertTrue(all(line.startswith("<3>") for line in done.stderr.splitlines()), done.stderr)

    def test_no_configuration_at_all(self):
        folder = self.daemon.folder
        for text, wanted in ((b"{", "line 1 column 1"), (b"[]", "must be an object"), (b"{}", "connectors: "), (b'{"a": 1, "a": 2}', "duplicate"),
                             (b"\xff", "line 1"), (b"", "line 1")):
            path = os.path.join(folder, "bad.json")
            with open(path, "wb") as file:
                file.write(text)
            done = subprocess.run([PROGRAM, "--check", path], capture_output=True, text=True, timeout=PATIENCE)
            self.assertEqual(done.returncode, 3)
            self.assertIn(wanted, done.stderr)
        for path in (os.path.join(folder, "nope"), folder, "/dev/zero"):
            self.assertEqual(subprocess.run([PROGRAM, "--check", path], capture_output=True, timeout=PATIENCE).returncode, 3)
        for words in ([], ["--check"], ["a", "b"], ["--nope"]):
            self.assertEqual(subprocess.run([PROGRAM, *words], capture_output=True, timeout=PATIENCE).returncode, 2, words)

    def test_a_right_one(self):
        done = self.daemon.check()
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        with open(os.path.join(self.daemon.folder, "token"), "w", encoding="ascii") as file:
            file.write(TOKEN + "\n")
        self.daemon.configuration["sources"][0]["login"] = {"bearerFile": "token"}
        self.daemon.write("secrets.json", {"user": "demo", "password": "x"})
        self.daemon.configuration["connectors"]["other"] = {"file": "tracker.json", "secrets": "secrets.json"}
        self.daemon.write("settings.json", {"xpack.actions": {"responseTimeout": "1s"}})
        self.daemon.configuration.update(settings="settings.json")
        self.daemon.configuration["outbox"]["lease"] = 1143  # of which an attempt has 1001 ms
        self.daemon.save()
        self.daemon.start()
        self.assertEqual(self.daemon.post(payload([alert()])).status, 202)

    def test_a_refire_that_is_never_seen(self):
        """Without an end that was told nothing fires again."""
        for number, name in ((0, "alertmanager"), (1, "grafana")):
            source = self.daemon.configuration["sources"][number]
            source.update(onResolved="none", onRefire="find")
            wanted = f'sources[{number}].onRefire: {name} has "find", but with onResolved "none" '
            done = self.daemon.check()
            self.assertEqual(done.returncode, 3)
            self.assertIn(wanted, done.stderr)
            done = subprocess.run([PROGRAM, os.path.join(self.daemon.folder, "casehookd.json")], capture_output=True, text=True, timeout=PATIENCE)
            self.assertEqual(done.returncode, 3)
            self.assertIn(wanted, done.stderr)
            for right in ({"onResolved": "close"}, {"onResolved": "none", "onRefire": "reopen"}):
                source.update(right)
                done = self.daemon.check()
                self.assertEqual((done.returncode, done.stderr), (0, ""), right)

    def test_times_of_settings(self):
        """As the library reads them: digits alone are milliseconds in a text too."""
        for time, lease in ((30000, "40s"), ("30000", "40s"), ("30000ms", "40s"), ("30s", "40s"), ("1m", "80s"), ("119000", 1000000)):
            self.daemon.configuration.update(settings={"responseTimeout": time})
            self.daemon.configuration["outbox"]["lease"] = lease
            done = self.daemon.check()
            self.assertEqual((done.returncode, done.stderr), (0, ""), time)
        for time in ("30000", "99999999999999999999"):
            self.daemon.configuration.update(settings={"responseTimeout": time})
            self.daemon.configuration["outbox"]["lease"] = "30s"
            self.assertIn("outbox.lease: seven eighths of it must be longer than", self.daemon.check().stderr, time)

    def test_what_would_not_start(self):
        """A check that finds nothing is a promise."""
        folder = self.daemon.folder
        with open(os.path.join(folder, "nul"), "wb") as file:
            file.write(TOKEN.encode() + b"\0more\n")
        source = self.daemon.configuration["sources"][0]
        for change, wanted in (
                ({"http": {"listen": "localhost:0"}}, "http.listen: localhost is no address"),
                ({"http": {"listen": "[::1"}}, "http.listen"),
                ({"outbox": {"location": "mysql://canary@x"}}, "outbox.location: is neither a path"),
                ({"outbox": {"location": ":memory:"}}, "outbox.location: is neither a path"),
                ({"outbox": {"location": "nul/more/x.db"}}, "outbox.location: " + os.path.join(folder, "nul/more") + " is no folder"),
                ({"outbox": {"location": "nul/x.db"}}, "outbox.location: " + os.path.join(folder, "nul") + " is no folder"),
                ({"outbox": {"location": "x.db", "lease": "60s"}}, "outbox.lease: seven eighths of it must be longer than the setting responseTimeout, 60000 ms: make it at least 68572 ms; it is 60000 ms"),
                ({"settings": {"xpack": {"actions.responseTimeout": "2m"}}}, "responseTimeout, 120000 ms: make it at least 137143 ms; it is 120000 ms"),
                ({"settings": {"responseTimeout": "5s"}, "outbox": {"location": "x.db", "lease": 5001}}, "make it at least 5715 ms; it is 5001 ms"),
                ({"settings": {"responseTimeout": "5s"}, "outbox": {"location": "x.db", "lease": 5714}}, "make it at least 5715 ms; it is 5714 ms"),
                ({"settings": {"responseTimeout": "1M"}}, "outbox.lease: seven eighths of it must be longer than"),
                ({"settings": {"responseTimeout": "9223372036854775806"}}, "outbox.lease: seven eighths of it must be longer than"),
                ({"outbox": {"location": "x.db", "worker": ""}}, "outbox.worker: must have"),
                ({"page": {"login": "none"}}, "page.login: must be user and password"),
                ({"sources": [{**source, "login": {"bearer": "canary\nword"}}]}, "login.bearer: holds a control character"),
                ({"sources": [{**source, "login": {"bearer": "canary-word "}}]}, "login.bearer: begins or ends with a space"),
                ({"sources": [{**source, "login": {"bearerFile": "nul"}}]}, "login.bearerFile: names a file with a NUL")):
            path = self.daemon.write("wrong.json", {**self.daemon.configuration, **change})
            done = subprocess.run([PROGRAM, "--check", path], capture_output=True, text=True, timeout=PATIENCE)
            self.assertEqual(done.returncode, 3, change)
            self.assertIn(wanted, done.stderr)
            self.assertNotIn("canary", done.stderr)

    def test_a_folder_that_is_made_later(self):
        """A check may be made on another machine: only a start needs the folder, which it does not make."""
        self.daemon.configuration["outbox"]["location"] = "nope/x.db"
        path, folder = self.daemon.save(), os.path.join(self.daemon.folder, "nope")
        done = self.daemon.check()
        self.assertEqual((done.returncode, done.stdout, done.stderr),
                         (0, path + ": no faults\n", f"warning: outbox.location: {folder} is not there: it has to be when casehookd starts\n"))
        done = subprocess.run([PROGRAM, path], capture_output=True, text=True, timeout=PATIENCE)
        self.assertEqual((done.returncode, done.stderr), (3, f"<3>outbox.location: {folder} is no folder: make it first\n"))
        self.assertFalse(os.path.exists(folder))
        os.mkdir(folder)
        self.assertEqual(self.daemon.check().stderr, "")
        self.daemon.start()

    def test_secrets_are_not_shown(self):
        with open(os.path.join(self.daemon.folder, "tracker.json"), encoding="utf-8") as file:
            connector = json.load(file)
        connector["config"]["createIncidentUrl"] = "nonsense"
        self.daemon.write("tracker.json", connector)
        self.assertNotIn("canary", self.daemon.check().stderr)

    def test_broken_files_are_not_quoted(self):
        """What is wrong with a file is said without its words: they may be part of a secret."""
        folder = self.daemon.folder
        good = json.dumps(self.daemon.configuration)
        self.daemon.configuration["connectors"]["other"] = {"file": "tracker.json", "secrets": "secrets.json"}
        for text in (b'{"user": "demo", "password" "canary-99"}', b'{"password": "canary\\u1234\\uD834\\uFFFF"}', b'{"password": canary-99}',
                     b'{"password": "canary-99}', b'{"canary-99": 1, "canary-99": 2}', b'"canary" "canary"'):
            with open(os.path.join(folder, "secrets.json"), "wb") as file:
                file.write(text)
            done = self.daemon.check()
            self.assertEqual(done.returncode, 3)
            self.assertRegex(done.stderr, r"(?m)^connectors\.other: secrets\.json line 1 column \d+: .{8}")
            self.assertNotIn("canary", done.stderr)
            # The file as a whole, which may have the words of sources.
            path = os.path.join(folder, "bad.json")
            with open(path, "wb") as file:
                file.write(text)
            done = subprocess.run([PROGRAM, "--check", path], capture_output=True, text=True, timeout=PATIENCE)
            self.assertRegex(done.stderr, r"bad\.json: line 1 column \d+: .{8}")
            self.assertNotIn("canary", done.stderr)
        for name in ("settings.json", "tracker.json"):  # what the library says of its files
            with open(os.path.join(folder, name), "wb") as file:
                file.write(b'{"config": {}, "secrets": {"password" "canary-99"}}')
        path = self.daemon.write("bad.json", {**json.loads(good), "settings": "settings.json"})
        done = subprocess.run([PROGRAM, "--check", path], capture_output=True, text=True, timeout=PATIENCE)
        self.assertEqual(done.returncode, 3)
        self.assertIn("settings: ", done.stderr)
        self.assertIn("connectors.tracker: ", done.stderr)
        self.assertNotIn("canary", done.stderr)

    def test_the_outbox_is_where_the_configuration_is(self):
        """Whatever the working directory."""
        self.daemon.configuration["outbox"]["location"] = "relative.db"
        self.daemon.save()
        self.daemon.start()
        self.assertEqual(self.daemon.post(payload([alert()])).status, 202)
        self.assertTrue(os.path.exists(os.path.join(self.daemon.folder, "relative.db")))
        self.assertFalse(os.path.exists("relative.db"))

    def test_reload(self):
        self.daemon.start()
        self.daemon.post(payload([alert()], key="1"))
        sources = self.daemon.configuration["sources"]
        sources[0].update(path="/moved", case={"title": "New: {{commonLabels.alertname}}"})
        self.daemon.save()
        self.daemon.process.send_signal(signal.SIGHUP)
        self.daemon.wait_line("was read again")
        self.assertEqual(self.daemon.post(payload([alert()], key="2")).status, 404)
        self.assertEqual(self.daemon.post(payload([alert()], key="2"), "/moved").status, 202)
        # One with faults changes nothing, and says what is wrong.
        sources[0].update(path="/again", onChange="odd")
        self.daemon.save()
        self.daemon.process.send_signal(signal.SIGHUP)
        self.daemon.wait_line("the configuration before it stays")
        self.assertTrue(any("sources[0].onChange" in line for line in self.daemon.lines))
        self.assertEqual(self.daemon.post(payload([alert()], key="3"), "/moved").status, 202)
        sources[0].update(path="/again", onChange="both")
        self.daemon.configuration["http"]["maxConnections"] = 99
        self.daemon.save()
        self.daemon.process.send_signal(signal.SIGHUP)
        self.daemon.wait_line('changes of "http" need a restart')
        self.daemon.wait_line("was read again")
        self.assertEqual(self.daemon.post(payload([alert()], key="4"), "/again").status, 202)
        self.daemon.wait_idle()
        self.assertEqual(sorted(case["title"] for case in self.tracker.ask("/api/cases")),
                         ["DiskFull on web-01"] + ["New: DiskFull"] * 3)
        numbers = self.daemon.metrics()
        self.assertEqual((numbers["casehook_reloads_total"], numbers["casehook_reload_failures_total"]), (2, 1))
        self.assertEqual(self.daemon.end(), 0)

    def test_a_restart_that_is_due(self):
        """It is said at each reload, and of all that needs it, until it is done or not wanted any more."""
        self.daemon.start()

        def reload(**changes):
            self.daemon.lines = []
            self.daemon.write("casehookd.json", {**self.daemon.configuration, **changes})
            self.daemon.process.send_signal(signal.SIGHUP)
            self.daemon.wait_line("was read again")
            return [line for line in self.daemon.lines if "restart" in line]
        change = {"http": {"listen": "127.0.0.1:0", "threads": 3}}
        wanted = '<4>changes of %s need a restart: the rest is taken over'
        for _ in range(2):
            self.assertEqual(reload(**change), [wanted % '"http"'])
        change["outbox"] = {**self.daemon.configuration["outbox"], "poll": "2s"}
        for _ in range(2):
            self.assertEqual(reload(**change), [wanted % '"outbox" and "http"'])
        del change["http"]
        self.assertEqual(reload(**change), [wanted % '"outbox"'])
        self.assertEqual(reload(), [])
        # A source that is new has its counters at once.
        added = {**self.daemon.configuration["sources"][2], "path": "/new"}
        reload(sources=self.daemon.configuration["sources"] + [added])
        self.assertEqual(self.daemon.metrics()['casehook_source_requests_total{source="new",result="stored"}'], 0)

    def test_limits_of_http_stay_until_a_restart(self):
        """libmicrohttpd has those of the start: another value is announced, and is not half in force."""
        http = self.daemon.configuration["http"]
        for change in ({"requestTimeout": "60s"}, {"maxBodies": "1mb"}):
            http.clear()
            http.update(listen="127.0.0.1:0", requestTimeout="2s", maxBodies="2mb")
            self.daemon.save()
            self.daemon.start()
            http.update(change)
            self.daemon.save()
            self.daemon.lines = []
            self.daemon.process.send_signal(signal.SIGHUP)
            self.daemon.wait_line("was read again")
            self.assertEqual(self.daemon.lines[0], '<4>changes of "http" need a restart: the rest is taken over')
            body = b" " * 1500000 + json.dumps(payload([alert()])).encode()
            self.assertIn(self.daemon.post(body).status, (200, 202), change)
            with self.daemon.raw() as raw:
                raw.sendall(b"POST /alertmanager HTTP/1.1\r\n")
                raw.settimeout(PATIENCE / 2)
                self.assertEqual(raw.recv(1), b"")
            self.assertEqual(self.daemon.end(), 0)

    def test_a_reload_that_needs_a_longer_lease(self):
        """The running one stays as it is until a restart, and so does a responseTimeout that it is too short for."""
        outbox = dict(self.daemon.configuration["outbox"])

        def change(timeout, lease):
            self.daemon.configuration.update(settings={"responseTimeout": timeout}, outbox={**outbox, "lease": lease})
            self.daemon.save()

        def reload(timeout, lease, wanted):
            change(timeout, lease)
            self.daemon.lines = []
            self.daemon.process.send_signal(signal.SIGHUP)
            self.daemon.wait_line(wanted)
        change("1s", "2s")
        self.daemon.start()
        reload("10s", "20s", "the configuration before it stays")
        self.assertIn("<3>settings: a responseTimeout of 10000 ms needs a longer outbox.lease than the 2000 ms that it was started with: restart it",
                      self.daemon.lines)
        self.assertEqual(self.daemon.metrics()["casehook_reload_failures_total"], 1)
        reload("1700ms", "20s", "was read again")
        reload("1s", "2s", "was read again")
        self.assertEqual(self.daemon.end(), 0)
        change("10s", "20s")
        self.daemon.start()
        reload("1s", "2s", "was read again")  # which the next start will have

    def test_reload_under_load(self):
        """Requests while the configuration is read again and again: each is accepted, and delivered once."""
        self.daemon.start()
        for number in range(200):
            if number % 10 == 0:
                self.daemon.process.send_signal(signal.SIGHUP)
            self.assertEqual(self.daemon.post({"title": f"case {number}", "id": f"c{number}"}, "/cases").status, 202)
        self.daemon.wait_idle()
        self.assertEqual(sorted(case["reference"] for case in self.tracker.ask("/api/cases")),
                         sorted(f"c{number}" for number in range(200)))
        self.assertGreater(self.daemon.metrics()["casehook_reloads_total"], 0)

    def test_two_daemons_and_one_file(self):
        self.daemon.start()
        done = subprocess.run([PROGRAM, os.path.join(self.daemon.folder, "casehookd.json")], capture_output=True, text=True,
                              timeout=PATIENCE)
        self.assertEqual(done.returncode, 1)
        self.assertIn("another casehookd works with this outbox", done.stderr)
        # A link is another path, and no other file.
        link = os.path.join(self.daemon.folder, "link.db")
        os.symlink(self.daemon.configuration["outbox"]["location"], link)
        self.daemon.configuration["outbox"]["location"] = link
        done = subprocess.run([PROGRAM, self.daemon.save()], capture_output=True, text=True, timeout=PATIENCE)
        self.assertEqual(done.returncode, 1)
        self.assertIn("another casehookd works with this outbox", done.stderr)

    def test_an_outbox_that_is_away(self):
        """Each line says once what it is about."""
        location = self.daemon.configuration["outbox"]["location"]
        self.daemon.start()
        self.tracker.close()  # so there is always something to be written
        self.assertEqual(self.daemon.post({"title": "x"}, "/cases").status, 202)
        os.rename(location, location + ".away")
        line = self.daemon.wait_line("<3>outbox:")
        self.assertEqual(self.daemon.post({"title": "x"}, "/cases").status, 503)
        self.assertRegex(line, "^<3>outbox: the file was moved")
        os.rename(location + ".away", location)
        self.assertRegex(self.daemon.wait_line("there again"), "^<4>outbox: the database is there again$")
        self.assertEqual(self.daemon.end(), 0)
        self.daemon.configuration["outbox"]["location"] = "folder.db"
        os.mkdir(os.path.join(self.daemon.folder, "folder.db"))
        done = subprocess.run([PROGRAM, self.daemon.save()], capture_output=True, text=True, timeout=PATIENCE)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, "(?m)^<3>outbox: the file cannot be opened")

    def test_a_port_that_is_taken(self):
        self.daemon.start()
        self.daemon.configuration.update(http={"listen": f"127.0.0.1:{self.daemon.port}"},
                                         outbox={"location": os.path.join(self.daemon.folder, "other.db")})
        done = subprocess.run([PROGRAM, self.daemon.save()], capture_output=True, text=True, timeout=PATIENCE)
        self.assertEqual(done.returncode, 1)
        self.assertIn("cannot listen", done.stderr)

    def test_sources_that_come_while_metrics_are_read(self):
        """ThreadSanitizer looks at this one."""
        self.daemon.start()
        over = threading.Event()

        def read():
            while not over.is_set():
                self.daemon.metrics()
        threads = [threading.Thread(target=read) for _ in range(3)]
        self.addCleanup(over.set)
        for thread in threads:
            thread.start()
        for number in range(20):
            self.daemon.configuration["sources"].append({"type": "cases", "connector": "tracker", "login": "none", "path": f"/more{number}"})
            self.daemon.save()
            self.daemon.process.send_signal(signal.SIGHUP)
            self.daemon.wait_line("was read again")
        over.set()
        for thread in threads:
            thread.join()
        self.assertEqual(len([name for name in self.daemon.metrics() if "casehook_source_alerts_total" in name]), 23)
        self.assertEqual(self.daemon.end(), 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
