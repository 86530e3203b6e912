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

SIZE_MAX = 440 * 1024

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


def version_nodes(text):
    """node -> the names that it lists, of a version script: one node a release, each on top of the one before it."""
    nodes, before = {}, ""
    for node, body, parent in re.findall(r"^(\S+) \{\n(.*?)^\}\s*(\S*);$", text, re.M | re.S):
        if parent != before:
            raise ValueError(f"{node} stands on {parent!r}, not on {before!r}")
        nodes[node] = re.findall(r"^\s+(casehook_\w+);$", body, re.M)
        before = node
    if len(re.findall(r"^local:\n\s+\*;$", text, re.M)) != 1:
        raise ValueError("what is not listed must be local")
    return nodes


class Exports(unittest.TestCase):
    def setUp(self):
        for name in ("nm", "objdump", "strip"):
            if not shutil.which(name):
                self.skipTest(f"{name} is not installed")
        self.declared = set(Header(self.HEADER).functions)

    def test_map_is_the_header(self):
        with open(self.MAP, encoding="utf-8") as source:
            text = source.read()
        nodes = version_nodes(text)
        self.assertIn("CASEHOOK_0.2", nodes)
        for node, listed in nodes.items():
            self.assertTrue(listed, f"{node} is empty")
            self.assertEqual(listed, sorted(listed), node)
        # Each name once: in the node of the release that brought it.
        self.assertEqual(sorted(sum(nodes.values(), [])), sorted(self.declared))

    def test_a_node_of_a_later_release_is_read(self):
        later = "CASEHOOK_0.2 {\nglobal:\n    casehook_a;\nlocal:\n    *;\n};\nCASEHOOK_0.3 {\nglobal:\n    casehook_b;\n} CASEHOOK_0.2;\n"
        self.assertEqual(version_nodes(later), {"CASEHOOK_0.2": ["casehook_a"], "CASEHOOK_0.3": ["casehook_b"]})
        for wrong in ("CASEHOOK_0.2 {\nglobal:\n    casehook_a;\n};\n",  # what is not listed would be exported
                      later.replace("} CASEHOOK_0.2", "}"),
                      later.replace("} CASEHOOK_0.2", "} CASEHOOK_0.1")):
            with self.assertRaises(ValueError):
                version_nodes(wrong)

    def test_shared_library_exports_the_header(self):
        with open(self.MAP, encoding="utf-8") as source:
            nodes = version_nodes(source.read())
        exported, found = {node: [] for node in nodes}, set()
        for line in tool("nm", "-D", "--defined-only", self.SHARED).splitlines():
            kind, name = line.split()[-2:]
            if kind == "A":
                found.add(name)
                continue
            self.assertEqual(kind, "T", f"{name} is no function")
            name, node = name.split("@@")
            exported[node].append(name)
        self.assertEqual(found, set(nodes))
        self.assertEqual({node: sorted(names) for node, names in exported.items()}, nodes)

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

    def test_nothing_of_json_c_is_called(self):
        """A host that is linked with json-c would get its function where jansson's is meant."""
        names = {"json_object_get", "json_object_iter_next"}
        path = tool("cc", "-print-file-name=libjson-c.so").strip() if shutil.which("cc") else ""
        if os.path.isfile(path):
            names |= {line.split()[-1].split("@")[0] for line in tool("nm", "-D", "--defined-only", path).splitlines()
                      if " T " in line}
            self.assertGreater(len(names), 100)
        else:
            print("SKIP json-c: it is not installed, only the names of its that jansson has are looked for")
        wanted = {line.split()[-1] for line in tool("nm", "-u", self.STATIC).splitlines() if " U " in line}
        self.assertIn("json_loadb", wanted)
        self.assertEqual(wanted & names, set())

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
        self.assertRegex(tool("objdump", "-p", self.SHARED), r"SONAME\s+libcasehook\.so\.0\.2\n")


run(Exports, "HEADER MAP SHARED STATIC BUILD")
