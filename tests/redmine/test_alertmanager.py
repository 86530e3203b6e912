"""Prometheus Alertmanager, casehookd and a real Redmine: test_alertmanager.py TOOL DOCUMENT CASEHOOKD

Alerts fire, change, are resolved and fire again, while Redmine is stopped for a while and casehookd is killed.  At the end
Redmine has exactly the right issues, in the right states, with each note once and in its order.  Redmine knows no keys of
notes: of one that was on its way when casehookd was killed a person looks whether it is there.
"""
import base64
import json
import os
import shutil
import socket
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "../gallery"), os.path.join(HERE, "../casehookd")]
from daemon import TOKEN, Daemon
from real_tracker import RealTracker, run

PATIENCE = 240  # seconds until the test gives up; nothing is measured by it
NEW, CLOSED = 1, 5
ALERTMANAGER = """route: {receiver: cases, group_by: [alertname], group_wait: 1s, group_interval: 1s, repeat_interval: 1h}
receivers:
  - name: cases
    webhook_configs:
      - url: http://127.0.0.1:%d/alertmanager
        http_config: {authorization: {credentials: %s}}
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Lives(RealTracker):
    asked = 0  # how often a person

    def setUp(self):
        if not (shutil.which("prometheus-alertmanager") and shutil.which("amtool")):
            self.skipTest("Alertmanager is not installed")
        key = self.read("/users/current.json")["user"]["api_key"]
        self.use({"https://redmine.example.com": self.said["BASE_URL"], "YOUR-PROJECT": "cases", "YOUR-API-KEY": key})
        self.redmine_port, port, self.manager_port = self.said["BASE_URL"].rsplit(":", 1)[1], free_port(), free_port()
        document = os.path.join(self.folder, "connector.json")
        self.daemon = Daemon(sys.argv[3], document, self.folder, "", connectors={"redmine": "connector.json"},
                             settings={"responseTimeout": "30s", "retry.findDelay": "100ms"},
                             outbox={"location": os.path.join(self.folder, "outbox.db"), "retryBase": "2s", "retryMax": "4s"},
                             sources=[{"type": "alertmanager", "connector": "redmine", "login": {"bearer": TOKEN}}])
        self.daemon.configuration["http"]["listen"] = f"127.0.0.1:{port}"
        self.daemon.save()
        self.daemon.start()
        self.addCleanup(lambda: self.daemon.end(9))
        self.start_alertmanager(port)

    def start_alertmanager(self, port):
        path = os.path.join(self.folder, "alertmanager.yml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(ALERTMANAGER % (port, TOKEN))
        with open(os.path.join(self.folder, "alertmanager.log"), "w", encoding="utf-8") as log:
            manager = subprocess.Popen(["prometheus-alertmanager", f"--config.file={path}", "--cluster.listen-address=",
                                        f"--storage.path={self.folder}/alerts", f"--web.listen-address=127.0.0.1:{self.manager_port}"],
                                       stdout=log, stderr=log)
        self.addCleanup(manager.wait)
        self.addCleanup(manager.terminate)
        self.until("Alertmanager listens", lambda: socket.create_connection(("127.0.0.1", self.manager_port)).close() is None)

    # ---- what is done

    def amtool(self, name, instance, *more):
        command = ["amtool", f"--alertmanager.url=http://127.0.0.1:{self.manager_port}", "alert", "add", name,
                   f"instance={instance}", "severity=critical", f"--annotation=summary={name} on {instance}", *more]
        subprocess.run(command, check=True, env={**os.environ, "no_proxy": "127.0.0.1"}, timeout=60)

    def resolve(self, name, *instances):
        end = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 1))
        for instance in instances:
            self.amtool(name, instance, "--end=" + end)

    def stop_redmine(self):
        subprocess.run(["sh", os.path.join(HERE, "down.sh"), self.folder], check=True)

    def start_redmine(self):
        subprocess.run(["sh", os.path.join(HERE, "up.sh"), self.folder], check=True, stdout=subprocess.DEVNULL,
                       env={**os.environ, "REDMINE_PORT": self.redmine_port})

    def kill_daemon(self):
        self.daemon.end(9)
        self.daemon.start()

    # ---- what is seen

    def read(self, path):
        return self.ask(path, "Basic " + base64.b64encode(b"casehook:case:hook-2026").decode())

    def issues(self):
        """Of each alert its issues: status and notes."""
        found = {}
        for issue in self.read("/issues.json?project_id=cases&status_id=*&limit=100&sort=id")["issues"]:
            about = self.read(f"/issues/{issue['id']}.json?include=journals")["issue"]
            notes = [each["notes"].splitlines()[0] for each in about["journals"] if each["notes"]]
            found.setdefault(about["subject"].split(":")[0].split()[0], []).append((about["status"]["id"], notes))
        return found

    def until(self, what, ready):
        end = time.monotonic() + PATIENCE
        last = None
        while True:
            try:
                last = ready()
                if last:
                    return
            except OSError as error:
                last = error
            if time.monotonic() > end:
                self.fail(f"it never came to this: {what}: {last}\n{self.outbox('list')}")
            time.sleep(0.2)

    def outbox(self, *words):
        done = subprocess.run([sys.argv[1], "outbox", *words, "--outbox", os.path.join(self.folder, "outbox.db")],
                              capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def look_after_unknown(self):
        """What a person does: it is done when Redmine has the note, else it is tried again."""
        for listed in json.loads(self.outbox("list", "--json", "--state", "unknown")):
            entry = json.loads(self.outbox("show", listed["id"], "--json"))
            entry = entry[0] if isinstance(entry, list) else entry
            note = entry["params"]["comments"][0]["comment"].splitlines()[0]
            notes = [note for each in self.issues().get(entry["title"].split(":")[0].split()[0], []) for note in each[1]]
            self.outbox("done" if note in notes else "retry", entry["id"])
            self.asked += 1

    def until_issue(self, name, status, notes):
        def so():
            self.look_after_unknown()
            of_it = self.issues().get(name, [])
            return len(of_it) == 1 and (of_it[0][0], len(of_it[0][1])) == (status, notes)
        self.until(f"{name} has status {status} and {notes} notes", so)

    def accepted(self):
        return self.daemon.metrics()["casehook_outbox_entries{state=\"waiting\"}"] + \
            self.daemon.metrics()["casehook_outbox_entries{state=\"queued\"}"] + \
            self.daemon.metrics()["casehook_outbox_entries{state=\"sending\"}"]

    def test_lives_of_alerts(self):
        self.amtool("DiskFull", "web-01")
        self.until_issue("DiskFull", NEW, 0)
        self.amtool("DiskFull", "web-02")
        self.until_issue("DiskFull", NEW, 1)

        self.stop_redmine()
        self.amtool("NetDown", "web-03")
        self.amtool("Brief", "web-04")
        self.until("two cases wait", lambda: self.accepted() == 2)
        self.resolve("DiskFull", "web-01", "web-02")
        self.resolve("Brief", "web-04")
        self.until("four entries wait", lambda: self.accepted() == 4)
        self.until("it was tried", lambda: self.daemon.metrics()["casehook_outbox_retried_total"] >= 3)
        self.daemon.end(9)
        self.amtool("Later", "web-05")
        self.daemon.start()
        self.start_redmine()
        self.until_issue("DiskFull", CLOSED, 2)
        self.until_issue("NetDown", NEW, 0)
        self.until_issue("Brief", CLOSED, 1)
        self.until_issue("Later", NEW, 0)

        # Killed while it works.
        self.amtool("DiskFull", "web-01")
        for number in range(6):
            self.amtool("Many%d" % number, "web-06")
        for _ in range(3):
            time.sleep(0.7)
            self.kill_daemon()
        self.until_issue("DiskFull", NEW, 3)
        for number in range(6):
            self.until_issue("Many%d" % number, NEW, 0)
        self.until("nothing waits", lambda: self.accepted() == 0)

        issues = self.issues()
        self.assertEqual(sorted(issues), sorted(["Brief", "DiskFull", "Later", "NetDown"] + ["Many%d" % k for k in range(6)]))
        self.assertEqual([len(each) for each in issues.values()], [1] * 10)
        notes = issues["DiskFull"][0][1]
        self.assertIn("2 firing", notes[0])
        self.assertIn("Resolved", notes[1])
        self.assertIn("1 firing", notes[2])
        self.assertIn("Resolved", issues["Brief"][0][1][0])
        numbers = self.daemon.metrics()
        print(f"10 alerts, 4 kills, Redmine was away: 0 lost, 0 doubled; a person was asked {self.asked} times")
        self.assertEqual([numbers[f'casehook_outbox_entries{{state="{state}"}}'] for state in ("parked", "unknown")], [0, 0])


if __name__ == "__main__":
    run("Redmine", HERE)
