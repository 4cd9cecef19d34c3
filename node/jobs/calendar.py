"""The working days by which a node counts deadlines: the province's own table, read again when it changes."""

import threading
from pathlib import Path
from typing import Final

from node.context import Node
from node.domain.working_days import DayTable, WorkingDays, read_csv, read_toml
from node.errors import ConfigError
from node.telemetry import log

MOST_BYTES: Final = 262_144
_HINT: Final = "name the table of days under [calendar] in node.toml, or delete the key"
Stamp = tuple[int, int, int]
_READ: dict[Path, tuple[Stamp, WorkingDays]] = {}
_LOCK: Final = threading.Lock()


def working_days(node: Node) -> WorkingDays:
    """The working days of a node. A table that becomes unreadable while the node runs is logged, and the one
    before it still counts.

    Raises ConfigError for a table that could never be read in this process.
    """
    path = node.config.calendar.path
    if path is None:
        return WorkingDays()
    with _LOCK:
        try:
            return _read(path)
        except ConfigError:
            if path not in _READ:
                raise
            log.get_logger().error("calendar_not_read", status="failed", reason="calendar")
            return _READ[path][1]


def read_table(path: Path) -> DayTable:
    """The table of days in a .toml or .csv file. Raises ConfigError with every fault."""
    readers = {".toml": read_toml, ".csv": read_csv}
    if path.suffix.lower() not in readers:
        raise ConfigError(f"{path}: is neither .toml nor .csv", _HINT)
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            raise ConfigError(f"{path}: larger than {MOST_BYTES} bytes", _HINT)
        text = content.decode("utf-8-sig")
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}", _HINT) from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: is not UTF-8", _HINT) from None
    return readers[path.suffix.lower()](text, str(path))


def _read(path: Path) -> WorkingDays:
    try:
        found = path.stat()
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}", _HINT) from None
    stamp = (found.st_ino, found.st_mtime_ns, found.st_size)
    if path not in _READ or _READ[path][0] != stamp:
        _READ[path] = stamp, WorkingDays(read_table(path))
    return _READ[path][1]
