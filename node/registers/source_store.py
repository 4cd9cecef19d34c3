"""The sources of a home: the folder `sources`, a file for each item, and what was imported of it last."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

from blake3 import blake3

from keys.errors import KeyringError
from keys.store.atomic_files import read_private
from node.domain.catalogue import CODE_PATTERN
from node.errors import ConfigError, InputError, NodeError
from node.files import disk_errors, write_atomically
from node.registers.source_file import HINT, SourceFile, parse_source

FOLDER: Final = "sources"
_MAX_BYTES: Final = 262_144
_NAME: Final = re.compile(rf"({CODE_PATTERN})\.toml")
_HEAD: Final = re.compile(r"\s*\[\s*(\w+)\s*\]\s*(?:#.*)?")
_KEY: Final = re.compile(r"\s*(at|every)\s*=")


@dataclass(frozen=True, slots=True)
class SourceState:
    """What the last import of a source left. Times are ISO 8601 in UTC; counts, no value of a row.

    `watermark` is where the next import by changes begins. `import_number` and `imported_at` are those of the
    import in the database: where another one came after it, the next is a full one.
    """

    watermark: str = ""
    full_at: str = ""
    import_number: int = 0
    imported_at: str = ""
    source_file: str = ""  # digest of the file that it was made with


@dataclass(frozen=True, slots=True)
class Attempt:
    """How the last run of a source ended: `state` is imported, unchanged or failed, `code` the error's.

    `account` is who ran it. `rejects` is the digest of the list of rejected rows of import `import_number`,
    empty where there is none in the folder of the sources.
    """

    at: str
    state: str
    code: str = ""
    rows: int = 0
    account: str = ""
    import_number: int = 0
    rejects: str = ""


@dataclass(frozen=True, slots=True)
class FileCheck:
    """The files of [imports] folder that were checked last for a source: their names, and a digest in hex.

    `result` is that of the quality report of number `report`.
    """

    at: str
    account: str
    names: tuple[str, ...]
    size: int
    digest: str
    report: int
    result: str
    rows: int
    usable: int


Note = SourceState | Attempt | FileCheck
_NOTES: Final[Mapping[type[Note], str]] = {SourceState: "state", Attempt: "last", FileCheck: "check"}


@dataclass(frozen=True, slots=True)
class Stored:
    """A source of the home with what its file says, or why it cannot be read; `changed_at` is of the file."""

    item: str
    changed_at: float
    file: SourceFile | None = None
    error: NodeError | KeyringError | None = None


class SourceFolder:
    """The sources of a home."""

    def __init__(self, home: Path) -> None:
        self._home, self._folder = home, home / FOLDER

    def parse(self, content: bytes, place: Path) -> SourceFile:
        """What the file of a source says. Raises ConfigError with every fault."""
        return parse_source(place, content, self._home)

    def add(self, content: bytes, place: Path, *, replace: bool) -> SourceFile:
        """Keep a source. Raises ConfigError for a file that is none, InputError where there is one."""
        found = self.parse(content, place)
        target = self._path(found.item)
        if target.exists() and not replace:
            raise InputError(
                f"there is a source of {found.item} already",
                "nothing was changed; --replace puts this one in its place",
            )
        with disk_errors("check the home's folder"):
            self._folder.mkdir(mode=0o700, exist_ok=True)
        write_atomically(target, [content])
        return found

    def read(self, item: str) -> SourceFile:
        """A source. Raises InputError where there is none, ConfigError, KeyringError for a wrong file."""
        path = self._path(item)
        if _NAME.fullmatch(path.name) is None or not path.is_file():
            raise InputError(f"this home has no source of {item[:12]}", "`heqiao sources list` lists them")
        found = parse_source(path, read_private(path, _MAX_BYTES), self._home)
        if found.item != item:
            raise ConfigError(f"{path}: [source] item is {found.item}", HINT)
        return found

    def digest(self, item: str) -> str:
        """What changes with a source's file: a full import is due then."""
        return self._digest(read_private(self._path(item), _MAX_BYTES))

    @staticmethod
    def _digest(content: bytes) -> str:
        return blake3(content).hexdigest()

    def list(self) -> Sequence[Stored]:
        """Every source, in order."""
        with disk_errors("check the home's folder"):
            paths = sorted(self._folder.glob("*.toml")) if self._folder.is_dir() else []
        return [self._stored(path) for path in paths if _NAME.fullmatch(path.name)]

    def remove(self, item: str) -> None:
        """Forget a source; what was imported stays. Raises InputError where there is none."""
        path = self._path(item)
        if _NAME.fullmatch(path.name) is None or not path.is_file():
            raise InputError(f"this home has no source of {item[:12]}", "`heqiao sources list` lists them")
        with disk_errors("check the home's folder"):
            path.unlink()
            for kind in _NOTES:
                self._note_path(item, kind).unlink(missing_ok=True)
            self.rejects_path(item).unlink(missing_ok=True)

    def state(self, item: str) -> SourceState:
        """What the last import left. Where that cannot be read, the next is a full one."""
        found: SourceState | None = self._read_note(item, SourceState)
        return found or SourceState()

    def last(self, item: str) -> Attempt | None:
        """How the last run ended."""
        found: Attempt | None = self._read_note(item, Attempt)
        return found

    def file_check(self, item: str) -> FileCheck | None:
        """What was checked last of the files of [imports] folder."""
        found: FileCheck | None = self._read_note(item, FileCheck)
        return None if found is None else replace(found, names=tuple(found.names))  # JSON has lists

    def rejects_path(self, item: str) -> Path:
        """Where the list of rejected rows of the last run is."""
        return self._folder / f"{item}-rejects.csv"

    def lines(self, item: str) -> Mapping[str, int]:
        """The lines of `at` and `every` in a source's file, where they are written plainly."""
        try:
            content = read_private(self._path(item), _MAX_BYTES).decode("utf-8-sig")
        except (OSError, KeyringError, UnicodeDecodeError):
            return {}
        found, section = {}, ""
        for number, line in enumerate(content.splitlines(), 1):
            if head := _HEAD.fullmatch(line):
                section = head[1]
            elif section == "schedule" and (key := _KEY.match(line)):
                found[key[1]] = number
        return found

    def note(self, item: str, what: Note) -> None:
        """Keep a state, an attempt or a check. Raises UnavailableError."""
        write_atomically(self._note_path(item, type(what)), [json.dumps(asdict(what)).encode()])

    def _path(self, item: str) -> Path:
        return self._folder / f"{item}.toml"

    def _note_path(self, item: str, kind: type[Note]) -> Path:
        return self._folder / f"{item}.{_NOTES[kind]}.json"

    def _read_note(self, item: str, kind: type[Note]) -> Any:
        try:
            return kind(**json.loads(read_private(self._note_path(item, kind), _MAX_BYTES)))
        except (OSError, KeyringError, ValueError, TypeError):
            return None

    def _stored(self, path: Path) -> Stored:
        item = path.stem
        with disk_errors("check the home's folder"):
            changed = path.stat().st_mtime
        try:
            return Stored(item, changed, self.read(item))
        except (NodeError, KeyringError) as error:
            return Stored(item, changed, error=error)
