"""Who knows whom in lib/: includes, and what the objects really call.

test_layers.py LIB STATIC      the folder of the sources, and the static library made from them
"""
import fnmatch
import os
import re
import shutil
import subprocess
import unittest

from header import run

# From the bottom up; a module may know its own layer and those below it.  The first pattern that fits counts.
LAYERS = [
    ("base", "abi alloc base64 buf cancel clock clock_retry error file hash log reuse sigpipe text timers value"),
    ("tls", "tls*"),
    ("surface", "exchange_handle* settings_handle"),
    ("driver", "connector drive_* lane log_result loop* operation preview version"),
    ("transport", "transport*"),
    ("exchange", "exchange* result*"),
    ("core", "addresses config* duration fields headers hosts js* keypath mask* params* policy proxy settings* "
             "template* url*"),
]
ORDER = ["base", "tls", "core", "exchange", "transport", "driver", "surface"]

# Who may include what of other projects.
OUTSIDE = [
    ("curl/urlapi.h", "url.c"),
    ("curl/curl.h", "url.c"),  # urlapi.h does not stand alone
    ("curl/*", "transport_curl*"),
    ("jansson.h", "json.c"),
    ("openssl/*", "tls* base64.c hash.c"),
    ("idn2.h", "url_idn.c"),
]
STANDARD = """arpa/inet.h assert.h emmintrin.h errno.h fcntl.h limits.h netinet/in.h poll.h pthread.h signal.h
    stdarg.h stdatomic.h stdbool.h stddef.h stdint.h stdio.h stdlib.h string.h sys/epoll.h sys/event.h sys/eventfd.h
    sys/socket.h sys/stat.h sys/time.h sys/timerfd.h sys/types.h time.h unistd.h""".split()

# Headers that the files of one module share, and who else may look into them.
PRIVATE = {
    "config_read.h": "config_*",
    "exchange_private.h": "exchange* preview.c",  # a preview walks the machine without answers
    "loop.h": "loop_* loop.c",
    "loop_backend.h": "loop*",
    "template_private.h": "template_* template.c",
    "tls_internal.h": "tls_*",
    "transport_curl.h": "transport_curl*",
    "url_parts.h": "url*",
    "url_path.h": "url*",
}

URL_PARSER = {"curl_url", "curl_url_cleanup", "curl_url_get", "curl_url_set", "curl_free"}

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.M)


def fits(name, patterns):
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns.split())


def layer(module):
    for name, patterns in LAYERS:
        if fits(module, patterns):
            return name
    raise AssertionError(f"{module} is in no layer: name it in {os.path.basename(__file__)}")


def below(module, other):
    return ORDER.index(layer(other)) <= ORDER.index(layer(module))


def stem(file):
    return os.path.basename(file).split(".")[0]


class Layers(unittest.TestCase):
    def includes(self, kind):
        found = []
        for name in sorted(os.listdir(self.LIB)):
            if name.endswith((".c", ".h")):
                with open(os.path.join(self.LIB, name), encoding="utf-8") as source:
                    found += [(name, what) for quote, what in INCLUDE.findall(source.read()) if quote == kind]
        self.assertGreater(len(found), 10, "no sources there")
        return found

    def symbols(self):
        """(module, kind, name) of every global symbol of the library's objects."""
        if not shutil.which("nm"):
            self.skipTest("nm is not installed")
        text = subprocess.run(["nm", "-A", "-g", self.STATIC], capture_output=True, text=True, check=True).stdout
        found = [(stem(line.split(":")[1]), *line.split()[-2:]) for line in text.splitlines()]
        self.assertGreater(len(found), 100)
        return found

    def test_includes_go_downward(self):
        wrong = [f"{name} ({layer(stem(name))}) includes {header} ({layer(stem(header))})"
                 for name, header in self.includes('"')
                 if header != "casehook.h" and not below(stem(name), stem(header))]
        self.assertEqual(wrong, [])

    def test_calls_go_downward(self):
        symbols = self.symbols()
        home = {name: module for module, kind, name in symbols if kind != "U"}
        wrong = [f"{module} ({layer(module)}) uses {name} of {home[name]} ({layer(home[name])})"
                 for module, kind, name in symbols
                 if kind == "U" and name in home and not below(module, home[name])]
        self.assertEqual(wrong, [])

    def test_private_headers(self):
        wrong = [f"{name} includes {header}" for name, header in self.includes('"')
                 if header in PRIVATE and not fits(name, PRIVATE[header])]
        self.assertEqual(wrong, [])

    def test_other_projects(self):
        wrong = [f"{name} includes <{header}>" for name, header in self.includes("<")
                 if header not in STANDARD
                 and not any(fits(header, pattern) and fits(name, users) for pattern, users in OUTSIDE)]
        self.assertEqual(wrong, [])

    def test_the_core_only_parses_urls_with_libcurl(self):
        wrong = [f"{module} uses {name}" for module, _, name in self.symbols()
                 if name.startswith("curl_") and not module.startswith("transport_curl")
                 and not (module == "url" and name in URL_PARSER)]
        self.assertEqual(wrong, [])


run(Layers, "LIB STATIC")
