"""The examples of hosts with their own client, and servers that break off: test_exchange_examples.py SOCKETS URLLIB LIBRARY"""
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import unittest

SOCKETS, URLLIB, LIBRARY = sys.argv[1:4]
HEAD = b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\n"
LONG = "x" * 6000


class Server:
    """Answers each connection with the same bytes and closes it."""

    def __init__(self, answer):
        self.answer, self.requests = answer, []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()

    def serve(self):
        while True:
            client, _ = self.listener.accept()
            with client:
                request = b""
                while b'"}' not in request:
                    piece = client.recv(65536)
                    if not piece:
                        break
                    request += piece
                if not request:  # from close()
                    return
                self.requests.append(request)
                client.sendall(self.answer)

    def close(self):
        socket.create_connection(self.listener.getsockname()).close()
        self.thread.join()
        self.listener.close()


class Examples(unittest.TestCase):
    programs = {"sockets": [SOCKETS], "urllib": [sys.executable, "-B", URLLIB]}

    def push(self, program, answer):
        server = Server(answer)
        url = "http://127.0.0.1:%d" % server.listener.getsockname()[1]
        body = '{"t": {{{case.title}}}, "d": {{{case.description}}}, "end": ""}'
        config = {"createIncidentUrl": url + "/" + LONG, "createIncidentJson": body, "createIncidentResponseKey": "id",
                  "getIncidentUrl": url + "/{{{external.system.id}}}", "getIncidentResponseExternalTitleKey": "key",
                  "updateIncidentUrl": url + "/{{{external.system.id}}}", "updateIncidentJson": body,
                  "viewIncidentUrl": url + "/{{{external.system.id}}}", "hasAuth": False, "headers": {"X-Long": LONG}}
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump({"config": config, "secrets": {}}, file)
            file.flush()
            done = subprocess.run([*self.programs[program], file.name, "t"], capture_output=True, text=True, timeout=60,
                                  env={**os.environ, "CASEHOOK_LIBRARY": LIBRARY})
        server.close()
        self.assertEqual(done.returncode, 1)
        self.assertNotIn("Traceback", done.stderr)
        self.assertEqual(len(server.requests), 1)
        head = server.requests[0].split(b"\r\n\r\n")[0].decode()
        self.assertTrue(head.startswith("POST /%s HTTP/1.1\r\n" % LONG))  # nothing of it is cut
        self.assertIn("\r\nx-long: %s" % LONG, head.replace("X-Long", "x-long").replace("X-long", "x-long"))
        return done.stderr

    def test_answers_that_break_off(self):
        for program in self.programs:
            for answer in (b"", b"nonsense\r\n\r\n", b"HTTP/1.1 201", HEAD, HEAD + b'Content-Length: 20\r\n\r\n{"id": 1}',
                           HEAD + b'Transfer-Encoding: chunked\r\n\r\n9\r\n{"id": 1}\r\n',
                           HEAD + b'Transfer-Encoding: chunked\r\n\r\n9\r\n{"id"'):
                with self.subTest(program=program, answer=answer):
                    said = self.push(program, answer)
                    self.assertIn("POST http", said)  # the message of a result
                    self.assertNotIn("JSON", said)  # half an answer is none


unittest.main(argv=sys.argv[:1])
