"""Many cases from one file: test_batch.py TOOL TRACKER CONNECTOR"""
import base64
import json
import os
import pty
import re
import signal
import subprocess
import sys
import threading
import unittest
import urllib.request

from server import PASSWORD, USER, Tracker
from test_cli import JSON, TOOL, TRACKER, Tool

CASE = '{"title": "t"}\n'
GOOD = {"POST": (201, JSON, '{"id": 1}'), "GET": (200, JSON, '{"key": "K"}')}


class Batch(Tool):
    def lines(self, out):
        lines = [json.loads(line) for line in out.splitlines()]
        self.assertEqual(len({line["index"] for line in lines}), len(lines))  # nothing twice
        return {line["index"]: line for line in lines}

    def start(self, url, *arguments, **options):
        process = subprocess.Popen([TOOL, "push", "--connector", self.connector(url), *arguments],
                                   **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "bufsize": 0, **options})
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream:
                self.addCleanup(stream.close)
        self.addCleanup(process.wait, 30)
        self.addCleanup(process.kill)
        return process

    def write(self, process, data):
        while data:
            data = data[process.stdin.write(data):]

    def end(self, process):
        """Its exit code, lines and error text."""
        out, error = process.communicate(timeout=60)
        return process.returncode, self.lines(out.decode()), error.decode()


class Results(Batch):
    def test_every_line_has_a_result(self):
        tracker = Tracker(TRACKER)
        self.addCleanup(tracker.close)
        cases = [json.dumps({"title": f"case {i}", "comments": [{"commentId": "c", "comment": f"about {i}"}]})
                 for i in range(200)]
        cases[7], cases[9] = "", '{"titel": "x"}'
        out, error = self.tool(13, "push", "--connector", self.connector(tracker.url), "--concurrency", "8",
                               "--batch", self.file("cases.ndjson", "\n".join(cases)))
        self.assertRegex(error, r"^casehook: case 9: params: .*titel.*\ncasehook: 199 cases: 198 done, 1 failed, 0 not attempted\n$")
        lines = self.lines(out)
        self.assertEqual(sorted(lines), [i for i in range(200) if i != 7])
        self.assertEqual(lines[9]["result"]["step"], "params")
        done = [line["result"] for i, line in lines.items() if i != 9]
        self.assertTrue(all(result["ok"] for result in done))
        self.assertEqual(len({result["id"] for result in done}), 198)
        with urllib.request.urlopen(urllib.request.Request(lines[3]["result"]["url"], headers={
                "Authorization": "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()})) as page:
            self.assertIn("case 3", page.read().decode())

    def test_bad_lines(self):
        server = self.server(**GOOD)
        limit = 8 * 1024 * 1024
        full = b'{"title": "' + b"x" * (limit - 13) + b'"}'
        self.assertEqual(len(full), limit)
        lines = [b'{"title": "t"}\r', b"", b" \t\r", b"no json", b'{"title": "a\x00b"}', b"\x00", b"\xff\xfe", b'{"title": 1}',
                 b'{"title": "t"} {"title": "u"}', b"x" * (3 * limit), full + b" ", b'{"title": "\xff"}', b'{"title": "last"}']
        path = os.path.join(self.folder, "cases.ndjson")
        with open(path, "wb") as out:
            out.write(b"\n".join(lines))
        code, results, error = self.end(self.start(server.url, "--batch", path))
        self.assertEqual(code, 13)
        self.assertEqual([line.split(": ")[1] for line in error.splitlines()],  # each failure on one line of its own
                         [f"case {i}" for i in sorted(results) if not results[i]["result"]["ok"]] + ["11 cases"])
        self.assertNotRegex(error.replace("\n", ""), "[\x00-\x1f\x7f]")
        self.assertEqual(sorted(results), [0] + list(range(3, 13)))
        self.assertEqual(sorted(i for i, line in results.items() if line["result"]["ok"]), [0, 11, 12])
        for i in (3, 4, 5, 6, 7, 8, 9, 10):
            self.assertEqual(results[i]["result"]["error"]["code"], "params", i)
        for i in (9, 10):
            self.assertIn(str(limit), results[i]["result"]["error"]["message"])
        self.assertEqual(len([each for each in server.requests if each[0] == "POST"]), 3)

    def test_no_lines(self):
        path = self.connector("http://127.0.0.1:1")
        self.assertEqual(self.tool(0, "push", "--connector", path, "--batch", "-"), ("", ""))
        self.assertEqual(self.tool(0, "push", "--connector", path, "--batch", "-", stdin=b"\n\r\n \n"), ("", ""))
        self.assertIn("no-such", self.tool(4, "push", "--connector", path, "--batch", "no-such")[1])
        self.assertIn("directory", self.tool(4, "push", "--connector", path, "--batch", self.folder)[1])
        closed = self.start("http://127.0.0.1:1", "--batch", "-", preexec_fn=lambda: os.close(0))
        self.assertEqual(self.end(closed)[0], 4)

    def test_standard_input(self):
        path = self.connector("http://127.0.0.1:1")
        out, _ = self.tool(13, "push", "--connector", path, "--batch", "-", stdin=b'{"title": "t"}')
        self.assertEqual(self.lines(out)[0]["result"]["error"]["outcome"], "not_sent")
        # a file of which somebody has read a part already
        with open(self.file("cases.ndjson", "a header\n" + CASE), "rb", buffering=0) as cases:
            cases.seek(9)
            code, lines, _ = self.end(self.start(self.server(**GOOD).url, "--batch", "-", stdin=cases))
        self.assertEqual((code, sorted(lines)), (0, [0]))

    @unittest.skipUnless(os.path.exists("/proc/self/status"), "there is no /proc to measure memory with")
    def test_memory_is_flat(self):
        """Faults of the params alone, so that it is the lines and not the network."""
        if b"asan" in subprocess.run(["ldd", TOOL], capture_output=True, check=False).stdout:
            self.skipTest("a sanitizer keeps what was freed")
        process = self.start("http://127.0.0.1:1", "--batch", "-", stdin=subprocess.PIPE, stderr=subprocess.DEVNULL)
        results = open(os.dup(process.stdout.fileno()), "rb")
        self.addCleanup(results.close)
        peaks = []
        for count in (1000, 99000):
            text = ('{"titel": "%s"}\n' % ("x" * 100) * count).encode()
            writer = threading.Thread(target=self.write, args=(process, text))
            writer.start()
            for _ in range(count):
                self.assertIn(b"titel", results.readline())
            writer.join()
            with open(f"/proc/{process.pid}/status", encoding="ascii") as status:
                peaks += [int(line.split()[1]) for line in status if line.startswith("VmHWM:")]
        print("peak KiB after 1,000 and after 100,000 lines:", peaks)
        self.assertLess(peaks[1] - peaks[0], 1024)
        process.stdin.close()
        self.assertEqual(process.wait(60), 13)

    def test_files_of_another_form(self):
        """What is no list of lines is told once, before anything is sent."""
        server = self.server(**GOOD)
        path = self.connector(server.url)
        for text, words in (('[{"title": "t"},\n {"title": "u"}]', "jq -c '.[]'"), ("\n  [\n", "jq -c '.[]'"),
                            ('{\n  "title": "t"\n}\n', "jq -c . FILE"), ('{"title": "t",\n"description": ""}', "jq -c . FILE")):
            with self.subTest(text=text):
                out, error = self.tool(4, "push", "--connector", path, "--batch", self.file("cases", text))
                self.assertEqual(out, "")
                self.assertIn("one case per line", error)
                self.assertIn(words, error)
                self.assertEqual(len(error.splitlines()), 1)
        self.assertEqual(server.requests, [])

    def test_success_is_quiet(self):
        out, error = self.tool(0, "push", "--connector", self.connector(self.server(**GOOD).url), "--batch",
                               self.file("cases", CASE * 3))
        self.assertEqual((len(self.lines(out)), error), (3, ""))


class Pipes(Batch):
    def test_results_come_while_the_pipe_is_open(self):
        process = self.start(self.server(**GOOD).url, "--batch", "-", stdin=subprocess.PIPE)
        for i in range(3):
            self.write(process, CASE.encode())
            self.assertEqual(json.loads(process.stdout.readline())["index"], i)
        self.write(process, b'{"title": ')  # a line in pieces
        self.write(process, b'"t"}')
        self.assertEqual(sorted(self.end(process)[1]), [3])
        self.assertEqual(process.returncode, 0)

    def test_interrupt_while_nothing_comes(self):
        process = self.start(self.server(**GOOD).url, "--batch", "-", stdin=subprocess.PIPE)
        self.write(process, CASE.encode())
        self.assertTrue(json.loads(process.stdout.readline())["result"]["ok"])
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(30), 12)  # there might have been more

    def test_output_that_nobody_reads(self):
        """What is in flight is finished, no other case is begun."""
        server = self.server(**GOOD)
        process = self.start(server.url, "--batch", self.file("cases.ndjson", CASE * 500), "--concurrency", "4")
        process.stdout.readline()
        process.stdout.close()
        self.assertEqual(process.wait(30), 11)
        error = process.stderr.read().decode()
        self.assertIn("standard output: Broken pipe", error)
        lost = re.findall(rf"(?m)^casehook: case (\d+): its result cannot be written: id 1, {server.url}/cases/1$", error)
        self.assertEqual(len(set(lost)), len(lost))
        self.assertIn(f"casehook: {len(lost)} result", error)
        posts = [each for each in server.requests if each[0] == "POST"]
        self.assertLess(len(posts), 500)
        self.assertEqual(len(posts), len(server.requests) - len(posts))  # each has had its second request

    @unittest.skipUnless(os.path.exists("/dev/full"), "there is no /dev/full")
    def test_output_without_room(self):
        with open("/dev/full", "wb") as full:
            done = subprocess.run([TOOL, "push", "--connector", self.connector(self.server(**GOOD).url), "--batch",
                                   self.file("cases.ndjson", CASE * 50)], stdout=full, stderr=subprocess.PIPE, timeout=60)
        self.assertEqual(done.returncode, 11)
        self.assertIn(b"No space left", done.stderr)
        self.assertIn(b": id 1, ", done.stderr)

    @unittest.skipUnless(os.path.exists("/dev/full"), "there is no /dev/full")
    def test_output_without_room_for_what_failed(self):
        with open("/dev/full", "wb") as full:
            done = subprocess.run([TOOL, "push", "--connector", self.connector("http://127.0.0.1:1"), "--batch",
                                   self.file("cases.ndjson", CASE)], stdout=full, stderr=subprocess.PIPE, timeout=60)
        self.assertEqual(done.returncode, 1)  # nothing was made


@unittest.skipUnless(os.path.exists("/dev/zero"), "there is no /dev/zero")
class WithoutEnd(Batch):
    """Input that is always there, and lines that do not end."""

    def test_a_line(self):
        process = self.start("http://127.0.0.1:1", "--batch", "/dev/zero")
        error = json.loads(process.stdout.readline())["result"]["error"]  # as soon as it is too long
        self.assertEqual(error["code"], "params")
        self.assertIn(str(8 * 1024 * 1024), error["message"])
        process.send_signal(signal.SIGTERM)
        code, lines, _ = self.end(process)
        self.assertEqual((code, lines), (13, {}))

    def test_what_is_in_flight_goes_on(self):
        with open("/dev/zero", "rb", buffering=0) as zeros:
            process = self.start(self.server(**GOOD).url, "--batch", "-", stdin=subprocess.PIPE, pass_fds=[zeros.fileno()])
            self.write(process, CASE.encode())
            feed = subprocess.Popen(["cat"], stdin=zeros, stdout=process.stdin)
            self.addCleanup(feed.wait, 30)
            self.addCleanup(feed.kill)
            process.stdin.close()
            lines = [json.loads(process.stdout.readline()) for _ in range(2)]
            self.assertEqual({line["index"]: line["result"]["ok"] for line in lines}, {0: True, 1: False})
            process.send_signal(signal.SIGINT)
            self.assertEqual(process.wait(30), 13)

    def test_no_lines_at_all(self):
        """Nothing but ends of lines; and what is left when it is to stop is not read without an end either."""
        for text in (b"\n", CASE.encode()):
            process = self.start(self.server(**GOOD).url, "--batch", "-", stdin=subprocess.PIPE)
            self.write(process, CASE.encode())
            self.assertTrue(json.loads(process.stdout.readline())["result"]["ok"])
            feed = threading.Thread(target=self.feed, args=(process, text * 1000))
            feed.start()
            process.send_signal(signal.SIGINT)
            rest = threading.Thread(target=process.stdout.read)
            rest.start()
            self.assertIn(process.wait(30), (12,) if text == b"\n" else (12, 13))  # 13: there was more already
            self.assertIn(b"stopping", process.stderr.read())
            for thread in (feed, rest):
                thread.join()

    def feed(self, process, text):
        try:
            while True:
                self.write(process, text)
        except OSError:  # it has gone
            pass


class Interrupts(Batch):
    def test_in_flight_is_finished(self):
        server = self.server(POST=(201, JSON, "hang"), GET=(200, JSON, '{"key": "K"}'))
        process = self.start(server.url, "--batch", self.file("cases.ndjson", CASE * 20), "--concurrency", "3",
                             "--deadline", "2000")
        for _ in range(3):
            self.assertTrue(server.arrived.acquire(timeout=30))
        process.send_signal(signal.SIGINT)
        code, lines, _ = self.end(process)
        self.assertEqual((code, sorted(lines)), (13, list(range(20))))
        # what was begun is finished (here by its deadline), the rest is left alone
        self.assertEqual([lines[i]["result"]["error"]["outcome"] for i in range(3)], ["unknown"] * 3)
        self.assertTrue(all(lines[i].get("notAttempted") for i in range(3, 20)))

    def test_at_different_moments(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            for results in (1, 3, 40):
                server = self.server(**GOOD)
                # More than the pipe takes: it cannot end before the signal.
                process = self.start(server.url, "--batch", self.file("cases.ndjson", CASE * 500), "--concurrency", "4")
                first = [process.stdout.readline() for _ in range(results)]
                process.send_signal(number)
                out, _ = process.communicate(timeout=60)
                lines = self.lines((b"".join(first) + out).decode())
                self.assertEqual((process.returncode, sorted(lines)), (13, list(range(500))))
                done = [line for line in lines.values() if "result" in line]
                self.assertTrue(all(line["result"]["ok"] for line in done))
                self.assertEqual(sum(each[0] == "POST" for each in server.requests), len(done))
                self.assertEqual([i for i, line in lines.items() if "result" not in line], list(range(len(done), 500)))

    def test_twice(self):
        server = self.server(POST=(201, JSON, "hang"))
        process = self.start(server.url, "--batch", self.file("cases.ndjson", CASE * 20))
        self.assertTrue(server.arrived.acquire(timeout=30))
        process.send_signal(signal.SIGINT)
        self.assertIn(b"once more", process.stderr.readline())
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(30), 128 + signal.SIGINT)


class Progress(Batch):
    def test_on_a_terminal(self):
        try:
            master, slave = pty.openpty()
        except OSError as reason:
            self.skipTest(f"no terminal can be opened here: {reason}")
        process = subprocess.Popen([TOOL, "push", "--connector", self.connector(self.server(**GOOD).url), "--batch",
                                    self.file("cases.ndjson", "\n" + CASE * 30 + "{}\n")],
                                   stdout=subprocess.PIPE, stderr=slave)
        os.close(slave)
        out = process.stdout.read().decode()
        process.stdout.close()
        shown = b""
        while b"0 in flight, 1 failed\r\n" not in shown:
            shown += os.read(master, 4096)
        os.close(master)
        self.assertEqual(process.wait(30), 13)
        self.assertEqual(len(self.lines(out)), 31)
        shown = shown.decode().replace("\r\n", "\n")
        self.assertRegex(shown, "\r\033\\[Kcasehook: case 31: params: [^\n]*\n")
        self.assertRegex(shown,
                         "\r\033\\[K31 of 31 done, [0-9]+ a second, 0 in flight, 1 failed\n$")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
