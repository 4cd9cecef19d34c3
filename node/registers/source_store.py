"""The sources of a home: the folder `sources`, a file for each item, and what was imported of it last."""

import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
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
    """How the last run of a source ended: `state` is imported, unchanged or failed, `code` the error's."""

    at: str
    state: str
    code: str = ""
    rows: int = 0


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
            for kind in (SourceState, Attempt):
                self._note_path(item, kind).unlink(missing_ok=True)

    def state(self, item: str) -> SourceState:
        """What the last import left. Where that cannot be read, the next is a full one."""
        found: SourceState | None = self._read_note(item, SourceState)
        return found or SourceState()

    def last(self, item: str) -> Attempt | None:
        """How the last run ended."""
        found: Attempt | None = self._read_note(item, Attempt)
        return found

    def note(self, item: str, what: SourceState | Attempt) -> None:
        """Keep a state or an attempt. Raises UnavailableError."""
        write_atomically(self._note_path(item, type(what)), [json.dumps(asdict(what)).encode()])

    def _path(self, item: str) -> Path:
        return self._folder / f"{item}.toml"

    def _note_path(self, item: str, kind: type) -> Path:
        return self._folder / f"{item}.{'state' if kind is SourceState else 'last'}.json"

    def _read_note(self, item: str, kind: type) -> Any:
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
