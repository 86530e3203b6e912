"""The command-line tool from outside: test_cli.py TOOL TRACKER CONNECTOR"""
import base64
import json
import os
import pty
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import unittest
import urllib.request

from server import PASSWORD, USER, Server, Tracker

TOOL, TRACKER, CONNECTOR = sys.argv[1:4]
SECRETS = (PASSWORD, base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode())
JSON = "application/json"
FIND = ("findIncidentUrl", "findIncidentResponseKey")
KEY = ("idempotencyHeader",)


# What ignores a signal hands that on to its children, as nohup and a shell's "&" do: the tool is to be asked.
for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    if signal.getsignal(ignored) == signal.SIG_IGN:
        signal.signal(ignored, signal.SIG_DFL)


class Tool(unittest.TestCase):
    """What all tests use: a folder of files, the tool, and a look for secrets in everything it says."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def file(self, name, content):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as out:
            out.write(content if isinstance(content, str) else json.dumps(content))
        return path

    def document(self, url, safe=(), **config):
        """
        The connector of the demo, for another address and with another password.  safe: what of FIND and KEY it has
        against doing things twice.
        """
        with open(CONNECTOR, encoding="utf-8") as source:
            document = json.loads(source.read().replace("http://127.0.0.1:8080", url))
        document["secrets"] = {"user": USER, "password": PASSWORD}
        for name in FIND + KEY:
            if name not in safe:
                del document["config"][name]
        document["config"].update(config)
        return document

    def connector(self, url, **config):
        return self.file("connector.json", self.document(url, **config))

    def tool(self, code, *arguments, stdin=b""):
        """Runs the tool, which must end with code; its output and error text."""
        done = subprocess.run([TOOL, *arguments], input=stdin, capture_output=True, timeout=60)
        out, error = done.stdout.decode(), done.stderr.decode()
        for secret in SECRETS:
            self.assertNotIn(secret, out + error)
        self.assertEqual(done.returncode, code, f"{arguments}\n{out}\n{error}")
        return out, error

    def json(self, code, *arguments, **options):
        out, _ = self.tool(code, *arguments, "--json", **options)
        return json.loads(out)

    def server(self, **answers):
        server = Server(answers)
        self.addCleanup(server.close)
        return server


class CommandLine(Tool):
    def test_help_and_version(self):
        out, _ = self.tool(0, "--help")
        for code in range(14):
            self.assertRegex(out, rf"(?m)^  {code:2}  \S")
        if "unknown command" in self.tool(2, "notify")[1]:  # a build without the outbox
            out = re.sub(r"(?s)\nAn outbox\n.*?\n\n", "\n\n", out)
        for option in re.findall(r"--[a-z-]+", out):
            if option not in ("--help", "--version"):
                said = [self.tool(2, *command, option, "x", "nonsense")[1] for command in ((), ("notify",), ("outbox",))]
                self.assertTrue(any("unknown option" not in each for each in said), said)
        self.assertRegex(self.tool(0, "--version")[0], r"^casehook \d+\.\d+\.\d+\n$")

    def test_usage_errors(self):
        c = ("--connector", CONNECTOR)
        for arguments, word in [
            ((), "command"), (("destroy", *c), "destroy"), (("check",), "--connector"),
            (("push", *c, "--titel", "x"), "--titel"), (("push", *c, "-t"), "-t"), (("push", *c, "--title"), "--title"),
            (("push", *c, "--title", "a", "--title", "b"), "twice"), (("push", *c, *c), "twice"),
            (("get", *c), "ID"), (("update", *c), "ID"), (("comment", *c), "ID"),
            (("get", "1", "2", *c), "2"), (("create", "1", *c), "1"), (("preview", "check", *c), "check"),
            (("get", "1", *c, "--title", "x"), "--title"), (("check", *c, "--deadline", "1"), "--deadline"),
            (("create", *c, "--external-id", "1"), "--external-id"), (("create", *c, "--comment", "x"), "--comment"),
            (("push", *c, "--batch", "x", "--title", "x"), "--title"), (("create", *c, "--batch", "x"), "--batch"),
            (("push", *c, "--concurrency", "2"), "--batch"), (("preview", "push", *c, "--batch", "x"), "--batch"),
            (("push", *c, "--json=1"), "--json"), (("push", *c, "--case", "x", "--title", "x"), "--title"),
            (("push", "--connector", "-", "--case", "-"), "standard input"),
            *((("push", *c, "--deadline", text), "--deadline") for text in ("0", "-1", "1s", "", "4294967296")),
        ]:
            out, error = self.tool(2, *arguments)
            self.assertIn(word, error)
            self.assertEqual(out, "")

    def test_values_are_no_options(self):
        result = self.json(0, "preview", "create", "--connector", CONNECTOR, "--title", "--help", "--tag=--version")
        self.assertEqual(json.loads(result["requests"][0]["body"])["title"], "--help")
        result = json.loads(self.tool(0, "preview", "--connector", CONNECTOR, "--json", "--", "get", "-5")[0])
        self.assertTrue(result["requests"][0]["url"].endswith("/-5"))


class Check(Tool):
    def test_good(self):
        self.assertIn("no faults", self.tool(0, "check", "--connector", CONNECTOR)[0])
        self.assertEqual(self.json(0, "check", "--connector", CONNECTOR), {"ok": True, "errors": [], "warnings": []})
        first = os.path.join(os.path.dirname(CONNECTOR), "first.json")
        for path in (CONNECTOR, first):
            self.assertNotIn("warning", self.tool(0, "check", "--connector", path)[0])

    def test_warnings(self):
        path = self.connector("http://127.0.0.1:1",
                              updateIncidentJson='{"n": {{case.title}}, "d": {{case.description}}, "t": {{case.tags}}}')
        out, _ = self.tool(0, "check", "--connector", path)
        self.assertIn("no faults", out)
        told = self.json(0, "check", "--connector", path)
        self.assertEqual((told["ok"], told["errors"]), (True, []))
        self.assertEqual(re.findall("(?m)^warning: (.*)$", out), [
            f"{warning['message']} (byte {warning['offset']})" for warning in told["warnings"]])
        for warning, word in zip(told["warnings"], ("case.description", "case.tags"), strict=True):
            self.assertEqual(sorted(warning), self.error_members())
            self.assertEqual(warning["field"], "config.updateIncidentJson")
            self.assertIn(word, warning["message"])

    def test_all_faults_at_once(self):
        path = self.connector("http://127.0.0.1:1", viewIncidentUrl="ftp://x/{{external.system.id}}", nonsense=1,
                              createIncidentJson='{"t": {{{case.titel}}}, "d": {{{case.description}}}}')
        faults = self.json(3, "check", "--connector", path)
        self.assertFalse(faults["ok"])
        fields = [fault["field"] for fault in faults["errors"]]
        for field in ("config.viewIncidentUrl", "config.nonsense", "config.createIncidentJson"):
            self.assertIn(field, fields)
        for fault in faults["errors"]:
            self.assertEqual(sorted(fault), self.error_members())
            self.assertTrue(fault["message"].startswith(fault["field"]), fault)
        out, _ = self.tool(3, "check", "--connector", path)
        for fault in faults["errors"]:
            place = f"byte {fault['offset']}"
            named = fault["offset"] is None or place in fault["message"]
            self.assertRegex(out, r"(?m)^ *\d+\. " + re.escape(fault["message"] + ("" if named else f" ({place})")) + "$")
        # The byte is there once, whether the message names it or not.
        self.assertRegex(out, r"(?m)^ *\d+\. config\.createIncidentJson: .* at byte 6: (?!.*byte)")

    def error_members(self):
        """Those of an error of the library."""
        path = self.file("closed.json", self.document("http://127.0.0.1:1"))
        return sorted(self.json(6, "push", "--connector", path, "--title", "x")["error"])

    def test_other_commands_say_the_same(self):
        result = self.json(3, "push", "--connector", self.connector("http://127.0.0.1:1", nonsense=1), "--title", "x")
        self.assertEqual((result["ok"], result["step"], result["error"]["field"]),
                         (False, "config", "config.nonsense"))
        self.assertEqual(sorted(result), sorted(self.json(0, "preview", "--connector", CONNECTOR, "--title", "x")))
        self.assertEqual(sorted(result["error"]), self.error_members())
        self.assertEqual((result["operation"], result["operationNumber"], result["stepNumber"]), ("push", 5, 1))
        trouble = self.json(3, "get", "1", "--connector", os.path.join(self.folder, "missing"))
        self.assertEqual(sorted(trouble), sorted(result))
        self.assertEqual(sorted(trouble["error"]), self.error_members())
        self.assertEqual(trouble["operation"], "get")

    def test_bad_files(self):
        for name, content in [("empty", ""), ("list", "[]"), ("cut", '{"config": {'), ("twice", '{"config":1,"config":2}')]:
            self.assertFalse(self.json(3, "check", "--connector", self.file(name, content))["ok"])
            self.assertFalse(self.json(3, "check", "--connector", CONNECTOR,
                                       "--settings", self.file(name, content))["ok"] if content else False)
        for option in ("--connector", "--settings", "--secrets"):
            others = () if option == "--connector" else ("--connector", CONNECTOR)
            for path in (os.path.join(self.folder, "missing"), self.folder):
                self.assertIn(path, self.tool(3, "check", *others, option, path)[1])
                self.assertIn(path, self.json(3, "check", *others, option, path)["errors"][0]["message"])

    def test_settings(self):
        settings = self.file("settings.json", {"allowedHosts": ["example.com"]})
        self.tool(5, "check", "--connector", CONNECTOR, "--settings", settings)
        out, _ = self.tool(3, "check", "--connector", CONNECTOR, "--settings", self.file("s", {"allowedHots": []}))
        self.assertIn("allowedHosts", out)

    def test_connector_from_standard_input(self):
        with open(CONNECTOR, "rb") as source:
            self.tool(0, "check", "--connector", "-", stdin=source.read())


class Secrets(Tool):
    def test_file_of_their_own(self):
        document = self.document("http://127.0.0.1:1")
        for given in ({}, None):
            secrets = self.file("secrets.json", document["secrets"])
            path = self.file("c.json", dict(document, secrets=given))
            self.tool(0, "check", "--connector", path, "--secrets", secrets)
        path = self.file("c.json", {"config": document["config"]})
        self.tool(0, "check", "--connector", path, "--secrets", secrets)
        self.tool(3, "check", "--connector", path)
        result = self.json(0, "preview", "--connector", path, "--secrets", secrets, "--title", "x")
        self.assertIn("Authorization", result["requests"][0]["headers"])

    def test_given_twice(self):
        document = self.document("http://127.0.0.1:1")
        faults = self.json(3, "check", "--connector", self.file("c.json", document),
                           "--secrets", self.file("s.json", document["secrets"]))
        self.assertIn("leave one out", faults["errors"][0]["message"])

    def test_faults_do_not_quote(self):
        path = self.file("c.json", {"config": self.document("http://127.0.0.1:1")["config"]})
        for text in (f'"{PASSWORD}"', f'{{"user": "demo", "password": {PASSWORD}}}', f'{{"{PASSWORD}": 1, "{PASSWORD}": 2}}'):
            self.tool(3, "check", "--connector", path, "--secrets", self.file("s.json", text))


class WithTracker(Tool):
    def setUp(self):
        super().setUp()
        self.tracker = Tracker(TRACKER)
        self.addCleanup(self.tracker.close)
        self.options = ("--connector", self.connector(self.tracker.url))

    def ask(self, path):
        request = urllib.request.Request(self.tracker.url + path, headers={"Authorization": "Basic " + SECRETS[1]})
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=10) as answer:
            return json.load(answer)

    def test_all_operations(self):
        title = 'Quote " back \\ </script> ☃ \U0001f600 line\nend'
        made = self.json(0, "create", *self.options, "--title", title, "--description", "d", "--severity", "high",
                         "--id", "mine", "--tag", "a", "--tag", 'b"', "--field", "host=web=1", "--field", "count:=[1,2.50]")
        self.assertEqual((made["ok"], made["id"], made["title"]), (True, "1", "CASE-1"))
        self.assertEqual(made["url"], self.tracker.url + "/cases/1")
        case = self.ask("/api/cases/1")
        self.assertEqual((case["title"], case["tags"], case["reference"]), (title, ["a", 'b"'], "mine"))
        self.assertEqual(case["fields"], {"host": "web=1", "count": [1, 2.5]})
        self.json(0, "update", "1", *self.options, "--title", "new", "--status", "closed")
        self.json(0, "comment", "1", *self.options, "--comment", "hello")
        case = self.ask("/api/cases/1")
        self.assertEqual((case["title"], case["description"], case["status"]), ("new", "d", "closed"))
        self.assertEqual([comment["text"] for comment in case["comments"]], ["hello"])
        self.assertEqual(self.json(0, "get", "1", *self.options)["fields"], {"status": "closed", "firstTag": "a"},
                         "an update without tags leaves them alone")

    def test_push(self):
        done = self.json(0, "push", *self.options, "--title", "t", "--comment", "one", "--comment", "", "--comment", "two")
        self.assertEqual([comment["state"] for comment in done["comments"]], ["sent", "skipped", "sent"])
        self.assertEqual([request["step"] for request in done["requests"]], ["create", "get", "comment", "comment"])
        self.json(0, "push", *self.options, "--title", "u", "--external-id", "1", "--comment", "three")
        self.assertEqual([comment["text"] for comment in self.ask("/api/cases/1")["comments"]], ["one", "two", "three"])
        self.assertEqual(len(self.ask("/api/cases")), 1)

    def test_a_create_that_tells_the_title_is_one_request(self):
        path = self.connector(self.tracker.url, createIncidentResponseExternalTitleKey="key",
                              updateIncidentResponseExternalTitleKey="key")
        options = ("--connector", path, "--title", "t", "--tag", "first", "--json")
        for command, method, steps in ((("create",), "POST", ["create"]), (("update", "1"), "PUT", ["update"]),
                                       (("push", "--external-id", "1", "--comment", "c"), "PUT", ["update", "comment"])):
            out, trace = self.tool(0, *command, *options, "--trace")
            done = json.loads(out)
            self.assertEqual([request["step"] for request in done["requests"]], steps)
            self.assertEqual((done["id"], done["title"]), ("1", "CASE-1"))
            self.assertEqual(done["fields"]["firstTag"], "first", "what the get would have told is in this answer")
            self.assertEqual(re.findall(r"(?m)^casehook: trace: > (POST|PUT|GET) http", trace),
                             [method] + ["POST"] * (len(steps) - 1))

    def test_human_output(self):
        out, error = self.tool(0, "push", *self.options, "--title", "t", "--comment", "c", "--tag", "first")
        self.assertEqual(error, "")
        self.assertRegex(out, r"(?m)^create +POST +201 done +" + re.escape(self.tracker.url))
        for line in ("id        1", "title     CASE-1", "field     firstTag = first", "comment   1 sent",
                     f"url       {self.tracker.url}/cases/1"):
            self.assertIn(line + "\n", out)

    def test_preview_sends_nothing(self):
        for words in ((), ("push",), ("create",), ("get", "1"), ("update", "1"), ("comment", "1")):
            title = () if words[:1] in (("get",), ("comment",)) else ("--title", "t")
            text = () if words[:1] not in (("comment",), ()) else ("--comment", "c")
            result = self.json(0, "preview", *words, *self.options, *title, *text)
            self.assertEqual({request["outcome"] for request in result["requests"]}, {"not_sent"})
            out, _ = self.tool(0, "preview", *words, *self.options, *title, *text)
            self.assertIn("Authorization: ", out)
        self.assertEqual(self.ask("/api/cases"), [])

    def test_case_from_a_file(self):
        digits = "123456789012345678901234567890"
        flat = '{"title": "t", "fields": {"count": %s}, "comments": []}' % digits
        nested = ' {"comments": [{"commentId": "\\"incident\\": {", "comment": "c"}], "incident" : {"title": "t"} }'
        result = self.json(0, "preview", "create", *self.options, "--case", self.file("case", flat))
        self.assertIn(digits, result["requests"][0]["body"])
        for number, text in enumerate((flat.replace(digits, "7"), nested, '{"incident":null,"title":"t"}'), 1):
            with self.subTest(text=text):
                if "null" not in text:
                    self.assertEqual(self.json(0, "push", *self.options, "--case", "-", stdin=text.encode())["id"], str(number))
                    self.json(0, "push", *self.options, "--case", "-", "--external-id", "1", stdin=text.encode())
        self.assertEqual(len(self.ask("/api/cases")), 2)
        self.json(0, "comment", "1", *self.options, "--case", "-", stdin=b'{"comments":[{"commentId":"1","comment":"x"}]}')
        # with a byte order mark, which some editors write, it is the same case
        result = self.json(0, "push", *self.options, "--case", "-", "--external-id", "1", stdin=b'\xef\xbb\xbf{"title":"b"}')
        self.assertEqual(result["requests"][0]["step"], "update")

    def test_fields_keep_their_digits(self):
        for number in ("1" * 400, "1e999", "-0.10"):
            result = self.json(0, "preview", "create", *self.options, "--title", "t", "--field", "count:=" + number)
            self.assertIn(f'"count": {number}}}', result["requests"][0]["body"])
        self.tool(4, "preview", "create", *self.options, "--title", "t", "--field", "count:=1-1")

    def test_bad_cases(self):
        self.tool(4, "create", *self.options)
        self.tool(4, "get", "..", *self.options)
        self.tool(4, "push", *self.options, "--title", "t", "--field", "novalue")
        self.tool(4, "push", *self.options, "--title", "t", "--field", "=x")
        self.tool(4, "push", *self.options, "--title", "t", "--field", 'a:=1},"id":"x"')
        self.tool(4, "comment", "1", *self.options, "--comment", "")
        self.tool(4, "push", *self.options, "--case", os.path.join(self.folder, "missing"))
        for text in (b"", b"{", b"[]", b"null", b'{"titel": "x"}', b'{"title": "x", "externalId": "2"}'):
            self.assertFalse(self.json(4, "push", *self.options, "--case", "-", "--external-id", "1", stdin=text)["ok"])
        self.assertEqual(self.ask("/api/cases"), [])

    def test_verbose_goes_to_standard_error(self):
        out, _ = self.tool(0, "create", *self.options, "--title", "t", "--verbose", "--json")
        self.assertTrue(json.loads(out)["ok"])


class Failures(Tool):
    def test_refused(self):
        tracker = Tracker(TRACKER)
        self.addCleanup(tracker.close)
        document = self.document(tracker.url)
        document["secrets"]["password"] = "wrong"
        result = self.json(8, "push", "--connector", self.file("c.json", document), "--title", "t")
        self.assertEqual((result["error"]["httpStatus"], result["error"]["outcome"]), (401, "refused"))

    def test_no_connection(self):
        with socket.socket() as silent:  # its port is taken, but nobody listens
            silent.bind(("127.0.0.1", 0))
            url = "http://127.0.0.1:%d" % silent.getsockname()[1]
            _, error = self.tool(6, "push", "--connector", self.connector(url), "--title", "t")
        self.assertIn("create", error)

    def test_no_tls(self):
        server = self.server(POST=(200, JSON, "{}"))
        self.tool(7, "push", "--connector", self.connector(server.url.replace("http:", "https:")), "--title", "t")

    def test_closed_in_the_handshake(self):
        """As by a server that does not know what came: without a word."""
        with socket.create_server(("127.0.0.1", 0)) as listener:
            def close():
                client, _ = listener.accept()
                with client:
                    client.recv(65536)  # what is unread would reset the connection
            thread = threading.Thread(target=close)
            thread.start()
            path = self.connector(f"https://127.0.0.1:{listener.getsockname()[1]}")
            error = self.tool(6, "create", "--connector", path, "--title", "x")[1]
            thread.join()
        self.assertIn("ended in the TLS handshake; nothing was sent", error)
        self.assertIn("perhaps it does not speak TLS on this port", error)

    def test_unusable_answer(self):
        server = self.server(GET=(200, "text/html", "<p>ECHO"))
        _, error = self.tool(9, "get", "1", "--connector", self.connector(server.url))
        self.assertIn("text/html", error)

    def test_unknown(self):
        server = self.server(POST=(200, JSON, None))
        _, error = self.tool(10, "push", "--connector", self.connector(server.url), "--title", "t")
        self.assertIn("Look in the tracker", error)
        self.assertEqual(len(server.requests), 1)

    def test_deadline(self):
        server = self.server(GET=(200, JSON, "hang"), POST=(200, JSON, "hang"))
        self.tool(6, "get", "1", "--connector", self.connector(server.url), "--deadline", "300")
        self.tool(10, "create", "--title", "t", "--connector", self.connector(server.url), "--deadline", "300")

    def test_partial(self):
        server = self.server(POST=(201, JSON, '{"id": 7}'), GET=(500, JSON, '{"error": "ECHO"}'))
        result = self.json(11, "push", "--connector", self.connector(server.url), "--title", "t", "--comment", "c")
        self.assertEqual((result["id"], result["step"]), ("7", "get"))
        out, error = self.tool(11, "push", "--connector", self.connector(server.url), "--title", "t", "--comment", "c")
        self.assertIn("id        7\n", out)
        self.assertIn("comment   1 not attempted\n", out)
        self.assertIn("Do not create it again", error)

    def test_refused_transition(self):
        server = self.server(**{"PUT": (200, JSON, '{"id": 7}'), "POST /move/7": (409, JSON, '{"error": "no such way"}')})
        path = self.connector(server.url, transitionIncidentUrl=server.url + "/move/{{external.system.id}}",
                              transitionIncidentJson='{"to": {{case.status}}}')
        for command in (("update", "7"), ("push", "--external-id", "7", "--comment", "c")):
            done = self.json(11, *command, "--connector", path, "--title", "t", "--status", "closed")
            self.assertEqual((done["step"], done["id"], done["outcome"]), ("transition", "7", "refused"))

    def test_failed_comment(self):
        server = self.server(**{"POST": (201, JSON, '{"id": 7}'), "GET": (200, JSON, '{"key": "K"}'),
                                "POST /api/cases/7/comments": (400, JSON, '{"error": "no"}')})
        result = self.json(11, "push", "--connector", self.connector(server.url), "--title", "t",
                           "--comment", "a", "--comment", "b")
        self.assertEqual([comment["state"] for comment in result["comments"]], ["failed", "not_attempted"])
        server.answers["POST /api/cases/7/comments"] = (200, JSON, None)
        _, error = self.tool(11, "push", "--connector", self.connector(server.url), "--title", "t", "--comment", "a")
        self.assertIn("may be there", error)

    def test_no_token_for_what_comes_after(self):
        """The case is made or changed, and only the token for reading it cannot be renewed."""
        tokens = [(200, JSON, '{"access_token": "abcdefgh1", "token_type": "Bearer"}'), (503, JSON, '{"error": "temporarily_unavailable"}')]
        for command, advice in ((("push",), "Do not create it again"), (("create",), "Do not create it again"),
                                (("update", "7"), "The case was changed")):
            server = self.server(**{"POST /token": tokens[:], "POST": (201, JSON, '{"id": 7}'), "PUT": (200, JSON, '{"id": 7}'),
                                    "GET": (401, JSON, "{}")})
            document = self.document(server.url, authType="oauth2", accessTokenUrl=server.url + "/token", clientId="x")
            document["secrets"] = {"clientSecret": "geheim12"}
            words = [*command, "--connector", self.file("c.json", document), "--title", "t"]
            said = [self.tool(11, *words)[1]]
            server.answers["POST /token"] = tokens[:]
            result = self.json(11, *words)
            # Nor is there one for the runs that go on from it, and they know no less of the case.
            del server.requests[:]
            for _ in range(2 if command[0] != "update" else 0):
                resumed = [*words, "--resume", self.file("resume.json", result)]
                said.append(self.tool(11, *resumed)[1])
                result = self.json(11, *resumed)
                self.assertEqual(result["id"], "7")
            self.assertLessEqual({path for _, path, _ in server.requests}, {"/token"})
            for text in said:
                self.assertIn("casehook: token: ", text)
                self.assertIn(advice, text)
                self.assertNotIn("may succeed later", text)

    def test_a_resumed_update_that_was_not_sent(self):
        """The id was given, and says of no change that it was made; nor do params that are wrong."""
        server = self.server(**{"POST /token": (400, JSON, '{"error": "invalid_client"}')})
        document = self.document(server.url, authType="oauth2", accessTokenUrl=server.url + "/token", clientId="x")
        document["secrets"] = {"clientSecret": "geheim12"}
        words = ("push", "--connector", self.file("c.json", document), "--resume")
        resume = {"ok": False, "operation": "push", "id": "7", "requests": [], "comments": []}
        case = self.file("case.json", {"incident": {"title": "t", "externalId": "7"}})
        self.tool(8, *words, self.file("resume.json", resume), "--title", "t", "--external-id", "7")
        self.tool(8, *words, self.file("resume.json", resume), "--case", case)
        resume["comments"] = [{"commentId": "1", "state": "sent"}]
        self.tool(4, *words, self.file("resume.json", resume), "--title", "t")

    def test_a_resumed_update_of_a_case_that_was_found(self):
        """It was there before, so a refused update has changed nothing when it is resumed either; a done one had."""
        server = self.server(GET=(200, JSON, '{"items": [{"id": 7}]}'), PUT=(400, JSON, '{"e": "refused"}'), POST=(422, JSON, "{}"))
        document = self.document(server.url, safe=FIND, findIncident="always")
        words = ("push", "--connector", self.file("c.json", document), "--title", "t", "--id", "x")
        self.tool(8, *words)
        result = self.json(8, *words)
        self.assertTrue(result["found"])
        self.tool(8, *words, "--resume", self.file("resume.json", result))
        done = {"step": "update", "outcome": "done"}
        for changes in ({"requests": [done]}, {"requests": [{"step": "create", "outcome": "unknown"}]}, {"found": False}):
            self.tool(11, *words, "--resume", self.file("resume.json", {**result, **changes}))
        refused = [{"step": step, "outcome": outcome} for step, outcome in (("find", "done"), ("update", "refused"), ("update", "unknown"))]
        self.tool(8, *words, "--resume", self.file("resume.json", {**result, "requests": refused}))
        words = (*words, "--comment", "c")
        result = self.json(8, *words)
        result["comments"][0]["state"] = "sent"
        self.tool(11, *words, "--resume", self.file("resume.json", result))

    def test_no_token_for_the_next_hop_of_a_find(self):
        """Its token ended on the way.  The redirect was followed, and that is all that was done: there is no case."""
        for command in ("create", "push"):
            token = {"access_token": "abcdefgh1", "token_type": "Bearer", "expires_in": 1}
            server = self.server(**{"POST /token": [(200, JSON, json.dumps(token)), (400, JSON, '{"error": "invalid_client"}')],
                                    "GET": (302, JSON, "{}", {"Location": "/moved"}, 1.2), "POST": (201, JSON, '{"id": 7}')})
            document = self.document(server.url, findIncidentUrl=server.url + "/find?title={{{case.title}}}",
                                     findIncidentResponseKey="items[0].id", findIncident="always",
                                     authType="oauth2", accessTokenUrl=server.url + "/token", clientId="x")
            document["secrets"] = {"clientSecret": "geheim12"}
            said = self.tool(8, command, "--connector", self.file("c.json", document), "--title", "t")[1]
            self.assertIn("casehook: token: ", said)
            self.assertNotIn("exists", said)
            self.assertEqual([method for method, path, _ in server.requests if path != "/token"], ["GET"])

    def test_no_token_for_a_case_that_was_looked_for(self):
        """The create was not answered, but its case was found: it is made, though no request says so."""
        server = self.server(**{"POST /token": [(200, JSON, '{"access_token": "abcdefgh1", "token_type": "Bearer"}'),
                                                (400, JSON, '{"error": "invalid_client"}')],
                                "POST": (200, JSON, None), "GET": (401, JSON, "{}"),
                                "GET /find?title=t": (200, JSON, '{"items": [{"id": 7}]}')})
        document = self.document(server.url, findIncidentUrl=server.url + "/find?title={{{case.title}}}",
                                 findIncidentResponseKey="items[0].id", authType="oauth2",
                                 accessTokenUrl=server.url + "/token", clientId="x")
        document["secrets"] = {"clientSecret": "geheim12"}
        settings = self.file("settings.json", {"retry.findDelay": "1ms"})
        said = self.tool(11, "push", "--connector", self.file("c.json", document), "--settings", settings, "--title", "t")[1]
        self.assertIn("casehook: token: ", said)
        self.assertIn("Do not create it again", said)

    def test_a_case_that_is_known_to_exist_without_its_id(self):
        """The create was not answered, and the second one is told that it was done."""
        server = self.server(POST=[(200, JSON, None), (409, JSON, '{"error": "duplicate"}')], GET=(403, JSON, "{}"))
        path = self.connector(server.url, idempotencyHeader="Idempotency-Key", idempotencyDuplicateStatuses=[409])
        settings = self.file("settings.json", {"run.maxAttempts": 2, "retry.baseDelay": "1ms"})
        said = self.tool(11, "push", "--connector", path, "--settings", settings, "--title", "t")[1]
        self.assertEqual([method for method, _, _ in server.requests], ["POST", "POST"])
        self.assertIn("Do not create it again: look for it in the tracker", said)
        self.assertNotIn("the id above", said)

    def test_closed_standard_files(self):
        """What is printed does not go to the server, whose socket would get the number of a closed file."""
        for closed, code in (("<&-", 0), ("2>&-", 0), (">&-", 11), ("<&- >&- 2>&-", 11)):
            server = self.server(POST=(201, JSON, '{"id": 7}'), GET=(200, JSON, '{"key": "K"}'))
            done = subprocess.run(["sh", "-c", f'exec "$@" {closed}', "sh", TOOL, "push", "--connector",
                                   self.connector(server.url), "--title", "t", "--json", "--verbose"],
                                  capture_output=True, timeout=60)
            self.assertEqual((done.returncode, [request[0] for request in server.requests]), (code, ["POST", "GET"]))

    def interrupted(self, server, *arguments):
        process = subprocess.Popen([TOOL, *arguments, "--connector", self.connector(server.url), "--json"],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.assertTrue(server.arrived.acquire(timeout=30))
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=30)
        return process.returncode, json.loads(out)

    def test_interrupt(self):
        server = self.server(GET=(200, JSON, "hang"), POST=(200, JSON, "hang"))
        code, result = self.interrupted(server, "get", "1")
        self.assertEqual((code, result["error"]["code"]), (12, "cancelled"))
        code, result = self.interrupted(server, "create", "--title", "t")
        self.assertEqual((code, result["error"]["outcome"]), (10, "unknown"))


class Output(Tool):
    """Where the output cannot be written, the case that was made must be told all the same."""

    def ways(self):
        if os.path.exists("/dev/full"):
            yield {"stdout": os.open("/dev/full", os.O_WRONLY)}, "No space left"
        yield {"stdout": None, "preexec_fn": lambda: os.close(1)}, "Bad file descriptor"
        reading, writing = os.pipe()
        os.close(reading)
        yield {"stdout": writing}, "Broken pipe"

    def tell(self, code, *arguments):
        """What is said on standard error, one time for each way to lose the output."""
        said = []
        for options, reason in self.ways():
            for form in ((), ("--json",)):
                done = subprocess.run([TOOL, *arguments, *form], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                      timeout=60, check=False, **options)
                said.append(done.stderr.decode())
                self.assertEqual(done.returncode, code, said[-1])
                self.assertEqual(said[-1].count(reason), 1, said[-1])
            if options["stdout"] is not None:
                os.close(options["stdout"])
        return said

    def test_a_case_that_was_made(self):
        server = self.server(POST=(201, JSON, '{"id": 4711}'), GET=(200, JSON, '{"key": "K"}'), PUT=(200, JSON, "{}"))
        path = self.connector(server.url)
        for arguments in (("push",), ("create",), ("push", "--external-id", "4711"), ("update", "4711")):
            for said in self.tell(11, *arguments, "--connector", path, "--title", "t"):
                self.assertIn("id 4711", said)
                if arguments[0] == "push":
                    self.assertIn(f", {server.url}/cases/4711\n", said)
                self.assertIn("Do not create it again", said)

    def test_a_case_that_was_made_in_part(self):
        path = self.connector(self.server(POST=(201, JSON, '{"id": 4711}'), GET=(500, JSON, '{"e": "broken"}')).url)
        for said in self.tell(11, "push", "--connector", path, "--title", "t"):
            self.assertIn("id 4711", said)
            self.assertIn("broken", said)
            self.assertLess(said.index("id 4711"), said.index("the id above"))

    def test_nothing_was_made(self):
        path = self.connector(self.server(POST=(422, JSON, '{"e": "refused"}'), GET=(200, JSON, '{"key": "K"}')).url)
        for said in self.tell(8, "push", "--connector", path, "--title", "t"):
            self.assertIn("refused", said)
            self.assertNotIn("again", said)
        for arguments in (("get", "1", "--connector", path), ("preview", "--connector", path, "--title", "t"),
                          ("check", "--connector", path)):
            for said in self.tell(1, *arguments):
                self.assertEqual(len(said.splitlines()), 1)
        for option in ("--help", "--version"):
            for options, reason in self.ways():
                done = subprocess.run([TOOL, option], stderr=subprocess.PIPE, timeout=60, check=False, **options)
                self.assertEqual(done.returncode, 1)
                self.assertIn(reason, done.stderr.decode())
                if options["stdout"] is not None:
                    os.close(options["stdout"])


class Terminal(Tool):
    EVIL = '\x1b]0;owned\x07\x9b31m\u202e\x7f'

    def terminal(self, *arguments):
        """What the tool writes to a terminal."""
        try:
            master, slave = pty.openpty()
        except OSError as reason:
            self.skipTest(f"no terminal can be opened here: {reason}")
        process = subprocess.Popen([TOOL, *arguments], stdin=slave, stdout=slave, stderr=slave)
        os.close(slave)
        output = b""
        while True:
            try:
                piece = os.read(master, 65536)
            except OSError:  # the other side is closed
                break
            if not piece:
                break
            output += piece
        os.close(master)
        process.wait(30)
        # the tool's own line of progress is no text from outside
        return self.clean(re.sub("\r\x1b\\[K(\\d[^{\r\n]*)?", "", output.decode().replace("\r\n", "\n")))

    def pipe(self, *arguments):
        done = subprocess.run([TOOL, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=60)
        return self.clean(done.stdout.decode())

    def clean(self, text):
        self.assertNotRegex(text, "[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]")
        return text

    def serve(self):
        case = json.dumps({"id": "i" + self.EVIL, "key": "t" + self.EVIL, "status": "s" + self.EVIL})
        server = self.server(GET=(200, JSON, case), POST=(201, JSON, case),
                             PUT=(500, JSON, json.dumps({"error": self.EVIL})))
        return self.connector(server.url)

    def look(self, said):
        path = self.serve()
        text = said("push", "--connector", path, "--title", "t", "--verbose")
        self.assertIn("title     t\\u001b]0;owned\\u0007\\u009b31m\\u202e\\u007f\n", text)
        self.assertIn("\\u001b", said("preview", "create", "--connector", path, "--title", self.EVIL))
        said("update", "1", "--connector", path, "--title", "t")
        said("push" + self.EVIL, "--connector", path)
        said("check", "--connector", path + self.EVIL)

    def test_controls_are_escaped(self):
        self.look(self.pipe)

    def test_controls_are_escaped_on_a_terminal(self):
        self.look(self.terminal)

    def test_json_on_a_terminal(self):
        shown = self.terminal("get", "1", "--connector", self.serve(), "--json")
        self.assertEqual(json.loads(shown)["title"], "t" + self.EVIL)
        shown = self.terminal("push", "--connector", self.serve(), "--batch", self.file("cases", '{"title": "t"}\n'))
        self.assertEqual(json.loads(shown.splitlines()[0])["result"]["title"], "t" + self.EVIL)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
