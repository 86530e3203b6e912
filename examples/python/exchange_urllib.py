#!/usr/bin/env python3
"""A case pushed with Python's own HTTP client; the library is bound with ctypes.

    exchange_urllib.py CONNECTOR.json TITLE

The library decides what is sent and what an answer means (casehook_exchange_*); urllib carries the
bytes.  What a hop's policy says is enforced here: verification mode, CA, client certificate, proxy, time
and size; redirects are not followed but fed back.  CASEHOOK_LIBRARY names the library's file.
"""
import ctypes
import ctypes.util
import http.client
import json
import os
import socket
import ssl
import sys
import tempfile
import time
import urllib.error
import urllib.request

PUSH = 5
TERMINATED = ctypes.c_size_t(-1).value
E_CONNECT, E_TLS, E_TIMEOUT, E_NETWORK = -8, -10, -11, -13

lib = ctypes.CDLL(os.environ.get("CASEHOOK_LIBRARY") or ctypes.util.find_library("casehook") or "libcasehook.so.0.2")
POINTER, TEXT, SIZE = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t
for name, result, arguments in (
        ("casehook_connector_new", ctypes.c_int, (POINTER, TEXT, SIZE, ctypes.POINTER(POINTER), ctypes.POINTER(POINTER))),
        ("casehook_connector_unref", None, (POINTER,)),
        ("casehook_error_message", TEXT, (POINTER,)),
        ("casehook_error_next", POINTER, (POINTER,)),
        ("casehook_error_free", None, (POINTER,)),
        ("casehook_exchange_new_json", ctypes.c_int,
         (POINTER, ctypes.c_int, TEXT, SIZE, POINTER, ctypes.POINTER(POINTER), ctypes.POINTER(POINTER))),
        ("casehook_exchange_next_json", TEXT, (POINTER, POINTER)),
        ("casehook_exchange_feed", ctypes.c_int, (POINTER, ctypes.c_int, TEXT, SIZE, TEXT, SIZE)),
        ("casehook_exchange_fail", ctypes.c_int, (POINTER, ctypes.c_int, ctypes.c_int, TEXT)),
        ("casehook_exchange_result", POINTER, (POINTER,)),
        ("casehook_exchange_free", None, (POINTER,)),
        ("casehook_result_json", TEXT, (POINTER, POINTER)),
        ("casehook_result_free", None, (POINTER,))):
    function = getattr(lib, name)
    function.restype, function.argtypes = result, arguments


class NoRedirect(urllib.request.HTTPRedirectHandler):
    """A 3xx is an answer like any other: the library decides."""

    def redirect_request(self, *arguments):
        return None


def context_of(hop):
    """The TLS side of a hop's policy."""
    context = ssl.create_default_context(cadata=hop["ca"])
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname = hop["verificationMode"] == "full"
    if hop["verificationMode"] == "none":
        context.verify_mode = ssl.CERT_NONE
    if hop["clientCertificate"]:
        with tempfile.NamedTemporaryFile("w", suffix=".pem") as both:  # ssl reads certificates from files only
            os.chmod(both.name, 0o600)
            both.write(hop["clientKey"] + hop["clientCertificate"])
            both.flush()
            context.load_cert_chain(both.name)
    return context


def carry(exchange, hop):
    """Does one request and says to the exchange what came of it."""
    if hop["proxy"]:
        return lib.casehook_exchange_fail(exchange, E_CONNECT, 0, b"this client knows no proxies")
    opener = urllib.request.build_opener(NoRedirect, urllib.request.ProxyHandler({}),
                                         urllib.request.HTTPSHandler(context=context_of(hop)))
    body = hop["body"].encode() if hop["body"] is not None else None
    request = urllib.request.Request(hop["url"], body, hop["headers"], method=hop["method"])
    try:
        try:
            answer = opener.open(request, timeout=hop["timeoutMs"] / 1000)
        except urllib.error.HTTPError as refused:  # urllib calls every status from 300 on an error
            answer = refused
        with answer:
            data = answer.read(hop["maxBodyBytes"] + 1)
            if answer.length and len(data) <= hop["maxBodyBytes"]:
                raise http.client.IncompleteRead(data, answer.length)
            headers = "".join("%s: %s\n" % pair for pair in answer.headers.items()).encode()
            return lib.casehook_exchange_feed(exchange, answer.status, headers, len(headers), data, len(data))
    except TimeoutError as fault:
        status, sent, text = E_TIMEOUT, 1, fault
    except urllib.error.URLError as fault:
        # urllib says the same of a connection that fails and of a request that breaks on its way: what was
        # certainly not sent is named one by one.
        text = fault.reason
        sent = 0 if isinstance(text, (ConnectionRefusedError, socket.gaierror, ssl.SSLCertVerificationError)) else 1
        status = E_TLS if isinstance(text, ssl.SSLError) else E_NETWORK if sent else E_CONNECT
    except ssl.SSLError as fault:  # while the answer was read: with TLS 1.3 the server may refuse a certificate then
        status, sent, text = E_TLS, 1, fault
    except (OSError, http.client.HTTPException) as fault:
        status, sent, text = E_NETWORK, 1, fault
    return lib.casehook_exchange_fail(exchange, status, sent, str(text).encode())


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    with open(sys.argv[1], "rb") as file:
        document = file.read()
    connector, exchange, error = POINTER(), POINTER(), POINTER()
    if lib.casehook_connector_new(None, document, len(document), ctypes.byref(connector), ctypes.byref(error)):
        sys.exit(lib.casehook_error_message(error).decode())
    params = json.dumps({"title": sys.argv[2]}).encode()
    if lib.casehook_exchange_new_json(connector, PUSH, params, len(params), None, ctypes.byref(exchange),
                                      ctypes.byref(error)):
        sys.exit(lib.casehook_error_message(error).decode())
    while (text := lib.casehook_exchange_next_json(exchange, None)) is not None:
        hop = json.loads(text)
        if "waitMs" in hop:  # before it is tried again
            time.sleep(hop["waitMs"] / 1000)
            continue
        print("%(step)s: %(method)s %(url)s" % hop)
        carry(exchange, hop)
    result = lib.casehook_exchange_result(exchange)
    told = json.loads(lib.casehook_result_json(result, None))
    lib.casehook_result_free(result)
    lib.casehook_exchange_free(exchange)
    lib.casehook_connector_unref(connector)
    if not told["ok"]:
        sys.exit(told["error"]["message"])
    print("case %(id)s: %(url)s" % told)


if __name__ == "__main__":
    main()
