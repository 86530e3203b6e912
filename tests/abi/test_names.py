"""One name means one thing: no name of one file of lib/ is a name of another.  test_names.py LIB HEADER

What is static, and every type and macro, is looked for in the whole library: so a name in a stack trace or in grep has one
place, and all files can be compiled as one.
"""
import collections
import json
import os
import re
import shutil
import subprocess
import tempfile
import unittest

from header import run

KINDS = {"function", "variable", "struct", "union", "enum", "enumerator", "typedef", "macro"}


def names(paths):
    """name -> the files that define it."""
    command = ["ctags", "--languages=C", "--kinds-C=fvstuegd", "--fields=+K", "--extras=-{anonymous}",
               "--output-format=json", "-f", "-"]
    text = subprocess.run(command + paths, capture_output=True, text=True, check=True).stdout
    found = collections.defaultdict(set)
    for tag in map(json.loads, text.splitlines()):
        if tag["kind"] in KINDS:
            found[tag["name"]].add(tag["path"])
    return found


def shared(paths):
    return {name: sorted(files) for name, files in names(paths).items() if len(files) > 1}


def twins(inside, public):
    """Names of ours that are one underscore away from a public one."""
    found = set(re.findall(r"\b[Cc](?:asehook|ASEHOOK)__\w+", inside))
    known = set(re.findall(r"\b[Cc](?:asehook|ASEHOOK)_(?!_)\w+", public))
    return sorted(name for name in found if name.replace("__", "_", 1) in known)


class Names(unittest.TestCase):
    def setUp(self):
        version = subprocess.run(["ctags", "--version"], capture_output=True, text=True).stdout \
            if shutil.which("ctags") else ""
        if "Universal Ctags" not in version:
            self.skipTest("universal-ctags is not installed")

    def test_no_name_in_two_files(self):
        paths = sorted(os.path.join(folder, name) for folder, _, files in os.walk(self.LIB) for name in files
                       if name.endswith((".c", ".h")))
        self.assertGreater(len(names(paths)), 1000)
        self.assertEqual(shared(paths), {})

    def test_no_name_is_a_public_one_with_an_underscore_more(self):
        inside = ""
        for folder, _, files in os.walk(self.LIB):
            for name in files:
                if name.endswith((".c", ".h")):
                    with open(os.path.join(folder, name), encoding="utf-8") as source:
                        inside += source.read()
        with open(self.HEADER, encoding="utf-8") as source:
            self.assertEqual(twins(inside, source.read()), [])
        self.assertEqual(twins("struct casehook__a *casehook__b(CASEHOOK__C, casehook__d)",
                               "struct casehook_a; casehook_b() CASEHOOK_C casehook__d"),
                         ["CASEHOOK__C", "casehook__a", "casehook__b"])

    def test_a_planted_name_is_found(self):
        with tempfile.TemporaryDirectory() as folder:
            paths = [os.path.join(folder, name) for name in ("a.c", "b.c")]
            for path in paths:
                with open(path, "w", encoding="utf-8") as out:
                    out.write("static int twice(void)\n{\n    return 0;\n}\n")
            self.assertEqual(list(shared(paths)), ["twice"])


run(Names, "LIB HEADER")
