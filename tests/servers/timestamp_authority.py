"""A real time-stamping authority (RFC 3161) on loopback: OpenSSL's, behind a small web server.

Root, authority and configuration are made anew for each; what it answers can be turned to junk, to see that
junk is not believed.
"""

from __future__ import annotations

import subprocess
import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tests.servers.programs import openssl

_CONFIG = """
[tsa]
default_tsa = ours
[ours]
serial = {folder}/serial
default_policy = 1.2.3.4.1
digests = sha256
accuracy = secs:1
ess_cert_id_alg = sha256
signer_digest = sha256
"""


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _certificate(
    name: str, issuer: str, key: ec.EllipticCurvePrivateKey, by: ec.EllipticCurvePrivateKey, ca: bool
) -> x509.Certificate:
    # The authority stamps by the clock of this machine, so that its certificates have to hold by it.
    today = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .issuer_name(_name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - timedelta(days=2))
        .not_valid_after(today + timedelta(days=365))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    )
    if not ca:
        usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])
        builder = builder.add_extension(usage, critical=True)
    return builder.sign(by, hashes.SHA256())


class TimestampAuthority:
    """`url` takes queries, `roots` is its root certificate (PEM). `answer` replaces what it says, if set."""

    def __init__(self, folder: Path) -> None:
        self._program, self._folder = openssl(), folder
        folder.mkdir(parents=True, exist_ok=True)
        root_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
        root = _certificate("Test root", "Test root", root_key, root_key, ca=True)
        own = _certificate("Test time-stamping authority", "Test root", key, root_key, ca=False)
        self.roots = folder / "roots.pem"
        self.roots.write_bytes(root.public_bytes(Encoding.PEM))
        (folder / "tsa.pem").write_bytes(own.public_bytes(Encoding.PEM))
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (folder / "tsa.key").write_bytes(private)
        (folder / "serial").write_text("01\n")
        (folder / "tsa.cnf").write_text(_CONFIG.format(folder=folder))
        self.answer: tuple[int, bytes] | None = None
        self.asked = 0
        authority = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                query = self.rfile.read(int(self.headers["Content-Length"]))
                authority.asked += 1
                status, body = authority.answer or (200, authority.reply(query))
                self.send_response(status)
                self.send_header("Content-Type", "application/timestamp-reply")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                """Nothing to say to the tests' output."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def reply(self, query: bytes) -> bytes:
        """OpenSSL's answer to a query."""
        asked, given = self._folder / "query", self._folder / "reply"
        asked.write_bytes(query)
        command = [
            *(str(self._program), "ts", "-reply", "-queryfile", str(asked), "-out", str(given)),
            *("-config", str(self._folder / "tsa.cnf"), "-inkey", str(self._folder / "tsa.key")),
            *("-signer", str(self._folder / "tsa.pem")),
        ]
        subprocess.run(command, check=True, capture_output=True, timeout=30)
        return given.read_bytes()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
