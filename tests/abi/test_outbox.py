"""The library of the outbox: what it shows to a linker, and that it uses the public header of the first one alone.

test_outbox.py HEADER BASE-HEADER MAP SHARED STATIC BUILD, BUILD as in test_exports.py.
"""
import re
import shutil
import subprocess
import unittest

from header import Header, run

# No terminal, no environment, no end of the process, no locale: as for the first library.
FORBIDDEN = set("""printf vprintf puts putchar fprintf vfprintf fputs fputc fwrite perror stdout stderr stdin getenv
    secure_getenv setenv putenv unsetenv environ exit _exit _Exit abort atexit quick_exit system popen strtok rand random
    srand setlocale uselocale strtod strtof atof strcasecmp strncasecmp tolower toupper strcoll strerror localtime gmtime
    ctime asctime signal sigaction chdir getcwd umask alloca gets sprintf vsprintf strcpy strcat pthread_create fork
    malloc calloc""".split())
FORTIFIED = re.compile(r"__(\w+)_chk$")
# What fork() takes along of SQLite is of the process, and no handle knows it.
WRITABLE = {"open_stores", "owner_pid"}
WRITABLE_SECTION = re.compile(r"\.(data|bss|tdata|tbss)\b(?!\.rel\.ro)|\*COM\*")


def tool(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


class Outbox(unittest.TestCase):
    def setUp(self):
        for name in ("nm", "objdump"):
            if not shutil.which(name):
                self.skipTest(f"{name} is not installed")
        self.declared = sorted(Header(self.HEADER).functions)

    def test_map_is_the_header(self):
        with open(self.MAP, encoding="utf-8") as source:
            text = source.read()
        self.assertEqual(re.findall(r"^\s+(casehook_\w+);$", text, re.M), self.declared)
        self.assertRegex(text, r"^CASEHOOK_OUTBOX_0\.2 \{\n")
        self.assertRegex(text, r"(?m)^local:\n\s+\*;$")

    def test_shared_library_exports_the_header(self):
        lines = [line.split()[-2:] for line in tool("nm", "-D", "--defined-only", self.SHARED).splitlines()]
        self.assertEqual(sorted(name.split("@@")[0] for kind, name in lines if kind == "T"), self.declared)
        self.assertEqual({name.split("@@")[1] for kind, name in lines if kind == "T"}, {"CASEHOOK_OUTBOX_0.2"})

    def test_static_library_has_only_our_names(self):
        names = {line.split()[-1] for line in tool("nm", "-g", "--defined-only", self.STATIC).splitlines()
                 if len(line.split()) == 3}
        public = sorted(name for name in names if not name.startswith("casehook__")
                        and (self.BUILD == "plain" or name.startswith("casehook")))
        self.assertEqual(public, self.declared)

    def test_of_the_first_library_it_uses_the_public_header(self):
        wanted = {line.split()[-1].split("@")[0] for line in tool("nm", "-D", "--undefined-only", self.SHARED).splitlines()}
        ours = {name for name in wanted if name.startswith("casehook")}
        self.assertGreater(len(ours), 10)
        self.assertEqual(ours - set(Header(self.BASE).functions), set())

    def test_nothing_forbidden_is_called(self):
        wanted = {FORTIFIED.sub(r"\1", line.split()[-1]) for line in tool("nm", "-u", self.STATIC).splitlines()
                  if " U " in line}
        self.assertEqual(wanted & FORBIDDEN, set())

    def test_no_writable_data(self):
        if self.BUILD != "plain":
            self.skipTest("the instrumentation of this build has data of its own")
        found = set()
        for line in tool("objdump", "-t", self.STATIC).splitlines():
            match = re.match(r"[0-9a-f]+ (.{7}) (\S+)\s+[0-9a-f]+ (?:\.hidden )?(\S+)$", line)
            if match and "d" not in match[1] and WRITABLE_SECTION.match(match[2]):
                found.add(match[3])
        self.assertLessEqual(found, WRITABLE)  # without SQLite there is none

    def test_soname(self):
        self.assertRegex(tool("objdump", "-p", self.SHARED), r"SONAME\s+libcasehook-outbox\.so\.0\.2\n")


run(Outbox, "HEADER BASE MAP SHARED STATIC BUILD")
