"""The demo tracker: many connections, cases without end, pages, keys and faults.  test_tracker.py TRACKER"""
import html
import http.client
import json
import re
import resource
import subprocess
import sys
import unittest

from server import Tracker

TRACKER = sys.argv.pop()
CONNECTIONS = 1000


def raise_limit(files):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < files <= hard or (soft < files and hard == resource.RLIM_INFINITY):
        resource.setrlimit(resource.RLIMIT_NOFILE, (files, hard))
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0] >= files


class Asking(unittest.TestCase):
    def setUp(self):
        self.start()

    def start(self, *faults):
        self.tracker = Tracker(TRACKER, *faults)
        self.addCleanup(self.tracker.close)
        self.host = self.tracker.url.removeprefix("http://")

    def connect(self):
        connection = http.client.HTTPConnection(self.host, timeout=20)
        self.addCleanup(connection.close)
        return connection

    def answer(self, connection, method, path, value=None, **headers):
        """The status, the headers and the text."""
        if value:
            headers["Content-Type"] = "application/json"
        headers["Authorization"] = self.tracker.authorization
        connection.request(method, path, json.dumps(value) if value else None,
                           {name.replace("_", "-"): text for name, text in headers.items()})
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read().decode()

    def ask(self, *arguments, **headers):
        status, _, text = self.answer(*arguments, **headers)
        return status, text

    def make(self, connection, **case):
        status, text = self.ask(connection, "POST", "/api/cases", case)
        self.assertEqual(status, 201, text)
        return json.loads(text)

    def cases(self):
        return json.loads(self.ask(self.connect(), "GET", "/api/cases")[1])


class Pages(Asking):
    def page(self, connection, path):
        status, text = self.ask(connection, "GET", path)
        self.assertEqual(status, 200)
        return text

    def test_more_connections_than_a_loop_opens(self):
        if not raise_limit(CONNECTIONS + 100):
            self.skipTest(f"SKIP: this system allows less than {CONNECTIONS + 100} open files")
        connections = [self.connect() for _ in range(CONNECTIONS)]
        for number, connection in enumerate(connections):
            self.assertEqual(self.make(connection, title=f"case {number}")["id"], number + 1)
        for connection in connections:  # each is still open
            self.assertEqual(self.ask(connection, "GET", "/api/cases/1000")[0], 200)

    def test_cases_without_end(self):
        connection = self.connect()
        for number in range(1, 1051):
            self.assertEqual(self.make(connection, title=f"case {number}")["id"], number)
        self.assertEqual(self.ask(connection, "GET", "/api/cases/50")[0], 404, "the oldest made room")
        self.assertEqual(self.ask(connection, "GET", "/api/cases/51")[0], 200)
        self.assertEqual(len(json.loads(self.ask(connection, "GET", "/api/cases")[1])), 1000)
        seen, path = [], "/"
        while path:
            text = self.page(connection, path)
            seen += re.findall(r'href="/cases/(\d+)"', text)
            older = re.search(r'href="(/\?before=\d+)"', text)
            path = older and older[1]
        self.assertEqual(seen, [str(number) for number in range(1050, 50, -1)])

    def test_a_large_case_makes_room_for_itself(self):
        connection = self.connect()
        for number in range(200):  # of 1 MB each, in 128 MiB
            self.make(connection, title=f"{number}", description="x" * 1000000)
        self.assertEqual(self.ask(connection, "GET", "/api/cases/200")[0], 200)
        self.assertEqual(self.ask(connection, "GET", "/api/cases/1")[0], 404)

    def test_an_empty_list_says_what_to_do(self):
        text = html.unescape(self.page(self.connect(), "/"))
        self.assertIn(f"{self.tracker.url}/api/cases", text)
        self.assertIn("casehook push", text)

    def test_titles_and_hostile_text(self):
        connection = self.connect()
        hostile = '<script>alert(1)</script>" onload=x \'&amp; \u202e</title>'
        self.make(connection, title=hostile, severity=hostile[:60], status=hostile[:60], reference=hostile, tags=[hostile],
                  description=hostile, fields={hostile: hostile})
        self.ask(connection, "POST", "/api/cases/1/comments", {"text": hostile})
        titles = set()
        for path in ("/", "/cases/1"):
            text = self.page(connection, path)
            self.assertNotRegex(text, r"<script|<[^>]* onload")
            titles.add(re.search(r"<title>(.*?)</title>", text, re.S)[1])
        self.assertEqual(len(titles), 2, "each page has a title of its own")
        self.assertIn(html.escape(hostile).replace("&#x27;", "&#39;"), text)


class Search(Asking):
    def find(self, query):
        status, text = self.ask(self.connect(), "GET", "/api/cases?" + query)
        self.assertEqual(status, 200)
        found = json.loads(text)
        self.assertEqual(list(found), ["items"])
        return [case["id"] for case in found["items"]]

    def test_by_reference(self):
        connection = self.connect()
        for reference in ("a", "", "b & c=d", "a", "ab"):
            self.make(connection, title="t", reference=reference)
        self.assertEqual(self.find("reference=a"), [4, 1], "the newest comes first")
        self.assertEqual(self.find("reference=b+%26%20c%3Dd"), [3])
        for nobody in ("reference=", "reference=A", "reference=%00", "reference=a%00"):
            self.assertEqual(self.find(nobody), [], nobody)
        self.assertEqual(len(self.cases()), 5)


class Keys(Asking):
    def post(self, key, value, path="/api/cases"):
        return self.answer(self.connect(), "POST", path, value, Idempotency_Key=key)

    def test_once(self):
        first = self.post("k", {"title": "t"})
        again = self.post("k", {"title": "t"})
        self.assertEqual((first[0], first[1]["Location"], first[1]["Idempotent-Replayed"]), (201, "/api/cases/1", None))
        self.assertEqual((again[0], again[1]["Location"], again[1]["Idempotent-Replayed"]), (201, "/api/cases/1", "true"))
        self.assertEqual(first[2], again[2])
        for _ in range(2):
            self.assertEqual(json.loads(self.post("c", {"text": "x"}, "/api/cases/1/comments")[2])["id"], 1)
        self.assertEqual(self.post("k", {"title": "t"})[2], first[2], "the first answer, not the case as it is now")
        self.assertEqual([len(case["comments"]) for case in self.cases()], [1])

    def test_another_request(self):
        self.post("k", {"title": "t"})
        for value, path in (({"title": "u"}, "/api/cases"), ({"text": "t"}, "/api/cases/1/comments")):
            status, _, text = self.post("k", value, path)
            self.assertEqual(status, 422)
            self.assertIn("Idempotency-Key", text)
        self.assertEqual(len(self.cases()), 1)

    def test_what_was_refused_is_not_kept(self):
        self.assertEqual(self.post("k", {"titel": "t"})[0], 422)
        self.assertEqual(self.post("k", {"title": "t"})[0], 201)

    def test_what_is_no_key(self):
        for key in ("", "x" * 256, "\xe9"):
            self.assertEqual(self.post(key, {"title": "t"})[0], 400, key)
        self.assertEqual(self.post("x" * 255, {"title": "t"})[0], 201)


class Faults(Asking):
    def setUp(self):
        pass  # each has a tracker of its own

    def dropped(self, *request, **headers):
        with self.assertRaises((http.client.RemoteDisconnected, ConnectionResetError)):
            self.answer(self.connect(), *request, **headers)

    def test_drops(self):
        self.start("drop-after-commit:create:2", "drop-before-commit:create:3-4", "drop-after-commit:comment:*",
                   "drop-after-commit:update:1")
        case = {"title": "t"}
        self.make(self.connect(), **case)
        for _ in range(3):
            self.dropped("POST", "/api/cases", case)
        self.make(self.connect(), **case)
        self.assertEqual(len(self.cases()), 3)
        for text in ("a", "b"):
            self.dropped("POST", "/api/cases/1/comments", {"text": text})
        self.dropped("PUT", "/api/cases/1", {"title": "new"})
        first = self.cases()[0]
        self.assertEqual(([each["text"] for each in first["comments"]], first["title"]), (["a", "b"], "new"))

    def test_a_key_gives_the_answer_that_was_dropped(self):
        self.start("drop-after-commit:create:1")
        self.dropped("POST", "/api/cases", {"title": "t"}, Idempotency_Key="k")
        status, headers, text = self.answer(self.connect(), "POST", "/api/cases", {"title": "t"}, Idempotency_Key="k")
        self.assertEqual((status, headers["Idempotent-Replayed"], json.loads(text)["id"]), (201, "true", 1))
        self.assertEqual(len(self.cases()), 1)

    def test_statuses(self):
        self.start("status=429,retry-after=7:create:1", "status=503:create:2", "status=500:find:1", "status=401:get:1")
        connection = self.connect()
        case = {"title": "t"}
        told = [self.answer(connection, "POST", "/api/cases", case) for _ in range(3)]
        self.assertEqual([(status, headers["Retry-After"]) for status, headers, _ in told], [(429, "7"), (503, None), (201, None)])
        told = [self.ask(connection, "GET", path)[0] for path in ("/api/cases?reference=x", "/api/cases/1") * 2]
        self.assertEqual(told, [500, 401, 200, 200])
        self.assertEqual(len(self.cases()), 1)

    def test_delays(self):
        """The others do not wait; and it can be ended while somebody does."""
        self.start("delay=60000:get:1-2", "delay=1:create:1")
        self.make(self.connect(), title="t")
        late = [self.connect() for _ in range(2)]
        for connection in late:
            connection.request("GET", "/api/cases/1", None, {"Authorization": self.tracker.authorization})
        self.assertEqual(len(self.cases()), 1)
        late[0].close()

    def test_specs(self):
        for spec, words in (("", "begins with"), ("drop:create:1", "begins with"), ("status=399:create:1", "400 to 599"),
                            ("status=600:create:1", "400 to 599"), ("status=:create:1", "400 to 599"), ("status=429,later:create:1", "retry-after"),
                            ("status=429,retry-after=x:create:1", "retry-after"), ("delay=:get:1", "ms"), ("delay=3s:get:1", "create, get"),
                            ("delay=99999999999999999999:get:1", "ms"), ("delay=1", "create, get"), ("delay=1:push:1", "one of create"),
                            ("delay=1:get", "which"), ("delay=1:get:", "which"), ("delay=1:get:0", "which"), ("delay=1:get:3-2", "which"),
                            ("delay=1:get:-1", "which"), ("delay=1:get:1x", "more than")):
            done = subprocess.run([TRACKER, "--fault", spec], capture_output=True, text=True, timeout=20)
            self.assertEqual((done.returncode, done.stdout), (2, ""), spec)
            self.assertEqual(len(done.stderr.splitlines()), 1, "one line alone")
            self.assertIn(f'--fault "{spec}": ', done.stderr)
            self.assertIn(words, done.stderr.rsplit('": ', 1)[1], spec)
        many = [word for _ in range(33) for word in ("--fault", "delay=1:get:1")]
        self.assertIn("32", subprocess.run([TRACKER, *many], capture_output=True, text=True, timeout=20).stderr)


unittest.main(verbosity=2)
