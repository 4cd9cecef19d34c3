"""The code tables of a home: the published ones with those of the province's own file."""

from pathlib import Path
from typing import Final

from node.config import Config
from node.domain.code_tables import CheckedTables, CodeTables, check_tables
from node.errors import ConfigError

MOST_BYTES: Final = 262_144
_HINT: Final = "`heqiao codes check` names every fault; docs/mandates.md has the form of the file"


def load_code_tables(config: Config) -> CodeTables:
    """The code tables of a home. Raises ConfigError for a file that cannot be used."""
    path = config.code_tables.path
    if path is None:
        return CodeTables()
    found = read_code_tables(path)
    if found.tables is None:
        first = found.faults[0]
        raise ConfigError(f"{path}: {first} ({len(found.faults)} faults in all)", _HINT)
    return found.tables


def read_code_tables(path: Path) -> CheckedTables:
    """What a file of code tables says, or its faults. Raises ConfigError for one that cannot be read."""
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}", _HINT) from None
    if len(content) > MOST_BYTES:
        raise ConfigError(f"{path}: larger than {MOST_BYTES} bytes", _HINT)
    try:
        return check_tables(content.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: is not UTF-8", _HINT) from None
