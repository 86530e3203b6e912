"""test_oauth.py - the library against an authorization server that others wrote.

   python3 test_oauth.py PROGRAM FOLDER     test_oauth, and where npm's packages are kept

Needs node, npm, nginx and openssl, and the network when the packages are not there yet; says SKIP where something is missing.
"""

import glob
import hashlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
PROGRAM, PACKAGES = sys.argv[1:3]
KEY = "a key: of text"
NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
FRONT = """daemon off; master_process off; pid nginx.pid; error_log stderr crit; events {}
http { access_log off; client_body_temp_path b; proxy_temp_path p; fastcgi_temp_path f; uwsgi_temp_path u; scgi_temp_path s;
server { listen 127.0.0.1:PORT ssl; ssl_certificate server.crt; ssl_certificate_key server.key;
ssl_client_certificate ca.crt; ssl_verify_client optional;
location / { proxy_pass http://127.0.0.1:UPSTREAM; proxy_set_header Host $http_host; proxy_set_header X-Forwarded-Proto https;
proxy_set_header X-Client-Certificate $ssl_client_escaped_cert; } } }"""


def skip(reason):
    print(f"SKIP: {reason}")
    sys.exit(77)


def run(*command, **options):
    return subprocess.run(command, check=True, capture_output=True, text=True, **options).stdout


def install():
    """npm's packages, once for each list of them; the server is copied beside them, where node looks."""
    with open(os.path.join(HERE, "package.json"), "rb") as source:
        wanted = hashlib.sha256(source.read()).hexdigest()
    stamp = os.path.join(PACKAGES, "installed")
    os.makedirs(PACKAGES, exist_ok=True)
    shutil.copy(os.path.join(HERE, "package.json"), PACKAGES)
    shutil.copy(os.path.join(HERE, "server.mjs"), PACKAGES)
    if os.path.exists(stamp) and open(stamp, encoding="ascii").read() == wanted:
        return
    # npm knows certificate authorities of its own alone; those of this machine are wanted as well.
    environment = {"NODE_EXTRA_CA_CERTS": "/etc/ssl/certs/ca-certificates.crt", **os.environ}
    done = subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts",
                           "--fetch-retries=1"],
                          cwd=PACKAGES, env=environment, capture_output=True, text=True, timeout=300)
    if done.returncode:
        skip("npm could not install oidc-provider: " + (done.stderr.strip().splitlines() or ["no reason"])[-1])
    with open(stamp, "w", encoding="ascii") as out:
        out.write(wanted)


def certificates(folder):
    def openssl(*arguments):
        run("openssl", *arguments, cwd=folder)
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", "/CN=Test CA", "-keyout", "ca.key",
            "-out", "ca.crt", "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=keyCertSign")
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", "/O=Example/CN=client one",
            "-keyout", "stranger.key", "-out", "stranger.crt")  # the right name, by nobody that the server knows
    for name, subject, more in (("server", "/CN=localhost", "subjectAltName=DNS:localhost"),
                                ("client", "/O=Example/CN=client one", "extendedKeyUsage=clientAuth"),
                                ("other", "/O=Example/CN=client two", "extendedKeyUsage=clientAuth")):
        with open(os.path.join(folder, name + ".ext"), "w", encoding="ascii") as out:
            out.write(more + "\n")
        openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", subject, "-keyout", name + ".key", "-out", name + ".csr")
        openssl("x509", "-req", "-in", name + ".csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "30",
                "-extfile", name + ".ext", "-out", name + ".crt")
    openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", "rsa.pem")
    openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", "ec.pem")


def front(folder, upstream):
    """nginx, which asks for client certificates; its process and its port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with open(os.path.join(folder, "nginx.conf"), "w", encoding="ascii") as out:
        out.write(FRONT.replace("PORT", str(port)).replace("UPSTREAM", upstream))
    process = subprocess.Popen([NGINX, "-e", "stderr", "-p", folder, "-c", "nginx.conf"])
    while process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.02)
    return process, port


def check_signatures(folder):
    """openssl dgst over what the server got: each signature is the one that it says."""
    bodies = sorted(glob.glob(os.path.join(folder, "body-*")))
    wrong = 0
    for at in range(0, len(bodies), 250):
        lines = run("openssl", "dgst", "-sha256", "-hmac", KEY, "-r", *bodies[at:at + 250]).splitlines()
        for body, line in zip(bodies[at:at + 250], lines):
            with open(body.replace("body-", "signature-"), encoding="ascii") as source:
                wrong += source.read() != "sha256=" + line.split()[0]
    print(f"openssl dgst: {len(bodies)} signatures, {wrong} wrong")
    return len(bodies) == 1000 and wrong == 0


def main():
    for program in ("node", "npm", "openssl", "nginx"):
        if not (shutil.which(program) or (program == "nginx" and NGINX)):
            skip(f"no program {program}")
    if int(run("node", "--version").lstrip("v").split(".")[0]) < 18:
        skip("node is older than 18")
    install()
    with tempfile.TemporaryDirectory() as folder:
        certificates(folder)
        trouble = open(os.path.join(folder, "trouble"), "w+", encoding="utf-8")
        server = subprocess.Popen(["node", "server.mjs", folder], cwd=PACKAGES, stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE, stderr=trouble, text=True)
        nginx = None
        try:
            port, upstream = server.stdout.readline().split()
            nginx, front_port = front(folder, upstream)
            done = subprocess.run([PROGRAM, f"https://localhost:{port}", f"https://localhost:{front_port}", folder],
                                  timeout=240).returncode
            good = done == 0 and check_signatures(folder)
            if not good:
                trouble.seek(0)
                print(trouble.read()[-8000:])
        finally:
            if nginx:
                nginx.terminate()
                nginx.wait(timeout=10)
            server.stdin.close()
            server.wait(timeout=10)
        return 0 if good else 1


sys.exit(main())
