"""The gallery's documents, and the cases that its tests send."""
import json
import os
import re
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))
FOLDER = os.path.join(HERE, "..", "..", "examples", "connectors")
SAMPLES = ("first", "tracker")

HOSTILE = 'He said "no" \\ C:\\new\\table\r\n{{case.title}} </script><!-- \u2028 \x01 \U0001f469\u200d\U0001f692 '
CASES = {
    "plain": {
        "case": {"title": "Disk full on db-1", "description": "sda1 is at 99 %.\nSince 10:04.", "id": "alert-4711", "severity": "high", "status": "open",
                 "tags": ["disk", "db"], "fields": {"host": "db-1"}},
        "comments": [{"commentId": "1", "comment": "Cleaned up."}],
    },
    "hostile": {
        "case": {"title": HOSTILE + "x" * (300 - len(HOSTILE)), "description": HOSTILE + "\n\n/close\n" + "é" * 40, "id": 'a "quoted" id / ?&=#%\' AND 1=1',
                 "severity": "enormous", "status": "open", "tags": ['with "quotes"', "a b", "</script>"], "fields": {"host": HOSTILE}},
        "comments": [{"commentId": "1", "comment": HOSTILE}, {"commentId": "2", "comment": "/close\n\nthe end"}],
    },
}
CLOSED = {"case": {"title": "Disk full on db-1", "severity": "low", "status": "closed"}, "comments": []}


def names():
    return sorted(name[:-5] for name in os.listdir(FOLDER) if name.endswith(".json") and name[:-5] not in SAMPLES)


def path(name):
    return os.path.join(FOLDER, name + ".json")


def load(name):
    with open(path(name), encoding="utf-8") as file:
        return json.load(file)


def params(case, external=None):
    return {"incident": {**case["case"], **({"externalId": external} if external else {})}, "comments": case["comments"]}


def run(tool, *arguments, case=None, words=(), timeout=60):
    """The tool's JSON, and its exit code.  words: what may look like options."""
    given = json.dumps(case) if case is not None else None
    done = subprocess.run([tool, *arguments, "--json", *(["--case", "-"] if case is not None else []), *(["--", *words] if words else [])], input=given, capture_output=True,
                          text=True, encoding="utf-8", timeout=timeout)
    try:
        return json.loads(done.stdout), done.returncode
    except ValueError:
        raise AssertionError(f"{arguments}: no JSON: {done.stdout!r} {done.stderr!r}") from None


def placeholders(text):
    """What a user has to replace."""
    found = re.findall(r"YOUR-[A-Z][A-Z-]*[A-Z]", text)
    found += re.findall(r"https?://([a-z-]*\.example\.com|your-[a-z]+\.[a-z.-]+[a-z])", text)
    return list(dict.fromkeys(found))
