"""A tracker that knows what it has done, and misbehaves: for tests that kill the client."""
import http.server
import json
import random
import re
import select
import socket
import threading
import time


class Tracker:
    """cases: id -> {"case", "effects": [(kind, case, seq)]}; kinds are create, update and comment."""

    def __init__(self, keys, seed):
        self.lock = threading.Lock()
        self.keys = {} if keys else None
        self.cases, self.random, self.mishaps, self.misbehaves = {}, random.Random(seed), 0, 0.0
        self.history = []  # (when it came, when it was done, whose, kind, case, seq)
        tracker = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def log_message(self, *arguments):
                pass

            def do(self):
                tracker.serve(self)

            do_GET = do_POST = do_PUT = do

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

            def handle_error(self, request, address):
                pass  # clients are killed here

        self.server = Server(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def document(self, find, worker=None):
        base = f"http://127.0.0.1:{self.port}"
        case = base + "/case/{{{external.system.id}}}"
        config = {"strict": False, "hasAuth": False, "createIncidentUrl": base + "/new",
                  "createIncidentJson": '{"title": {{{case.title}}}, "case": {{{case.id}}}}', "createIncidentResponseKey": "id",
                  "getIncidentUrl": case, "getIncidentResponseExternalTitleKey": "key", "viewIncidentUrl": case,
                  "updateIncidentUrl": case, "updateIncidentJson": '{"title": {{{case.title}}}}',
                  "createCommentUrl": case + "/comment", "createCommentMethod": "post",
                  "createCommentJson": '{"title": {{{case.comment}}}}'}
        if find:
            config.update({"findIncidentUrl": base + "/find/{{{case.id}}}", "findIncidentResponseKey": "items[0].id"})
        if self.keys is not None:
            config["idempotencyHeader"] = "Idempotency-Key"
        if worker:
            config["headers"] = {"Worker": worker}
        return {"config": config, "secrets": {}}

    # ---- what it does

    def serve(self, handler):
        body, came = handler.rfile.read(int(handler.headers.get("Content-Length") or 0)), time.monotonic()
        with self.lock:
            mishap = self.random.choice(["reset", "mute", "cut", "busy", "broken", "broken_done", "slow"]) \
                if self.random.random() < self.misbehaves else None
            self.mishaps += mishap is not None
        if mishap == "slow":
            threading.Event().wait(0.03)
        with self.lock:
            # Who has gone has been told that nobody knows, and has asked since perhaps.
            if self.has_gone(handler.connection):
                handler.close_connection = True
                return
            status, answer = (503, {}) if mishap == "busy" else (500, {}) if mishap == "broken" else (0, None)
            if mishap != "reset" and not status:
                about = (came, handler.headers.get("Worker"))
                status, answer = self.answer(handler.command, handler.path, body, handler.headers.get("Idempotency-Key"), about)
        if mishap in ("reset", "mute"):
            handler.close_connection = True
            return
        if mishap == "broken_done":
            status, answer = 500, {}
        text = json.dumps(answer).encode()
        handler.send_response(status)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(len(text)))
        handler.end_headers()
        handler.wfile.write(text[:3] if mishap == "cut" else text)
        handler.close_connection |= mishap == "cut"

    @staticmethod
    def has_gone(connection):
        readable, _, _ = select.select([connection], [], [], 0)
        if not readable:
            return False
        try:
            return connection.recv(1, socket.MSG_PEEK) == b""
        except OSError:
            return True

    def answer(self, method, path, body, key, about):
        if path.startswith("/find/"):
            return 200, {"items": [{"id": each} for each in self.cases if self.cases[each]["case"] == path[6:]]}
        if key is not None and self.keys is not None and key in self.keys:
            request, done = self.keys[key]
            return done if request == (path, body) else (422, {})
        done = self.write(method, path, body, about)
        if key is not None and self.keys is not None and done[0] < 300:
            self.keys[key] = ((path, body), done)
        return done

    def note(self, about, kind, case, seq):
        self.history.append((about[0], time.monotonic(), about[1], kind, case, seq))
        return kind, case, seq

    def write(self, method, path, body, about):
        if path == "/new":
            fields = json.loads(body)
            name = f"X-{len(self.cases) + 1}"
            self.cases[name] = {"case": fields["case"], "effects": [self.note(about, "create", *self.place(fields["title"]))]}
            return 201, {"id": name}
        name = path.split("/")[2]
        if name not in self.cases:
            return 404, {}
        if method == "GET":
            return 200, {"key": name}
        kind = "comment" if path.endswith("/comment") else "update"
        self.cases[name]["effects"].append(self.note(about, kind, *self.place(json.loads(body)["title"])))
        return 200, {"id": name}

    @staticmethod
    def place(title):
        case, seq = re.fullmatch(r"(\S+) (\d+)", title).groups()
        return case, int(seq)

    # ---- what it finds

    def doubled_or_out_of_order(self):
        """What is wrong with what it has, in words."""
        wrong, seen = [], {}
        for name, case in self.cases.items():
            if case["case"] in seen:
                wrong.append(f"{case['case']} is {seen[case['case']]} and {name}")
            seen[case["case"]] = name
            last, once = -1, set()
            for kind, label, seq in case["effects"]:
                if label != case["case"]:
                    wrong.append(f"{name} has {kind} {label} {seq}")
                # An update may be made again as long as nothing newer came.
                if (kind, seq) in once and kind != "update":
                    wrong.append(f"{label}: {kind} {seq} twice")
                if seq < last:
                    wrong.append(f"{label}: {kind} {seq} came after {last}")
                last = max(last, seq)
                once.add((kind, seq))
        return wrong

    def has(self, label, seq):
        return any((each[1], each[2]) == (label, seq) for case in self.cases.values() for each in case["effects"])

    def name_of(self, label):
        return next((name for name, case in self.cases.items() if case["case"] == label), None)
