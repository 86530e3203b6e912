"""As a service: what systemd is told, how it stops, what it takes: test_service.py CASEHOOKD TRACKER CONNECTOR"""
import base64
import json
import os
import re
import resource
import shutil
import signal
import socket
import subprocess
import sys
import unittest

from daemon import PAGE_PASSWORD, PATIENCE, alert, payload, setup

PROGRAM, TRACKER, DOCUMENT = sys.argv[1:4]
del sys.argv[1:4]
ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
README = os.path.join(ROOT, "examples", "casehookd", "README.md")
UNIT = os.path.join(ROOT, "examples", "casehookd", "casehookd.service")


class Service(unittest.TestCase):
    def setUp(self):
        setup(self, PROGRAM, TRACKER, DOCUMENT)

    def listen(self, name):
        told = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        told.settimeout(PATIENCE)
        told.bind(name)
        self.addCleanup(told.close)
        return told

    def test_systemd_is_told(self):
        for name in (os.path.join(self.daemon.folder, "notify"), "\0casehookd-test-%d" % os.getpid()):
            told = self.listen(name)
            self.daemon.start(NOTIFY_SOCKET=name.replace("\0", "@"), WATCHDOG_USEC="200000")
            self.assertRegex(told.recv(4096).decode(), r"^READY=1\nSTATUS=listening on 127\.0\.0\.1 port \d+$")
            for _ in range(3):
                self.assertEqual(told.recv(4096), b"WATCHDOG=1")
            self.daemon.process.send_signal(signal.SIGHUP)
            news = []
            while "READY=1" not in news:
                news += [each for each in [told.recv(4096).decode()] if each != "WATCHDOG=1"]
            self.assertRegex(news[0], r"^RELOADING=1\nMONOTONIC_USEC=\d+$")
            self.assertEqual(news[1:], ["READY=1"])
            self.assertEqual(self.daemon.end(), 0)
            told.settimeout(0)
            rest = []
            try:
                while True:
                    rest.append(told.recv(4096).decode())
            except BlockingIOError:
                pass
            self.assertTrue(any(each.startswith("STOPPING=1\n") for each in rest), rest)

    def test_health(self):
        self.daemon.start()
        self.assertEqual([self.daemon.ask("GET", path).text for path in ("/-/healthy", "/-/ready")], ["healthy\n", "ready\n"])
        self.assertEqual(self.daemon.ask("HEAD", "/-/ready").status, 200)
        self.assertEqual(self.daemon.end(signal.SIGINT), 0)
        self.assertTrue(all(re.match(r"<[3467]>", line) for line in self.daemon.lines), self.daemon.lines)

    def ready(self):
        return self.daemon.ask("GET", "/-/ready").status, self.daemon.metrics()["casehook_outbox_accepting"]

    def stuck(self, **outbox):
        """Entries stay: the tracker refuses them."""
        path = os.path.join(self.daemon.folder, "tracker.json")
        with open(path, encoding="utf-8") as file:
            text = file.read()
        with open(path, "w", encoding="utf-8") as file:
            file.write(text.replace("/api/cases\"", "/api/nothing\""))
        self.daemon.configuration["outbox"].update(outbox)
        self.daemon.save()
        self.daemon.start()

    def press(self, action, number):
        login = "Basic " + base64.b64encode(f"ops:{PAGE_PASSWORD}".encode()).decode()
        token = re.search(r'name="token" value="(\w+)"', self.daemon.ask("GET", "/", login=login).text).group(1)
        return self.daemon.ask("POST", "/entries", f"token={token}&id={number}&action={action}",
                               {"Content-Type": "application/x-www-form-urlencoded"}, login).status

    def test_not_ready_while_it_is_full(self):
        self.stuck(maxEntries=2)
        for number in range(2):
            self.assertEqual(self.daemon.post({"title": "x", "id": str(number)}, "/cases").status, 202)
        self.daemon.wait_idle()
        self.assertEqual(self.ready(), (200, 1))
        self.assertEqual(self.daemon.post({"title": "x"}, "/cases").status, 503)
        self.assertEqual(self.ready(), (503, 0))
        self.assertEqual(self.daemon.ask("GET", "/-/ready").json["error"], "the outbox cannot be used: limit")
        self.assertEqual(self.daemon.ask("GET", "/-/healthy").status, 200)
        self.assertEqual(self.press("discard", 1), 303)
        self.daemon.wait_for("a machine that is ready, though nothing is sent to it", lambda: self.ready() == (200, 1))
        self.assertEqual(self.daemon.post({"title": "x"}, "/cases").status, 202)

    def test_not_ready_while_the_disk_is_full(self):
        self.stuck()
        self.assertEqual(self.daemon.post({"title": "x"}, "/cases").status, 202)
        self.daemon.wait_idle()
        limits = resource.prlimit(self.daemon.process.pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
        self.assertEqual(self.daemon.post({"title": "x"}, "/cases").status, 503)
        for _ in range(3):
            self.assertEqual(self.ready(), (503, 0))
        resource.prlimit(self.daemon.process.pid, resource.RLIMIT_FSIZE, limits)
        self.daemon.wait_for("a machine that is ready, though nothing is sent to it", lambda: self.ready() == (200, 1))
        self.assertEqual(self.daemon.post({"title": "x"}, "/cases").status, 202)
        self.assertEqual(os.stat(self.daemon.configuration["outbox"]["location"] + ".lock").st_size, 0)

    def test_not_ready_while_nothing_can_be_sent(self):
        """Without any put: what is to be sent cannot be written down."""
        self.tracker.close()
        self.tracker.close = lambda: None
        self.daemon.start()
        self.assertEqual(self.daemon.post({"title": "x"}, "/cases").status, 202)
        self.assertEqual(self.ready(), (200, 1))
        limits = resource.prlimit(self.daemon.process.pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
        self.daemon.wait_for("a machine that is not ready", lambda: self.ready() == (503, 0))
        self.assertEqual(self.daemon.ask("GET", "/-/ready").json["error"], "the outbox cannot be used: system")
        resource.prlimit(self.daemon.process.pid, resource.RLIMIT_FSIZE, limits)
        self.daemon.wait_for("a machine that is ready again", lambda: self.ready() == (200, 1))

    def test_a_lock_file_of_somebody_else(self):
        """Who may write in the folder of the outbox cannot have casehookd write into another file."""
        lock, other = self.daemon.configuration["outbox"]["location"] + ".lock", os.path.join(self.daemon.folder, "other")

        def refused(text, word):
            done = subprocess.run([PROGRAM, os.path.join(self.daemon.folder, "casehookd.json")], capture_output=True, text=True, timeout=PATIENCE)
            self.assertEqual(done.returncode, 1, done.stderr)
            self.assertIn(f"{lock}: {word}", done.stderr)
            if text is not None:
                with open(other if os.path.exists(other) else lock, encoding="ascii") as file:
                    self.assertEqual(file.read(), text)
            os.unlink(lock)

        os.symlink(other, lock)
        refused(None, "it is a link")
        self.assertFalse(os.path.exists(other))
        with open(lock, "w", encoding="ascii") as file:
            file.write("precious")
        refused("precious", "it is no lock file")
        with open(other, "w", encoding="ascii") as file:
            file.write("\0" * 100)
        os.link(other, lock)
        refused("\0" * 100, "it is no lock file")
        os.symlink(other, lock)
        refused("\0" * 100, "it is a link")
        os.mkfifo(lock)
        refused(None, "it is no lock file")
        # What a try that was killed has left.
        with open(lock, "w", encoding="ascii") as file:
            file.write("\0" * 65536)
        self.daemon.start()
        self.assertEqual(self.daemon.end(), 0)

    def test_a_backup(self):
        """The lines of the README: what came after the backup is not known, but found."""
        with open(README, encoding="utf-8") as file:
            blocks = re.findall(r"```sh\n(.*?)```", re.search(r"\n## Backup\n(.*?)\n## ", file.read(), re.S).group(1), re.S)
        location, copy = self.daemon.configuration["outbox"]["location"], os.path.join(self.daemon.folder, "copy.db")
        backup, restore = (block.replace("/var/lib/casehookd/outbox.db", location).replace("/var/backups/outbox.db", copy) for block in blocks)
        restore = "\n".join(line for line in restore.replace(" -o casehookd -g casehookd", "").splitlines() if "systemctl" not in line)

        def run(script):
            subprocess.run(["sh", "-e", "-c", script], check=True, timeout=PATIENCE)

        def send(key, status):
            self.assertEqual(self.daemon.post(payload([alert(status)], key=key)).status, 202)
            self.daemon.wait_idle()

        if not shutil.which("sqlite3"):
            self.skipTest("sqlite3 is not installed")
        self.daemon.start()
        send("1", "firing")
        run(backup)
        send("2", "firing")
        self.assertEqual(self.daemon.end(signal.SIGKILL), -signal.SIGKILL)
        run(restore)
        path = os.path.join(self.daemon.folder, "tracker.json")
        with open(path, encoding="utf-8") as file:
            connector = json.load(file)
        connector["config"]["findIncident"] = "always"
        self.daemon.write("tracker.json", connector)
        self.daemon.start()
        send("2", "firing")
        for key in ("1", "2"):
            send(key, "resolved")
        self.assertEqual([case["status"] for case in self.tracker.ask("/api/cases")], ["closed", "closed"])

    def test_memory_at_rest(self):
        with open(PROGRAM, "rb") as program:
            if b"asan" in program.read():
                self.skipTest("sanitizers need memory of their own")
        self.daemon.start()
        self.assertEqual(self.daemon.post(payload([alert()])).status, 202)
        self.daemon.wait_idle()
        with open(f"/proc/{self.daemon.process.pid}/status", encoding="ascii") as status:
            resident = next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))
        self.assertLessEqual(resident, 20 * 1024)

    def test_metrics_are_right(self):
        self.daemon.configuration["connectors"]['odd "name"\\\n'] = "tracker.json"
        self.daemon.save()
        self.daemon.start()
        self.daemon.post(payload([alert()]))
        self.daemon.wait_idle()
        answer = self.daemon.ask("GET", "/metrics")
        self.assertEqual(answer.headers["Content-Type"], "text/plain; version=0.0.4; charset=utf-8")
        self.assertIn("\n# HELP casehook_outbox_gave_up_total Entries that were parked, or whose outcome is unknown.\n", answer.text)
        self.assertIn('connector="odd \\"name\\"\\\\\\n"', answer.text)
        numbers = self.daemon.metrics()
        self.assertEqual(numbers['casehook_outbox_entries{state="done"}'], 1)
        self.assertEqual(numbers['casehook_requests_total{connector="tracker",step="create",class="2xx"}'], 1)
        self.assertEqual(numbers['casehook_request_duration_seconds_count{connector="tracker"}'],
                         numbers['casehook_request_duration_seconds_bucket{connector="tracker",le="+Inf"}'])
        if not shutil.which("promtool"):
            self.skipTest("promtool is not installed")
        done = subprocess.run(["promtool", "check", "metrics"], input=answer.body, capture_output=True, timeout=PATIENCE)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, b"", b""))

    def test_the_unit(self):
        if not shutil.which("systemd-analyze"):
            self.skipTest("systemd is not installed")
        with open(UNIT, encoding="utf-8") as file:
            text = file.read().replace("@bindir@/casehookd", os.path.abspath(PROGRAM)).replace("User=casehookd", "User=nobody")
        path = os.path.join(self.daemon.folder, "casehookd.service")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text.replace("Group=casehookd\n", ""))
        # A reload that finds faults fails, before anybody is told.
        reload = re.findall(r"(?m)^ExecReload=(.*)$", text)
        self.assertEqual([line.split()[0] for line in reload], [os.path.abspath(PROGRAM), "/bin/kill"])
        self.assertEqual(reload[0], re.search(r"(?m)^ExecStartPre=(.*)$", text).group(1))
        done = subprocess.run(["systemd-analyze", "verify", "--man=no", path], capture_output=True, text=True, timeout=PATIENCE)
        self.assertEqual([line for line in done.stderr.splitlines() if "casehookd" in line and "Special user" not in line], [])
        done = subprocess.run(["systemd-analyze", "security", "--offline=true", path], capture_output=True, text=True, timeout=PATIENCE)
        self.assertLess(float(re.search(r"exposure level for casehookd.service: ([\d.]+)", done.stdout).group(1)), 2.0, done.stdout)


if __name__ == "__main__":
    unittest.main(verbosity=2)
