"""Taking the CA's bundle into a home: roots, revocation list, certificate, salt."""

from datetime import datetime
from pathlib import Path

from keys import KeyStore
from keys.pki.enrolment import Bundle, Membership, accept_bundle
from keys.pki.roots import require_trusted
from keys.store.atomic_files import replace
from node.config import Config
from node.errors import PreconditionError
from node.federation.revocations import check_newer, is_newer
from node.files import disk_errors


def require_known_ca(config: Config, offered: Bundle) -> bytes:
    """The roots that a home trusts already, where one of them issued the bundle.

    Raises PreconditionError before the home has joined, EnrolmentError for another CA.
    """
    with disk_errors("correct [tls] ca in node.toml"):
        trusted = config.tls.ca.read_bytes() if config.tls.ca.exists() else None
    if trusted is None:
        raise PreconditionError("this home has not joined a federation", "`heqiao join` at the node")
    require_trusted(trusted, offered.ca.encode())
    return trusted


def take_bundle(
    config: Config, keys: KeyStore, offered: Bundle, trusted: bytes, source: Path, now: datetime
) -> Membership:
    """Check a bundle and put its content in use; `trusted` are the roots that the home is to trust.

    Raises EnrolmentError, CertificateError, InputError for a list that is not the next one or a full disk.
    """
    node, tls = config.node, config.tls
    member = accept_bundle(keys, offered, node.role, node.code, node.name, now)
    # Roots first: neither certificate nor list is of use without them.
    with disk_errors("make room in the home's folder, and correct [tls] in node.toml"):
        for path in (tls.ca, tls.certificate, tls.revocations):
            path.parent.mkdir(parents=True, exist_ok=True)
        replace(tls.ca, trusted)
        if member.revocations and is_newer(config, member.revocations):
            check_newer(config, member.revocations, source)
            replace(tls.revocations, member.revocations)
        replace(tls.certificate, member.certificate)
    return member
