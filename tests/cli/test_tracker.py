"""The demo tracker: many connections, cases without end, and its pages.  test_tracker.py TRACKER"""
import html
import http.client
import json
import re
import resource
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


class Pages(unittest.TestCase):
    def setUp(self):
        self.tracker = Tracker(TRACKER)
        self.addCleanup(self.tracker.close)
        self.host = self.tracker.url.removeprefix("http://")

    def connect(self):
        connection = http.client.HTTPConnection(self.host, timeout=20)
        self.addCleanup(connection.close)
        return connection

    def ask(self, connection, method, path, value=None):
        headers = {"Content-Type": "application/json"} if value else {}
        headers["Authorization"] = self.tracker.authorization
        connection.request(method, path, json.dumps(value) if value else None, headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()

    def make(self, connection, **case):
        status, text = self.ask(connection, "POST", "/api/cases", case)
        self.assertEqual(status, 201, text)
        return json.loads(text)

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


unittest.main(verbosity=2)
