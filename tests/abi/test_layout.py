"""The binary interface against the one that was promised: test_layout.py HEADER ABI VERSION

ABI is the promise, abi-0.2.txt.  After an addition to the header "test_layout.py HEADER" prints what to put there.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

from header import Header, run

COMPILERS = [name for name in ("cc", "gcc", "clang") if shutil.which(name)]
# Freestanding: no C library of the other width is needed.
WIDTHS = (64, 32)


def measure(compiler, width, header_path, header):
    """name -> (size, [(offset, size) of each member]), or None where the compiler cannot make such code.

    Each number becomes the size of an object, which nm tells: nothing has to run."""
    lines = [f'#include "{header_path}"']
    for name, members in header.structs.items():
        lines.append(f"char {name}_all[sizeof(struct {name})];")
        for index, member in enumerate(members):
            field = header.member_name(member)
            lines.append(f"char {name}_{index}_at[1 + offsetof(struct {name}, {field})];")
            lines.append(f"char {name}_{index}_size[sizeof(((struct {name} *)0)->{field})];")
    with tempfile.TemporaryDirectory() as folder:
        source, output = os.path.join(folder, "layout.c"), os.path.join(folder, "layout.o")
        with open(source, "w", encoding="utf-8") as out:
            out.write("\n".join(lines) + "\n")
        done = subprocess.run([compiler, f"-m{width}", "-std=c11", "-ffreestanding", "-fno-common", "-c", source,
                               "-o", output], capture_output=True, text=True)
        if done.returncode:
            return None
        table = subprocess.run(["nm", "-S", output], capture_output=True, text=True, check=True).stdout
    sizes = {line.split()[3]: int(line.split()[1], 16) for line in table.splitlines() if len(line.split()) == 4}
    return {name: (sizes[f"{name}_all"], [(sizes[f"{name}_{index}_at"] - 1, sizes[f"{name}_{index}_size"])
                                 for index in range(len(members))])
            for name, members in header.structs.items()}


def promise(header, layouts):
    """The lines of the ABI file, with the numbers of each layout side by side."""
    lines = [f"function {text}" for _, text in sorted(header.functions.items())]
    lines += [f"callback {text}" for _, text in sorted(header.callbacks.items())]
    lines += [f"constant {name} = {value}" for name, value in header.constants.items()
              if not name.startswith("CASEHOOK_VERSION_")]
    lines += [f"enum {tag}" for tag in sorted(header.enums)]
    lines += [f"handle struct {name}" for name in sorted(header.handles)]
    for name, members in sorted(header.structs.items()):
        lines.append("/".join(str(layout[name][0]) for layout in layouts) + f" struct {name}")
        for index, member in enumerate(members):
            lines.append("    " + "/".join(str(layout[name][1][index][0]) for layout in layouts) + f" {member}")
    return lines


class Layout(unittest.TestCase):
    def setUp(self):
        if not COMPILERS or not shutil.which("nm"):
            self.skipTest("no C compiler or no nm is installed")
        self.header = Header(self.HEADER)

    def read(self):
        with open(self.HEADER, encoding="utf-8") as source:
            return source.read()

    def layouts(self):
        """(compiler, width, layout) of every compiler that can make such code."""
        found = [(compiler, width, measure(compiler, width, self.HEADER, self.header))
                 for compiler in COMPILERS for width in WIDTHS]
        for compiler, width, layout in found:
            if not layout:
                print(f"SKIP {compiler} -m{width}: it makes no such code here")
        found = [each for each in found if each[2]]
        self.assertTrue(found, "no compiler accepts the header")
        return found

    def test_the_header_holds_nothing_else(self):
        self.assertEqual(self.header.rest, "")

    def test_the_promise_is_kept(self):
        with open(self.ABI, encoding="utf-8") as source:
            lines = [line.rstrip() for line in source if line.strip() and not line.startswith("#")]
        for compiler, width, layout in self.layouts():
            column = WIDTHS.index(width) + 2
            promised = [re.sub(r"^( *)(\d+)/(\d+)", lambda match: match[1] + match[column], line) for line in lines]
            self.assertEqual("\n".join(promise(self.header, [layout])), "\n".join(promised),
                             f"{compiler} -m{width}: \"+\" is promised in {self.ABI}, \"-\" is what there is now")

    def test_no_padding(self):
        for compiler, width, layout in self.layouts():
            for name, (size, members) in layout.items():
                end = 0
                for offset, length in members:
                    self.assertEqual(offset, end, f"{name}, {compiler} -m{width}")
                    end += length
                self.assertEqual(size, end, f"{name}, {compiler} -m{width}")

    def test_what_the_caller_fills_says_its_size(self):
        for name, members in self.header.structs.items():
            # The elements of arrays: their size is said where the array is.
            if name not in ("casehook_comment", "casehook_http_header"):
                self.assertEqual(members[0], "size_t struct_size", name)

    def test_a_name_is_one_thing(self):
        # SWIG knows one of them then, and g++ -Wshadow complains.
        every = [*self.header.functions, *self.header.callbacks, *self.header.structs, *self.header.handles,
                 *self.header.enums]
        self.assertEqual(sorted(every), sorted(set(every)))

    def test_types_of_fixed_width(self):
        for text in [*self.header.functions.values(), *self.header.callbacks.values(),
                     *sum(self.header.structs.values(), [])]:
            self.assertNotRegex(text, r"\b(long|short|unsigned|_Bool|bool|enum|union|float|double|time_t|FILE|va_list)\b")
            self.assertNotIn("...", text)
            self.assertNotRegex(text, r"(?<![*\w])struct \w+ (?!\*|const)\w+[,)]", "a struct by value")

    def test_version(self):
        if "CASEHOOK_VERSION_STRING" not in self.header.constants:
            self.assertIn('#include "casehook.h"', self.read())  # which has it
            return
        parts = [self.header.constants[f"CASEHOOK_VERSION_{part}"] for part in ("MAJOR", "MINOR", "PATCH")]
        self.assertEqual(".".join(parts), self.VERSION)
        self.assertEqual(self.header.constants["CASEHOOK_VERSION_STRING"], f'"{self.VERSION}"')


if len(sys.argv) == 2:
    path = os.path.abspath(sys.argv[1])
    print("\n".join(promise(Header(path), [measure(COMPILERS[0], width, path, Header(path)) for width in WIDTHS])))
else:
    run(Layout, "HEADER ABI VERSION")
