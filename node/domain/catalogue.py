"""The item catalogue: which items may be verified, how they are counted and how much is disclosed.

A catalogue is one versioned TOML file (design.md sections 3 and 4; domain.md sections 4 and 11, S16). Nodes
of the same major version answer each other, item by item, where the definitions are equal. Figures that a
peer could otherwise choose freely, such as thresholds, are in published tables with a code, an issuing body
and dates; an item only names its table. Money is in fen, always an integer. The format is documented in
docs/catalogue.md.
"""

import json
import tomllib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from node.domain.catalogue_items import (
    CODE_PATTERN,
    LEVELS,
    MAX_VALUE,
    TEXTS,
    Catalogue,
    CodeEntry,
    Item,
    Table,
    canonical_json,
)
from node.domain.catalogue_rules import Checked, Fault, check
from node.errors import ConfigError

__all__ = [
    "BUILT_IN",
    "CODE_PATTERN",
    "LEVELS",
    "MAX_BYTES",
    "MAX_VALUE",
    "TEXTS",
    "Catalogue",
    "Checked",
    "CodeEntry",
    "Fault",
    "Item",
    "Table",
    "canonical_json",
    "check_text",
    "load",
    "parse",
    "read_bytes",
    "to_json",
]

BUILT_IN: Final = Path(__file__).parent / "catalogues" / "federation-2026.toml"
HINT: Final = "the catalogue's rules are in docs/catalogue.md"
MAX_BYTES: Final = 1_048_576  # 500 items have about as many
_SHOWN: Final = 20  # faults in one message; `heqiao catalogue check` shows all


def load(path: Path | None = None) -> Catalogue:
    """Read and check a catalogue file, the built-in one by default; its signature is not looked at.

    Raises ConfigError naming the file and every fault with its key: unknown keys, missing attributes in
    either language, and violations of the rules of docs/catalogue.md.
    """
    path = path or BUILT_IN
    return parse(path, read_bytes(path))


def read_bytes(path: Path) -> bytes:
    """The content of a catalogue's file. Raises ConfigError where it cannot be read, or is too large."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"{path}: the catalogue cannot be read: {error.strerror}") from None
    if len(content) > MAX_BYTES:
        raise ConfigError(f"{path}: the catalogue is larger than {MAX_BYTES} bytes", HINT)
    return content


@lru_cache(maxsize=8)
def parse(path: Path, content: bytes) -> Catalogue:
    """The catalogue in a file's content, the same object while it is the same. Raises as `load`."""
    found = check_text(path, content)
    if found.catalogue is None:
        faults = "; ".join(map(str, found.faults[:_SHOWN]))
        more = len(found.faults) - _SHOWN
        faults += f"; and {more} more" if more > 0 else ""
        raise ConfigError(f"{path}: {faults}", HINT)
    return found.catalogue


def check_text(path: Path, content: bytes) -> Checked:
    """All faults of a catalogue, or the catalogue. Raises ConfigError for what is no TOML file at all."""
    return check(_toml(path, content), _least_sensitivity())


def to_json(catalogue: Catalogue) -> dict[str, Any]:
    """The catalogue as plain JSON values, with its digest and those of its items as hex."""
    document: dict[str, Any] = json.loads(canonical_json(catalogue))
    for item, plain in zip(catalogue.items, document["items"], strict=True):
        plain |= {
            "width": item.width,
            "slots": item.sum.layout.slots if item.sum else 0,
            "definition_digest": item.definition.hex(),
        }
    return {**document, "digest": catalogue.digest.hex()}


def _toml(path: Path, content: bytes) -> dict[str, Any]:
    try:
        return tomllib.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: the catalogue is not UTF-8", "save the file as UTF-8") from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        reason = str(error) if isinstance(error, tomllib.TOMLDecodeError) else "it is nested too deeply"
        raise ConfigError(f"{path}: not a TOML file: {reason}") from None


@lru_cache(maxsize=1)
def _least_sensitivity() -> Mapping[str, str]:
    """The sensitivity class of each item of the federation in the catalogue that comes with Heqiao."""
    items = _toml(BUILT_IN, BUILT_IN.read_bytes())["items"]
    return {item["code"]: item["sensitivity"] for item in items}
