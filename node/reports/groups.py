"""The groups of fields of a report.json, and the digest of each, which the signature covers. Pure.

The keys at the top level fall into groups: `head`, `catalogue`, and every other key alone (`subjects`,
`peers`, `summary`, `notes`, `findings`, ...), so that a key that somebody adds is a group that nobody signed.
The digest is SHA-256 over the values as JSON without white space, in the order of the file; each finding is
one line. A key twice in one object is refused: two readers could see two values.
"""

import hashlib
import io
import json
from collections.abc import Callable, Iterator, Mapping
from typing import IO, Any, Final

from node.errors import InputError
from node.reports.document import Joined

HEAD: Final = "head"
CATALOGUE: Final = "catalogue"
FINDINGS: Final = "findings"
SIGNATURE: Final = "signature"
_GROUPS: Final[Mapping[str, str]] = {
    **dict.fromkeys(
        (
            "format", "number", "job", "state", "requester", "requester_name", "issuing_body",
            "purpose", "matter", "matter_name", "legal_basis", "legal_basis_name",
            "created_at", "finished_at", "due_at",
        ),
        HEAD,
    ),
    **dict.fromkeys(("catalogue_version", "catalogue_digest", "items", "item_facts"), CATALOGUE),
}  # fmt: skip
_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)
_SPACE: Final = " \t\r\n"
_PIECE: Final = 1 << 20  # characters that are read at once
_LONGEST: Final = 1 << 26  # characters of one value, such as the list of subjects


class Digests:
    """Takes the keys of a report.json in their order, and gives the digest of each group."""

    def __init__(self) -> None:
        self._open: dict[str, Any] = {}

    def add(self, key: str, value: object) -> None:
        """A key other than `findings`."""
        self._group(_GROUPS.get(key, key)).update(_ENCODER.encode({key: value}).encode() + b"\n")

    def add_findings(self, lines: Iterator[str]) -> None:
        """The findings: each as compact JSON with a line feed behind it, any number of them at once."""
        group = self._group(FINDINGS)
        for line in lines:
            group.update(line.encode())

    def hex(self) -> dict[str, str]:
        """The digests by group."""
        return {name: group.hexdigest() for name, group in self._open.items()}

    def _group(self, name: str) -> Any:
        return self._open.setdefault(name, hashlib.sha256(name.encode() + b"\0"))


def digests_of(plain: Mapping[str, Any]) -> dict[str, str]:
    """The digests of a report that is about to be written (`node.reports.kinds`)."""
    digests = Digests()
    for key, value in plain.items():
        if key == FINDINGS:
            digests.add_findings(_lines(value))
        else:
            digests.add(key, value)
    return digests.hex()


def _lines(findings: Any) -> Iterator[str]:
    if isinstance(findings, Joined):
        for lines in findings.written(
            lambda part: _ENCODER.encode(part).removesuffix("}"),
            lambda part: "," + _ENCODER.encode(part).removeprefix("{"),
        ):
            yield "\n".join(lines) + "\n"
    else:
        yield from (_ENCODER.encode(one) + "\n" for one in findings)


def read_digests(file: IO[bytes], source: str) -> tuple[dict[str, str], Any]:
    """The digests of the groups of a report.json, and what its key `signature` holds (None without one).

    Read piece by piece, and findings one after another: a list has millions. Raises InputError for what is
    no JSON object.
    """
    text = io.TextIOWrapper(file, "utf-8-sig", newline="")
    try:
        return _Reader(text).read()
    except (ValueError, RecursionError):
        raise InputError(
            f"{source}: is not a JSON object, or has a key twice", "ask for the report again"
        ) from None
    finally:
        text.detach()


class _Reader:
    """Reads values from a window of the text, which moves on with what was read."""

    def __init__(self, file: io.TextIOWrapper) -> None:
        self._file, self._text, self._at = file, "", 0
        decoder = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_no_constant)
        self._decode: Callable[[str, int], tuple[Any, int]] = decoder.raw_decode

    def read(self) -> tuple[dict[str, str], Any]:
        digests, seen, signature = Digests(), set[str](), None
        for _ in self._items("{", "}"):
            name = self._value()
            if not isinstance(name, str) or name in seen:
                raise ValueError("a key twice, or none")
            seen.add(name)
            self._take(":")
            if name == FINDINGS and self._peek() == "[":
                digests.add_findings(self._findings())
            elif name == SIGNATURE:
                signature = self._value()
            else:
                digests.add(name, self._value())
        if self._peek():
            raise ValueError("something behind the object")
        return digests.hex(), signature

    def _findings(self) -> Iterator[str]:
        lines, size = list[str](), 0
        for _ in self._items("[", "]"):
            line = _ENCODER.encode(self._value()) + "\n"
            lines.append(line)
            size += len(line)
            if size > _PIECE:  # a finding has a hundred characters, a column of them a hundred thousand
                yield "".join(lines)
                lines.clear()
                size = 0
        yield "".join(lines)

    def _items(self, start: str, end: str) -> Iterator[None]:
        """Yields in front of each item of an object or an array."""
        self._take(start)
        if self._peek() == end:
            self._take(end)
            return
        while True:
            self._peek()
            yield
            if self._peek() == end:
                self._take(end)
                return
            self._take(",")

    def _value(self) -> Any:
        self._peek()
        size = _PIECE
        while True:
            start = self._at
            try:
                value, end = self._decode(self._text, start)
            except json.JSONDecodeError:
                if not self._more(size):
                    raise
            else:
                # A number that ends with the window may go on behind it.
                if end < len(self._text) or not self._more(size):
                    self._at += end - start
                    return value
            size *= 2

    def _more(self, size: int) -> bool:
        """Move the window on; whether there was more."""
        piece = self._file.read(size)
        self._text, self._at = self._text[self._at :] + piece, 0
        if len(self._text) > _LONGEST:
            raise ValueError("a value that is too long")
        return bool(piece)

    def _peek(self) -> str:
        while True:
            while self._at < len(self._text) and self._text[self._at] in _SPACE:
                self._at += 1
            if self._at < len(self._text) or not self._more(_PIECE):
                return self._text[self._at : self._at + 1]

    def _take(self, character: str) -> None:
        if self._peek() != character:
            raise ValueError("another character is due")
        self._at += 1


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key twice")
    return found


def _no_constant(name: str) -> None:
    raise ValueError(name)
