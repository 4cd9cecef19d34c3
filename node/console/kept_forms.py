"""What was typed when a session ended: carried through signing in again, and then offered to be sent.

The console keeps nothing: the form goes out sealed under a key of this process and bound to the account, and
comes back as a hidden field. Whoever sits at the browser meanwhile sees none of it.
"""

import base64
import binascii
import json
import secrets
from dataclasses import dataclass, field
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from node.console.visits import Visit, account_tag, local_path

FIELD: Final = "kept"
MOST: Final = 128 * 1024  # characters of a sealed form
_NONCE: Final = 12
_KEY: Final = ChaCha20Poly1305(ChaCha20Poly1305.generate_key())
_SECRET: Final = ("csrf", FIELD, "password", "code", "old_password", "new_password", "again")
# Nothing of theirs is typed in, or all of it is secret.
_NOT_KEPT: Final = ("/sign-in", "/sign-out", "/language", "/large", "/ready", "/account", "/person")


@dataclass(frozen=True, slots=True)
class KeptForm:
    """Where a form was sent to, and its fields."""

    path: str
    fields: tuple[tuple[str, str], ...] = field(repr=False)


def fields_of(visit: Visit) -> tuple[tuple[str, str], ...]:
    """What was typed into a form: no secret, no file."""
    return tuple(
        (name, value)
        for name, value in visit.form.multi_items()
        if isinstance(value, str) and name not in _SECRET
    )


def seal(visit: Visit) -> str:
    """The form of a visit as text that only `unseal` reads; empty where there is nothing to keep."""
    path, fields = visit.request.url.path, fields_of(visit)
    if visit.request.method != "POST" or not fields or path.startswith(_NOT_KEPT):
        return ""
    plain = json.dumps({"path": path, "fields": fields}, ensure_ascii=False).encode("utf-8", "replace")
    nonce = secrets.token_bytes(_NONCE)
    made = base64.b64encode(nonce + _KEY.encrypt(nonce, plain, visit.form_tag.encode())).decode()
    return made if visit.form_tag and len(made) <= MOST else ""


def unseal(text: str, account: str) -> KeptForm | None:
    """The form again, for the account whose it was; None for anything else."""
    try:
        sealed = base64.b64decode(text, validate=True)
        plain = json.loads(_KEY.decrypt(sealed[:_NONCE], sealed[_NONCE:], account_tag(account).encode()))
    except (binascii.Error, InvalidTag, ValueError):
        return None
    return KeptForm(local_path(plain["path"]), tuple((name, value) for name, value in plain["fields"]))
