"""The identities of a job under the federation's salts: peers may stand at different versions for a while."""

import threading
from collections.abc import Iterable, Mapping

from node.requester.points import HasIdentities, MappedPoints


class PointCache:
    """Points of people's identities under each salt that some peer offers; each is computed once.

    Nothing shows in a repr.
    """

    def __init__(self, salts: Mapping[int, bytes], people: Iterable[HasIdentities]) -> None:
        """`salts` are those that this node holds, by version."""
        self._salts, self._people = dict(salts), tuple(people)
        self._mapped: dict[int, MappedPoints] = {}
        self._lock = threading.Lock()

    @property
    def newest(self) -> int:
        """The newest version there is."""
        return max(self._salts)

    def salt(self, version: int) -> bytes | None:
        """The salt of a version, None where this node does not hold it."""
        return self._salts.get(version)

    def points(self, version: int) -> MappedPoints:
        """Points under a version that this node holds."""
        with self._lock:
            if version not in self._mapped:
                self._mapped[version] = MappedPoints(self._salts[version], self._people)
            return self._mapped[version]
