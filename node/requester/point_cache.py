"""What the queries of a job have in common: points of its identities, and digests of its mandates.

Peers may use different versions of the salt for a while.
"""

import threading
from collections.abc import Iterable, Mapping, Sequence

from matcher.suites.suite import Suite
from node.domain.mandate import Mandate, digest
from node.requester.points import HasIdentities, MappedPoints


class PointCache:
    """Points of people's identities under each salt that a peer offers, and digests; each is computed once.

    The repr shows no content.
    """

    def __init__(self, salts: Mapping[int, bytes], people: Iterable[HasIdentities]) -> None:
        """`salts` are those of this node, by version."""
        self._salts, self._people = dict(salts), people if isinstance(people, Sequence) else tuple(people)
        self._mapped: dict[tuple[str, int], MappedPoints] = {}
        self._digests: dict[int, tuple[Mandate, bytes]] = {}  # a mandate that is held keeps its id
        self._lock = threading.Lock()

    @property
    def salts(self) -> Mapping[int, bytes]:
        """The salts that this node holds, by version."""
        return self._salts

    def salt(self, version: int) -> bytes | None:
        """The salt of a version, None where this node does not hold it."""
        return self._salts.get(version)

    def mandate_digest(self, mandate: Mandate) -> bytes:
        """The digest of a mandate of the job (`node.domain.mandate.digest`), once for all queries."""
        kept = self._digests.get(id(mandate))
        if kept is None:
            kept = self._digests[id(mandate)] = mandate, digest(mandate)
        return kept[1]

    def points(self, suite: Suite, version: int) -> MappedPoints:
        """Points of a suite under a version that this node holds."""
        key = (suite.name, version)
        with self._lock:
            if key not in self._mapped:
                self._mapped[key] = MappedPoints(suite, self._salts[version], self._people)
            return self._mapped[key]
