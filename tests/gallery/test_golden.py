"""Each document of the gallery: no faults, its page, and what it sends: test_golden.py TOOL
   test_golden.py TOOL --write     writes tests/gallery/golden anew, from what the tool shows now"""
import json
import os
import re
import sys
import tempfile
import unittest

import gallery

TOOL = sys.argv.pop(1)
GOLDEN = os.path.join(gallery.HERE, "golden")
HEADINGS = ["Fill in", "Fields", "Rights", "Finding, closing, reopening", "Limits", "Seen"]


def shown(request):
    lines = [f"{request['step']}: {request['method']} {request['url']}"]
    headers = request["headers"]
    headers = headers.items() if isinstance(headers, dict) else [(each["name"], each["value"]) for each in headers]
    lines += [f"{name}: {value}" for name, value in headers if name != "User-Agent"]
    if request["body"] is not None:
        lines += [json.dumps(json.loads(request["body"]), ensure_ascii=True, indent=1)]
    return "\n".join(lines)


def render(name):
    """What it sends, the search too."""
    document = gallery.load(name)
    if "findIncidentUrl" in document["config"]:
        document["config"]["findIncident"] = "always"
    with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as file:
        json.dump(document, file)
        file.flush()
        return render_file(name, file.name)


def render_file(name, path):
    parts = []
    for word, case in gallery.CASES.items():
        for title, operation, given in ((f"{word}, new", ["push"], gallery.params(case)),
                                        (f"{word}, known and closed", ["push"], gallery.params({**case, "case": {**case["case"], "status": "closed"}}, "4711"))):
            result, code = gallery.run(TOOL, "preview", *operation, "--connector", path, case=given)
            if code:
                raise AssertionError(f"{name}, {title}: {result['error']['message']}")
            parts.append(f"==== {title}\n\n" + "\n\n".join(shown(request) for request in result["requests"]))
    return "\n\n".join(parts) + "\n"


class Golden(unittest.TestCase):
    maxDiff = None

    def test_requests(self):
        for name in gallery.names():
            with self.subTest(name), open(os.path.join(GOLDEN, name + ".txt"), encoding="utf-8") as file:
                self.assertEqual(render(name), file.read())

    def test_nothing_too_much(self):
        self.assertEqual(sorted(name[:-4] for name in os.listdir(GOLDEN)), gallery.names())

    def test_check(self):
        for name in gallery.names():
            with self.subTest(name):
                result, code = gallery.run(TOOL, "check", "--connector", gallery.path(name))
                self.assertEqual((result["errors"], code), ([], 0))


class Pages(unittest.TestCase):
    def page(self, name):
        with open(os.path.join(gallery.FOLDER, name + ".md"), encoding="utf-8") as file:
            return file.read()

    def test_one_form(self):
        for name in gallery.names() + ["itop"]:
            with self.subTest(name):
                text = self.page(name)
                self.assertTrue(text.startswith("# "))
                if name != "itop":
                    self.assertEqual(re.findall(r"(?m)^## (.*)$", text), HEADINGS)
                    self.assertIn(f"[`{name}.json`]({name}.json)", text)

    def test_what_to_fill_in(self):
        for name in gallery.names():
            with self.subTest(name), open(gallery.path(name), encoding="utf-8") as file:
                part = self.page(name).split("## Fields")[0]
                self.assertEqual([word for word in gallery.placeholders(file.read()) if word not in part], [])

    def test_table(self):
        with open(os.path.join(gallery.FOLDER, "README.md"), encoding="utf-8") as file:
            listed = re.findall(r"(?m)^\| \[`([a-z-]+)`\]\(([a-z-]+)\.md\)", file.read())
        self.assertEqual(sorted(listed), sorted((name, name) for name in gallery.names() + ["itop"]))


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        for each in gallery.names():
            with open(os.path.join(GOLDEN, each + ".txt"), "w", encoding="utf-8") as out:
                out.write(render(each))
    else:
        unittest.main()
