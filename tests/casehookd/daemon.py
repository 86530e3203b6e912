"""For the tests of casehookd: the daemon, payloads, and a client that says exactly what it is told to say."""
import http.client
import json
import os
import re
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "cli"))
from server import PASSWORD, USER, Tracker  # noqa: E402

TOKEN, PAGE_PASSWORD = "t0ken-canary-word", "page-canary-word"
PATIENCE = 60  # seconds until a test gives up; nothing is measured by it


def alert(status="firing", name="DiskFull", instance="web-01", starts="2026-01-01T00:00:00Z", **labels):
    return {"status": status, "labels": {"alertname": name, "instance": instance, **labels},
            "annotations": {"summary": f"{name} on {instance}"}, "startsAt": starts,
            "endsAt": "2026-01-01T01:00:00Z" if status == "resolved" else "0001-01-01T00:00:00Z",
            "generatorURL": "http://prometheus", "fingerprint": instance}


def payload(alerts, key='{}:{alertname="DiskFull"}', status=None, **members):
    common = dict(alerts[0]["labels"]) if isinstance(alerts[0], dict) and "labels" in alerts[0] else {}
    if status is None:
        status = "firing" if any(each["status"] == "firing" for each in alerts) else "resolved"
    return {"version": "4", "groupKey": key, "truncatedAlerts": 0, "status": status, "receiver": "cases",
            "groupLabels": {"alertname": common.get("alertname", "")}, "commonLabels": common,
            "commonAnnotations": {}, "externalURL": "http://alertmanager", "alerts": alerts, **members}


def life(number):
    """The notifications of a group: it fires, changes, is resolved."""
    for alerts in ([alert()], [alert(), alert(instance="web-02")], [alert("resolved"), alert("resolved", instance="web-02")]):
        yield payload(alerts, key=f"group {number}")


def check_lives(test, tracker, groups):
    """Each of so many lives has become one case, with its comments in their order, each once."""
    cases = tracker.ask("/api/cases")
    test.assertEqual(len(cases), groups)
    test.assertEqual({case["status"] for case in cases}, {"closed"})
    test.assertEqual(len({case["reference"] for case in cases}), groups)
    for case in cases:
        texts = [each["text"] for each in case["comments"]]
        test.assertEqual(len(texts), 2, texts)
        test.assertIn("2 firing", texts[0])
        test.assertIn("Resolved.", texts[1])


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def text(self):
        return self.body.decode()


class Daemon:
    """casehookd with a configuration in a folder of its own; changes are merged into that."""

    def __init__(self, program, document, folder, tracker_url, **changes):
        self.program, self.folder, self.process, self.port = program, folder, None, 0
        self.lines = []
        with open(document, encoding="utf-8") as file:
            connector = json.load(file)
        text = json.dumps(connector["config"]).replace("http://127.0.0.1:8080", tracker_url)
        connector = {"config": json.loads(text), "secrets": {"user": USER, "password": PASSWORD}}
        self.write("tracker.json", connector)
        self.configuration = {
            "connectors": {"tracker": "tracker.json"},
            "outbox": {"location": os.path.join(folder, "outbox.db"), "retryBase": "20ms", "retryMax": "100ms"},
            "http": {"listen": "127.0.0.1:0"},
            "page": {"login": {"user": "ops", "password": PAGE_PASSWORD}},
            "sources": [{"type": "alertmanager", "connector": "tracker", "login": {"bearer": TOKEN}},
                        {"type": "grafana", "connector": "tracker", "login": {"user": "grafana", "password": TOKEN}},
                        {"type": "cases", "connector": "tracker", "login": {"bearer": TOKEN}}],
            **changes}
        self.save()

    def write(self, name, value):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as file:
            json.dump(value, file)
        return path

    def save(self):
        return self.write("casehookd.json", self.configuration)

    def check(self):
        return subprocess.run([self.program, "--check", self.save()], capture_output=True, text=True, timeout=PATIENCE)

    def start(self, **environment):
        self.lines = []
        self.process = subprocess.Popen([self.program, os.path.join(self.folder, "casehookd.json")],
                                        stderr=subprocess.PIPE, env={**os.environ, **environment})
        os.set_blocking(self.process.stderr.fileno(), False)
        self.rest = b""
        line = self.wait_line("listening on")
        self.port = int(re.search(r":(\d+)$", line).group(1))
        return self

    def wait_line(self, text):
        """The first line that has this text, of those that were not waited for before."""
        end = time.monotonic() + PATIENCE
        while True:
            while b"\n" in self.rest:
                line, self.rest = self.rest.split(b"\n", 1)
                self.lines.append(line.decode())
                if text in self.lines[-1]:
                    return self.lines[-1]
            if not select.select([self.process.stderr], [], [], max(0, end - time.monotonic()))[0]:
                raise AssertionError(f"no line with {text!r} came: {self.lines}")
            piece = self.process.stderr.read(65536)
            if not piece:
                raise AssertionError(f"it ended without a line with {text!r}: {self.lines}")
            self.rest += piece

    def end(self, number=signal.SIGTERM):
        """Sends a signal and gives the exit code; all lines are in lines then."""
        if not self.process:
            return None
        process, self.process = self.process, None
        process.send_signal(number)
        os.set_blocking(process.stderr.fileno(), True)
        self.rest += process.stderr.read()
        self.lines += self.rest.decode().splitlines()
        process.stderr.close()
        return process.wait(PATIENCE)

    def ask(self, method, path, body=None, headers=None, login=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        headers = dict(headers or {})
        if login:
            headers["Authorization"] = login
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read())
        finally:
            connection.close()

    def post(self, value, path="/alertmanager", **headers):
        body = value if isinstance(value, bytes) else json.dumps(value).encode()
        return self.ask("POST", path, body, {"Content-Type": "application/json", **headers}, "Bearer " + TOKEN)

    def post_until_accepted(self, value, over):
        """As Alertmanager does; until the event `over` is set."""
        while not over.is_set():
            try:
                status = self.post(value).status
                if status in (200, 202):
                    return
                assert status == 503, status
            except (OSError, http.client.HTTPException):
                pass
            over.wait(0.01)

    def metrics(self):
        """Each sample by its name with labels."""
        text = self.ask("GET", "/metrics").text
        return {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line[:1] != "#"}

    def raw(self):
        return socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE)

    def wait_for(self, what, ready):
        """Asks until it is so."""
        end = time.monotonic() + PATIENCE
        while not ready():
            # Nobody goes on who writes into a full pipe.
            self.rest += self.process.stderr.read() or b""
            if time.monotonic() > end:
                raise AssertionError("it never came to this: " + what)
            time.sleep(0.02)

    def wait_idle(self):
        names = [f'casehook_outbox_entries{{state="{state}"}}' for state in ("waiting", "queued", "sending")]

        def idle():
            numbers = self.metrics()
            return not any(numbers[name] for name in names)
        self.wait_for("an outbox without work", idle)


def setup(test, program, tracker_program, document, *faults, **changes):
    """A tracker and a daemon that is not started yet, both gone after the test."""
    test.tracker = Tracker(tracker_program, *faults)
    test.addCleanup(test.tracker.close)
    folder = tempfile.TemporaryDirectory()
    test.addCleanup(folder.cleanup)
    test.daemon = Daemon(program, document, folder.name, test.tracker.url, **changes)
    test.addCleanup(lambda: test.daemon.end(signal.SIGKILL))
