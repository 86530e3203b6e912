"""The public header, read into its parts.  What is none of these parts does not belong into it."""
import re
import unittest

COMMENT = re.compile(r"/\*.*?\*/", re.S)
MACRO = re.compile(r"^#define (CASEHOOK_\w+)[ \t]+(.+)$", re.M)
PREPROCESSOR = re.compile(r"^#.*$", re.M)
LINKAGE = re.compile(r'extern "C" \{|^\}$', re.M)
FUNCTION = re.compile(r"CASEHOOK_API ([^;{}]+);")
CALLBACK = re.compile(r"typedef ([^;{}]+\(\*casehook_\w+_fn\)\([^;{}]*\));")
STRUCT = re.compile(r"struct (casehook_\w+) \{([^{}]*)\};")
HANDLE = re.compile(r"struct (casehook_\w+);")
ENUM = re.compile(r"enum (casehook_\w+) \{([^{}]*)\};")
NAME = re.compile(r"(\w+)$")


def one_line(text):
    return " ".join(text.split())


class Header:
    """functions and callbacks: name -> declaration; structs: name -> [declaration of each member];
    handles: names; constants: name -> value as it is written; enums: tags."""

    def __init__(self, path):
        with open(path, encoding="utf-8") as source:
            self.rest = COMMENT.sub("", source.read()).replace("\\\n", " ")
        self.constants = {name: one_line(value) for name, value in MACRO.findall(self.rest)
                          if name != "CASEHOOK_API"}
        self.rest = LINKAGE.sub("", PREPROCESSOR.sub("", self.rest))
        self.functions = {self.declared(text): text for text in self.take(FUNCTION)}
        self.callbacks = {re.search(r"\*(casehook_\w+)", text).group(1): text for text in self.take(CALLBACK)}
        self.structs = {name: [one_line(member) for member in members.split(";") if member.strip()]
                        for name, members in self.take(STRUCT)}
        self.handles = set(self.take(HANDLE))
        self.enums = set()
        for tag, members in self.take(ENUM):
            self.enums.add(tag)
            for member in filter(None, map(one_line, members.split(","))):
                name, value = member.split(" = ")  # each says its value
                self.constants[name] = value
        self.rest = self.rest.strip()

    def take(self, pattern):
        """What the pattern finds, which is then gone from the rest."""
        found = [one_line(each) if isinstance(each, str) else each for each in pattern.findall(self.rest)]
        self.rest = pattern.sub("", self.rest)
        return found

    @staticmethod
    def declared(function):
        return NAME.search(function.split("(")[0]).group(1)

    @staticmethod
    def member_name(member):
        return NAME.search(member).group(1)


def run(case, arguments):
    """Runs one class of tests; arguments become its fields, from the command line."""
    import sys

    names = arguments.split()
    if len(sys.argv) - 1 != len(names):
        sys.exit(f"usage: {sys.argv[0]} {arguments}")
    for name, value in zip(names, sys.argv[1:]):
        setattr(case, name, value)
    case.maxDiff = None
    result = unittest.TextTestRunner(verbosity=2).run(unittest.defaultTestLoader.loadTestsFromTestCase(case))
    for test, reason in result.skipped:
        print(f"SKIP {test.id().split('.')[-1]}: {reason}")
    if not result.wasSuccessful():
        sys.exit(1)
    sys.exit(77 if result.skipped and len(result.skipped) == result.testsRun else 0)
