"""The gallery's document for Redmine, against a real one: test_gallery.py TOOL DOCUMENT"""
import base64
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
TOOL, DOCUMENT = sys.argv[1:3]
HOSTILE = 'He said "no" \\ C:\\new {{case.title}} </script> \U0001f469\u200d\U0001f692 '


class Gallery(unittest.TestCase):
    def setUp(self):
        key = self.ask("/users/current.json")["user"]["api_key"]
        self.path = os.path.join(STATE, "connector.json")
        with open(DOCUMENT, encoding="utf-8") as file:
            text = file.read()
        for word, value in (("https://redmine.example.com", URL), ("YOUR-PROJECT", "cases"), ("YOUR-API-KEY", key)):
            self.assertIn(word, text)
            text = text.replace(word, value)
        with open(self.path, "w", encoding="utf-8") as file:
            file.write(text)

    def ask(self, path):
        login = base64.b64encode(b"casehook:case:hook-2026").decode()
        request = urllib.request.Request(URL + path, headers={"Authorization": f"Basic {login}"})
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=60) as answer:
            return json.load(answer)

    def push(self, external=None, comments=(), **case):
        incident = {**case, **({"externalId": external} if external else {})}
        given = {"incident": incident, "comments": [{"commentId": str(i), "comment": text} for i, text in enumerate(comments)]}
        done = subprocess.run([TOOL, "push", "--connector", self.path, "--case", "-", "--json"], input=json.dumps(given), capture_output=True,
                              text=True, encoding="utf-8", timeout=120)
        result = json.loads(done.stdout)
        self.assertTrue(result["ok"], result["error"])
        return result

    def issue(self, result):
        issue = self.ask(f"/issues/{result['id']}.json?include=journals")["issue"]
        notes = [each["notes"] for each in issue["journals"] if each["notes"]]
        return issue["subject"], issue["priority"]["id"], issue["status"]["id"], notes

    def test_a_life(self):
        made = self.push(title="Disk full", description="line 1\nline 2", severity="high", id="life", comments=["first"])
        self.assertEqual((made["found"], self.issue(made)), (False, ("Disk full", 3, 1, ["first"])))
        again = self.push(title="Disk fuller", severity="low", id="life", comments=["second"])
        self.assertEqual((again["id"], again["found"], self.issue(again)), (made["id"], True, ("Disk fuller", 1, 1, ["first", "second"])))
        text = self.ask(f"/issues/{made['id']}.json")["issue"]["description"].replace("\r\n", "\n")
        self.assertTrue(text.startswith("line 1\nline 2\n\nReference: "), text)

        self.push(title="Disk fuller", status="closed", id="life")
        self.assertEqual(self.issue(made)[2], 5)
        other = self.push(title="Once more", id="life")
        self.assertFalse(other["found"])
        self.assertNotEqual(other["id"], made["id"])
        self.push(external=made["id"], title="Disk fuller", status="open")
        self.assertEqual(self.issue(made)[2], 1)

    def test_hostile_text(self):
        made = self.push(title=HOSTILE + "x" * 300, description=HOSTILE, severity="enormous", id="a & b=% *", comments=[HOSTILE])
        subject, priority, _, notes = self.issue(made)
        self.assertEqual((subject[:len(HOSTILE)], len(subject), subject[-1], priority), (HOSTILE, 255, "\u2026", 2))
        self.assertEqual([note.strip() for note in notes], [HOSTILE.strip()])
        self.assertEqual(self.push(title="t", id="a & b=% *")["id"], made["id"])

    def test_without_an_id(self):
        first, second = (self.push(title="no id") for _ in range(2))
        self.assertNotEqual(first["id"], second["id"])


if __name__ == "__main__":
    STATE = tempfile.mkdtemp()
    try:
        up = subprocess.run(["sh", os.path.join(HERE, "up.sh"), STATE], stdout=subprocess.PIPE, text=True, check=False)
        if up.returncode == 77:
            print("SKIP: Redmine is not installed; sh tests/redmine/install.sh installs it")
        if up.returncode:
            sys.exit(up.returncode)
        URL = dict(line.split("=", 1) for line in up.stdout.splitlines())["BASE_URL"]
        code = not unittest.main(argv=sys.argv[:1], exit=False).result.wasSuccessful()
    finally:
        subprocess.run(["sh", os.path.join(HERE, "down.sh"), STATE], check=False)
        shutil.rmtree(STATE, ignore_errors=True)
    sys.exit(code)
