"""Who acts: the person in whose name a command or a call runs, for the audit chain (domain.md section 9, R3).

Set for a block at the edge (a call of the platform port, a command), and read where an event is written.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

_NOBODY: Final[Mapping[str, str]] = {}
_CURRENT: Final[ContextVar[Mapping[str, str]]] = ContextVar("acting", default=_NOBODY)


@contextmanager
def in_name_of(account: str, roles: str, unit: str) -> Iterator[None]:
    """Add the person to every audit event that this thread writes inside the block."""
    before = _CURRENT.set({"user": account, "user_roles": roles, "user_unit": unit})
    try:
        yield
    finally:
        _CURRENT.reset(before)


def acting_person() -> Mapping[str, str]:
    """`user`, `user_roles` and `user_unit` of who acts; empty outside `in_name_of`."""
    return _CURRENT.get()
