"""Where a benchmark keeps its homes."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def workspace(keep: Path | None = None) -> Iterator[Path]:
    """A folder that is kept, or one that vanishes."""
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
        yield keep
        return
    with tempfile.TemporaryDirectory(prefix="heqiao-bench-") as folder:
        yield Path(folder)
