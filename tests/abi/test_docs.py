"""The documentation says what is there: test_docs.py ROOT CC LIBRARY TOOL

LIBRARY and TOOL may be "none": where they cannot be used, what needs them is skipped.
"""
import collections
import ctypes
import glob
import json
import os
import re
import subprocess
import unittest

from header import Header, run

FRONT_PAGE_LINES = 250
WORDS = 8  # a sentence of as many is in one place only
STIFF = r"\b(behind|stands?|stood|lies?|lay|told|whatever|beside)\b"  # words of a translated style

# What a block of C without includes is given.
PREAMBLE = """#include <casehook.h>
#include <poll.h>
#include <stdio.h>
void host_does(const struct casehook_http_request *request, struct casehook_exchange *exchange);
void host_sleeps(int64_t ms);
"""

# Rows of the table of limits, and the constants that they speak of: all CASEHOOK__..._MAX of the headers, some others.
LIMITS = {
    "connector document, settings": "CASEHOOK__DOCUMENT_MAX_BYTES CASEHOOK__DOCUMENT_MAX_DEPTH",
    "faults reported of one document": "CASEHOOK__ERRORS_MAX",
    "template, before rendering": "CASEHOOK__TEMPLATE_MAX_BYTES CASEHOOK__TEMPLATE_MAX_DEPTH DELIMITER_MAX",
    "one rendering": "CASEHOOK__TEMPLATE_MAX_STEPS CASEHOOK__BODY_MAX_BYTES",
    "JSON for a template of the host": "RENDER_DEPTH_MAX RENDER_VALUES_MAX",
    "all renderings of one call": "CASEHOOK__CALL_STEPS_MAX CASEHOOK__REHEARSAL_STEPS_MAX",
    "variables tested by sections outside strings": "CASEHOOK__TESTED_MAX",
    "rendered URL": "CASEHOOK__URL_MAX_BYTES",
    "host name / entry of a host list": "ENTRY_MAX",
    "response key": "CASEHOOK__KEYPATH_MAX_BYTES CASEHOOK__KEYPATH_MAX_PARTS",
    "response fields": "CASEHOOK__RESPONSE_FIELDS_MAX",
    "`values` / variables of one / words of its map": "CASEHOOK__VALUES_MAX CASEHOOK__VALUE_FROM_MAX CASEHOOK__VALUE_WORDS_MAX",
    "a value that is made / its lines": "CASEHOOK__VALUE_BYTES_MAX CASEHOOK__VALUE_LINES_MAX",
    "making the values of one request": "CASEHOOK__VALUE_WORK_MAX",
    "headers": "CASEHOOK__HEADERS_MAX",
    "`ca`, `crt`, `key`, `pfx`": "PEM_MAX_BYTES",
    "certificates / keys / entries in a client's file": "CASEHOOK__CHAIN_MAX CASEHOOK__KEYS_MAX BAGS_MAX BAGS_DEPTH",
    "iterations to open a PFX or key file": "CASEHOOK__PBE_MAX_ITERATIONS",
    "CAs of one host entry": "CA_MAX_BYTES",
    "the system's CA bundle": "BUNDLE_MAX_BYTES",
    "`customHostSettings`": "HOSTS_MAX",
    "`allowedHosts`, `proxyBypassHosts`, `proxyOnlyHosts`, `allowedAddresses`": "CASEHOOK__HOST_LIST_MAX ADDRESSES_MAX",
    "secrets of a connector, including parts of secret URLs": "SECRETS_MAX",
    "params of a call": "CASEHOOK__PARAMS_MAX_BYTES",
    "idempotency key, as given": "CASEHOOK__KEY_MAX_BYTES",
    "`idempotencyDuplicateStatuses`": "CASEHOOK__DUPLICATE_STATUSES_MAX",
    "comments / custom fields / list items of a call":
        "CASEHOOK__COMMENTS_MAX CASEHOOK__FIELDS_MAX CASEHOOK__ITEMS_MAX",
    "`secretQuery`": "QUERY_COUNT_MAX",
    "`signingKey`": "SIGNING_KEYS_MAX SIGNING_KEY_MAX",
    "token": "CASEHOOK__TOKEN_MAX_BYTES",
    "external id": "CASEHOOK__ID_MAX_BYTES",
    "title in an answer": "CASEHOOK__TITLE_MAX_BYTES",
    "body of a refusal": "REFUSAL_BODY_MAX",
    "response headers": "CASEHOOK__HEADER_BYTES_MAX",
    "a proxy's answer to CONNECT": "CASEHOOK__HEADER_BYTES_MAX",
    "JSON in an answer or in params": "CASEHOOK__JSON_DEPTH_MAX",
    "server's own text in a message / a message without its field": "CASEHOOK__EXCERPT_MAX",
    "a URL in a message / in a result that is no preview": "SHOWN_URL_MAX",
    "response fields of a result, together": "CASEHOOK__RESULT_FIELDS_MAX_BYTES",
    "a preview, all requests together": "CASEHOOK__PREVIEW_MAX_BYTES",
    "a result as JSON": "CASEHOOK__RESULT_JSON_MAX",
    "a struct of a newer header": "CASEHOOK__STRUCT_MAX_BYTES",
}
# Of no interest to users.
INNER = {"CASEHOOK__LOOKS_MAX", "CASEHOOK__RESPONSE_NAME_MAX", "CASEHOOK__NEEDLE_HEAD_MAX", "CASEHOOK__SOCKETS_MAX", "CASEHOOK__DURATION_MAX_MS", "CASEHOOK__SIZE_MAX_BYTES"}

BLOCK = re.compile(r"(?ms)^```(\w+)\n(.*?)^```$")
INDENTED = re.compile(r"(?m)(?<=\n\n)((?:    .*\n)+)")
# Of what a comment of C looks like; a rule is in brackets or is named in passing.
COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.S)
RULE = re.compile(r"\b([CTUHKRNPDAVL]\d{1,2})\b(?!\d)")
NO_RULES = {"C11", "C17", "C99"}


def table(text, heading):
    """The rows of the table whose first header cell is this one: lists of cells."""
    found = []
    for match in re.finditer(r"(?m)^\| ?" + re.escape(heading) + r" ?\|.*\n\|[-|]+\|\n((?:\|.*\n)+)", text):
        for line in match.group(1).splitlines():
            found.append([cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]])
    return found


def names(cell):
    return re.findall(r"`([^`]+)`", cell)


def anchor(heading):
    """As GitHub makes it."""
    text = re.sub(r"[`*]", "", heading).strip().lower()
    return re.sub(r"[^\w\- ]", "", text).replace(" ", "-")


def number_forms(value):
    forms = {f"{value:,}", str(value)}
    for unit, size in (("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30)):
        if value % size == 0 and value >= size:
            forms.add(f"{value // size} {unit}")
    return forms


class Docs(unittest.TestCase):
    def read(self, path):
        with open(os.path.join(self.ROOT, path), encoding="utf-8") as source:
            return source.read()

    def rooms(self):
        listed = glob.glob(os.path.join(self.ROOT, "**", "*.md"), recursive=True)
        found = sorted(os.path.relpath(path, self.ROOT) for path in listed)
        return [path for path in found if not path.startswith(("build", "subprojects"))]

    def gallery(self):
        """Pages of one form, which the page of documents lists."""
        return [room for room in self.rooms() if room.startswith("examples/connectors/") and not room.endswith("/README.md")]

    def blocks(self, *kinds):
        return [(room, text) for room in self.rooms() for kind, text in BLOCK.findall(self.read(room)) if kind in kinds]

    def sources(self, *folders):
        return [path for folder in folders for ending in ("c", "h")
                for path in sorted(glob.glob(os.path.join(self.ROOT, folder, "**", "*." + ending), recursive=True))]

    def list_of(self, path, name):
        """The texts of a static array of the sources."""
        array = re.search(r"\b" + name + r"\[[^\]]*\] = \{(.*?)\};", self.read(path), re.S)
        self.assertTrue(array, f"{path} has no {name}")
        return set(re.findall(r'"([^"]+)"', array.group(1)))

    def library(self):
        if self.LIBRARY == "none":
            self.skipTest("the library cannot be loaded here")
        library = ctypes.CDLL(self.LIBRARY)
        for function, result in (("casehook_error_message", ctypes.c_char_p), ("casehook_result_json", ctypes.c_char_p),
                                 ("casehook_result_status", ctypes.c_int), ("casehook_status_name", ctypes.c_char_p)):
            getattr(library, function).restype = result
        return library

    # ---- form ------------------------------------------------------------------------------------

    def test_front_page_is_short(self):
        self.assertLessEqual(len(self.read("README.md").splitlines()), FRONT_PAGE_LINES)

    def test_links_lead_somewhere(self):
        count = 0
        for room in self.rooms():
            text = BLOCK.sub("", self.read(room))
            for target in re.findall(r"\]\(([^)\s]+)\)", text):
                if target.startswith(("http://", "https://")):
                    continue
                count += 1
                path, _, place = target.partition("#")
                file = os.path.normpath(os.path.join(os.path.dirname(room), path)) if path else room
                self.assertTrue(os.path.exists(os.path.join(self.ROOT, file)), f"{room}: {target}")
                if place:
                    headings = re.findall(r"(?m)^#+ (.*)$", BLOCK.sub("", self.read(file)))
                    self.assertIn(place, [anchor(each) for each in headings], f"{room}: {target}")
        self.assertGreater(count, 50)

    def test_every_room_is_on_the_front_page_or_in_its_layers(self):
        known = self.read("README.md") + self.read("lib/README.md").replace("](", "](lib/")
        for room in self.rooms():
            if room != "README.md" and room not in self.gallery():
                self.assertIn(f"]({room})", known, room)

    def test_no_sentence_in_two_places(self):
        places = collections.defaultdict(list)
        for room in sorted(set(self.rooms()) - set(self.gallery())):
            text = re.sub(r"\]\([^)]*\)|[\[*`]", "", INDENTED.sub("", BLOCK.sub("", self.read(room))))
            for sentence in re.split(r"[.!?;:](?=\s)|\s\||\n\n|\n- ", text):
                words = re.findall(r"[\w'+.-]+", sentence.lower())
                if len(words) >= WORDS:
                    places[" ".join(words)].append(room)
        self.assertGreater(len(places), 300)
        self.assertEqual({sentence: found for sentence, found in places.items() if len(found) > 1}, {})

    def test_plain_words(self):
        for room in self.rooms():
            for line in INDENTED.sub("", BLOCK.sub("", self.read(room))).splitlines():
                self.assertIsNone(re.search(STIFF, re.sub(r"`[^`]*`", "", line), re.I), f"{room}: {line}")

    # ---- code ------------------------------------------------------------------------------------

    def test_examples_are_the_files(self):
        for room, path in (("README.md", "examples/push.c"), ("README.md", "examples/python/push.py"),
                           ("README.md", "examples/connectors/first.json"),
                           ("examples/connectors/README.md", "examples/connectors/tracker.json")):
            self.assertIn((room, self.read(path)), self.blocks("c", "json", "python"), path)

    def test_c_compiles(self):
        blocks = self.blocks("c")
        self.assertGreater(len(blocks), 3)
        for room, text in blocks:
            text = text if "#include" in text else PREAMBLE + text
            command = [*self.CC.split(), "-std=gnu11", "-Wall", "-Wextra", "-Werror", "-Wno-unused-function", "-fsyntax-only",
                       "-I" + os.path.join(self.ROOT, "include"), "-x", "c", "-"]
            done = subprocess.run(command, input=text, capture_output=True, text=True)
            self.assertEqual(done.returncode, 0, f"{room}\n{done.stderr}")

    def test_python_compiles(self):
        for room, text in self.blocks("python"):
            compile(text, room, "exec")

    def test_json_is_json(self):
        self.assertGreater(len(self.blocks("json")), 4)
        for room, text in self.blocks("json"):
            json.loads(text)

    def test_documents_are_right(self):
        library = self.library()
        paths = glob.glob(os.path.join(self.ROOT, "examples", "connectors", "*.json"))
        self.assertGreater(len(paths), 1)
        for path in paths:
            with open(path, "rb") as file:
                text = file.read()
            error = ctypes.c_void_p()
            status = library.casehook_connector_check(None, text, ctypes.c_size_t(len(text)), ctypes.byref(error))
            self.assertEqual(status, 0, f"{path}: {library.casehook_error_message(error)}")
            self.assertIn(f"]({os.path.basename(path)})", self.read("examples/connectors/README.md"))

    def test_cases_and_settings_are_right(self):
        library = self.library()
        found = 0
        for room, text in self.blocks("json"):
            if "incident" in json.loads(text):
                found += 1
                handle, result = self.connector(library, {}), ctypes.c_void_p()
                library.casehook_preview_json(handle, 5, text.encode(), ctypes.c_size_t(len(text.encode())),
                                              ctypes.byref(result))
                self.assertEqual(library.casehook_result_status(result), 0, room)
            elif "allowedHosts" in json.loads(text):
                found += 1
                settings, error = ctypes.c_void_p(), ctypes.c_void_p()
                value = json.loads(text)
                value.pop("customHostSettings")  # it names a file of somebody else
                text = json.dumps(value).encode()
                library.casehook_settings_new(None, ctypes.byref(settings))
                status = library.casehook_settings_load_json(settings, text, ctypes.c_size_t(len(text)), ctypes.byref(error))
                self.assertEqual(status, 0, library.casehook_error_message(error))
        self.assertEqual(found, 2)

    def connector(self, library, changes):
        document = json.loads(self.read("examples/connectors/tracker.json"))
        document["config"].update(changes)
        text = json.dumps(document).encode()
        handle, error = ctypes.c_void_p(), ctypes.c_void_p()
        if library.casehook_connector_new(None, text, ctypes.c_size_t(len(text)), ctypes.byref(handle), ctypes.byref(error)):
            self.fail(library.casehook_error_message(error))
        return handle

    def test_templates_give_what_their_row_says(self):
        library = self.library()
        rows = table(self.read("examples/connectors/README.md"), "template")
        self.assertGreater(len(rows), 5)
        case = json.dumps({"title": 'say "hi"', "tags": ["p", "q"]}).encode()
        for template, wanted, _ in rows:
            handle = self.connector(library, {"createIncidentJson": template.strip("`"), "strict": False})
            result = ctypes.c_void_p()
            library.casehook_preview_json(handle, 1, case, ctypes.c_size_t(len(case)), ctypes.byref(result))
            shown = json.loads(library.casehook_result_json(result, None))
            self.assertIsNone(shown["error"], template)
            self.assertEqual(shown["requests"][0]["body"], wanted.strip("`"), template)

    def commands(self):
        """Every line that calls the tool, with its continuations."""
        for room in self.rooms():
            text = self.read(room)
            code = [block for kind, block in BLOCK.findall(text) if kind in ("console", "sh")] + INDENTED.findall(text)
            for line in "\n".join(code).replace("\\\n", " ").splitlines():
                line = line.strip().removeprefix("$ ")
                if line.startswith("casehook "):
                    yield room, line.split("#")[0]

    def test_the_tool_has_the_options(self):
        if self.TOOL == "none":
            self.skipTest("the tool was not built")
        said = subprocess.run([self.TOOL, "--help"], capture_output=True, text=True, check=True).stdout
        known = set(re.findall(r"--[a-z][a-z-]+", said))
        commands = list(self.commands())
        self.assertGreater(len(commands), 8)
        for room, line in commands:
            self.assertEqual(set(re.findall(r"(?<= )--[a-z-]+", line)) - known, set(), f"{room}: {line}")
            self.assertRegex(said, r"(?m)^  " + line.split()[1] + r"\b", f"{room}: {line}")
        page = self.read("examples/README.md")
        self.assertEqual({name for row in table(page, "option") for name in names(row[0])}, known)
        # The list of commands ends where the files begin.
        listed = set(re.findall(r"(?m)^  ([a-z]+) ", said.split("\nFiles\n")[0]))
        self.assertEqual({name for row in table(page, "command") for name in names(row[0])}, listed)
        codes = re.findall(r"(?m)^ {2,3}(\d+)  (.*)$", re.sub(r"\n {6}(?=\S)", " ", said))
        self.assertEqual([tuple(row) for row in table(page, "exit code")], codes)

    def test_options_of_scripts_and_of_meson(self):
        script, options = self.read("tests/run.sh"), self.read("meson_options.txt")
        for room in self.rooms():
            text = self.read(room)
            for option in re.findall(r"run\.sh (--[a-z]+)", text):
                self.assertIn(option, script, room)
            for option in re.findall(r"meson setup.* -D([a-z]+)=", text):
                self.assertIn(f"option('{option}'", options, room)
            for suite in re.findall(r"--suite (\w+)", text):
                self.assertIn(suite, {row[1] for row in table(self.read("tests/README.md"), "folder")}, room)

    # ---- tables ----------------------------------------------------------------------------------

    def test_fields_of_documents(self):
        page = self.read("examples/connectors/README.md")
        for heading, array in (("`config` field", "config_names"), ("`secrets` field", "secret_names")):
            rows = [name for row in table(page, heading) for name in names(row[0])]
            self.assertEqual(len(rows), len(set(rows)))
            self.assertEqual(set(rows), self.list_of("lib/document/config_json.c", array))

    def test_settings(self):
        rows = table(self.read("examples/README.md"), "setting")
        top = [name for row in rows if "…" not in row[0] for name in names(row[0])]
        inner = [name for row in rows if "…" in row[0] for name in names(row[0])]
        self.assertEqual(len(top), len(set(top)))
        self.assertEqual(set(top), self.list_of("lib/settings/settings_json.c", "settings_slot_names"))
        source = self.read("lib/settings/settings_hosts.c")
        self.assertEqual(set(inner), set(re.findall(r'"(url|ssl\.\w+)"', source)))

    def test_codes(self):
        page = self.read("include/README.md")
        constants = Header(os.path.join(self.ROOT, "include", "casehook.h")).constants
        for heading, prefix, other in (("code", "CASEHOOK_E_", {"ok"}), ("step", "CASEHOOK_STEP_", set()),
                                       ("outcome of a request", "CASEHOOK_OUTCOME_", set()),
                                       ("state of a comment", "CASEHOOK_COMMENT_", set()),
                                       ("level", "CASEHOOK_LOG_", set())):
            wanted = {name[len(prefix):].lower() for name in constants if name.startswith(prefix)} | other
            if prefix == "CASEHOOK_STEP_":
                wanted.remove("none")
            rows = [name for row in table(page, heading) for name in names(row[0])]
            self.assertEqual(sorted(rows), sorted(wanted), heading)

    def test_functions_and_constants_exist(self):
        text = self.read("include/casehook.h") + self.read("include/casehook_outbox.h")
        text += " ".join("casehook_" + name for name in re.findall(r'"(\w+)"', self.read("examples/casehookd/metrics.c")))
        old = set(re.findall(r"casehook_\w+", " ".join(row[0] for row in table(self.read("include/README.md"), "0.1"))))
        for room in self.rooms():
            for name in set(re.findall(r"\b(?:casehook|CASEHOOK)_(?!_)[A-Za-z]\w+\b(?!\.[a-z])", self.read(room))):
                if name in old or name in ("CASEHOOK_LIBRARY", "CASEHOOK_HAVE_IDN2", "CASEHOOK_HAVE_UTF8PROC", "CASEHOOK_STEP_", "casehook_loop_"):
                    continue
                self.assertIn(name, text, room)

    def test_objects(self):
        header = Header(os.path.join(self.ROOT, "include", "casehook.h"))
        rows = table(self.read("include/README.md"), "object")
        self.assertEqual({names(row[0])[0] for row in rows}, header.handles)
        self.assertEqual({names(row[0])[0] for row in table(self.read("include/README.md"), "call")},
                         {"casehook_create", "casehook_get", "casehook_update", "casehook_add_comment", "casehook_push"})

    def test_limits(self):
        defined = {}
        for path in self.sources("lib"):
            with open(path, encoding="utf-8") as source:
                for name, value in re.findall(r"(?m)^#define (\w+)[ \t]+(.*?)(?:[ \t]*/\*.*)?$", source.read()):
                    if path.endswith(".h") or not name.startswith("CASEHOOK__"):
                        defined.setdefault(name, value)
        rows = {row[0]: row[1] for row in table(self.read("include/README.md"), "what")}
        for what, constants in LIMITS.items():
            self.assertIn(what, rows)
            for constant in constants.split():
                value = re.sub(r"\(size_t\)", "", defined[constant])
                self.assertRegex(value, r"^[\d* ()]+$", constant)
                self.assertTrue(any(re.search(r"(?<![\d,])" + re.escape(form) + r"(?![\d,]*\d)", rows[what])
                                    for form in number_forms(eval(value))), f"{what}: {constant} is {value}")
        limits = {name for name, value in defined.items() if re.match(r"CASEHOOK__\w*MAX", name)}
        self.assertEqual(limits - INNER - set(" ".join(LIMITS.values()).split()), set(), "not in the table of limits")

    def test_size_of_the_library(self):
        most = re.search(r"(?m)^SIZE_MAX = (\d+) \* 1024$", self.read("tests/abi/test_exports.py")).group(1)
        self.assertIn(f"| stripped shared library | {most} KiB at most", self.read("tests/README.md"))

    def test_messages_exist(self):
        texts = ""
        for path in self.sources("lib"):
            with open(path, encoding="utf-8") as source:
                texts += re.sub(r'"\s*"', "", source.read())
        rows = table(self.read("examples/README.md"), "message")
        self.assertGreater(len(rows), 20)
        for row in rows:
            self.assertIn(names(row[0])[0].replace('"', '\\"'), texts)

    # ---- lib -------------------------------------------------------------------------------------

    def test_every_rule_that_a_comment_names_is_explained(self):
        named = collections.defaultdict(set)
        for path in self.sources("lib", "include"):
            with open(path, encoding="utf-8") as source:
                for comment in COMMENT.findall(source.read()):
                    for rule in set(RULE.findall(comment)) - NO_RULES:
                        named[rule].add(os.path.basename(path))
                    for letter, first, last in re.findall(r"\b([A-Z])(\d)-\1(\d)\b", comment):
                        for number in range(int(first), int(last) + 1):
                            named[letter + str(number)].add(os.path.basename(path))
        self.assertGreater(len(named), 30)
        explained = set(re.findall(r"(?m)^- \*\*([A-Z]\d+)\*\* ", self.read("lib/README.md")))
        self.assertEqual({rule: files for rule, files in named.items() if rule not in explained}, {})

    def test_every_file_of_a_layer_is_in_its_page(self):
        for layer in sorted(os.listdir(os.path.join(self.ROOT, "lib"))):
            folder = os.path.join(self.ROOT, "lib", layer)
            if os.path.isdir(folder):
                files = {name for name in os.listdir(folder) if name.endswith((".c", ".h"))}
                page = self.read(f"lib/{layer}/README.md")
                self.assertEqual(set(re.findall(r"`(\w+\.[ch])`", page)), files, layer)
                self.assertLessEqual(len(page.splitlines()), 30, layer)

    def test_files_named_by_pages_exist(self):
        files = {os.path.relpath(path, os.path.join(self.ROOT, "lib")) for path in self.sources("lib")}
        for name in re.findall(r"`([\w/]+\.[ch])`", self.read("lib/README.md")):
            self.assertTrue(any(path == name or path.endswith("/" + name) for path in files), name)
        for row in table(self.read("tests/README.md"), "folder"):
            self.assertTrue(os.path.isdir(os.path.join(self.ROOT, "tests", names(row[0])[0])), row[0])


run(Docs, "ROOT CC LIBRARY TOOL")
