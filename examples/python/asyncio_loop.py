#!/usr/bin/env python3
"""Cases opened from asyncio: the loop's one descriptor is watched by the event loop of Python.

    asyncio_loop.py CONNECTOR.json TITLE...

The library is bound with ctypes; CASEHOOK_LIBRARY names its file.  Everything runs on one thread.
"""
import asyncio
import ctypes
import ctypes.util
import json
import os
import sys

CREATE, PUSH = 1, 5
BUSY = -18

lib = ctypes.CDLL(os.environ.get("CASEHOOK_LIBRARY") or ctypes.util.find_library("casehook") or "libcasehook.so.0.2")
POINTER, TEXT, SIZE, TICKET = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_uint64
for name, result, arguments in (
        ("casehook_status_name", TEXT, (ctypes.c_int,)),
        ("casehook_connector_new", ctypes.c_int, (POINTER, TEXT, SIZE, ctypes.POINTER(POINTER), ctypes.POINTER(POINTER))),
        ("casehook_connector_unref", None, (POINTER,)),
        ("casehook_error_message", TEXT, (POINTER,)),
        ("casehook_error_free", None, (POINTER,)),
        ("casehook_loop_new", ctypes.c_int, (POINTER, ctypes.POINTER(POINTER))),
        ("casehook_loop_fd", ctypes.c_int, (POINTER,)),
        ("casehook_loop_process", ctypes.c_int, (POINTER,)),
        ("casehook_loop_submit_json", ctypes.c_int,
         (POINTER, POINTER, ctypes.c_int, TEXT, SIZE, POINTER, ctypes.POINTER(TICKET), ctypes.POINTER(POINTER))),
        ("casehook_loop_cancel", ctypes.c_int, (POINTER, TICKET)),
        ("casehook_loop_next", POINTER, (POINTER, ctypes.POINTER(TICKET))),
        ("casehook_loop_free", None, (POINTER,)),
        ("casehook_result_json", TEXT, (POINTER, POINTER)),
        ("casehook_result_free", None, (POINTER,))):
    function = getattr(lib, name)
    function.restype, function.argtypes = result, arguments


def check(status):
    if status:
        raise RuntimeError(lib.casehook_status_name(status).decode())


class Connector:
    def __init__(self, document):
        error = POINTER()
        self.handle = POINTER()
        if lib.casehook_connector_new(None, document, len(document), ctypes.byref(self.handle), ctypes.byref(error)):
            message = lib.casehook_error_message(error).decode()
            lib.casehook_error_free(error)
            raise ValueError(message)

    def close(self):
        lib.casehook_connector_unref(self.handle)
        self.handle = None


class Cases:
    """Operations whose results are awaited; made and used in a running event loop."""

    def __init__(self):
        self.futures = {}
        self.handle = POINTER()
        check(lib.casehook_loop_new(None, ctypes.byref(self.handle)))
        self.room = asyncio.Event()  # set whenever something has ended
        self.events = asyncio.get_running_loop()
        self.descriptor = lib.casehook_loop_fd(self.handle)
        if self.descriptor < 0:
            raise RuntimeError("this system has no descriptor for the loop")
        self.events.add_reader(self.descriptor, self.process)

    def process(self):
        lib.casehook_loop_process(self.handle)
        ticket = TICKET()
        while True:
            result = lib.casehook_loop_next(self.handle, ctypes.byref(ticket))
            if not ticket.value:
                break
            text = lib.casehook_result_json(result, None) if result else None
            future = self.futures.pop(ticket.value)
            if not future.cancelled():
                if text is None:
                    future.set_exception(MemoryError())
                else:
                    future.set_result(json.loads(text))
            lib.casehook_result_free(result)
            self.room.set()

    async def run(self, connector, operation, params):
        """The result as casehook_result_json() has it; a failed operation is a result, too."""
        text = json.dumps(params).encode()
        ticket = TICKET()
        while True:
            status = lib.casehook_loop_submit_json(self.handle, connector.handle, operation, text, len(text), None,
                                                   ctypes.byref(ticket), None)
            if status != BUSY:
                break
            self.room.clear()
            await self.room.wait()
        check(status)
        future = self.futures[ticket.value] = self.events.create_future()
        try:
            return await future
        except asyncio.CancelledError:
            lib.casehook_loop_cancel(self.handle, ticket)
            raise

    def close(self):
        self.events.remove_reader(self.descriptor)
        lib.casehook_loop_free(self.handle)
        self.handle = None


async def main(path, titles):
    with open(path, "rb") as file:
        connector = Connector(file.read())
    cases = Cases()
    try:
        results = await asyncio.gather(*(cases.run(connector, CREATE, {"title": title}) for title in titles))
    finally:
        cases.close()
        connector.close()
    for result in results:
        if result["id"]:
            print("case %s: %s" % (result["id"], result["url"]))
        if result["error"]:
            print(result["error"]["message"], file=sys.stderr)
    return 0 if all(result["ok"] for result in results) else 1


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit("usage: asyncio_loop.py CONNECTOR.json TITLE...")
    sys.exit(asyncio.run(main(sys.argv[1], sys.argv[2:])))
