"""Reading a configuration: every fault is reported at once, and no value is shown."""

import tomllib
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from node.config.faults import describe_fault, known_keys
from node.config.model import Config
from node.errors import ConfigError

_MAX_BYTES: Final = 262_144


def load(path: Path) -> Config:
    """Read and check a configuration file.

    Raises:
        ConfigError: it cannot be read, is not TOML, or a key is unknown, missing or out of bounds;
            says which file and key, and what to write.
    """
    content = _read(path)
    sections: dict[str, Any] = {name: {} for name in known_keys(Config)}
    try:
        return Config.model_validate({**sections, **content}, context={"folder": path.absolute().parent})
    except ValidationError as invalid:
        faults = invalid.errors(include_url=False, include_context=False, include_input=False)
        described = "; ".join(
            describe_fault(Config, fault["loc"], fault["type"], fault["msg"]) for fault in faults
        )
        raise ConfigError(f"{path}: {described}", "docs/configuration.md explains every key") from None


def _read(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}", "give the home of a node, or its node.toml") from None
    if len(content) > _MAX_BYTES:
        raise ConfigError(f"{path}: larger than {_MAX_BYTES} bytes", "is this node.toml?")
    try:
        return tomllib.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: not text in UTF-8", "save the file as UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not TOML: {error}", "correct the line that is named") from None
