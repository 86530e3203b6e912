"""Writes the whole library as one casehook.c beside casehook.h, for those who vendor it.

amalgamate.py SOURCE-ROOT FOLDER FILE...      the .c files of lib/ in the order of their layers
"""
import os
import re
import shutil
import sys

OURS = re.compile(r'^#include "([^"]+)"\n', re.M)
CONDITION = re.compile(r"#\s*(if|ifdef|ifndef|else|elif|endif)\b")
FIRST = "base/posix.h"  # before any header of others
GUARD = re.compile(r"#ifndef \w+_H\n")

HEAD = """/*
 * casehook.c - libcasehook %s in one file, made from its sources by "ninja amalgamation".
 *
 *     cc -c casehook.c     with casehook.h beside it; link with -lcurl -ljansson -lssl -lcrypto -pthread
 *
 * -DCASEHOOK_HAVE_IDN2=1 -lidn2: host names with other letters than ASCII.
 * -DCASEHOOK_API=: the names of casehook.h stay inside as well.
 */
"""
HIDDEN = """
/* Names that are not in casehook.h stay inside whatever links this. */
#pragma GCC visibility push(hidden)

#include "casehook.h"
"""
TAIL = "\n#pragma GCC visibility pop\n"


class Amalgamation:
    def __init__(self, root):
        self.lib = os.path.join(root, "lib")
        self.seen = set()
        self.theirs = {}  # in the order in which they are wanted

    def text(self, name):
        """A file with what it includes of ours, each header where it is first wanted."""
        with open(os.path.join(self.lib, name), encoding="utf-8") as source:
            text = source.read()
        return f"\n/* ---- {name} ---- */\n\n" + OURS.sub(self.header, self.without_theirs(text))

    def without_theirs(self, text):
        """Takes out the headers of others, to stand before the first line of ours, with their conditions."""
        conditions, kept = [], []
        for line in text.splitlines(keepends=True):
            if line.startswith("#include <"):
                opened = [each for each in conditions if not GUARD.match(each)]
                self.theirs["".join(opened) + line + "#endif\n" * len(opened)] = True
                continue
            found = CONDITION.match(line)
            if found and found.group(1) in ("if", "ifdef", "ifndef"):
                conditions.append(line)
            elif found and found.group(1) == "endif":
                conditions.pop()
            elif found:
                conditions[-1] += line
            kept.append(line)
        return "".join(kept)

    def header(self, match):
        name = match.group(1)
        if name == "casehook.h" or name in self.seen:
            return ""
        self.seen.add(name)
        return self.text(name)


def main(root, folder, *files):
    header = os.path.join(root, "include", "casehook.h")
    with open(header, encoding="utf-8") as source:
        version = re.search(r'CASEHOOK_VERSION_STRING "([^"]+)"', source.read()).group(1)
    whole = Amalgamation(root)
    first = whole.text(FIRST)
    whole.seen.add(FIRST)
    texts = [whole.text(os.path.relpath(path, whole.lib)) for path in files]
    with open(os.path.join(folder, "casehook.c"), "w", encoding="utf-8") as out:
        out.writelines([HEAD % version, first, "\n", *whole.theirs, HIDDEN, *texts, TAIL])
    shutil.copyfile(header, os.path.join(folder, "casehook.h"))


main(*sys.argv[1:])
