"""The gallery's document for Redmine, against a real one: test_gallery.py TOOL DOCUMENT"""
import base64
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../gallery"))
from real_tracker import RealTracker, run

HOSTILE = 'He said "no" \\ C:\\new {{case.title}} </script> \U0001f469\u200d\U0001f692 '


class Redmine(RealTracker):
    def setUp(self):
        key = self.read("/users/current.json")["user"]["api_key"]
        self.secrets = (key,)
        self.use({"https://redmine.example.com": self.said["BASE_URL"], "YOUR-PROJECT": "cases", "YOUR-API-KEY": key})

    def read(self, path):
        return self.ask(path, "Basic " + base64.b64encode(b"casehook:case:hook-2026").decode())

    def issue(self, result):
        issue = self.read(f"/issues/{result['id']}.json?include=journals")["issue"]
        notes = [each["notes"] for each in issue["journals"] if each["notes"]]
        return issue["subject"], issue["priority"]["id"], issue["status"]["id"], notes

    def test_a_life(self):
        made = self.push(title="Disk full", description="line 1\nline 2", severity="high", id="life", comments=["first"])
        self.assertEqual((made["found"], self.issue(made)), (False, ("Disk full", 3, 1, ["first"])))
        again = self.push(title="Disk fuller", severity="low", id="life", comments=["second"])
        self.assertEqual((again["id"], again["found"], self.issue(again)), (made["id"], True, ("Disk fuller", 1, 1, ["first", "second"])))
        text = self.read(f"/issues/{made['id']}.json")["issue"]["description"].replace("\r\n", "\n")
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
        self.check_without_an_id()


if __name__ == "__main__":
    run("Redmine", HERE)
