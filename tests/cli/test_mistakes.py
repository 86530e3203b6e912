"""Mistakes of newcomers as data (mistakes.json): what each must be told.  test_mistakes.py TOOL MISTAKES

An entry changes one thing of a connector that works.  Members: name; config, secrets (over the base), remove (names
of config), document (instead of it); settings; case (params); arguments; server ("METHOD" or "METHOD /path" to
[status, type, body] and, for a redirect, the Location); files (name to text, in {FOLDER}; "fifo" and "folder" are
made as such); code (how the tool ends); says (words that must be there: field, cause, remedy); never (words that
must not).  {URL}, {PORT}, {TLS} and {FOLDER} stand for what is made for the test.
"""
import http.server
import json
import os
import shutil
import ssl
import subprocess
import sys
import tempfile
import threading
import unittest

TOOL, MISTAKES = sys.argv[1:3]

BASE = {
    "createIncidentUrl": "{URL}/c", "createIncidentJson": '{"t": {{case.title}}, "d": {{case.description}}}',
    "createIncidentResponseKey": "id",
    "getIncidentUrl": "{URL}/c/{{external.system.id}}", "getIncidentResponseExternalTitleKey": "key",
    "viewIncidentUrl": "{URL}/v/{{external.system.id}}",
    "updateIncidentUrl": "{URL}/c/{{external.system.id}}",
    "updateIncidentJson": '{"t": {{case.title}}, "d": {{case.description}}}',
    "createCommentUrl": "{URL}/c/{{external.system.id}}/m", "createCommentMethod": "post",
    "createCommentJson": '{"x": {{case.comment}}}', "hasAuth": False,
}
ANSWERS = {"POST": [201, "application/json", '{"id": "7"}'], "GET": [200, "application/json", '{"key": "K-7"}'],
           "PUT": [200, "application/json", "{}"], "CONNECT": [501, "text/html", "<h1>unknown method</h1>"]}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        answers = {**ANSWERS, **self.server.answers}
        answer = answers.get(self.command + " " + self.path) or answers[self.command]
        status, kind, text = answer[:3]
        self.send_response(status)
        if kind:
            self.send_header("Content-Type", kind)
        if len(answer) > 3:
            self.send_header("Location", answer[3])
        self.send_header("Content-Length", str(len(text.encode())))
        self.end_headers()
        self.wfile.write(text.encode())

    do_GET = do_POST = do_PUT = do_CONNECT = answer

    def log_message(self, *_):
        pass


class Quiet(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        pass  # what speaks no TLS to the TLS port


def start(context=None):
    server = Quiet(("127.0.0.1", 0), Handler)
    server.answers = {}
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    return server


def make_certificate(folder):
    """A certificate of its own for 127.0.0.1 in PEM and DER, and its key; False without the program."""
    if not shutil.which("openssl"):
        return False
    pem, key = os.path.join(folder, "ca.pem"), os.path.join(folder, "ca.key")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=test",
                    "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", pem],
                   check=True, capture_output=True)
    return True


class Mistakes(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory()
        cls.folder = cls.temporary.name
        cls.plain = start()
        cls.tls = None
        if make_certificate(cls.folder):
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(os.path.join(cls.folder, "ca.pem"), os.path.join(cls.folder, "ca.key"))
            cls.tls = start(context)

    @classmethod
    def tearDownClass(cls):
        for server in (cls.plain, cls.tls):
            if server:
                server.shutdown()
                server.server_close()
        cls.temporary.cleanup()

    def fill(self, value):
        text = value if isinstance(value, str) else json.dumps(value)
        marks = {"{URL}": f"http://127.0.0.1:{self.plain.server_port}", "{PORT}": str(self.plain.server_port),
                 "{FOLDER}": self.folder}
        if self.tls:
            marks["{TLS}"] = f"127.0.0.1:{self.tls.server_port}"
        for mark, meaning in marks.items():
            text = text.replace(mark, meaning)
        return text

    def write(self, name, value):
        path = os.path.join(self.folder, name)
        if os.path.lexists(path):
            shutil.rmtree(path) if os.path.isdir(path) else os.unlink(path)
        if value == "fifo":
            os.mkfifo(path)
        elif value == "folder":
            os.mkdir(path)
        else:
            with open(path, "w", encoding="utf-8") as out:
                out.write(self.fill(value))
        return path

    def document(self, mistake):
        if "document" in mistake:
            return mistake["document"]
        config = {name: value for name, value in BASE.items() if name not in mistake.get("remove", ())}
        return {"config": {**config, **mistake.get("config", {})}, "secrets": mistake.get("secrets", {})}

    def tell(self, mistake):
        """Runs the tool as the entry says; how it ended and all that it said."""
        for name, content in mistake.get("files", {}).items():
            self.write(name, content)
        for server in filter(None, (self.plain, self.tls)):
            server.answers = json.loads(self.fill(mistake.get("server", {})))
        arguments = [self.fill(argument) for argument in mistake.get("arguments", ["check"])]
        if "--connector" not in arguments:
            arguments += ["--connector", self.write("connector.json", self.document(mistake))]
        if "settings" in mistake:
            arguments += ["--settings", self.write("settings.json", mistake["settings"])]
        if "case" in mistake:
            arguments += ["--case", self.write("case.json", mistake["case"])]
        done = subprocess.run([TOOL, *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30)
        return done.returncode, done.stdout + done.stderr

    def test_mistakes(self):
        with open(MISTAKES, encoding="utf-8") as source:
            mistakes = json.load(source)
        names = [mistake["name"] for mistake in mistakes]
        self.assertEqual(len(names), len(set(names)))
        self.assertGreaterEqual(len(names), 60)
        for mistake in mistakes:
            if not self.tls and "{TLS}" in json.dumps(mistake):
                print("SKIP: no program openssl:", mistake["name"])
                continue
            with self.subTest(mistake["name"]):
                self.assertGreaterEqual(len(mistake["says"]), 2)
                code, text = self.tell(mistake)
                self.assertEqual(code, mistake["code"], text)
                for word in mistake["says"]:
                    self.assertIn(self.fill(word), text)
                for word in mistake.get("never", []):
                    self.assertNotIn(word, text)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
