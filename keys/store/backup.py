"""A backup of a home's keys, sealed to recipients (HPKE, RFC 9180) and split among people (SLIP-0039).

    content key (32 random bytes)  --> seals the keys and the files of the home
    content key  --> sealed to each recipient, who opens the backup alone
                 --> split into n shares, any k of which open it; where the shares have holders, each one
                     is sealed to its holder and is in the backup itself (docs/adr/0045)

The backup depends on no passphrase and no token of the node. It is not signed: an attacker who replaces the
file chooses the keys, so its fingerprint is noted when it is made and compared when it is restored.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, Final, Literal

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from pydantic import Field

from keys.errors import BackupError, StoreDamagedError
from keys.pki.documents import Base64, Document, Key32, canonical, parse
from keys.pki.enrolment import Code, Name
from keys.pki.names import Role
from keys.store import shares
from keys.store.key_pairs import enrol_key
from keys.store.key_store import KeyStore, split_name
from keys.store.kinds import check_secret
from keys.store.wrap import KEK_BYTES, Kek

_INFO: Final = b"heqiao v1 backup key\0"
_SHARE_INFO: Final = b"heqiao v1 backup share\0"
_SUITE: Final = hpke.Suite(hpke.KEM.X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.CHACHA20_POLY1305)
_Threshold = Annotated[int, Field(ge=0, le=shares.MAX_SHARES)]


class Recipient(Document):
    """A person who may open backups, or holds a share: a name, and the public key of that person's folder."""

    version: Literal[1] = 1
    name: Name
    key: Key32


class _Sealed(Document):
    name: Name
    key: Key32
    sealed_key: Base64


class Backup(Document):
    """The file. Its recipients and holders are in the clear; its content and their shares are sealed."""

    version: Literal[1] = 1
    role: Role
    code: Code
    made_at: Annotated[str, Field(max_length=40)]
    recipients: Annotated[tuple[_Sealed, ...], Field(max_length=32)]
    shares_needed: _Threshold
    shares_made: _Threshold
    holders: Annotated[tuple[_Sealed, ...], Field(max_length=shares.MAX_SHARES)] = ()
    content: Base64 = b""

    def binding(self) -> str:
        """The associated data of the content's seal: all other fields."""
        return canonical(self.model_dump(mode="json", exclude={"content"})).decode()


class _Key(Document):
    name: Annotated[str, Field(max_length=64)]
    made_at: int
    secret: Base64


class _Content(Document):
    version: Literal[1] = 1
    keys: tuple[_Key, ...]
    files: dict[str, Base64]


@dataclass(frozen=True, slots=True)
class Contents:
    """Content of a backup: secrets by name with the time each was made (whole seconds since 1970), and
    files by name. No repr shows any of it.
    """

    secrets: Mapping[str, bytes] = field(repr=False)
    made_at: Mapping[str, int] = field(repr=False)
    files: Mapping[str, bytes] = field(repr=False)


def make_backup(
    store: KeyStore,
    files: Mapping[str, bytes],
    role: Role,
    code: str,
    now: datetime,
    *,
    recipients: Sequence[Recipient] = (),
    split: tuple[int, int] | None = None,
    holders: Sequence[Recipient] = (),
) -> tuple[Backup, list[str]]:
    """A backup of all keys of a store and of some files, and the shares (none without `split` = k, n).

    With `holders`, n of them, the shares are sealed to one each, and none is returned.

    Raises:
        ValueError: no recipients and no shares, or `split` is out of bounds or not of the holders.
        BackupError: the key of a recipient or holder is not usable, or one holder is named twice.
        StoreDamagedError: a key does not open.
    """
    if not recipients and split is None:
        raise ValueError("nobody could open this backup")
    if holders and (split is None or split[1] != len(holders)):
        raise ValueError("there is one share for each holder")
    _require_distinct(holders)
    key = secrets.token_bytes(KEK_BYTES)
    lines = shares.split(key, *split) if split else []
    backup = Backup(
        role=role,
        code=code,
        made_at=now.astimezone(UTC).isoformat(timespec="seconds"),
        recipients=tuple(_seal_to(one, key) for one in recipients),
        shares_needed=split[0] if split else 0,
        shares_made=len(lines),
        holders=tuple(
            _seal_to(one, line.encode(), _SHARE_INFO) for one, line in zip(holders, lines, strict=False)
        ),
    )
    held = tuple(
        _Key(name=name, made_at=int(store.path_of(name).stat().st_mtime), secret=store.get(name))
        for name in store.names()
    )
    content = _Content(keys=held, files=dict(files))
    sealed = Kek(key).seal(backup.binding(), canonical(content.model_dump(mode="json")))
    return backup.model_copy(update={"content": sealed}), [] if holders else lines


def _require_distinct(holders: Sequence[Recipient]) -> None:
    if len({one.key for one in holders}) < len(holders):
        raise BackupError(
            "two holders have the same key, so one person would hold two shares", "name each holder once"
        )


def _seal_to(recipient: Recipient, secret: bytes, info: bytes = _INFO) -> _Sealed:
    try:
        public = X25519PublicKey.from_public_bytes(recipient.key)
        sealed = _SUITE.encrypt(secret, public, info=info)
    except ValueError:  # a point of low order
        raise BackupError(
            f"recipient {recipient.name}: the key is not usable", "ask for the file again"
        ) from None
    return _Sealed(name=recipient.name, key=recipient.key, sealed_key=sealed)


def open_for(backup: Backup, recipient: KeyStore) -> Contents:
    """The content of a backup, opened by a recipient's key store.

    Raises:
        BackupError: it is not sealed to this recipient, or was altered.
    """
    key = _find(backup.recipients, recipient, _INFO)
    if key is None:
        names = ", ".join(one.name for one in backup.recipients) or "nobody alone"
        raise BackupError(
            f"the backup is not sealed to this recipient: it is to {names}", "use another folder"
        )
    return _open(backup, key)


def open_share(backup: Backup, holder: KeyStore) -> tuple[int, str]:
    """The number, from 1, and the words of the share that is sealed to a holder.

    Raises:
        BackupError: no share is sealed to this holder, or it was altered.
    """
    for number, one in enumerate(backup.holders, 1):
        words = _find((one,), holder, _SHARE_INFO)
        if words is not None:
            return number, words.decode("ascii")
    names = ", ".join(one.name for one in backup.holders) or "nobody"
    raise BackupError(f"no share is sealed to this holder: they are to {names}", "use another folder")


def _find(sealed: Sequence[_Sealed], store: KeyStore, info: bytes) -> bytes | None:
    """What is sealed to the owner of a key store; None where nothing is. Raises BackupError."""
    for epoch in reversed(store.epochs("enrol")):
        private = enrol_key(store, epoch)
        public = private.public_key().public_bytes_raw()
        for one in sealed:
            if one.key == public:
                return _unseal(one, private, info)
    return None


def _unseal(sealed: _Sealed, private: X25519PrivateKey, info: bytes) -> bytes:
    try:
        return _SUITE.decrypt(sealed.sealed_key, private, info=info)
    except (InvalidTag, ValueError):
        raise BackupError(*_ALTERED) from None


def open_with_shares(backup: Backup, lines: Sequence[str]) -> Contents:
    """The content of a backup, opened by enough shares.

    Raises:
        BackupError: it was not split, shares are too few or wrong, or it was altered.
    """
    if not backup.shares_needed:
        raise BackupError("the backup was not split into shares", "open it with --recipient-dir")
    return _open(backup, shares.combine(lines))


def _open(backup: Backup, key: bytes) -> Contents:
    try:
        text = Kek(key).unseal(backup.binding(), backup.content)
    except (StoreDamagedError, ValueError):
        raise BackupError(*_ALTERED) from None
    content = parse(_Content, text, "the backup's content", BackupError)
    for one in content.keys:
        check_secret(split_name(one.name)[0], one.secret)
    return Contents(
        secrets={one.name: one.secret for one in content.keys},
        made_at={one.name: one.made_at for one in content.keys},
        files=content.files,
    )


def load_backup(content: bytes, source: str) -> Backup:
    """Parse a backup file.

    Raises:
        BackupError: not one, or of a newer Heqiao.
    """
    return parse(Backup, content, source, BackupError)


_ALTERED: Final = (
    "the backup does not open",
    "the file was altered, or the shares are of another backup; take another copy",
)
