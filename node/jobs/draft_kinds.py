"""What can wait for a second person: a verification, a sum, a watch list. A new kind is one line in KINDS."""

from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

from node.context import Node
from node.database import Connection
from node.domain.jobs import SUM, VERIFICATION, WATCH
from node.domain.subjects import Subjects
from node.domain.verification import Verification, pack_verification, unpack_verification
from node.errors import InvalidRequestError
from node.jobs import engine, watches
from node.jobs.kinds import find_kind


class DraftKind(Protocol):
    """What drafts of one kind do differently; `name` is the id of the job or list that an approval makes."""

    def check(self, node: Node, name: str, request: Any) -> None:
        """As if it were submitted. Raises NodeError kinds."""

    def pack(self, request: Any) -> bytes:
        """Canonical bytes."""

    def unpack(self, packed: bytes) -> Any:
        """What `pack` made. Raises PreconditionError for a form of another version."""

    def people(self, request: Any) -> int:
        """How many people it is about."""

    def submission(self, node: Node, name: str, request: Any, owner: str) -> Callable[[Connection], object]:
        """Check it; what is returned stores it in a transaction. Raises as `check`, JobConflictError."""


class _OfJob:
    """A verification or a sum."""

    def __init__(self, kind: str) -> None:
        self._kind = find_kind(kind)

    def check(self, node: Node, name: str, request: Any) -> None:
        """See DraftKind."""
        engine.check_request(node, name, request)

    def pack(self, request: Any) -> bytes:
        """See DraftKind."""
        return self._kind.pack(request)

    def unpack(self, packed: bytes) -> Any:
        """See DraftKind."""
        return self._kind.unpack(packed)

    def people(self, request: Any) -> int:
        """See DraftKind."""
        return self._kind.people(request)

    def submission(self, node: Node, name: str, request: Any, owner: str) -> Callable[[Connection], object]:
        """See DraftKind."""
        return engine.submission(node, name, request, owner)


class _OfWatch:
    """A watch list."""

    def check(self, node: Node, name: str, request: Verification) -> None:
        """See DraftKind. Raises JobConflictError for the id of a list that is there."""
        watches.check(node, name, request)
        watches.require_new(node, name)

    def pack(self, request: Verification) -> bytes:
        """See DraftKind."""
        return pack_verification(request)

    def unpack(self, packed: bytes) -> Verification:
        """See DraftKind."""
        return unpack_verification(packed)

    def people(self, request: Verification) -> int:
        """See DraftKind."""
        return len(Subjects.of(request.subjects))

    def submission(
        self, node: Node, name: str, request: Verification, owner: str
    ) -> Callable[[Connection], object]:
        """See DraftKind."""
        return watches.submission(node, name, request, owner)


KINDS: Final[Mapping[str, DraftKind]] = {
    VERIFICATION: _OfJob(VERIFICATION),
    SUM: _OfJob(SUM),
    WATCH: _OfWatch(),
}


def require_kind(name: str) -> str:
    """The kind of a new draft; a verification where none is named. Raises InvalidRequestError."""
    if name and name not in KINDS:
        raise InvalidRequestError(f"a draft is of one of the kinds {', '.join(KINDS)}")
    return name or VERIFICATION
