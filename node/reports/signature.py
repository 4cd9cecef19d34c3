"""The signature of a report: Ed25519 by the node over the digests of its groups and files (ADR 0024).

A statement stands in report.json itself, about its groups of fields, and in report.sig.json beside the files,
about each file too. A verifier trusts keys that it knows: those of its peers, its own, or one that is given.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Final, Literal

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from keys.store.kinds import fingerprint_of
from node.errors import InputError
from node.reports.numbers import code_digits, is_number

FORMAT: Final = "heqiao-report-signature/1"
CONTEXT: Final = b"heqiao v1 report\x00"
MAX_BYTES: Final = 4 << 20  # of a file of signatures
_MOST: Final = 4096  # groups, parts or files of one statement
_HINT: Final = "ask the node that wrote the report for its files again"

Hex32 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Name = Annotated[str, Field(min_length=1, max_length=200)]
Digests = Annotated[dict[Name, Hex32], Field(max_length=_MOST)]


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)


class SignedFile(_Form):
    """SHA-256 of a file, and of the parts that a format has, so that an altered one can be named."""

    digest: Hex32
    parts: Digests = {}


class Statement(_Form):
    """What a node says of a report. `key` is its public key; digests, key and signature are hex."""

    format: Literal["heqiao-report-signature/1"] = FORMAT
    number: Annotated[str, Field(max_length=40)]
    job: Annotated[str, Field(max_length=200)]
    code: Annotated[str, Field(max_length=40)]
    key: Hex32
    groups: Digests
    files: Annotated[dict[Name, SignedFile], Field(max_length=_MOST)] = {}
    signature: Annotated[str, Field(pattern=r"^([0-9a-f]{128})?$")] = ""

    @property
    def fingerprint(self) -> str:
        """That of the key, as cards and `heqiao peers` show it."""
        return fingerprint_of(bytes.fromhex(self.key))

    def signed_part(self) -> bytes:
        """The bytes that the signature covers: all but itself."""
        plain = self.model_dump(mode="json", exclude={"signature"})
        text = json.dumps(plain, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        return CONTEXT + text.encode()

    def to_json(self) -> bytes:
        """As a file."""
        return (json.dumps(self.model_dump(mode="json"), ensure_ascii=False, indent=1) + "\n").encode()


@dataclass(frozen=True, slots=True)
class Signer:
    """The signing key of a node: `code` of its province, `secret` the 32 bytes of its private half."""

    code: str
    secret: bytes = field(repr=False)

    @property
    def key(self) -> bytes:
        """The public half, 32 bytes."""
        return Ed25519PrivateKey.from_private_bytes(self.secret).public_key().public_bytes_raw()

    @property
    def fingerprint(self) -> str:
        """That of the public half, as `heqiao peers` shows it."""
        return fingerprint_of(self.key)

    def sign(
        self, number: str, job: str, groups: Mapping[str, str], files: Mapping[str, SignedFile] | None = None
    ) -> Statement:
        """The statement about a report, signed."""
        plain = Statement(
            number=number, job=job, code=self.code, key=self.key.hex(), groups=dict(groups),
            files=dict(files or {}),
        )  # fmt: skip
        signed = Ed25519PrivateKey.from_private_bytes(self.secret).sign(plain.signed_part())
        return plain.model_copy(update={"signature": signed.hex()})


@dataclass(frozen=True, slots=True)
class Trusted:
    """Keys that a verifier accepts, each with what it is to it, and fingerprints that it was told."""

    keys: Mapping[bytes, str]
    fingerprints: Collection[str] = ()

    def whose(self, statement: Statement) -> str | None:
        """What the key of a statement is to the verifier; None for a stranger's.

        A key of a peer signs for that peer only: `keys` say `CODE ...` first.
        """
        if statement.fingerprint in self.fingerprints:
            return "the key that was given"
        label = self.keys.get(bytes.fromhex(statement.key))
        return label if label is not None and label.partition(" ")[0] == statement.code else None


def read_statement(content: object, source: str) -> Statement:
    """A statement as parsed from JSON, or the bytes of a file. Raises InputError."""
    try:
        if isinstance(content, bytes):
            return Statement.model_validate_json(content[: MAX_BYTES + 1])
        return Statement.model_validate(content)
    except ValidationError as invalid:
        first: Any = invalid.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"])) or "the file"
        raise InputError(f"{source}: no signature of a report: {place}: {first['msg']}", _HINT) from None


def fault(statement: Statement, trusted: Trusted) -> str:
    """Why a statement proves nothing; empty where it is signed by a key that the verifier trusts."""
    if trusted.whose(statement) is None:
        return f"signed by a key that is not known here ({statement.code}, {statement.fingerprint})"
    try:
        public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(statement.key))
        public.verify(bytes.fromhex(statement.signature), statement.signed_part())
    except (InvalidSignature, ValueError):
        return "the signature does not fit what it signs"
    if not is_number(statement.number) or not statement.number.startswith(code_digits(statement.code)):
        return "its number is not one of this body"
    return ""
