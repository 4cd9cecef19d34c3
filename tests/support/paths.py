"""Folders of the repository, and its own files in them."""

from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VECTORS = ROOT / "tests" / "vectors"


def python_files(folders: Iterable[str]) -> list[Path]:
    """Python files in folders of the repository, not in hidden ones such as the environments of peers."""
    found = (path for folder in folders for path in sorted((ROOT / folder).rglob("*.py")))
    return [path for path in found if not any(part[0] == "." for part in path.relative_to(ROOT).parts)]
