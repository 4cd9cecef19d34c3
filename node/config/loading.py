"""Reading a configuration: every fault is reported at once, and no value is shown."""

import tomllib
from pathlib import Path
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ValidationError

from node.config.faults import describe_fault, known_keys
from node.config.model import Config
from node.errors import ConfigError

MAX_BYTES: Final = 262_144
Model = TypeVar("Model", bound=BaseModel)


def load(path: Path) -> Config:
    """Read and check a configuration file.

    Raises:
        ConfigError: it cannot be read, is not TOML, or a key is unknown, missing or out of bounds;
            says which file and key, and what to write.
    """
    content = read_toml(path, "give the home of a node, or its node.toml")
    sections: dict[str, Any] = {name: {} for name in known_keys(Config)}
    return check_sections(path, Config, {**sections, **content}, "docs/configuration.md explains every key")


def check_sections(
    path: Path, model: type[Model], content: dict[str, Any], hint: str, folder: Path | None = None
) -> Model:
    """The content of a TOML file as a model whose fields are its sections; paths start in `folder`, by
    default that of the file.

    Raises ConfigError with every fault.
    """
    try:
        return model.model_validate(content, context={"folder": folder or path.absolute().parent})
    except ValidationError as invalid:
        faults = invalid.errors(include_url=False, include_context=False, include_input=False)
        described = "; ".join(
            describe_fault(model, fault["loc"], fault["type"], fault["msg"]) for fault in faults
        )
        raise ConfigError(f"{path}: {described}", hint) from None


def read_toml(path: Path, hint: str) -> dict[str, Any]:
    """The content of a TOML file. Raises ConfigError; `hint` says what to name instead of a wrong file."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}", hint) from None
    return parse_toml(path, content, hint)


def parse_toml(path: Path, content: bytes, hint: str) -> dict[str, Any]:
    """What the bytes of a file say in TOML. Raises ConfigError as `read_toml`."""
    if len(content) > MAX_BYTES:
        raise ConfigError(f"{path}: larger than {MAX_BYTES} bytes", hint)
    try:
        return tomllib.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: not text in UTF-8", "save the file as UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not TOML: {error}", "correct the line that is named") from None
