"""The README shows examples whole: they are the files.  test_readme.py ROOT"""
import os
import re
import unittest

from header import run


class Readme(unittest.TestCase):
    def setUp(self):
        self.readme = self.read("README.md")

    def read(self, *path):
        with open(os.path.join(self.ROOT, *path), encoding="utf-8") as source:
            return source.read()

    def test_examples_are_the_files(self):
        blocks = re.findall(r"(?ms)^```(?:c|json)\n(.*?)^```$", self.readme)
        for path in (("examples", "push.c"), ("examples", "connectors", "tracker.json")):
            self.assertIn(self.read(*path), blocks, os.path.join(*path))

    def test_every_rule_of_the_header_is_listed(self):
        listed = set()
        for letter, text in re.findall(r"\*\*([A-Z])\*\*, [^:]*: ([^*;]*)", self.readme):
            listed |= {letter + number for number in re.findall(r"(?:^|, )(?:\n\s*)?(\d+) ", text)}
        named = set(re.findall(r"\b([CTUHKRNP]\d)\b", self.read("include", "casehook.h")))
        self.assertGreater(len(named), 10)
        self.assertGreater(len(listed), 30)
        self.assertEqual(named - listed, set())


run(Readme, "ROOT")
