"""What the tests of the gallery against real trackers share: TEST.py TOOL DOCUMENT, beside an up.sh and a down.sh."""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
import urllib.request


class RealTracker(unittest.TestCase):
    said = {}    # what up.sh has said: BASE_URL and more
    folder = ""  # of this run
    secrets = () # that no output may hold

    def use(self, words):
        """The document with the words that its page says are to be replaced."""
        with open(sys.argv[2], encoding="utf-8") as file:
            text = file.read()
        for word, value in words.items():
            self.assertIn(word, text)
            text = text.replace(word, value)
        with open(os.path.join(self.folder, "connector.json"), "w", encoding="utf-8") as file:
            file.write(text)

    def push(self, external=None, comments=(), **case):
        incident = {**case, **({"externalId": external} if external else {})}
        given = {"incident": incident, "comments": [{"commentId": str(i), "comment": text} for i, text in enumerate(comments)]}
        command = [sys.argv[1], "push", "--connector", os.path.join(self.folder, "connector.json"), "--case", "-", "--json"]
        done = subprocess.run(command, input=json.dumps(given), capture_output=True, text=True, encoding="utf-8", timeout=120)
        for secret in self.secrets:
            self.assertNotIn(secret, done.stdout + done.stderr)
        result = json.loads(done.stdout)
        self.assertTrue(result["ok"], result["error"])
        return result

    def ask(self, path, authorization):
        request = urllib.request.Request(self.said["BASE_URL"] + path, headers={"Authorization": authorization})
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=60) as answer:
            return json.load(answer)

    def check_without_an_id(self):
        first, second = (self.push(title="no id") for _ in range(2))
        self.assertNotEqual(first["id"], second["id"])


def run(name, folder):
    """Starts the tracker of that folder, runs the tests of the main program, stops it."""
    RealTracker.folder = state = tempfile.mkdtemp()
    try:
        up = subprocess.run(["sh", os.path.join(folder, "up.sh"), state], stdout=subprocess.PIPE, text=True, check=False)
        if up.returncode == 77:
            print(f"SKIP: {name} is not installed; sh tests/{os.path.basename(folder)}/install.sh installs it")
        if up.returncode:
            sys.exit(up.returncode)
        RealTracker.said = dict(line.split("=", 1) for line in up.stdout.splitlines())
        failed = not unittest.main(argv=sys.argv[:1], exit=False).result.wasSuccessful()
    finally:
        subprocess.run(["sh", os.path.join(folder, "down.sh"), state], check=False)
        shutil.rmtree(state, ignore_errors=True)
    sys.exit(failed)
