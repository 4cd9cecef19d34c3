"""The identities of a job under the federation's salts: peers may use different versions for a while."""

import threading
from collections.abc import Iterable, Mapping, Sequence

from matcher.suites.suite import Suite
from node.requester.points import HasIdentities, MappedPoints


class PointCache:
    """Points of people's identities under each salt that a peer offers; each is computed once.

    The repr shows no content.
    """

    def __init__(self, salts: Mapping[int, bytes], people: Iterable[HasIdentities]) -> None:
        """`salts` are those of this node, by version."""
        self._salts, self._people = dict(salts), people if isinstance(people, Sequence) else tuple(people)
        self._mapped: dict[tuple[str, int], MappedPoints] = {}
        self._lock = threading.Lock()

    @property
    def salts(self) -> Mapping[int, bytes]:
        """The salts that this node holds, by version."""
        return self._salts

    def salt(self, version: int) -> bytes | None:
        """The salt of a version, None where this node does not hold it."""
        return self._salts.get(version)

    def points(self, suite: Suite, version: int) -> MappedPoints:
        """Points of a suite under a version that this node holds."""
        key = (suite.name, version)
        with self._lock:
            if key not in self._mapped:
                self._mapped[key] = MappedPoints(suite, self._salts[version], self._people)
            return self._mapped[key]
