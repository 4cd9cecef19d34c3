"""A record as a JSON file, and back."""

import codecs
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError

from node.errors import InputError
from node.reports.document import Joined

T = TypeVar("T")
_ENCODER = json.JSONEncoder(ensure_ascii=False)
_COMPACT = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def indented(plain: Mapping[str, Any]) -> Iterator[bytes]:
    """Every value on its own line."""
    yield json.dumps(plain, ensure_ascii=False, indent=1).encode() + b"\n"


def finding_a_line(plain: Mapping[str, Any]) -> Iterator[bytes]:
    """The same with one finding, or one column of findings, per line: a county's report has millions of them.

    `findings` is the last key but for a signature; it is of objects of two parts, or a sequence of columns.
    """
    findings = plain["findings"]
    head = {key: value for key, value in plain.items() if key not in ("findings", "signature")}
    yield json.dumps(head, ensure_ascii=False, indent=1)[:-2].encode() + b',\n "findings": ['
    separator = ",\n  "
    between = "\n  "
    for lines in _lines(findings):
        yield (between + separator.join(lines)).encode()
        between = separator
    if "signature" in plain:
        signature = json.dumps(plain["signature"], ensure_ascii=False, indent=1).replace("\n", "\n ")
        yield b'\n ],\n "signature": ' + signature.encode() + b"\n}\n"
    else:
        yield b"\n ]\n}\n"


def _lines(findings: Joined[Mapping[str, Any]] | Sequence[Mapping[str, Any]]) -> Iterator[list[str]]:
    if isinstance(findings, Joined):
        yield from findings.written(_first, _rest)
    else:
        yield from ([_COMPACT.encode(one)] for one in findings)


def _first(part: Mapping[str, Any]) -> str:
    return _ENCODER.encode(part).removesuffix("}")


def _rest(part: Mapping[str, Any]) -> str:
    return ", " + _ENCODER.encode(part).removeprefix("{")


class _Head(BaseModel):
    format: str


def read_format(path: Path, content: bytes, hint: str) -> str:
    """The key `format` of a file's content. Raises InputError naming the file and the key."""
    return _read(path, content, TypeAdapter(_Head), hint).format


def without_findings(content: bytes) -> bytes:
    """A JSON object, which was checked before, with `findings` empty and without a signature."""
    plain = {**json.loads(content.removeprefix(codecs.BOM_UTF8)), "findings": []}
    return json.dumps(plain, ensure_ascii=False).encode()


def read(path: Path, content: bytes, kind: type[T], hint: str) -> T:
    """A file's content, checked against a dataclass. Raises InputError naming the file and the key."""
    return _read(path, content, TypeAdapter(kind), hint)


def _read(path: Path, content: bytes, form: TypeAdapter[T], hint: str) -> T:
    try:
        return form.validate_json(content.removeprefix(codecs.BOM_UTF8), strict=True)
    except ValidationError as invalid:
        first = invalid.errors(include_url=False, include_input=False, include_context=False)[0]
        place = ".".join(map(str, first["loc"])) or "the file"
        raise InputError(f"{path}: {place}: {first['msg']}", hint) from None
