"""The documentation says what is there.  test_docs.py ROOT"""
import os
import re
import unittest

from header import run


class Docs(unittest.TestCase):
    def read(self, *path):
        with open(os.path.join(self.ROOT, *path), encoding="utf-8") as source:
            return source.read()

    def test_examples_are_the_files(self):
        for room, path in (("README.md", "examples/push.c"),
                           ("examples/connectors/README.md", "examples/connectors/tracker.json")):
            blocks = re.findall(r"(?ms)^```(?:c|json)\n(.*?)^```$", self.read(room))
            self.assertIn(self.read(path), blocks, path)

    def test_every_rule_of_the_header_is_listed(self):
        listed = set()
        for letter, text in re.findall(r"\*\*([A-Z])\*\*, [^:]*: ([^*;]*)", self.read("lib", "README.md")):
            listed |= {letter + number for number in re.findall(r"(?:^|, )(?:\n\s*)?(\d+) ", text)}
        named = set(re.findall(r"\b([CTUHKRNP]\d)\b", self.read("include", "casehook.h")))
        self.assertGreater(len(named), 10)
        self.assertGreater(len(listed), 30)
        self.assertEqual(named - listed, set())


run(Docs, "ROOT")
