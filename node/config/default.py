"""The commented node.toml that `heqiao init` writes, made from the configuration's own fields."""

import json
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from keys.pki.names import Role
from node.config.model import Config

_HEAD: Final = """\
# Configuration of a Heqiao node. Unknown keys are refused. A key that begins with # shows its default;
# delete the # to change it. Relative paths start at the folder of this file.
"""
_EXAMPLES: Final = {
    ("keys", "pkcs11_module"): "/usr/lib/softhsm/libsofthsm2.so",
    ("peer", "advertise"): "10.45.0.1:7443",
    ("store", "password_file"): "database-password",
    ("catalogue", "path"): "catalogue.toml",
    ("code_tables", "path"): "codes.toml",
    ("calendar", "path"): "working-days.toml",
    ("index", "publish_at"): "03:00",
    ("imports", "folder"): "incoming",
    ("log", "file"): "heqiao.log",
    ("console", "certificate"): "console.pem",
    ("console", "key"): "console.key",
    ("notices", "folder"): "notices",
    ("notices", "password_file"): "mail-password",
    ("notices", "relay_ca"): "mail-ca.pem",
}


def render_default(
    code: str,
    name: str,
    role: Role = "node",
    *,
    peer_listen: str | None = None,
    platform_listen: str | None = None,
    advertise: str | None = None,
    passphrase_file: str | None = None,
) -> str:
    """Text of a node.toml: given values are set, all other keys are comments with their defaults.

    The values are not checked here: `node.config.loading.load` does that when the file is read.
    """
    given: dict[str, Mapping[str, str | None]] = {
        "node": {"code": code, "name": name, "role": role},
        "keys": {"passphrase_file": passphrase_file},
        "peer": {"listen": peer_listen, "advertise": advertise},
        "platform": {"listen": platform_listen},
    }
    parts = [_HEAD]
    for section, field in Config.model_fields.items():
        model = field.annotation
        if isinstance(model, type) and issubclass(model, BaseModel):
            parts.append(_render_section(section, model, given.get(section, {})))
    return "\n".join(parts)


def _render_section(section: str, model: type[BaseModel], given: Mapping[str, str | None]) -> str:
    lines = [f"[{section}]  # {model.__doc__}"]
    for key, field in model.model_fields.items():
        lines += textwrap.wrap(field.description or "", 100, initial_indent="# ", subsequent_indent="# ")
        value = given.get(key)
        lines.append(f"{key} = {toml_literal(value)}" if value is not None else _shown(section, key, field))
    return "\n".join(lines) + "\n"


def _shown(section: str, key: str, field: FieldInfo) -> str:
    default: Any = _EXAMPLES.get((section, key)) if field.default is None else field.default
    return f"#{key} = {toml_literal(default)}"


def toml_literal(value: object) -> str:
    """A TOML literal. A JSON string is one too, but for the character DEL."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | Path):
        return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, tuple):
        return f"[{', '.join(map(toml_literal, value))}]"
    return str(value)
