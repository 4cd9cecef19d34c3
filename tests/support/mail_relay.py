"""A mail relay in a process of its own: STARTTLS first, then a name and a password, then mail.

    python -m tests.support.mail_relay FOLDER PORT

FOLDER holds relay.pem and relay.key; each mail becomes a file there, in the order in which they come.
"""

import ipaddress
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from tests.support.cluster import free_port, wait_for
from tests.support.paths import ROOT

USER, PASSWORD = "node45", "only for tests"


def make_certificate(folder: Path) -> Path:
    """A certificate of 127.0.0.1 that signs itself."""
    key, name = (
        ec.generate_private_key(ec.SECP256R1()),
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "relay")]),
    )
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "relay.key").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    (folder / "relay.pem").write_bytes(made.public_bytes(Encoding.PEM))
    return folder / "relay.pem"


class Relay:
    """Starts and stops the process; always on the same port."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.ca = make_certificate(folder)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = (sys.executable, "-m", "tests.support.mail_relay", str(self.folder), str(self.port))
        ready = self.folder / "ready"
        ready.unlink(missing_ok=True)
        self._process = subprocess.Popen(command, cwd=ROOT)
        wait_for(ready.exists, 60, "the relay does not start")

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def mails(self) -> list[EmailMessage]:
        paths = sorted(self.folder.glob("mail-*"))
        return [message_from_bytes(path.read_bytes(), policy=policy.default) for path in paths]  # type: ignore[misc]


@contextmanager
def relay(folder: Path) -> Iterator[Relay]:
    """A running relay."""
    found = Relay(folder)
    found.start()
    try:
        yield found
    finally:
        found.stop()


def serve(folder: Path, port: int) -> None:
    """Serve until killed."""
    from aiosmtpd.controller import Controller
    from aiosmtpd.smtp import AuthResult

    class Keep:
        async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
            (folder / f"mail-{time.time_ns()}").write_bytes(envelope.content)
            return "250 OK"

    def check(_server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
        good = (data.login, data.password) == (USER.encode(), PASSWORD.encode())
        return AuthResult(success=good, handled=False)

    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(folder / "relay.pem", folder / "relay.key")
    controller = Controller(
        Keep(),
        hostname="127.0.0.1",
        port=port,
        tls_context=context,
        require_starttls=True,
        authenticator=check,
        auth_required=True,
    )
    controller.start()
    (folder / "ready").touch()
    while True:
        time.sleep(3600)


if __name__ == "__main__":
    serve(Path(sys.argv[1]), int(sys.argv[2]))
