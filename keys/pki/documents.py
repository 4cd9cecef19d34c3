"""JSON documents that administrators carry between CA, nodes and peers: read strictly, signed canonically.

A signature covers a context string and the canonical JSON of the parsed document (sorted keys, no
spaces, UTF-8, no floats), so that order, spacing and doubled keys of the file do not matter. The
fields are plain ASCII names and the values strings, integers and lists: for those this is the form of
RFC 8785.
"""

import base64
import binascii
import codecs
import json
from pathlib import Path
from typing import Annotated, Any, Final, Self, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, PlainSerializer, ValidationError

from keys.errors import EnrolmentError, KeyringError
from keys.pki.fingerprints import fingerprint_of
from keys.store.atomic_files import MAX_BYTES

VERSION: Final = 1
_SHOWN: Final = 2  # faults of a document in one message; a wrong file has one at every field


def _decode(value: object) -> bytes:
    if isinstance(value, bytes):  # from Python; JSON has no bytes
        return value
    if not isinstance(value, str):
        raise ValueError("must be base64 text")  # noqa: TRY004  pydantic reports ValueError
    try:
        content = base64.b64decode(value, validate=True)
    except binascii.Error:
        raise ValueError("must be base64 text") from None
    if base64.b64encode(content).decode() != value:  # trailing bits set: two texts for the same bytes
        raise ValueError("must be canonical base64 text")
    return content


def _check_key(value: bytes) -> bytes:
    if len(value) != 32:
        raise ValueError("must be 32 bytes in base64")
    return value


Base64 = Annotated[
    bytes,
    BeforeValidator(_decode),
    PlainSerializer(lambda value: base64.b64encode(value).decode(), return_type=str),
]
Key32 = Annotated[Base64, AfterValidator(_check_key)]


class Document(BaseModel):
    """Base of the documents: unknown fields and wrong types are refused; frozen."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)

    def signed_part(self, context: bytes) -> bytes:
        """The bytes that the document's signature covers: context, a zero byte, all other fields."""
        return context + b"\0" + canonical(self.model_dump(mode="json", exclude={"signature"}))

    def fingerprint(self) -> str:
        """SHA-256 of the whole document in groups of four hex digits, to be compared by voice."""
        return fingerprint_of(canonical(self.model_dump(mode="json")))

    def to_json(self) -> bytes:
        """The document as a file: indented JSON, UTF-8, a newline at the end."""
        return (json.dumps(self.model_dump(mode="json"), ensure_ascii=False, indent=2) + "\n").encode()

    @classmethod
    def from_json(cls, content: bytes, source: str) -> Self:
        """Parse and check.

        Raises:
            EnrolmentError: not JSON, another version, or a field that is missing, unknown or malformed.
        """
        return parse(cls, content, source, EnrolmentError)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a file of at most 1 MiB and parse it.

        Raises:
            EnrolmentError: cannot be read, or as for `from_json`.
        """
        try:
            with path.open("rb") as file:
                content = file.read(MAX_BYTES + 1)
        except OSError as error:
            raise EnrolmentError(f"{path}: {error.strerror}", "give the path of the file") from None
        if len(content) > MAX_BYTES:
            raise EnrolmentError(f"{path}: larger than {MAX_BYTES} bytes", "this is not a file of Heqiao")
        return cls.from_json(content, str(path))


def canonical(content: dict[str, Any]) -> bytes:
    """The one JSON text of a document."""
    return json.dumps(
        content, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")
    ).encode()


Model = TypeVar("Model", bound=BaseModel)


def parse(model: type[Model], content: bytes, source: str, error: type[KeyringError]) -> Model:
    """JSON bytes -> model, with an error that names the field and never shows a value."""
    content = content.removeprefix(codecs.BOM_UTF8)  # as some editors write it
    try:
        fields = json.loads(content)
    except (ValueError, RecursionError):
        raise error(f"{source}: not JSON text in UTF-8", "the file was cut short or is another one") from None
    version = fields.get("version") if isinstance(fields, dict) else None
    if isinstance(version, int) and version > VERSION:
        raise error(
            f"{source}: version {version}, this Heqiao knows up to {VERSION}", "use a later Heqiao release"
        )
    try:
        return model.model_validate_json(content)
    except ValidationError as invalid:
        raise error(f"{source}: {describe(invalid)}", "the file was altered or is another one") from None


def describe(invalid: ValidationError) -> str:
    """The first fields and reasons of a failed validation, without the values."""
    faults = invalid.errors(include_url=False, include_context=False, include_input=False)
    shown = [f"{'.'.join(map(str, fault['loc'])) or 'file'}: {fault['msg']}" for fault in faults[:_SHOWN]]
    more = len(faults) - len(shown)
    return "; ".join((*shown, f"and {more} more") if more else shown)
