"""Common parts of all configuration sections: strictness, paths, addresses."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, ValidationInfo

from keys.pki.names import split_address

STRICT: Final = ConfigDict(
    extra="forbid", frozen=True, strict=True, validate_default=True, hide_input_in_errors=True
)


class Section(BaseModel):
    """One section of node.toml: unknown keys are refused, values are immutable."""

    model_config = STRICT


def folder_of(info: ValidationInfo) -> Path:
    """The folder of the file that is read: relative paths start there."""
    context: Mapping[str, Path] = info.context or {}
    return context.get("folder", Path())


def _in_folder(value: object, info: ValidationInfo) -> Path:
    if isinstance(value, Path):
        path = value
    elif isinstance(value, str) and value:
        path = Path(value)
    else:
        raise ValueError("must be a path in quotes")
    return Path(os.path.normpath(folder_of(info) / path))


def _check_listen(address: str) -> str:
    split_address(address)
    return address


HomePath = Annotated[Path, BeforeValidator(_in_folder)]
Listen = Annotated[str, AfterValidator(_check_listen)]
