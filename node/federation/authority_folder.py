"""The folder of a federation's certificate authority.

DIR/ca.pem (two roots during a roll-over, the issuing one first), DIR/keys (sealed: ca.1, salt.1 ...),
DIR/passphrase, DIR/revoked.pem,
DIR/issued/<fingerprint>.pem and, where there was one, its request (.json)
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from keys.errors import KeyMissingError
from keys.pki.certificates import CertifiedIdentity, identity_of, load_certificate, load_roots, roots_pem
from keys.pki.enrolment import EnrolmentRequest, load_request
from keys.pki.issuing import Authority
from keys.pki.revocation import load_list, make_lists, serial_of
from keys.store.atomic_files import PUBLIC, read_passphrase, replace, require_owner, write_new
from keys.store.key_pairs import load_tls_key
from keys.store.key_store import KeyStore, lock_store
from node.config import PASSPHRASE
from node.domain.days import china_day
from node.errors import InputError, PreconditionError
from node.files import disk_errors

CERTIFICATE: Final = "ca.pem"
KEYS: Final = "keys"
ISSUED: Final = "issued"
REVOKED: Final = "revoked.pem"
WAIT_S = 15.0  # for another command of the CA, which takes about a second


@dataclass(frozen=True, slots=True)
class Member:
    """A holder of a valid certificate: its newest certificate, and the request for it."""

    identity: CertifiedIdentity
    certificate: bytes
    request: EnrolmentRequest | None


@contextmanager
def open_roots(folder: Path, passphrase_file: Path | None) -> Iterator[tuple[KeyStore, list[Authority]]]:
    """The keys of a CA and all roots that members trust now; the first one issues.

    The folder is locked until the end of the block, and another command waits: two administrators at once
    would make two roots, or two lists of one number that each lack the other's revocations. Raises InputError
    where there is no CA, KeyringError.
    """
    if not (folder / CERTIFICATE).is_file():
        raise InputError(f"{folder}: no CA here", "make one with `heqiao ca init`, or correct --dir")
    with lock_store(folder / KEYS, WAIT_S):
        require_owner(folder / KEYS)
        # Opened under the lock, to see the changes of the previous command.
        store = KeyStore.open(folder / KEYS, read_passphrase(passphrase_file or folder / PASSPHRASE))
        yield store, _read_roots(folder, store)


def _read_roots(folder: Path, store: KeyStore) -> list[Authority]:
    with disk_errors("run as the account that owns the folder of the CA"):
        content = (folder / CERTIFICATE).read_bytes()
    keys = [load_tls_key(store.get(f"ca.{epoch}")) for epoch in store.epochs("ca")]
    found = []
    for root in load_roots(content):
        key = next((one for one in keys if one.public_key() == root.public_key()), None)
        if key is None:
            raise InputError("the CA certificate is not that of the CA's key", "restore ca.pem of this CA")
        found.append(Authority(root, key))
    return found


def trusted(authorities: Sequence[Authority]) -> bytes:
    """The roots as a file, with the issuing root first."""
    return roots_pem(authority.certificate for authority in authorities)


def choose_salt(store: KeyStore, wanted: int | None) -> tuple[int, bytes]:
    """A salt by its version, the newest by default. Raises InputError for an unknown version."""
    if wanted is None:
        return store.newest("salt")
    try:
        return wanted, store.get(f"salt.{wanted}")
    except KeyMissingError:
        raise InputError(
            f"this CA has no salt of version {wanted}", f"it has {', '.join(map(str, store.epochs('salt')))}"
        ) from None


def record(folder: Path, certificate: bytes, request: EnrolmentRequest | None = None) -> dict[str, object]:
    """Store a copy of an issued certificate, as the CA's record of its members."""
    identity = identity_of(certificate)
    with disk_errors(f"the folder of the CA must hold a folder {ISSUED!r} that you may write to"):
        if request is not None:
            write_new(folder / ISSUED / f"{identity.fingerprint}.json", request.to_json(), PUBLIC)
        write_new(folder / ISSUED / f"{identity.fingerprint}.pem", certificate, PUBLIC)
    return {
        "federation": identity.federation,
        "role": identity.role,
        "code": identity.code,
        "not_after": identity.not_after.isoformat(),
        "certificate_fingerprint": identity.fingerprint,
    }


def members(folder: Path, roots: bytes, now: datetime) -> list[Member]:
    """All holders of certificates that are neither expired nor revoked, by role, code and name."""
    good = _read_valid(folder, roots, now)
    good.sort(key=lambda pem: load_certificate(pem).not_valid_before_utc)
    newest = {_who(pem): pem for pem in good}
    return [Member(identity_of(pem), pem, _request_of(folder, pem)) for _, pem in sorted(newest.items())]


def newest_list(folder: Path, authorities: Sequence[Authority], now: datetime) -> bytes:
    """The revocation list of the CA, for a new member; made where there is none, or its next one is due."""
    path = folder / REVOKED
    with disk_errors("run as the account that owns the folder of the CA"):
        before = path.read_bytes() if path.exists() else None
    if before is not None and load_list(before, trusted(authorities)).next_at > now:
        return before
    content = make_lists(authorities, before, (), now)
    with disk_errors("run as the account that owns the folder of the CA"):
        replace(path, content)
    return content


def require_same_holder(
    folder: Path, roots: bytes, now: datetime, who: tuple[str, str, str], is_same: Callable[[bytes], bool]
) -> None:
    """Refuse a new certificate for a name that another key holds; `who` is role, code and a platform's name.

    `is_same` says whether the new key is of the holder of a certificate (PEM). One of several valid
    certificates is enough: the others are older ones, or were issued as second ones on purpose.

    Raises:
        PreconditionError: the name has valid certificates, all of other keys.
    """
    held = [pem for pem in _read_valid(folder, roots, now) if _who(pem) == who]
    if not held or any(is_same(pem) for pem in held):
        return
    named = " ".join(part for part in who if part)
    each = [identity_of(pem) for pem in held]
    listed = ", ".join(f"{one.fingerprint[:16]} until {china_day(one.not_after)}" for one in each)
    raise PreconditionError(
        f"{named} has a certificate of another key: {listed}",
        "a member renews with the request of `heqiao keys rotate tls`; if the key is lost, first `heqiao ca "
        f"revoke {each[0].fingerprint[:16]}`; if two keys are to hold this name, give --second",
    )


def _read_valid(folder: Path, roots: bytes, now: datetime) -> list[bytes]:
    """All issued certificates that are neither expired nor revoked."""
    with disk_errors(f"the folder of the CA must hold a folder {ISSUED!r}"):
        revoked = (folder / REVOKED).read_bytes() if (folder / REVOKED).exists() else None
        every = [path.read_bytes() for path in sorted((folder / ISSUED).glob("*.pem"))]
    serials = load_list(revoked, roots).serials if revoked else frozenset()
    return [pem for pem in every if serial_of(pem) not in serials and identity_of(pem).not_after > now]


def describe(result: Mapping[str, object]) -> str:
    """A result as text, one line for each value."""
    return "\n".join(_lines(result))


def _lines(result: Mapping[str, object]) -> Iterator[str]:
    for key, value in result.items():
        text = ", ".join(map(str, value)) if isinstance(value, list) else value
        yield f"{key.replace('_', ' ')}: {text}"


def _who(certificate: bytes) -> tuple[str, str, str]:
    found = identity_of(certificate)
    return found.role, found.code, found.name


def _request_of(folder: Path, certificate: bytes) -> EnrolmentRequest | None:
    path = folder / ISSUED / f"{identity_of(certificate).fingerprint}.json"
    return load_request(path) if path.exists() else None
