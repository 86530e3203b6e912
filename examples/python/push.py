#!/usr/bin/env python3
"""Opens a case with comments:  push.py CONNECTOR.json TITLE [COMMENT...]"""
import ctypes
import ctypes.util
import json
import os
import sys

PUSH = 5  # CASEHOOK_PUSH
POINTER, TEXT, SIZE = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t
OUT = ctypes.POINTER(POINTER)
# CASEHOOK_LIBRARY names the library's file if the system does not find it.
lib = ctypes.CDLL(os.environ.get("CASEHOOK_LIBRARY") or ctypes.util.find_library("casehook") or "libcasehook.so.0.2")
for name, result, arguments in (
        ("casehook_connector_new", ctypes.c_int, (POINTER, TEXT, SIZE, OUT, OUT)),
        ("casehook_connector_unref", None, (POINTER,)),
        ("casehook_error_message", TEXT, (POINTER,)),
        ("casehook_run_json", ctypes.c_int, (POINTER, ctypes.c_int, TEXT, SIZE, POINTER, OUT)),
        ("casehook_result_json", TEXT, (POINTER, POINTER)),
        ("casehook_result_free", None, (POINTER,))):
    function = getattr(lib, name)
    function.restype, function.argtypes = result, arguments

if len(sys.argv) < 3:
    sys.exit("usage: push.py CONNECTOR.json TITLE [COMMENT...]")
with open(sys.argv[1], "rb") as file:
    document = file.read()
connector, error, handle = POINTER(), POINTER(), POINTER()
if lib.casehook_connector_new(None, document, len(document), ctypes.byref(connector), ctypes.byref(error)):
    sys.exit(lib.casehook_error_message(error).decode())

comments = [{"commentId": str(i), "comment": text} for i, text in enumerate(sys.argv[3:], 1)]
case = json.dumps({"incident": {"title": sys.argv[2], "severity": "high"}, "comments": comments}).encode()
lib.casehook_run_json(connector, PUSH, case, len(case), None, ctypes.byref(handle))
result = json.loads(lib.casehook_result_json(handle, None) or "null")  # null: out of memory
lib.casehook_result_free(handle)
lib.casehook_connector_unref(connector)

if not result:
    sys.exit("out of memory")
if result["id"] is not None:  # the case exists, also when a later step failed
    print("case", result["id"], result["url"] or "")
for comment in result["comments"]:
    print("comment %s: %s" % (comment["commentId"], comment["state"]))
if result["error"]:
    sys.exit(result["error"]["message"])
