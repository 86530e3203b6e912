"""The gallery against mocks that validate each request: test_prism.py TOOL FOLDER-OF-NODE

Prism plays each tracker that has a description; graphql-js plays Linear.  A request that does not fit gets a 4xx with the reason.
A description that does not compile would let everything pass, so for each operation a wrong request must be refused.
"""
import base64
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import unittest
import urllib.error
import urllib.request

import gallery

TOOL, NODE = sys.argv.pop(1), sys.argv.pop(1)
DESCRIPTIONS = os.path.join(gallery.HERE, "descriptions")

# The document, its description, and what stands in front of the description's paths.
TRACKERS = {
    "clickup": ("clickup-tasks", "https://api.clickup.com"),
    "freshservice": ("freshservice-tickets", "https://your-domain.freshservice.com"),
    "gitea": ("gitea-issues", "https://gitea.example.com/api/v1"),
    "github": ("github-issues", "https://api.github.com"),
    "jira-cloud": ("jira-cloud-v3", "https://your-domain.atlassian.net"),
    "jira-data-center": ("jira-dc-v2", "https://jira.example.com/rest"),
    "mattermost": ("mattermost-posts", "https://mattermost.example.com"),
    "notion": ("notion-pages", "https://api.notion.com"),
    "redmine": ("redmine", "https://redmine.example.com"),
    "request-tracker": ("request-tracker-rest2", "https://rt.example.com"),
    "servicenow": ("servicenow-table", "https://your-instance.service-now.com"),
    "thehive": ("thehive5", "https://thehive.example.com"),
    "youtrack": ("youtrack-issues", "https://your-domain.youtrack.cloud"),
    "zammad": ("zammad-tickets", "https://zammad.example.com"),
    "zendesk": ("zendesk-tickets", "https://your-domain.zendesk.com"),
}


class Mock:
    """A program that prints where it listens."""

    def __init__(self, command, ready, environment=None):
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, encoding="utf-8",
                                        env={**os.environ, "NO_COLOR": "1", **(environment or {})})
        said = []
        for line in self.process.stdout:
            said.append(line)
            found = re.search(ready, line)
            if found:
                self.url = found.group(1)
                return
        self.close()
        raise AssertionError("the mock did not start: " + "".join(said)[-2000:])

    def close(self):
        self.process.kill()
        self.process.communicate()


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def prism(description, folder):
    with open(os.path.join(DESCRIPTIONS, description + ".json"), encoding="utf-8") as file:
        document = json.load(file)
    with open(os.path.join(DESCRIPTIONS, "found.json"), encoding="utf-8") as file:
        for path, operations in json.load(file)[description].items():
            document["paths"].setdefault(path, {}).update(operations)
    name = os.path.join(folder, description + ".json")
    with open(name, "w", encoding="utf-8") as file:
        json.dump(document, file)
    while True:
        try:
            return Mock([os.path.join(NODE, "node_modules", ".bin", "prism"), "mock", "-h", "127.0.0.1", "-p", str(free_port()), "--errors", name],
                        r"Prism is listening on (http://[0-9.:]+)")
        except AssertionError as error:
            if "EADDRINUSE" not in str(error):  # the port was taken before Prism had it
                raise


def at(document, origin, url):
    """The document for the mock; the link to the case stays."""
    document = json.loads(json.dumps(document).replace("YOUR-DATA-SOURCE-ID", "0d9e4f1c-6a9b-4b6e-8f5a-2f1f3c1d7e55"))
    config = {name: value.replace(origin, url, 1) if name.endswith("Url") and name != "viewIncidentUrl" else value
              for name, value in document["config"].items()}
    return {**document, "config": config}


def without_find(document):
    config = {name: value for name, value in document["config"].items()
              if not name.startswith("findIncident") and name not in ("closedStatuses", "whenClosed", "reopenWithin")}
    return {**document, "config": config}


def ask(request, body, headers):
    """The status of an answer."""
    message = urllib.request.Request(request["url"], data=None if body is None else body.encode(), method=request["method"], headers=headers)
    try:
        with urllib.request.urlopen(message, timeout=30) as answer:
            text = answer.read()
            return 400 if b'"errors"' in text else answer.status  # GraphQL says no with 200
    except urllib.error.HTTPError as error:
        return error.code


def authorization(document):
    secrets = document["secrets"]
    if "user" in secrets:
        return {"Authorization": "Basic " + base64.b64encode(f"{secrets['user']}:{secrets['password']}".encode()).decode()}
    return dict(secrets["secretHeaders"])


def spoilt(body):
    """Each member of another type; variables of a query too, which its types refuse."""
    sent = json.loads(body)
    if "query" in sent and "variables" in sent:
        return json.dumps({**sent, "variables": {name: [4711.5] for name in sent["variables"]}})
    return json.dumps({name: 4711.5 for name in sent})


class Tracker(unittest.TestCase):
    maxDiff = None

    def start(self, name):
        if name == "linear":
            return Mock(["node", os.path.join(gallery.HERE, "linear.js"), os.path.join(DESCRIPTIONS, "linear.graphql")],
                        r"listening on (http://[0-9.:]+)", {"NODE_PATH": os.path.join(NODE, "node_modules")}), "https://api.linear.app"
        description, origin = TRACKERS[name]
        return prism(description, self.folder), origin

    def file(self, name, document):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as file:
            json.dump(document, file)
        return path

    def run_tool(self, *arguments, case, words=()):
        result, code = gallery.run(TOOL, *arguments, "--settings", self.settings, case=case, words=words)
        self.assertTrue(result["ok"], f"{arguments}: {code}, {json.dumps(result['error'])}")
        return result

    def steps(self, result):
        return [request["step"] for request in result["requests"]]

    def all_operations(self, document):
        plain, with_find = self.file("plain.json", without_find(document)), self.file("find.json", document)
        config = document["config"]
        for word, case in gallery.CASES.items():
            with self.subTest(word):
                sent = len(case["comments"]) if "createCommentUrl" in config else 0
                made = self.run_tool("push", "--connector", plain, case=gallery.params(case))
                self.assertEqual(self.steps(made)[0], "create")
                self.assertEqual(self.steps(made)[len(self.steps(made)) - sent:], ["comment"] * sent)
                closed = {**case, "case": {**case["case"], "status": "closed"}}
                known = self.run_tool("push", "--connector", plain, case=gallery.params(closed, made["id"]))
                self.assertEqual(self.steps(known)[0], "update")
                self.assertEqual("transition" in self.steps(known), "transitionIncidentUrl" in config)
                opened = self.run_tool("push", "--connector", plain, case=gallery.params(case, made["id"]))
                self.assertEqual(self.steps(opened)[0], "update")
                if "findIncidentUrl" in config:
                    again = self.run_tool("push", "--connector", with_find, case=gallery.params(case))
                    self.assertEqual((again["found"], self.steps(again)[:2]), (True, ["find", "update"]))
                if "getIncidentUrl" in config:
                    self.run_tool("--connector", plain, case=None, words=("get", made["id"]))
        return plain, with_find

    def refused(self, document, found):
        """A wrong request for each operation, beside the right one."""
        secret = authorization(document)
        closed = gallery.params(gallery.CLOSED, "7")
        closed["comments"] = gallery.CASES["plain"]["comments"]
        shown = gallery.run(TOOL, "preview", "push", "--connector", found, case=gallery.params(gallery.CASES["plain"]))[0]["requests"]
        shown += gallery.run(TOOL, "preview", "push", "--connector", found, case=closed)[0]["requests"]
        tried = set()
        for request in shown:
            if request["step"] in tried:
                continue
            tried.add(request["step"])
            headers = {name: value for name, value in request["headers"].items() if name != "Authorization"}
            url = dict(request, url=request["url"].replace("EXTERNAL-ID", "7"))
            with self.subTest(request["step"]):
                self.assertLess(ask(url, request["body"], {**headers, **secret}), 300)
                if request["body"] is not None:
                    self.assertGreaterEqual(ask(url, spoilt(request["body"]), {**headers, **secret}), 400)
                elif request["step"] == "find":
                    self.assertGreaterEqual(ask(dict(url, url=url["url"].split("?")[0]), None, {**headers, **secret}), 400)
                self.assertGreaterEqual(ask(url, request["body"], {name: value for name, value in headers.items() if name not in secret}), 400)
        self.assertLessEqual({"create", "update"}, tried)


def test_of(name):
    def test(self):
        with tempfile.TemporaryDirectory() as self.folder:
            mock, origin = self.start(name)
            try:
                document = at(gallery.load(name), origin, mock.url)
                if "findIncidentUrl" in document["config"]:
                    document["config"]["findIncident"] = "always"
                self.settings = self.file("settings.json", {"reuseConnections": "never"})
                _, found = self.all_operations(document)
                self.refused(document, found)
            finally:
                mock.close()
    return test


for each in [*TRACKERS, "linear"]:
    setattr(Tracker, "test_" + each.replace("-", "_"), test_of(each))

if __name__ == "__main__":
    status = subprocess.run(["sh", os.path.join(gallery.HERE, "node.sh"), NODE], check=False).returncode
    if status:
        sys.exit(status)
    unittest.main()
