"""The gallery's document for Request Tracker, against a real one: test_rt.py TOOL DOCUMENT"""
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
HOSTILE = 'He said "no" \\ C:\\new\r\n{{case.title}} </script> \U0001f469\u200d\U0001f692 '


class RequestTracker(unittest.TestCase):
    def setUp(self):
        self.path = os.path.join(STATE, "connector.json")
        with open(DOCUMENT, encoding="utf-8") as file:
            text = file.read()
        for word, value in (("https://rt.example.com", URL), ("YOUR-QUEUE", "General"), ("YOUR-REFERENCE-FIELD", "Reference"), ("YOUR-TOKEN", TOKEN)):
            self.assertIn(word, text)
            text = text.replace(word, value)
        with open(self.path, "w", encoding="utf-8") as file:
            file.write(text)

    def push(self, external=None, comments=(), **case):
        incident = {**case, **({"externalId": external} if external else {})}
        given = {"incident": incident, "comments": [{"commentId": str(i), "comment": text} for i, text in enumerate(comments)]}
        done = subprocess.run([TOOL, "push", "--connector", self.path, "--case", "-", "--json"], input=json.dumps(given), capture_output=True,
                              text=True, encoding="utf-8", timeout=120)
        self.assertNotIn(TOKEN, done.stdout + done.stderr)
        result = json.loads(done.stdout)
        self.assertTrue(result["ok"], result["error"])
        return result

    def ask(self, path):
        request = urllib.request.Request(f"{URL}/REST/2.0/{path}", headers={"Authorization": f"token {TOKEN}"})
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=60) as answer:
            return json.load(answer)

    def texts(self, ticket):
        """What its attachments say, in the order of their making."""
        found = self.ask(f"ticket/{ticket}/attachments?fields=Content,ContentType&per_page=100")["items"]
        return [each["Content"] for each in found if each["ContentType"] == "text/plain"]

    def test_a_life(self):
        made = self.push(title="Disk full", description="line 1\nline 2", severity="high", id="life", comments=["first"])
        self.assertFalse(made["found"])
        ticket = self.ask("ticket/" + made["id"])
        self.assertEqual((ticket["Subject"], ticket["Priority"], ticket["Status"]), ("Disk full", "60", "new"))
        again = self.push(title="Disk fuller", severity="low", id="life", comments=["second"])
        self.assertEqual((again["id"], again["found"]), (made["id"], True))
        ticket = self.ask("ticket/" + made["id"])
        self.assertEqual((ticket["Subject"], ticket["Priority"], ticket["Status"]), ("Disk fuller", "20", "new"))
        self.assertEqual(self.texts(made["id"]), ["line 1\nline 2", "first", "second"])

        self.push(title="Disk fuller", status="closed", id="life")
        self.assertEqual(self.ask("ticket/" + made["id"])["Status"], "resolved")
        other = self.push(title="Once more", id="life")
        self.assertFalse(other["found"])
        self.assertNotEqual(other["id"], made["id"])
        self.push(external=made["id"], title="Disk fuller", status="open")
        self.assertEqual(self.ask("ticket/" + made["id"])["Status"], "open")
        self.assertEqual(self.push(title="Which one", id="life")["id"], other["id"])

    def test_hostile_text(self):
        made = self.push(title=HOSTILE + "x" * 300, description=HOSTILE, severity="enormous", id="' OR Queue = 'General", comments=[HOSTILE])
        self.assertFalse(made["found"])
        subject = self.ask("ticket/" + made["id"])["Subject"]
        self.assertTrue(subject.startswith('He said "no" \\ C:\\new {{case.title}} </script> \U0001f469\u200d\U0001f692 xxx'), subject)
        self.assertEqual(subject[-1], "\u2026")
        self.assertIn(len(subject.encode()), (199, 200))
        for text in self.texts(made["id"]):
            self.assertEqual(text.replace("\r\n", "\n").strip(), HOSTILE.replace("\r\n", "\n").strip())
        self.assertEqual(self.push(title="t", id="' OR Queue = 'General")["id"], made["id"])

    def test_without_an_id(self):
        first, second = (self.push(title="no id") for _ in range(2))
        self.assertNotEqual(first["id"], second["id"])


if __name__ == "__main__":
    STATE = tempfile.mkdtemp()
    try:
        up = subprocess.run(["sh", os.path.join(HERE, "up.sh"), STATE], stdout=subprocess.PIPE, text=True, check=False)
        if up.returncode == 77:
            print("SKIP: Request Tracker is not installed; sh tests/rt/install.sh installs it")
        if up.returncode:
            sys.exit(up.returncode)
        said = dict(line.split("=", 1) for line in up.stdout.splitlines())
        URL, TOKEN = said["BASE_URL"], said["TOKEN"]
        code = not unittest.main(argv=sys.argv[:1], exit=False).result.wasSuccessful()
    finally:
        subprocess.run(["sh", os.path.join(HERE, "down.sh"), STATE], check=False)
        shutil.rmtree(STATE, ignore_errors=True)
    sys.exit(code)
