"""Passwords by Argon2id (RFC 9106), kept as PHC strings, so that a later cost does not end older ones."""

import secrets
import threading
from base64 import b64encode
from typing import Final

from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

_SALT_BYTES: Final = 16
# 19 MiB, two passes: the second choice of the OWASP Password Storage Cheat Sheet, some 30 ms. A node checks
# passwords while it answers peers, so no more than two at once.
_PASSES: Final = 2
_MEMORY_KIB: Final = 19 * 1024
_DIGEST_BYTES: Final = 32
_AT_ONCE: Final = threading.BoundedSemaphore(2)


def hash_password(password: str) -> str:
    """A PHC string."""
    with _AT_ONCE:
        salt = secrets.token_bytes(_SALT_BYTES)
        kdf = Argon2id(salt=salt, length=_DIGEST_BYTES, iterations=_PASSES, lanes=1, memory_cost=_MEMORY_KIB)
        return kdf.derive_phc_encoded(password.encode())


def is_password(password: str, phc: str) -> bool:
    """Whether it is the password of a PHC string; for an empty one, of nobody, it takes as long."""
    with _AT_ONCE:
        try:
            Argon2id.verify_phc_encoded(password.encode(), phc or _nobodys())
        except (InvalidKey, ValueError):
            return False
        return bool(phc)


def is_current(phc: str) -> bool:
    """Whether the hash has today's cost."""
    return phc.startswith(_head())


def _head() -> str:
    return f"$argon2id$v=19$m={_MEMORY_KIB},t={_PASSES},p=1$"


def _nobodys() -> str:
    """A PHC string that no password is known to have, which costs nothing to make."""
    parts = (b64encode(secrets.token_bytes(size)) for size in (_SALT_BYTES, _DIGEST_BYTES))
    return _head() + "$".join(part.decode().rstrip("=") for part in parts)
