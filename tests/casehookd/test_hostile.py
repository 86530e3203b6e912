"""Bad payloads, wrong logins, broken and slow clients: test_hostile.py CASEHOOKD TRACKER CONNECTOR"""
import base64
import json
import os
import socket
import sys
import threading
import time
import unittest

from daemon import PATIENCE, TOKEN, alert, payload, setup

PROGRAM, TRACKER, DOCUMENT = sys.argv[1:4]
del sys.argv[1:4]
GOOD = payload([alert()])
HEAD = f"POST /alertmanager HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\nContent-Type: application/json\r\n"


def answer_of(raw):
    """Status of what comes until the end, or 0."""
    raw.settimeout(PATIENCE)
    got = b""
    try:
        while piece := raw.recv(65536):
            got += piece
    except ConnectionResetError:
        pass
    return int(got.split()[1]) if got else 0


class Hostile(unittest.TestCase):
    def setUp(self):
        setup(self, PROGRAM, TRACKER, DOCUMENT)

    def start(self, **http):
        self.daemon.configuration["http"].update(http)
        self.daemon.save()
        return self.daemon.start()

    def accepts(self):
        self.assertIn(self.daemon.post(GOOD).status, (200, 202))

    def test_bad_payloads(self):
        self.start()
        text = json.dumps(GOOD)
        broken = alert()
        del broken["labels"]
        bad = [
            (b"", 400), (b"{", 400), (b"null", 400), (b"[]", 422), (b"\xff\xfe", 400), (b"[" * 100000, 400),
            (text.replace("web-01", "\xe4").encode("latin-1"), 400),
            (text.replace("{", '{"status": "firing", ', 1).encode(), 400),
            (text.replace('"instance"', '"\\u0000"').encode(), 400), ((text + "{}").encode(), 400),
            ({**GOOD, "version": "3"}, 422), ({**GOOD, "version": 4}, 422), ({**GOOD, "status": "odd"}, 422),
            ({**GOOD, "groupKey": ""}, 422), ({**GOOD, "groupKey": 1}, 422), ({**GOOD, "groupKey": "k" * 70000}, 422),
            ({**GOOD, "alerts": []}, 422), ({**GOOD, "alerts": {}}, 422), ({**GOOD, "alerts": [1]}, 422),
            ({**GOOD, "alerts": [broken]}, 422), ({**GOOD, "alerts": [{**alert(), "status": None}]}, 422),
            ({**GOOD, "alerts": [{**alert(), "labels": {"a": 1}}]}, 422),
            ({key: value for key, value in GOOD.items() if key != "version"}, 422),
        ]
        for body, status in bad:
            answer = self.daemon.post(body)
            self.assertEqual(answer.status, status, (str(body)[:80], answer.text))
            self.assertGreater(len(answer.json["error"]), 5)
        numbers = self.daemon.metrics()
        self.assertEqual(numbers['casehook_source_requests_total{source="alertmanager",result="invalid"}'], len(bad))
        self.assertEqual(numbers["casehook_outbox_put_total"], 0)
        self.accepts()
        self.assertEqual(self.daemon.end(), 0)
        self.assertEqual(sum(line.startswith("<4>alertmanager: payload refused") for line in self.daemon.lines), len(bad))

    def test_messages_are_whole(self):
        """A message that would be cut in the middle of a character is one still, and tells terminals nothing."""
        self.start()
        for text in ("\u00e9" * 100, "x" + "\u00e9" * 100, "\u009b2J\u0085", "\U0001f4a5" * 50):
            error = self.daemon.post({**GOOD, "version": text}).json["error"]
            self.assertTrue(error.startswith('version must be "4", not ' + text[0]), error)
        self.assertEqual(self.daemon.end(), 0)
        self.assertFalse([line for line in self.daemon.lines if any("\x80" <= char < "\xa0" for char in line)])

    def test_odd_but_good(self):
        self.start()
        for body in ({**GOOD, "commonLabels": None, "groupLabels": 3, "commonAnnotations": [], "externalURL": {}, "receiver": []},
                     payload([{"status": "firing", "labels": {}}], key="2", commonLabels={})):
            self.assertEqual(self.daemon.post(body).status, 202)
        self.daemon.wait_idle()
        titles = [case["title"] for case in self.tracker.ask("/api/cases")]
        self.assertEqual(titles, ["1 alerts for", "1 alerts for cases"])

    def test_logins(self):
        self.daemon.configuration["metrics"] = {"login": {"bearer": "metrics-canary"}}
        self.daemon.configuration["sources"].append(
            {"type": "cases", "path": "/open", "connector": "tracker", "login": "none"})
        self.start()
        body = json.dumps(GOOD)
        for login in (None, "", "Bearer", "Bearer ", "Bearer x" + TOKEN, "Bearer " + TOKEN[:-1], "Basic " + TOKEN, "Basic !!!",
                      "Basic " + base64.b64encode(b"a:" + TOKEN.encode()).decode()):
            answer = self.daemon.ask("POST", "/alertmanager", body, {"Content-Type": "application/json"}, login)
            self.assertEqual((answer.status, answer.headers["WWW-Authenticate"]), (401, 'Bearer realm="casehookd"'), login)
        for login in ("Bearer " + TOKEN, "Basic " + base64.b64encode(b"grafana:wrong-word").decode(),
                      "Basic " + base64.b64encode(b"grafana").decode()):
            answer = self.daemon.ask("POST", "/grafana", "{}", {"Content-Type": "application/json"}, login)
            self.assertEqual((answer.status, answer.headers["WWW-Authenticate"][:5]), (401, "Basic"))
        self.assertEqual(self.daemon.ask("GET", "/metrics").status, 401)
        self.assertEqual(self.daemon.ask("GET", "/metrics", login="Bearer metrics-canary").status, 200)
        self.assertEqual(self.daemon.ask("POST", "/open", '{"title": "x"}', {"Content-Type": "application/json"}).status, 202)
        self.assertEqual(self.daemon.ask("POST", "/open", '{"title": "x"}', {"Content-Type": "text/plain"}).status, 415)
        self.assertEqual(self.daemon.ask("GET", "/alertmanager").status, 405)
        self.assertEqual(self.daemon.ask("DELETE", "/metrics").status, 405)
        self.assertEqual(self.daemon.ask("GET", "/../etc/passwd").status, 404)
        self.assertEqual(self.daemon.end(), 0)
        self.assertNotIn("canary", "\n".join(self.daemon.lines))
        lines = [line for line in self.daemon.lines if "login" in line]
        self.assertEqual(lines[0], "<4>alertmanager: wrong login from 127.0.0.1 (1 since the last such line)")
        self.assertLess(len(lines), 10, lines)  # not one for each of them

    def test_what_is_invalid_is_in_the_log(self):
        """Its sender may not come again: a line for each that is counted, without what was sent."""
        self.start()
        sent = "sent-canary-word"
        body = json.dumps({**GOOD, "receiver": sent})
        plain = self.daemon.ask("POST", "/alertmanager", body, {"Content-Type": "text/" + sent}, "Bearer " + TOKEN)
        self.assertEqual(plain.status, 415)
        self.assertEqual(self.daemon.post(f'{{"{sent}": [1{",1" * 1000001}]}}'.encode()).status, 413)
        key = {"Idempotency-Key": sent}
        self.assertEqual(self.daemon.post({"title": sent}, "/cases", **key).status, 202)
        for value, path, more in (({"title": sent + "2"}, "/cases", key), ({"title": "", sent: 1}, "/cases", {}), ({sent: 1}, "/cases", {}),
                                  (b"", "/cases", {}), (b"{" + sent.encode(), "/cases", {}), ({"title": sent}, "/cases?operation=" + sent, {}),
                                  ({"title": sent}, "/cases", {"Idempotency-Key": sent * 50}), ({"resume": "{}", "title": sent}, "/cases", {}),
                                  ({"id": sent, "comments": [{"commentId": "1", "comment": sent}]}, "/cases?operation=comment", {})):
            answer = self.daemon.post(value, path, **more)
            self.assertEqual(answer.status, 422, (value, path, answer.text))
        numbers = self.daemon.metrics()
        self.assertEqual(self.daemon.end(), 0)
        for source, reasons in (("alertmanager", ["Content-Type is not application/json", "more than 1000000 values"]),
                                ("cases", ["its Idempotency-Key came with another case before, entry 1", "nothing that was put has made this case",
                                           "operation must be push", "a case as JSON is missing", "Idempotency-Key must have 1 to 255 bytes"])):
            lines = [line for line in self.daemon.lines if line.startswith(f"<4>{source}: payload refused: ")]
            self.assertEqual(len(lines), numbers[f'casehook_source_requests_total{{source="{source}",result="invalid"}}'], lines)
            for reason in reasons:
                self.assertEqual(sum(reason in line for line in lines), 1, (reason, lines))
        self.assertNotIn("canary", "\n".join(self.daemon.lines))

    def test_many_values(self):
        """A few megabytes of small values would be gigabytes in memory, and kept."""
        self.daemon.configuration["sources"][0]["maxBody"] = "7mb"
        self.start()
        big = json.dumps({**GOOD, "alerts": [{"status": "firing", "labels": {}}] * 100000}).encode()
        self.assertEqual(self.daemon.post(big).status, 202)
        text = json.dumps(GOOD)[:-1]
        self.assertEqual(self.daemon.post((text + ', "x": [' + ",".join(["[]"] * 1000000) + "]}").encode()).status, 413)
        self.assertEqual(self.daemon.post((text + ', "x": "' + "[,{" * 1000000 + '\\",{"}').encode()).status, 202)
        statuses = []
        junk = (text + ', "x": [' + ",".join(["{}"] * 480000) + "]}").encode()
        threads = [threading.Thread(target=lambda: statuses.append(self.daemon.post(junk).status)) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertLessEqual(set(statuses), {200, 202, 503})
        if os.environ.get("LD_PRELOAD") or b"__asan_init" in open(PROGRAM, "rb").read() or b"__tsan_init" in open(PROGRAM, "rb").read():
            return
        with open(f"/proc/{self.daemon.process.pid}/status", encoding="ascii") as status:
            sizes = {line.split()[0]: int(line.split()[1]) for line in status if line.startswith("Vm")}
        self.assertLess(sizes["VmHWM:"], 512 * 1024)  # MemoryMax of the unit
        self.assertLess(sizes["VmRSS:"], 100 * 1024)

    def test_one_end_of_a_request(self):
        """What a proxy in front could read in another way is refused, and nothing behind it is taken for a request."""
        self.start()
        body, behind = json.dumps(GOOD), "GET /-/healthy HTTP/1.1\r\nHost: x\r\n\r\n"
        chunked = f"{len(body):x}\r\n{body}\r\n0\r\n\r\n"
        length = f"Content-Length: {len(body)}\r\n"
        for headers, text in (
                (f"Content-Length: {len(chunked)}\r\nTransfer-Encoding: chunked\r\n", chunked),
                ("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", chunked),
                ("Transfer-Encoding: gzip, chunked\r\n", chunked), ("Transfer-Encoding: identity\r\n" + length, body),
                ("Transfer-Encoding: \x0bchunked\r\n" + length, body), ("Transfer-Encoding : chunked\r\n" + length, body),
                (length + f"Content-Length: {len(body + behind)}\r\n", body), (length + "Content-Length : 1\r\n", body),
                (length + "Authorization: Bearer other\r\n", body), (length + "Host: y\r\n", body)):
            with self.daemon.raw() as raw:
                raw.sendall((HEAD + headers + "\r\n" + text + behind).encode())
                got = b""
                try:
                    while piece := raw.recv(65536):
                        got += piece
                except ConnectionResetError:
                    pass
            self.assertTrue(got.startswith(b"HTTP/1.1 400 "), (headers, got))
            self.assertEqual(got.count(b"HTTP/1.1 "), 1, (headers, got))
        self.assertEqual(self.daemon.metrics()["casehook_outbox_put_total"], 0)
        self.accepts()

    def test_large_bodies(self):
        self.start()
        with self.daemon.raw() as raw:  # it says how much: nothing of it is taken
            raw.sendall((HEAD + "Content-Length: 50000000\r\nExpect: 100-continue\r\n\r\n").encode())
            self.assertEqual(answer_of(raw), 413)
        with self.daemon.raw() as raw:  # it does not
            raw.sendall((HEAD + "Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n").encode())
            chunk = b"100000\r\n" + b"x" * 0x100000 + b"\r\n"
            try:
                for _ in range(50):
                    raw.sendall(chunk)
                raw.sendall(b"0\r\n\r\n")
            except (BrokenPipeError, ConnectionResetError):
                pass
            self.assertIn(answer_of(raw), (413, 0))
        with open(f"/proc/{self.daemon.process.pid}/status", encoding="ascii") as status:
            peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
        self.assertLess(peak, 200 * 1024)
        self.accepts()
        # Its sender does not come again: it is seen where faults are looked for.
        numbers = self.daemon.metrics()
        self.assertGreaterEqual(numbers['casehook_source_requests_total{source="alertmanager",result="invalid"}'], 1)
        self.assertEqual(self.daemon.end(), 0)
        lines = [line for line in self.daemon.lines if line == "<4>alertmanager: payload refused: more than maxBody, 2097152 bytes"]
        self.assertEqual(len(lines), numbers['casehook_source_requests_total{source="alertmanager",result="invalid"}'])

    def test_bodies_of_all_have_a_limit(self):
        self.start(maxBodies="1mb", requestTimeout="60s")
        half = [self.daemon.raw() for _ in range(4)]
        self.addCleanup(lambda: [raw.close() for raw in half])
        for raw in half:
            raw.sendall((HEAD + "Content-Length: 2000000\r\n\r\n").encode() + b"x" * 400000)
        refused = self.daemon.metrics
        self.daemon.wait_for("too much at once", lambda: self.daemon.post(b"x" * 900000).status == 503)
        self.assertGreater(refused()['casehook_http_requests_total{class="5xx"}'], 0)
        for raw in half:
            raw.close()
        self.assertGreater(refused()['casehook_source_requests_total{source="alertmanager",result="full"}'], 0)
        self.daemon.wait_for("room again", lambda: self.daemon.post(GOOD).status in (200, 202))

    def test_broken_requests(self):
        self.start(requestTimeout="1s")
        for text in (b"\r\n\r\n", b"GET\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00", b"GET / HTTP/9.9\r\n\r\n", b"G" * 100000,
                     HEAD.encode() + b"Content-Length: -1\r\n\r\n", HEAD.encode() + b"Content-Length: 99999999999999999999\r\n\r\n",
                     HEAD.encode() + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", HEAD.encode() + b"X: " + b"y" * 100000 + b"\r\n\r\n",
                     HEAD.encode() + b"Content-Length: 10\r\n\r\n12345"):
            with self.daemon.raw() as raw:
                try:
                    raw.sendall(text)
                    raw.shutdown(socket.SHUT_WR)
                except (BrokenPipeError, ConnectionResetError, OSError):
                    pass
                self.assertNotIn(answer_of(raw), (200, 202), text[:40])
            self.accepts()
        self.assertEqual(self.daemon.end(), 0)

    def test_slow_clients(self):
        """A thousand that never end their request, in three ways; the daemon goes on, and ends them."""
        self.start(maxConnections=2048, requestTimeout="2s")
        slow = []
        for number in range(1000):
            raw = self.daemon.raw()
            raw.sendall([b"", HEAD[:40].encode(), (HEAD + "Content-Length: 1000\r\n\r\n{").encode()][number % 3])
            slow.append(raw)
        self.addCleanup(lambda: [raw.close() for raw in slow])
        self.accepts()
        # One drips a byte at a time, for longer than a request may take.
        drip = slow[1]
        drip.setblocking(False)

        def gone():
            self.accepts()
            try:
                drip.send(b"x")
                return drip.recv(1) == b""
            except BlockingIOError:
                return False
            except OSError:
                return True
        self.daemon.wait_for("the end of a dripping client", gone)
        self.daemon.wait_for("the end of all of them",
                             lambda: self.daemon.metrics()["casehook_http_open_connections"] < 5)
        self.assertGreater(self.daemon.metrics()["casehook_http_slow_connections_total"], 0)
        self.assertEqual(self.daemon.end(), 0)

    def test_a_request_on_a_connection_that_was_idle(self):
        """Its time begins with itself, not with the answer before it; one that drips ends all the same."""
        self.start(requestTimeout="4s")
        body = json.dumps(GOOD).encode()
        head = (HEAD + f"Content-Length: {len(body)}\r\n\r\n").encode()
        slow = "casehook_http_slow_connections_total"
        with self.daemon.raw() as raw:
            raw.sendall(head + body)
            self.assertEqual(raw.recv(65536)[:12], b"HTTP/1.1 202")
            for piece in (head + body[:10], body[10:]):
                time.sleep(2.6)
                raw.sendall(piece)
            self.assertEqual(raw.recv(65536)[:12], b"HTTP/1.1 200")
            self.assertEqual(self.daemon.metrics()[slow], 0)
            time.sleep(1)
            raw.sendall(HEAD.encode())
            raw.settimeout(0.1)
            end = time.monotonic() + PATIENCE / 2
            with self.assertRaises((BrokenPipeError, ConnectionResetError, EOFError)):
                while time.monotonic() < end:
                    try:
                        raw.sendall(b"X")
                        if not raw.recv(1):
                            raise EOFError
                    except TimeoutError:
                        pass
        self.daemon.wait_for("its count", lambda: self.daemon.metrics()[slow] == 1)

    def test_more_clients_than_places(self):
        """Who is slow for longest makes room."""
        self.start(maxConnections=64, requestTimeout="600s", threads=1)
        slow = []
        self.addCleanup(lambda: [raw.close() for raw in slow])
        for _ in range(300):
            slow.append(self.daemon.raw())
            slow[-1].sendall(HEAD[:40].encode())
        self.accepts()
        self.assertGreater(self.daemon.metrics()["casehook_http_slow_connections_total"], 200)


if __name__ == "__main__":
    unittest.main(verbosity=2)
