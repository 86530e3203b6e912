"""The gallery's document for Request Tracker, against a real one: test_rt.py TOOL DOCUMENT"""
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../gallery"))
from real_tracker import RealTracker, run

HOSTILE = 'He said "no" \\ C:\\new\r\n{{case.title}} </script> \U0001f469\u200d\U0001f692 '


class RequestTracker(RealTracker):
    def setUp(self):
        self.secrets = (self.said["TOKEN"],)
        self.use({"https://rt.example.com": self.said["BASE_URL"], "YOUR-QUEUE": "General", "YOUR-REFERENCE-FIELD": "Reference",
                  "YOUR-TOKEN": self.said["TOKEN"]})

    def read(self, path):
        return self.ask("/REST/2.0/" + path, "token " + self.said["TOKEN"])

    def texts(self, ticket):
        """What its attachments say, in the order of their making."""
        found = self.read(f"ticket/{ticket}/attachments?fields=Content,ContentType&per_page=100")["items"]
        return [each["Content"] for each in found if each["ContentType"] == "text/plain"]

    def test_a_life(self):
        made = self.push(title="Disk full", description="line 1\nline 2", severity="high", id="life", comments=["first"])
        self.assertFalse(made["found"])
        ticket = self.read("ticket/" + made["id"])
        self.assertEqual((ticket["Subject"], ticket["Priority"], ticket["Status"]), ("Disk full", "60", "new"))
        again = self.push(title="Disk fuller", severity="low", id="life", comments=["second"])
        self.assertEqual((again["id"], again["found"]), (made["id"], True))
        ticket = self.read("ticket/" + made["id"])
        self.assertEqual((ticket["Subject"], ticket["Priority"], ticket["Status"]), ("Disk fuller", "20", "new"))
        self.assertEqual(self.texts(made["id"]), ["line 1\nline 2", "first", "second"])

        self.push(title="Disk fuller", status="closed", id="life")
        self.assertEqual(self.read("ticket/" + made["id"])["Status"], "resolved")
        other = self.push(title="Once more", id="life")
        self.assertFalse(other["found"])
        self.assertNotEqual(other["id"], made["id"])
        self.push(external=made["id"], title="Disk fuller", status="open")
        self.assertEqual(self.read("ticket/" + made["id"])["Status"], "open")
        self.assertEqual(self.push(title="Which one", id="life")["id"], other["id"])

    def test_hostile_text(self):
        made = self.push(title=HOSTILE + "x" * 300, description=HOSTILE, severity="enormous", id="' OR Queue = 'General", comments=[HOSTILE])
        self.assertFalse(made["found"])
        subject = self.read("ticket/" + made["id"])["Subject"]
        self.assertTrue(subject.startswith('He said "no" \\ C:\\new {{case.title}} </script> \U0001f469\u200d\U0001f692 xxx'), subject)
        self.assertEqual(subject[-1], "\u2026")
        self.assertIn(len(subject.encode()), (199, 200))
        for text in self.texts(made["id"]):
            self.assertEqual(text.replace("\r\n", "\n").strip(), HOSTILE.replace("\r\n", "\n").strip())
        self.assertEqual(self.push(title="t", id="' OR Queue = 'General")["id"], made["id"])

    def test_without_an_id(self):
        self.check_without_an_id()


if __name__ == "__main__":
    run("Request Tracker", HERE)
