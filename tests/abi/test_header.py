"""The public header compiles alone, in every language it promises: test_header.py HEADER"""
import shutil
import subprocess
import unittest

from header import run

WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Wundef", "-Werror"]
LANGUAGES = {"c": ("gcc", "clang"), "c++": ("g++", "clang++")}
STANDARDS = {"c": ("c99", "c11", "c17"), "c++": ("c++11", "c++17")}


class Alone(unittest.TestCase):
    def compile(self, language):
        compilers = [name for name in LANGUAGES[language] if shutil.which(name)]
        for name in LANGUAGES[language]:
            if name not in compilers:
                print(f"SKIP {name}: it is not installed")
        if not compilers:
            self.skipTest(f"no compiler for {language} is installed")
        for compiler in compilers:
            for standard in STANDARDS[language]:
                done = subprocess.run([compiler, f"-std={standard}", *WARNINGS, "-fsyntax-only", "-x", language, "-"],
                                      input=f'#include "{self.HEADER}"\n#include "{self.HEADER}"\n',
                                      capture_output=True, text=True)
                self.assertEqual(done.returncode, 0, f"{compiler} -std={standard}\n{done.stderr}")

    def test_c(self):
        self.compile("c")

    def test_cpp(self):
        self.compile("c++")


run(Alone, "HEADER")
