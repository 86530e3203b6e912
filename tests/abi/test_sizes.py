"""Nobody has to scroll: files and functions of lib/ stay short.  test_sizes.py LIB"""
import json
import os
import shutil
import statistics
import subprocess
import unittest

from header import run

FILE, FUNCTION, MOST, MEDIAN = 450, 80, 35, 15


class Sizes(unittest.TestCase):
    def files(self):
        return sorted(os.path.join(folder, name) for folder, _, names in os.walk(self.LIB) for name in names
                      if name.endswith((".c", ".h")))

    def test_files(self):
        for path in self.files():
            with open(path, encoding="utf-8") as source:
                lines = sum(1 for _ in source)
            self.assertLessEqual(lines, FILE, path)

    def test_functions(self):
        version = subprocess.run(["ctags", "--version"], capture_output=True, text=True).stdout \
            if shutil.which("ctags") else ""
        if "Universal Ctags" not in version:
            self.skipTest("universal-ctags is not installed")
        command = ["ctags", "--languages=C", "--kinds-C=f", "--fields=+ne", "--output-format=json", "-f", "-"]
        text = subprocess.run(command + [path for path in self.files() if path.endswith(".c")],
                              capture_output=True, text=True, check=True).stdout
        tags = [json.loads(line) for line in text.splitlines()]
        lengths = sorted(tag["end"] - tag["line"] + 1 for tag in tags)
        self.assertGreater(len(lengths), 100)
        long = [f"{tag['path']}: {tag['name']} {tag['end'] - tag['line'] + 1}" for tag in tags
                if tag["end"] - tag["line"] + 1 > FUNCTION]
        self.assertEqual(long, [])
        most = lengths[len(lengths) * 9 // 10]
        print(f"{len(lengths)} functions: median {statistics.median(lengths)} lines, 90% have at most {most}")
        self.assertLessEqual(statistics.median(lengths), MEDIAN)
        self.assertLessEqual(most, MOST)


run(Sizes, "LIB")
