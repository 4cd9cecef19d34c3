"""A bar for long commands, on standard error, and only where somebody looks at it."""

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

Told = Callable[[str, int, int], None]


@contextmanager
def show_progress(stages: Mapping[str, str], *, hidden: bool) -> Iterator[Told]:
    """Yield a function of stage, done and total; `stages` says what each stage is called."""
    if hidden or not sys.stderr.isatty():
        yield lambda _stage, _done, _total: None
        return
    from node.cli.bar import show_bar  # what draws it is loaded only where it is seen

    with show_bar(stages) as update:
        yield update
