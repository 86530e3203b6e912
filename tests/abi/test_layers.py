"""Who knows whom in lib/: includes, and what the objects really call.

test_layers.py LIB STATIC      the folder of the sources, and the static library made from them

Each folder of lib/ is a layer.  Its files may know their own folder and those below it.
"""
import fnmatch
import os
import re
import shutil
import subprocess
import unittest

from header import run

# From the bottom up.
ORDER = ["base", "json", "tls", "template", "url", "settings", "document", "exchange", "transport", "run", "loop",
         "call"]

# Folders that are libraries of their own on the public headers: they know nothing else of ours.
BESIDE = {"outbox": {"casehook.h", "casehook_outbox.h"}}

# Who may include what of other projects.
OUTSIDE = [
    ("curl/urlapi.h", "url/url.c"),
    ("curl/curl.h", "url/url.c"),  # urlapi.h does not stand alone
    ("curl/*", "transport/*"),
    ("jansson.h", "json/json.c"),
    ("openssl/*", "tls/* base/base64.c base/digest.c base/hash.c"),
    ("idn2.h", "url/url_idn.c"),
    ("utf8proc.h", "base/graphemes.c"),
    ("sqlite3.h", "outbox/store_sqlite.c"),
    ("libpq-fe.h", "outbox/store_postgres.c"),
]
STANDARD = """arpa/inet.h assert.h emmintrin.h errno.h fcntl.h limits.h netinet/in.h poll.h pthread.h sched.h semaphore.h signal.h
    stdarg.h stdatomic.h stdbool.h stddef.h stdint.h stdio.h stdlib.h string.h sys/epoll.h sys/event.h sys/eventfd.h
    sys/random.h sys/socket.h sys/stat.h sys/time.h sys/timerfd.h sys/types.h time.h unistd.h""".split()

POSIX = {name for name in STANDARD if "/" in name} | {"fcntl.h", "poll.h", "pthread.h", "semaphore.h", "signal.h", "time.h", "unistd.h"}

URL_PARSER = {"curl_url", "curl_url_cleanup", "curl_url_get", "curl_url_set", "curl_free"}

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.M)


def fits(name, patterns):
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns.split())


def folder(name):
    return name.split("/")[0]


def upward(name, other):
    return ORDER.index(folder(name)) < ORDER.index(folder(other))


def circle(knows):
    """Who is in a circle, or between two of them: what knows nobody, or is known by nobody, is taken away until nothing
    changes."""
    left = {name: set(others) for name, others in knows.items()}
    while True:
        known = set().union(*left.values()) if left else set()
        ends = [name for name, others in left.items() if name not in known or not others & set(left)]
        if not ends:
            return sorted(left)
        for name in ends:
            del left[name]


class Layers(unittest.TestCase):
    def includes(self, kind, folders=tuple(ORDER)):
        """(file, what it includes) of all files, both as FOLDER/FILE."""
        found = []
        for layer in folders:
            for name in sorted(os.listdir(os.path.join(self.LIB, layer))):
                if name.endswith((".c", ".h")):
                    with open(os.path.join(self.LIB, layer, name), encoding="utf-8") as source:
                        found += [(f"{layer}/{name}", what) for quote, what in INCLUDE.findall(source.read())
                                  if kind in (quote, "any")]
        self.assertGreater(len(found), 10, "no sources there")
        return found

    def symbols(self):
        """(file, kind, name) of every global symbol of the library's objects."""
        if not shutil.which("nm"):
            self.skipTest("nm is not installed")
        text = subprocess.run(["nm", "-A", "-g", self.STATIC], capture_output=True, text=True, check=True).stdout
        found = []
        for line in text.splitlines():
            file = line.split(":")[1].split(".")[0].replace("_", "/", 1)  # tls_tls_ca.c.o is tls/tls_ca.c
            found.append((file, *line.split()[-2:]))
        self.assertGreater(len(found), 100)
        return found

    def calls(self):
        """(file, file, name): the first uses a name of the second."""
        symbols = self.symbols()
        home = {name: file for file, kind, name in symbols if kind != "U"}
        return [(file, home[name], name) for file, kind, name in symbols
                if kind == "U" and home.get(name, file) != file]

    def test_every_folder_is_a_layer(self):
        found = {name for name in os.listdir(self.LIB) if os.path.isdir(os.path.join(self.LIB, name))}
        self.assertEqual(found, set(ORDER) | set(BESIDE))
        loose = [name for name in os.listdir(self.LIB) if name.endswith((".c", ".h"))]
        self.assertEqual(loose, [])

    def test_includes_go_downward(self):
        for name, header in self.includes('"'):
            if header != "casehook.h":
                self.assertTrue(os.path.isfile(os.path.join(self.LIB, header)), f"{name}: {header}")
                self.assertFalse(upward(name, header), f"{name} includes {header}")

    def test_calls_go_downward(self):
        wrong = [f"{file} uses {name} of {other}" for file, other, name in self.calls() if upward(file, other)]
        self.assertEqual(wrong, [])

    def test_a_library_beside_knows_the_public_headers_only(self):
        for layer, public in BESIDE.items():
            for name, header in self.includes('"', (layer,)):
                self.assertTrue(header in public or header.startswith(layer + "/"), f"{name} includes {header}")
                if "/" in header:
                    self.assertTrue(os.path.isfile(os.path.join(self.LIB, header)), f"{name}: {header}")
            public_only = [(name, header) for name, header in self.includes("<", (layer,)) if header not in STANDARD
                           and not any(fits(header, pattern) and fits(name, users) for pattern, users in OUTSIDE)]
            self.assertEqual(public_only, [])
            knows = {}
            for name, header in self.includes('"', (layer,)):
                if name.endswith(".h") and header not in public:
                    knows.setdefault(name, set()).add(header)
            self.assertEqual(circle(knows), [])

    def test_no_circles(self):
        knows = {}
        for file, other, _ in self.calls():
            knows.setdefault(file, set()).add(other)
        self.assertEqual(circle(knows), [])

    def test_no_circles_of_headers(self):
        knows = {}
        for name, header in self.includes('"'):
            if name.endswith(".h") and header != "casehook.h":
                knows.setdefault(name, set()).add(header)
        self.assertEqual(circle(knows), [])

    def test_what_is_planted_is_found(self):
        self.assertEqual(circle({"a": {"b"}, "b": {"c"}, "c": {"d"}}), [])
        self.assertEqual(circle({"a": {"b"}, "b": {"c"}, "c": {"b", "d"}}), ["b", "c"])
        self.assertTrue(upward("json/jsscan.c", "tls/tls.h"))
        self.assertFalse(upward("tls/tls_ca.c", "json/jsscan.h"))

    def test_private_headers(self):
        wrong = [f"{name} includes {header}" for name, header in self.includes('"')
                 if header.endswith("_private.h") and folder(name) != folder(header)]
        self.assertEqual(wrong, [])

    def test_posix_is_asked_for_first(self):
        # Once one header of the system was read, it is too late.
        found = self.includes("any")
        for name in {name for name, header in found if header in POSIX and name.endswith(".c")}:
            self.assertEqual([header for file, header in found if file == name][0], "base/posix.h", name)

    def test_other_projects(self):
        wrong = [f"{name} includes <{header}>" for name, header in self.includes("<")
                 if header not in STANDARD
                 and not any(fits(header, pattern) and fits(name, users) for pattern, users in OUTSIDE)]
        self.assertEqual(wrong, [])

    def test_the_core_only_parses_urls_with_libcurl(self):
        wrong = [f"{file} uses {name}" for file, _, name in self.symbols()
                 if name.startswith("curl_") and folder(file) != "transport"
                 and not (file == "url/url" and name in URL_PARSER)]
        self.assertEqual(wrong, [])


run(Layers, "LIB STATIC")
