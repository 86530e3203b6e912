"""The lines of "Run it tonight", from the configuration on, in a folder: test_tonight.py CASEHOOKD README TOOL"""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

PROGRAM, README, TOOL = (os.path.abspath(word) for word in sys.argv[1:4])
del sys.argv[1:4]


class Tonight(unittest.TestCase):
    def lines(self):
        with open(README, encoding="utf-8") as file:
            block = re.search(r"## Run it tonight\n.*?```sh\n(.*?)```", file.read(), re.S).group(1).splitlines()
        self.assertLessEqual(len(block), 10)
        return block

    def say_hello(self, folder, etc, path):
        """The notification to try it with gives its token to curl, and in no command line."""
        with open(README, encoding="utf-8") as file:
            script = re.search(r"This is what Alertmanager sends,.*?```sh\n(.*?)```", file.read(), re.S).group(1).replace("/etc/casehookd", etc)
        with open(os.path.join(etc, "alertmanager.token"), encoding="utf-8") as file:
            token = file.read().strip()
        self.assertGreater(len(token), 20)
        curl = os.path.join(folder, "bin", "curl")
        with open(curl, "w", encoding="utf-8") as file:
            file.write(f'#!/bin/sh\ncat > "{folder}/given"\nprintf "%s\\n" "$@" > "{folder}/words"\n')
        os.chmod(curl, 0o755)
        subprocess.run(["sh", "-c", script], check=True, timeout=60, stdin=subprocess.DEVNULL,
                       env={**os.environ, "PATH": os.path.dirname(curl) + ":" + path})
        words, given = (pathlib.Path(folder, name).read_text(encoding="utf-8") for name in ("words", "given"))
        self.assertNotIn(token, words)
        self.assertEqual(given, f"Authorization: Bearer {token}\n")
        self.assertIn("@-\n", words)
        self.assertEqual(json.loads(words[words.index("{"):words.rindex("}") + 1])["groupKey"], "try")

    def test_from_the_configuration_on(self):
        with tempfile.TemporaryDirectory() as folder:
            programs, etc = os.path.join(folder, "bin"), os.path.join(folder, "etc")
            os.mkdir(programs)
            os.mkdir(etc)
            seen = os.path.join(folder, "seen")
            # The user, and the service, are not here.
            for name, target in (("casehook", TOOL), ("casehookd", PROGRAM), ("openssl", shutil.which("openssl")), ("chgrp", "/bin/true"),
                                 ("systemctl", "/bin/true"), ("chmod", shutil.which("chmod"))):
                with open(os.path.join(programs, name), "w", encoding="utf-8") as file:
                    file.write(f'#!/bin/sh\necho "{name} $*" >> "{seen}"\nexec "{target}" "$@"\n')
                os.chmod(file.name, 0o755)
            with open(os.path.join(folder, "jira.token"), "w", encoding="utf-8") as file:
                file.write("t0ken-canary")
            lines = self.lines()
            at = next(number for number, line in enumerate(lines) if line.startswith("cp "))
            # The folder of the outbox is made before; here it is another one.
            self.assertRegex("\n".join(lines[:at]), r"(?m)install -d -m 700 -o casehookd /var/lib/casehookd$")
            lines[at] += f" && sed -i s:/var/lib/casehookd:{folder}: casehookd.json"
            script = "set -e\n" + "\n".join(lines[at:]).replace("/etc/casehookd", etc)
            done = subprocess.run(["sh", "-c", script], cwd=os.path.join(os.path.dirname(README), "../.."), capture_output=True, text=True,
                                  timeout=60, env={**os.environ, "HOME": folder, "PATH": programs + ":" + os.environ["PATH"]})
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn("no faults", done.stdout)
            self.assertNotIn("canary", done.stdout + done.stderr)
            with open(os.path.join(etc, "jira.json"), encoding="utf-8") as file:
                document = file.read()
            self.assertIn("https://acme.atlassian.net/rest/api/3/issue", document)
            self.assertNotRegex(json.dumps(json.loads(document)["config"]), "YOUR-|your-domain")
            with open(os.path.join(etc, "jira-secrets.json"), encoding="utf-8") as file:
                self.assertEqual(json.load(file), {"user": "alerts@acme.example", "password": "t0ken-canary"})
            for name in ("jira.json", "jira-secrets.json", "alertmanager.token"):
                self.assertEqual(oct(os.stat(os.path.join(etc, name)).st_mode & 0o777), "0o640")
            self.say_hello(folder, etc, os.environ["PATH"])
            # What other users can read while it runs.
            with open(seen, encoding="utf-8") as file:
                words = file.read()
            self.assertIn("casehook init --tracker jira-cloud", words)
            self.assertNotIn("canary", words)


if __name__ == "__main__":
    if not shutil.which("openssl"):
        print("SKIP: openssl is not installed")
        sys.exit(77)
    unittest.main(verbosity=2)
