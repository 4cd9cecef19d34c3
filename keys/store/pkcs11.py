"""A key-encryption key that stays in a PKCS#11 token (PKCS#11 v2.40, CKM_AES_GCM).

    sealed = "HEQIAO" || 2 || nonce (12 random bytes) || AES-256-GCM ciphertext and 16-byte tag

The AES key is made in the token, sensitive and not extractable; the token seals, with the
marker and the name of the entry as associated data, as in keys/store/wrap.py.
"""

import importlib
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from keys.errors import PassphraseError, StoreDamagedError, TokenError
from keys.store.header import ByToken, KeyWrapping
from keys.store.wrap import MAGIC

VERSION: Final = 2
_MARKER: Final = MAGIC + bytes([VERSION])
_NONCE_BYTES: Final = 12
_TAG_BITS: Final = 128
# Login is per process and token, not per session: two threads would log each other out.
_LOCK: Final = threading.Lock()


class TokenKek:
    """A key-encryption key in a token (keys.store.header.Sealer). Its repr shows nothing of it."""

    __slots__ = ("_key", "_module", "_pin", "_token")

    def __init__(self, module: Path, token: str, key: str, pin: bytes) -> None:
        """Take the library's path, labels of token and key, and the user PIN."""
        self._module, self._token, self._key = module, token, key
        self._pin = pin

    def __repr__(self) -> str:
        return "TokenKek(****)"

    def __reduce__(self) -> str | tuple[object, ...]:
        raise TypeError("a key-encryption key is not pickled")

    def make(self) -> bool:
        """Make the key in the token unless one has its label; returns whether one was made.

        Raises:
            TokenError: the token cannot be used or made no key.
            PassphraseError: the token refuses the PIN.
        """
        pkcs11 = _load_pkcs11()
        attribute = pkcs11.Attribute
        with self._session(write=True) as session:
            wanted = {attribute.CLASS: pkcs11.ObjectClass.SECRET_KEY, attribute.LABEL: self._key}
            if any(True for _ in session.get_objects(wanted)):
                return False
            session.generate_key(
                pkcs11.KeyType.AES,
                256,
                label=self._key,
                store=True,
                template={
                    attribute.SENSITIVE: True,
                    attribute.EXTRACTABLE: False,
                    attribute.ENCRYPT: True,
                    attribute.DECRYPT: True,
                    attribute.WRAP: False,
                    attribute.UNWRAP: False,
                },
            )
        return True

    def seal(self, name: str, secret: bytes) -> bytes:
        """Seal `secret` for the entry `name`; raises as `make` does."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        with self._session() as session:
            sealed = self._find(session).encrypt(secret, **_gcm(nonce, name))
        return _MARKER + nonce + bytes(sealed)

    def unseal(self, name: str, sealed: bytes) -> bytes:
        """Open what `seal` made for the same name; raises as `make` does, and as follows.

        Raises:
            StoreDamagedError: altered, or sealed by another key.
        """
        head = len(_MARKER)
        if not sealed.startswith(_MARKER) or len(sealed) < head + _NONCE_BYTES + _TAG_BITS // 8:
            raise StoreDamagedError(f"{name}: not sealed by a token", "restore the key store from its backup")
        nonce, ciphertext = sealed[head : head + _NONCE_BYTES], sealed[head + _NONCE_BYTES :]
        with self._session() as session:
            key = self._find(session)
            try:
                return bytes(key.decrypt(ciphertext, **_gcm(nonce, name)))
            except _load_pkcs11().PKCS11Error:  # tokens differ in the error code for a wrong tag
                raise StoreDamagedError(
                    f"the key {self._key} in token {self._token} does not open this key store",
                    "is it another token of the same label? otherwise restore the backup",
                ) from None

    def _find(self, session: Any) -> Any:
        pkcs11 = _load_pkcs11()
        wanted = {"object_class": pkcs11.ObjectClass.SECRET_KEY, "key_type": pkcs11.KeyType.AES}
        return session.get_key(label=self._key, **wanted)

    @contextmanager
    def _session(self, *, write: bool = False) -> Iterator[Any]:
        pkcs11 = _load_pkcs11()
        pin = self._pin.decode("utf-8", "replace")
        with _LOCK:
            try:
                token = pkcs11.lib(str(self._module)).get_token(token_label=self._token)
                with token.open(rw=write, user_pin=pin) as session:
                    yield session
            except (pkcs11.PinIncorrect, pkcs11.PinLenRange, pkcs11.PinInvalid):
                raise PassphraseError(
                    f"token {self._token}: the PIN is wrong",
                    "check [keys] passphrase_file; a token locks itself after a few wrong PINs",
                ) from None
            except pkcs11.PinLocked:
                raise PassphraseError(
                    f"token {self._token}: the PIN is locked", "unlock it with the token's own tool"
                ) from None
            except pkcs11.PKCS11Error as error:
                raise _token_error(self._module, self._token, self._key, error) from None


def _load_pkcs11() -> Any:
    """The package python-pkcs11, the extra `pkcs11`. Raises TokenError where it is not installed."""
    try:
        return importlib.import_module("pkcs11")
    except ImportError:
        raise TokenError(
            "PKCS#11 tokens need the package python-pkcs11", "pip install 'heqiao[pkcs11]'"
        ) from None


def _gcm(nonce: bytes, name: str) -> dict[str, Any]:
    pkcs11 = _load_pkcs11()
    params = pkcs11.GCMParams(nonce, _MARKER + name.encode(), _TAG_BITS)
    return {"mechanism": pkcs11.Mechanism.AES_GCM, "mechanism_param": params}


def _token_error(module: Path, token: str, key: str, error: Exception) -> TokenError:
    kind = type(error).__name__
    if kind == "NoSuchToken":
        return TokenError(f"no token {token} found by {module}", "insert it, or correct [keys] pkcs11_module")
    if kind in ("NoSuchKey", "MultipleObjectsReturned"):
        return TokenError(f"token {token} has not exactly one AES key {key}", "is it another token?")
    if kind == "PKCS11Error":
        return TokenError(f"{module}: not a PKCS#11 library", "correct [keys] pkcs11_module in node.toml")
    return TokenError(f"token {token}: {kind}", "see the token's own tool, then try again")


def by_token(module: Path | None, token: str, key: str, pin: bytes) -> KeyWrapping:
    """Seal a store by a key in a token; `make_token_key` makes that key.

    Raises:
        TokenError: no library is given.
    """
    if module is None:
        raise TokenError(
            f"the key store is sealed by token {token}, and no PKCS#11 library is configured",
            "set [keys] pkcs11_module in node.toml to the library of the token",
        )
    return KeyWrapping(ByToken(token=token, key=key), TokenKek(module, token, key, pin))


def make_token_key(wrapping: KeyWrapping) -> bool:
    """Make the key of a wrapping `by_token` in its token, unless it exists; returns whether it was made."""
    return isinstance(wrapping.sealer, TokenKek) and wrapping.sealer.make()
