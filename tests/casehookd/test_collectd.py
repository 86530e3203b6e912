"""A threshold of collectd that is crossed and left is one case, opened and closed: test_collectd.py PLUGIN TRACKER CONNECTOR TOOL"""
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import unittest

from daemon import PASSWORD, PATIENCE, Tracker

PLUGIN, TRACKER, DOCUMENT, TOOL = sys.argv[1:5]
del sys.argv[1:5]
MODULES = "/usr/lib/collectd"


class Collectd(unittest.TestCase):
    def setUp(self):
        self.program = shutil.which("collectd", path=os.environ["PATH"] + ":/usr/sbin")
        if not self.program or not os.path.exists(os.path.join(MODULES, "threshold.so")):
            self.skipTest("collectd is not installed")
        self.tracker = Tracker(TRACKER)
        self.addCleanup(self.tracker.close)
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.outbox = os.path.join(self.folder, "outbox.db")
        for name in ("unixsock", "threshold", "logfile"):
            shutil.copy(os.path.join(MODULES, name + ".so"), self.folder)  # collectd takes no links
        shutil.copy(PLUGIN, self.folder)
        with open(DOCUMENT, encoding="utf-8") as file:
            text = file.read().replace("http://127.0.0.1:8080", self.tracker.url).replace("not-a-secret", PASSWORD)
        self.connector = os.path.join(self.folder, "tracker.json")
        with open(self.connector, "w", encoding="utf-8") as file:
            file.write(text)

    def start(self, options):
        path = os.path.join(self.folder, "collectd.conf")
        with open(path, "w", encoding="utf-8") as file:
            file.write(f"""Hostname "web-01"
FQDNLookup false
Interval 1
BaseDir "{self.folder}"
PIDFile "{self.folder}/pid"
PluginDir "{self.folder}"
TypesDB "/usr/share/collectd/types.db"
LoadPlugin logfile
<Plugin logfile>
  File "{self.folder}/log"
</Plugin>
LoadPlugin unixsock
<Plugin unixsock>
  SocketFile "{self.folder}/socket"
</Plugin>
LoadPlugin threshold
<Plugin threshold>
  <Plugin "disk">
    <Type "gauge">
      WarningMax 80
      FailureMax 90
    </Type>
  </Plugin>
</Plugin>
LoadPlugin casehook
<Plugin casehook>
{options}
</Plugin>
""")
        library = os.path.join(os.path.dirname(os.path.abspath(PLUGIN)), "..", "..", "..", "lib")
        self.process = subprocess.Popen([self.program, "-f", "-C", path], stderr=subprocess.DEVNULL,
                                        env={**os.environ, "LD_LIBRARY_PATH": f"{library}:{library}/outbox"}, stdout=subprocess.DEVNULL)
        self.addCleanup(self.stop)
        self.wait_for("the socket", lambda: os.path.exists(self.folder + "/socket") or self.process.poll() is not None)

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
        return self.process.wait(PATIENCE)

    def wait_for(self, what, ready):
        end = time.monotonic() + PATIENCE
        while not ready():
            self.assertLess(time.monotonic(), end, "it never came to this: " + what)
            time.sleep(0.05)

    def measure(self, number, value):
        """At a time of its own: collectd wants them to rise."""
        with socket.socket(socket.AF_UNIX) as raw:
            raw.connect(self.folder + "/socket")
            raw.sendall(f"PUTVAL web-01/disk-sda1/gauge-used interval=10 {1800000000 + number}:{value}\n".encode())
            self.assertIn(b"Success", raw.recv(4096))

    def entries(self, about=""):
        done = subprocess.run([TOOL, "outbox", "list", "--outbox", self.outbox], capture_output=True, text=True, timeout=PATIENCE, check=True)
        return sum(about in line for line in done.stdout.splitlines())

    def test_a_threshold(self):
        self.start(f'  Outbox "{self.outbox}"\n  To "default"')
        for number, (value, wanted) in enumerate([(50, 0), (85, 1), (99, 2), (50, 3)]):
            self.measure(number, value)
            self.wait_for(f"{wanted} entries", lambda: self.entries() == wanted)
        subprocess.run([TOOL, "outbox", "run", "--outbox", self.outbox, "--connector", self.connector], timeout=PATIENCE, check=True)
        [case] = self.tracker.ask("/api/cases")
        self.assertEqual((case["reference"], case["status"], case["fields"]["host"]), ("web-01/disk-sda1/gauge-used", "closed", "web-01"))
        self.assertEqual(len(case["comments"]), 2)
        self.assertIn("failure", case["comments"][0]["text"].lower() + case["title"].lower())
        self.assertEqual(self.stop(), 0)

    def notify(self, host, message, severity="warning", time=1800000000):
        with socket.socket(socket.AF_UNIX) as raw:
            raw.connect(self.folder + "/socket")
            raw.sendall(f"PUTNOTIF severity={severity} time={time} plugin=disk type=gauge host=".encode()
                        + (host if isinstance(host, bytes) else host.encode()) + b' message="' + message + b'"\n')
            self.assertIn(b"Success", raw.recv(4096))

    def test_nothing_is_lost(self):
        """Several things happen in the same second, and say so in whatever bytes."""
        self.start(f'  Outbox "{self.outbox}"\n  To "default"')
        for number in range(3):
            self.notify(f"web-{number}", b"full")
        self.notify("web-0", b"fuller")
        self.notify("web-4", b"plein \xe0 97 %")
        self.notify("web-5", "\u00e4".encode() * 200)  # is cut by collectd
        self.notify("web-6", b"ok", "okay")
        self.wait_for("6 entries", lambda: self.entries() >= 6)
        subprocess.run([TOOL, "outbox", "run", "--outbox", self.outbox, "--connector", self.connector], timeout=PATIENCE, check=True)
        cases = {case["reference"]: case for case in self.tracker.ask("/api/cases")}
        self.assertEqual(sorted(cases), [f"web-{number}/disk/gauge" for number in (0, 1, 2, 4, 5)])
        self.assertEqual([each["text"] for each in cases["web-0/disk/gauge"]["comments"]], ["fuller"])
        self.assertEqual(cases["web-4/disk/gauge"]["description"], "plein ? 97 %")
        self.assertTrue(cases["web-5/disk/gauge"]["description"].startswith("\u00e4" * 100))
        with open(self.folder + "/log", encoding="utf-8", errors="replace") as log:
            self.assertNotIn("is lost", log.read())

    def deliver(self):
        subprocess.run([TOOL, "outbox", "run", "--outbox", self.outbox, "--connector", self.connector], timeout=PATIENCE, check=True)
        return {case["reference"]: case for case in self.tracker.ask("/api/cases")}

    def test_the_same_again_in_one_second(self):
        """What was said before is said again when something else came between, and else is one thing said twice."""
        self.start(f'  Outbox "{self.outbox}"\n  To "default"')
        told = [("web-1", "failure"), ("web-1", "okay"), ("web-1", "failure"),
                ("web-2", "failure"), ("web-2", "okay"), ("web-2", "failure"), ("web-2", "okay"),
                ("web-3", "failure"), ("web-3", "warning"), ("web-3", "failure"), ("web-3", "failure")]
        for host, severity in told:
            self.notify(host, b"so it is", severity)
        self.notify("end", b"end")
        self.wait_for("the end", lambda: self.entries("end/disk/gauge"))
        cases = self.deliver()
        self.assertEqual([(cases[f"web-{number}/disk/gauge"]["status"], len(cases[f"web-{number}/disk/gauge"]["comments"]))
                          for number in (1, 2, 3)], [("open", 2), ("closed", 3), ("open", 2)])
        self.assertEqual(cases["web-3/disk/gauge"]["severity"], "critical")

    def test_names_that_are_not_utf8(self):
        self.start(f'  Outbox "{self.outbox}"\n  To "default"')
        for host in (b"caf\xe9", b"caf\xe8", "caf\u00e9".encode(), b"caf%E9", b"caf%"):
            self.notify(host, b"full \xe9")
            self.notify(host, b"full \xe8")  # another message, though it looks the same
        self.notify(b"caf\xe8", b"empty", "okay")
        self.notify("end", b"end")
        self.wait_for("the end", lambda: self.entries("end/disk/gauge"))
        cases = self.deliver()
        found = {name: (case["status"], case["title"], case["fields"]["host"], len(case["comments"])) for name, case in cases.items()}
        del found["end/disk/gauge"]
        self.assertEqual(found, {"caf%E9/disk/gauge": ("open", "caf?/disk/gauge: warning", "caf?", 1),
                                 "caf%E8/disk/gauge": ("closed", "caf?/disk/gauge: okay", "caf?", 2),
                                 "caf\u00e9/disk/gauge": ("open", "caf\u00e9/disk/gauge: warning", "caf\u00e9", 1),
                                 "caf%25E9/disk/gauge": ("open", "caf%E9/disk/gauge: warning", "caf%E9", 1),
                                 "caf%/disk/gauge": ("open", "caf%/disk/gauge: warning", "caf%", 1)})

    def test_a_wrong_configuration(self):
        self.start('  Outbox "/nope/outbox.db"\n  To "x"')
        self.process.terminate()
        self.process.wait(PATIENCE)
        with open(self.folder + "/log", encoding="utf-8") as log:
            self.assertIn("casehook plugin: /nope/outbox.db", log.read())


if __name__ == "__main__":
    unittest.main(verbosity=2)
