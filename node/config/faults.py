"""Faults of a configuration in words, without any value."""

import difflib

from pydantic import BaseModel


def describe_fault(root: type[BaseModel], location: tuple[int | str, ...], kind: str, message: str) -> str:
    """One fault of a configuration `root`; place, kind and message are those of pydantic."""
    section, *keys = map(str, location) if location else ("",)
    where = f"[{section}] {'.'.join(keys)}".strip()
    message = message.removeprefix("Value error, ")
    if not location:
        return message
    if kind == "extra_forbidden":
        model = _section(root, section) if keys else root
        near = difflib.get_close_matches(keys[-1] if keys else section, known_keys(model), n=1)
        return f"{where}: unknown key" + (f", did you mean {near[0]}?" if near else "")
    if kind == "missing":
        return f"{where}: missing"
    if kind == "model_type":
        return f"{where}: must be a section"
    return f"{where}: {message}"


def known_keys(model: type[BaseModel]) -> list[str]:
    """Keys that a section, or sections that a configuration, may have."""
    return [name for name in model.model_fields if name != "folder"]


def _section(root: type[BaseModel], name: str) -> type[BaseModel]:
    annotation = root.model_fields[name].annotation
    return annotation if isinstance(annotation, type) and issubclass(annotation, BaseModel) else root
