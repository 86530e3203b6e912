"""Servers for the tests of the command-line tool: the demo tracker, and one that misbehaves on demand."""
import base64
import http.server
import json
import subprocess
import threading
import urllib.request

USER, PASSWORD = "demo", "pa55-canary-word"


class Tracker:
    """The demo tracker on a port that the system chooses."""

    def __init__(self, program, *faults):
        spec = [word for fault in faults for word in ("--fault", fault)]
        self.process = subprocess.Popen([program, "--user", USER, "--password", PASSWORD, *spec],
                                        stdout=subprocess.PIPE, text=True)
        self.url = self.process.stdout.readline().strip()
        self.authorization = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()

    def ask(self, path):
        request = urllib.request.Request(self.url + path, headers={"Authorization": self.authorization})
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=20) as answer:
            return json.load(answer)

    def close(self):
        self.process.terminate()
        code = self.process.wait(30)
        self.process.stdout.close()
        assert code == 0, f"the tracker ended with {code}"


class Server(http.server.ThreadingHTTPServer):
    """
    Answers by a table: {"POST": (status, type, body), ...}.  A body that is None closes the connection
    without an answer, a body that is "hang" answers only when the test is over.  A list is one answer after
    the other; the last one stays.  Behind the body an answer may have more headers, and seconds to wait.
    """
    daemon_threads = True

    def __init__(self, answers):
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers, self.requests, self.over = answers, [], threading.Event()
        self.arrived = threading.Semaphore(0)
        self.url = "http://127.0.0.1:%d" % self.server_port
        self.thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02})
        self.thread.start()

    def close(self):
        self.over.set()
        self.shutdown()
        self.thread.join()
        self.server_close()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.requests.append((self.command, self.path, body))
        self.server.arrived.release()
        key = self.command + " " + self.path
        answer = self.server.answers.get(key) or self.server.answers[self.command]
        if isinstance(answer, list):
            answer = answer.pop(0) if len(answer) > 1 else answer[0]
        status, kind, text, headers, wait = *answer, *({}, 0)[len(answer) - 3:]
        self.server.over.wait(wait)
        if text == "hang":
            self.server.over.wait(60)
        if text in (None, "hang"):
            self.close_connection = True
            return
        if "ECHO" in text:
            text = text.replace("ECHO", json.dumps(str(self.headers))[1:-1])
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(text.encode())))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text.encode())

    def send_error(self, code, *arguments):
        self.server.requests.append(("no request", self.requestline, b""))
        super().send_error(code, *arguments)

    do_GET = do_POST = do_PUT = answer

    def log_message(self, *_):
        pass
