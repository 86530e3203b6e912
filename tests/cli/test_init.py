"""Documents made by casehook init: test_init.py TOOL TRACKER CONNECTOR"""
import json
import re
import shlex
import subprocess
import sys
import unittest

from server import PASSWORD, USER, Tracker
from test_cli import TOOL, TRACKER, Tool

NAMES = re.findall(r"(?m)^([a-z-]+) ", subprocess.run([TOOL, "init"], capture_output=True, text=True, check=True).stdout)
BODY = '{"title": "Disk full", "description": "sda1 is at 99 %", "severity": "high"}'


class Init(Tool):
    def init(self, *arguments, code=0, stdin=b""):
        out, error = self.plain(code, "init", *arguments, stdin=stdin)
        return (json.loads(out) if out else None), error

    def plain(self, code, *arguments, stdin=b""):
        """Without a look for secrets in the output, which holds them on purpose; not in what is said about it."""
        done = subprocess.run([TOOL, *arguments], input=stdin, capture_output=True, timeout=60)
        self.assertEqual(done.returncode, code, done.stderr.decode())
        self.assertNotIn(PASSWORD, done.stderr.decode())
        return done.stdout.decode(), done.stderr.decode()

    def curl(self, command, *more, code=0):
        return self.init("--from-curl", command, *more, code=code)


class FromCurl(Init):
    def test_from_a_command_to_a_case(self):
        tracker = Tracker(TRACKER)
        self.addCleanup(tracker.close)
        command = f"curl -sS -u {USER}:{PASSWORD} -H 'Content-Type: application/json' -d {shlex.quote(BODY)} {tracker.url}/api/cases"
        document, error = self.curl(command)
        self.assertEqual(document["secrets"], {"user": USER, "password": PASSWORD})
        self.assertIn('severity stays "high"', error)
        connector = self.file("made.json", document)
        made = self.json(0, "create", "--connector", connector, "--title", 'a "new" one', "--description", "d\n\\")
        self.assertEqual(made["title"], 'a "new" one')
        self.json(0, "update", made["id"], "--connector", connector, "--title", "changed", "--description", "e")
        case = tracker.ask("/api/cases/" + made["id"])
        self.assertEqual((case["title"], case["description"], case["severity"]), ("changed", "e", "high"))

    def test_secrets_of_the_query(self):
        body = shlex.quote(BODY)
        document, error = self.curl(f"curl 'https://t.example/c.json?a=1&key={PASSWORD}%26%2B+x&b=2#top' -d {body}")
        self.assertEqual(document["secrets"]["secretQuery"], {"key": PASSWORD + "&+ x"})
        self.assertEqual(document["config"]["createIncidentUrl"], "https://t.example/c.json?a=1&b=2#top")
        self.assertEqual(document["config"]["getIncidentUrl"], "https://t.example/c/{{{external.system.id}}}.json?a=1&b=2#top")
        self.assertIn("secretQuery", error)
        for query, kept, taken in (("?api_key=k1", "", {"api_key": "k1"}), ("?projectKey=OPS&author=me&keyword=x", "?projectKey=OPS&author=me&keyword=x", None),
                                   ("?a&access_token=t&", "?a", {"access_token": "t"}), ("?key=", "?key=", None), ("?key", "?key", None), ("#?key=k", "#?key=k", None),
                                   ("?%6bey=%zz%4", "", {"key": "%zz%4"})):
            with self.subTest(query):
                document, _ = self.curl(f"curl 'https://t.example/c{query}' -d {body}")
                self.assertEqual(document["config"]["createIncidentUrl"], "https://t.example/c" + kept)
                self.assertEqual(document["secrets"].get("secretQuery"), taken)
        document, error = self.curl(f"curl https://{USER}:{PASSWORD}@t.example/c -d {body}", code=3)
        self.assertIn("-u USER:PASSWORD", error)

    def test_comments(self):
        document, _ = self.curl("# a case\ncurl https://t.example/c#top \\\n -d '{\"title\": \"#1\"}' # 'done", "--title", "#1")
        self.assertEqual(document["config"]["createIncidentJson"], '{"title": {{{case.title}}}}')
        self.assertEqual(document["config"]["createIncidentUrl"], "https://t.example/c#top")

    def test_sample_texts(self):
        body = '{"fields": {"name": "x Disk full y", "severity": "high", "more": ["sda1 is at 99 %. Disk full"], "ref": "A-1"}}'
        document, error = self.curl(f"curl https://t.example/c -d '{body}'", "--title", "Disk full", "--description", "sda1 is at 99 %. Disk full",
                                    "--severity", "high", "--id", "A-1")
        self.assertEqual(document["config"]["createIncidentJson"],
                         '{"fields": {"name": "x {{{case.title}}} y", "severity": {{{case.severity}}}, "more": [{{{case.description}}}], "ref": {{{case.id}}}}}')
        self.assertEqual(document["config"]["getIncidentResponseExternalTitleKey"], "fields.name")
        self.assertIn("fields.ref is {{{case.id}}}", error)
        self.assertIn("not found in the body: nowhere", self.curl(f"curl https://t.example/c -d '{body}'", "--description", "nowhere",
                                                                  "--title", "Disk full", code=None)[1])

    def curl(self, command, *more, code=0):
        if code is not None:
            return super().curl(command, *more, code=code)
        done = subprocess.run([TOOL, "init", "--from-curl", command, *more], capture_output=True, text=True, timeout=60)
        return done.stdout, done.stderr

    def test_the_words_of_a_shell(self):
        want = {"title": "it's", "description": "a\tb\\"}
        text = json.dumps(want)
        for word in (shlex.quote(text), '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"',
                     "$'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'", re.sub(r"(\W)", r"\\\1", text)):
            with self.subTest(word):
                document, _ = self.curl(f"curl \\\n  -X POST \\\r\n --data-raw {word} 'https://t.example/c' -o /dev/null", "--title", want["title"],
                                        "--description", want["description"])
                self.assertEqual(document["config"]["createIncidentJson"], '{"title": {{{case.title}}}, "description": {{{case.description}}}}')

    def test_options_of_curl(self):
        data = f"-d '{BODY}'"
        for words, config, secrets in (
            ("-H 'Authorization: Bearer abcd' -H 'X-Team: ops' -H 'Accept: application/json' -A me",
             {"hasAuth": False, "headers": {"X-Team": "ops", "User-Agent": "me"}}, {"secretHeaders": {"Authorization": "Bearer abcd"}}),
            ("--oauth2-bearer abcd", {"hasAuth": False}, {"secretHeaders": {"Authorization": "Bearer abcd"}}),
            ("-H 'Content-Type: application/json; charset=utf-8'", {"hasAuth": False}, {}),
            ("-H 'Content-Type: application/vnd.x+json'", {"headers": {"Content-Type": "application/vnd.x+json"}}, {}),
            ("-sSLfu :TOKEN", {"hasAuth": True, "authType": "basic"}, {"user": "", "password": "TOKEN"}),
            ("-k -X PUT", {"verificationMode": "none", "createIncidentMethod": "PUT"}, {}),
            ("-XPATCH", {"createIncidentMethod": "PATCH"}, {}),
        ):
            with self.subTest(words):
                document, _ = self.curl(f"curl {words} {data} https://t.example/api/v1/things.json?a=1")
                self.assertEqual(document["config"], {**document["config"], **config})
                self.assertEqual(document["secrets"], secrets)
                self.assertEqual(document["config"]["updateIncidentUrl"], "https://t.example/api/v1/things/{{{external.system.id}}}.json?a=1")

    def test_shapes_of_bodies(self):
        for body, create, update, key, title in (
            ({"ticket": {"subject": "s", "comment": {"body": "b"}, "priority": "high"}},
             '{"ticket": {"subject": {{{case.title}}}, "comment": {"body": {{{case.description}}}}, "priority": "high"}}',
             '{"ticket": {"subject": {{{case.title}}}{{#case.description}}, "comment": {"body": {{{case.description}}}}{{/case.description}}}}',
             "ticket.id", "ticket.subject"),
            ({"fields": {"project": {"name": "P"}, "summary": "s", "description": {"type": "doc", "content": [{"content": [{"type": "text", "text": "t"}]}]}}},
             '{"fields": {"project": {"name": "P"}, "summary": {{{case.title}}}, "description": {"type": "doc", "content": [{"content": '
             '[{"type": "text", "text": {{{case.description}}}}]}]}}}',
             '{"fields": {"summary": {{{case.title}}}{{#case.description}}, "description": {"type": "doc", "content": [{"content": '
             '[{"type": "text", "text": {{{case.description}}}}]}]}{{/case.description}}}}', "id", "fields.summary"),
            ({"data": {"name": "s", "notes": "n", "projects": ["1"]}},
             '{"data": {"name": {{{case.title}}}, "notes": {{{case.description}}}, "projects": ["1"]}}',
             '{"data": {"name": {{{case.title}}}{{#case.description}}, "notes": {{{case.description}}}{{/case.description}}}}', "data.id", "data.name"),
            ({"notes": "n", "more": [1], "title": "t"}, '{"notes": {{{case.description}}}, "more": [1], "title": {{{case.title}}}}',
             '{"title": {{{case.title}}}{{#case.description}}, "notes": {{{case.description}}}{{/case.description}}}', "id", "title"),
            ({"notes": "n"}, '{"notes": {{{case.description}}}}', '{"notes": {{{case.description}}}}', "id", "title"),
        ):
            with self.subTest(body):
                config = self.curl(f"curl https://t.example/c -d {shlex.quote(json.dumps(body))}")[0]["config"]
                self.assertEqual((config["createIncidentJson"], config["updateIncidentJson"]), (create, update))
                self.assertEqual((config["createIncidentResponseKey"], config["getIncidentResponseExternalTitleKey"]), (key, title))

    def test_an_update_leaves_alone_what_it_is_not_given(self):
        body = '{"d": "D", "e": "more: D", "s": "S", "in": {"s": "S", "t": "T"}, "text": "T, D"}'
        document, _ = self.curl(f"curl https://t.example/c -d '{body}'", "--title", "T", "--description", "D", "--severity", "S")
        connector = self.file("made.json", document)
        for options, wanted in (([], {"in": {"t": "t"}, "text": "t, "}), (["--severity", "s"], {"in": {"t": "t", "s": "s"}, "text": "t, ", "s": "s"}),
                                (["--description", "d"], {"in": {"t": "t"}, "text": "t, d", "d": "d", "e": "more: d"})):
            sent = self.json(0, "preview", "update", "7", "--connector", connector, "--title", "t", *options)["requests"][0]["body"]
            self.assertEqual(json.loads(sent), wanted)

    def test_what_is_set_is_no_guess(self):
        fields = ("createIncidentResponseKey", "getIncidentResponseExternalTitleKey", "viewIncidentUrl", "getIncidentUrl", "updateIncidentUrl")
        error = self.curl(f"curl https://t.example/c -d '{BODY}'")[1]
        for field in fields:
            self.assertIn(field, error)
        sets = ["createIncidentResponseKey=a.b", "config.getIncidentResponseExternalTitleKey=c", "viewIncidentUrl:=\"https://t.example/{{external.system.id}}\"",
                "getIncidentUrl=https://t.example/{{external.system.id}}", "updateIncidentUrl=https://t.example/{{external.system.id}}"]
        document, error = self.curl(f"curl https://t.example/c -d '{BODY}'", *(word for each in sets for word in ("--set", each)))
        self.assertEqual(document["config"]["createIncidentResponseKey"], "a.b")
        for field in fields:
            self.assertNotIn(field, error)

    def test_what_cannot_be(self):
        for command, word in (
            ("", "no URL"), ("curl", "no URL"), ("curl https://t.example/c", "sends nothing"), ("curl https://t.example -d 'x", "quote"),
            ("curl https://t.example -d x", "not JSON"), ("curl https://t.example -d @file", '"file"'), ("curl https://t.example -F a=b", "--form"),
            ("curl https://t.example --data-urlencode a=b", "--data-urlencode"), ("curl https://t.example --frob", "--frob"),
            ("curl https://t.example -Q x", "-Q"), ("curl https://t.example -d", "-d"), ("curl https://t.example -d {} b", "second URL"),
            ("curl https://t.example -d '{}' --cacert /nonexistent", "/nonexistent"),
            ("curl https://t.example -d '{}' -H @headers.txt", '"headers.txt"'), ("curl https://t.example -d '{}' | jq .", '"|"'),
            ("curl https://t.example -d '{}' > /tmp/out", '">"'), ("curl https://t.example # -d '{}'", "sends nothing"),
        ):
            with self.subTest(command):
                document, error = self.curl(command, code=3)
                self.assertIn(word, error)
                self.assertIsNone(document)

    @unittest.skipUnless(NAMES, "the gallery is empty")
    def test_a_known_tracker(self):
        self.assertIn("--tracker jira-cloud", self.curl(
            """curl https://acme.atlassian.net/rest/api/3/issue -d '{"fields": {"summary": "s", "description": "d"}}'""")[1])
        self.assertIn("--tracker github", self.curl("""curl https://api.github.com/repos/a/b/issues -d '{"title": "s", "body": "d"}'""")[1])
        self.assertNotIn("--tracker", self.curl("""curl https://t.example/c -d '{"title": "s", "body": "d"}'""")[1])

    def test_standard_input(self):
        document, _ = self.init("--from-curl", "-", stdin=f"curl https://t.example/c -d '{BODY}'\n".encode())
        self.assertEqual(document["config"]["createIncidentUrl"], "https://t.example/c")


class FromOptions(Init):
    def test_four_steps(self):
        tracker = Tracker(TRACKER)
        self.addCleanup(tracker.close)
        url = tracker.url + "/api/cases"
        document, _ = self.init("--url", url, "--set", "hasAuth:=true", "--set", "authType=basic", "--set", "secrets.user=" + USER,
                                "--set", "secrets.password=" + PASSWORD, "--set", "getIncidentResponseExternalTitleKey=key",
                                "--set", "createCommentUrl=" + url + "/{{external.system.id}}/comments", "--set", "createCommentMethod=post",
                                "--set", 'createCommentJson={"text": {{case.comment}}}')
        connector = self.file("made.json", document)
        made = self.json(0, "push", "--connector", connector, "--title", "t", "--description", "d", "--comment", "c")
        self.assertEqual((made["title"], [each["state"] for each in made["comments"]]), ("CASE-1", ["sent"]))

    def test_wrong(self):
        for arguments, code, word in ((("--set", "x"), 3, "NAME=TEXT"), (("--set", "=x"), 3, "NAME=TEXT"), (("--set", "headers:={"), 3, "JSON"),
                                      (("--set", "headers.X.Y.Z=x"), 3, "headers"),
                                      (("--set", "createIncidentUrl.a.b=x"), 3, "--set"), (("--set", "hasAuth.a.b.c:={}"), 3, "--set"),
                                      (("--set", "nonsense=x"), 3, "nonsense"),
                                      (("--ca", "/nonexistent"), 3, "/nonexistent"), (("--tracker", "github"), 2, "exclude")):
            with self.subTest(arguments):
                self.assertIn(word, self.plain(code, "init", "--url", "https://t.example/c", *arguments)[1])
        self.assertIn("--connector", self.plain(2, "init", "--connector", "x")[1])


@unittest.skipUnless(NAMES, "the gallery is empty")
class FromGallery(Init):
    def test_all_of_them(self):
        self.assertGreaterEqual(len(NAMES), 20)
        for name in NAMES:
            with self.subTest(name):
                document, error = self.init("--tracker", name)
                for word in re.findall(r"YOUR-[A-Z-]*[A-Z]", json.dumps(document)):
                    self.assertIn(word, error)

    def test_filled_in(self):
        words = {"your-domain.atlassian.net": "acme.atlassian.net", "YOUR-PROJECT-KEY": 'O"PS\\', "YOUR-EMAIL": USER, "YOUR-API-TOKEN": PASSWORD}
        document, error = self.init("--tracker", "jira-cloud", *(part for item in words.items() for part in ("--set", "=".join(item))))
        text = json.dumps(document)
        for word in words:
            self.assertNotIn(word, text + error)
        self.assertEqual(document["secrets"]["password"], PASSWORD)
        connector = self.file("jira.json", document)
        create = self.json(0, "preview", "create", "--connector", connector, "--title", "t")["requests"][0]
        self.assertEqual(json.loads(create["body"])["fields"]["project"]["key"], 'O"PS\\')
        self.assertEqual(create["url"], "https://acme.atlassian.net/rest/api/3/issue")

    def test_in_a_path(self):
        document, _ = self.init("--tracker", "GitHub", "--set", "YOUR-OWNER=a b/ü", "--set", "YOUR-REPOSITORY=r")
        self.assertIn("/repos/a%20b/%C3%BC/r/issues", document["config"]["createIncidentUrl"])

    def test_unknown(self):
        self.assertIn("casehook init lists them", self.init("--tracker", "nonsense", code=3)[1])


class Exported(Tool):
    """Connectors as Kibana hands them out."""

    def setUp(self):
        super().setUp()
        url = "https://t.example/c"
        body = '{"title": {{{case.title}}}, "description": {{{case.description}}}}'
        self.config = {"createIncidentUrl": url, "createIncidentMethod": "post", "createIncidentJson": body, "createIncidentResponseKey": "id",
                       "getIncidentUrl": url + "/{{{external.system.id}}}", "getIncidentResponseExternalTitleKey": "title",
                       "viewIncidentUrl": url + "/{{{external.system.id}}}", "updateIncidentUrl": url + "/{{{external.system.id}}}",
                       "updateIncidentMethod": "put", "updateIncidentJson": body, "createCommentUrl": None, "createCommentJson": None,
                       "headers": None, "hasAuth": True, "authType": "webhook-authentication-basic"}

    def forms(self, kind=".cases-webhook"):
        yield {"attributes": {"actionTypeId": kind, "name": "N", "isMissingSecrets": True, "config": self.config, "secrets": {}},
               "id": "a", "type": "action", "references": [], "managed": False, "version": "W"}
        yield {"id": "a", "name": "N", "connector_type_id": kind, "config": self.config, "is_missing_secrets": False, "is_preconfigured": False,
               "referenced_by_count": 0}

    def test_what_is_missing(self):
        for form in self.forms():
            result = self.json(3, "check", "--connector", self.file("export.json", form))
            self.assertEqual([error["field"] for error in result["errors"]], ["secrets.user", "secrets.password"])
            for error in result["errors"]:
                self.assertIn("an export of Kibana never holds secrets", error["message"])

    def test_with_secrets(self):
        secrets = {"user": USER, "password": PASSWORD}
        for form in self.forms():
            self.json(0, "check", "--connector", self.file("export.json", form), "--secrets", self.file("secrets.json", secrets))
            self.json(0, "check", "--connector", self.file("export.json", {**form, "secrets": secrets}))

    def test_other_faults_are_those_of_a_document(self):
        self.config["createIncidentUrl"] = "ftp://t.example"
        for form in self.forms():
            result = self.json(3, "check", "--connector", self.file("export.json", form))
            self.assertEqual(result["errors"][0]["field"], "config.createIncidentUrl")

    def test_another_kind(self):
        for form in self.forms(".jira"):
            result = self.json(3, "check", "--connector", self.file("export.json", {**form, "secrets": {"user": "u", "password": "p"}}))
            self.assertEqual(len(result["errors"]), 1)
            self.assertIn('".jira"', result["errors"][0]["message"])

    def test_no_export(self):
        for document, field in (({"attributes": []}, "document.attributes"), ({"attributes": {"config": 3}}, "config"), ({"actionTypeId": 3}, "document.actionTypeId")):
            result = self.json(3, "check", "--connector", self.file("export.json", document))
            self.assertEqual(result["errors"][0]["field"], field)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[4:])
