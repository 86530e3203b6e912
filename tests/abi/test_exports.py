"""What the two libraries show to a linker, against the header and the version script.

test_exports.py HEADER MAP SHARED STATIC BUILD, BUILD is "plain", or "instrumented" where the compiler adds
data of its own.
"""
import os
import platform
import re
import shutil
import subprocess
import tempfile
import unittest

from header import Header, run

SIZE_MAX = 296 * 1024

# The library has no state of its own but the guard around libcurl's global initialisation; hidden is the
# text that stands in for a variable of the environment meanwhile, which no one writes.
WRITABLE = {"curl_lock", "curl_is_ready", "hidden"}
WRITABLE_SECTION = re.compile(r"\.(data|bss|tdata|tbss)\b(?!\.rel\.ro)|\*COM\*")

# No terminal, no environment, no end of the process, no locale, no hidden state: names that must not be
# needed from the C library.
FORBIDDEN = set("""printf vprintf puts putchar fprintf vfprintf fputs fputc fwrite perror stdout stderr stdin
    getenv secure_getenv setenv putenv unsetenv environ exit _exit _Exit abort atexit quick_exit
    system popen strtok rand random srand
    setlocale uselocale strtod strtof atof strcasecmp strncasecmp tolower toupper strcoll strerror
    localtime gmtime ctime asctime gethostbyname inet_ntoa signal sigaction chdir getcwd umask
    alloca gets sprintf vsprintf strcpy strcat""".split())
ALLOWED = {("transport_curl_init", "environ")}  # keeps a variable out of libcurl's sight
FORTIFIED = re.compile(r"__(\w+)_chk$")


def tool(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


class Exports(unittest.TestCase):
    def setUp(self):
        for name in ("nm", "objdump", "strip"):
            if not shutil.which(name):
                self.skipTest(f"{name} is not installed")
        self.declared = set(Header(self.HEADER).functions)

    def test_map_is_the_header(self):
        with open(self.MAP, encoding="utf-8") as source:
            text = source.read()
        listed = re.findall(r"^\s+(casehook_\w+);$", text, re.M)
        self.assertEqual(len(re.findall(r"\{", text)), 1, "one version node")
        self.assertEqual(listed, sorted(listed))
        self.assertEqual(sorted(listed), sorted(self.declared))

    def test_shared_library_exports_the_header(self):
        exported = set()
        for line in tool("nm", "-D", "--defined-only", self.SHARED).splitlines():
            kind, name = line.split()[-2:]
            if kind == "A":
                self.assertEqual(name, "CASEHOOK_0.1")
                continue
            self.assertEqual(kind, "T", f"{name} is no function")
            self.assertTrue(name.endswith("@@CASEHOOK_0.1"), name)
            exported.add(name.split("@@")[0])
        self.assertEqual(sorted(exported), sorted(self.declared))

    def test_static_library_has_only_our_names(self):
        names = {line.split()[-1] for line in tool("nm", "-g", "--defined-only", self.STATIC).splitlines()
                 if len(line.split()) == 3}
        self.assertTrue(self.declared <= names, self.declared - names)
        public = {name for name in names if not name.startswith("casehook__")}
        if self.BUILD != "plain":
            public = {name for name in public if name.startswith("casehook")}
        self.assertEqual(sorted(public), sorted(self.declared))

    def test_no_writable_data(self):
        if self.BUILD != "plain":
            self.skipTest("the instrumentation of this build has data of its own")
        found = set()
        for line in tool("objdump", "-t", self.STATIC).splitlines():
            match = re.match(r"[0-9a-f]+ (.{7}) (\S+)\s+[0-9a-f]+ (?:\.hidden )?(\S+)$", line)
            if match and "d" not in match[1] and WRITABLE_SECTION.match(match[2]):
                found.add(re.sub(r"\.\d+$", "", match[3]).split(".")[-1])  # clang: function.name
        self.assertEqual(found, WRITABLE)

    def test_nothing_forbidden_is_called(self):
        found = set()
        for line in tool("nm", "-A", "-u", self.STATIC).splitlines():
            module, name = line.split(":")[1].split(".")[0], FORTIFIED.sub(r"\1", line.split()[-1])
            if name in FORBIDDEN:
                found.add((module, name))
        self.assertEqual(found - ALLOWED, set())

    def test_stripped_size(self):
        compiler = bytes.fromhex("".join(re.findall(r"(?m)^ [0-9a-f]+ ((?:[0-9a-f]+ ){1,4})", tool(
            "objdump", "-s", "-j", ".comment", self.SHARED))).replace(" ", ""))
        if self.BUILD != "plain" or platform.machine() != "x86_64" or b"clang" in compiler:
            self.skipTest("the limit is that of a plain build by gcc for x86-64")
        with tempfile.TemporaryDirectory() as folder:
            stripped = os.path.join(folder, "stripped.so")
            tool("strip", "-o", stripped, self.SHARED)
            size = os.path.getsize(stripped)
        print(f"stripped: {size} bytes")
        self.assertLessEqual(size, SIZE_MAX)

    def test_soname(self):
        self.assertRegex(tool("objdump", "-p", self.SHARED), r"SONAME\s+libcasehook\.so\.0\n")


run(Exports, "HEADER MAP SHARED STATIC BUILD")
