"""Who may see and who may change a job: the node all of them, a platform its own, a person those of the unit
and of the units below it (design.md section 8; domain.md section 11, S38).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from node.domain.units import covers
from node.domain.users import Person, unit_owner

NODE: Final = "node"


def platform_owner(name: str) -> str:
    """The owner of what a platform submits, by the name in its certificate."""
    return f"platform/{name}"


@dataclass(frozen=True, slots=True)
class JobAccess:
    """What a caller owns, the owners of the jobs that it may see (None is everybody), and those whose jobs it
    may change besides its own.
    """

    owner: str
    seen: frozenset[str] | None
    changed: frozenset[str] = frozenset()

    def may_see(self, owner: str) -> bool:
        """Whether jobs of an owner are shown to the caller."""
        return self.seen is None or owner in self.seen

    def seen_below(self, unit: str, units: Iterable[str]) -> frozenset[str]:
        """Of the owners that it may see, the unit and those below it, out of all `units`."""
        below = frozenset(unit_owner(one) for one in units if covers(unit, one))
        return below if self.seen is None else below & self.seen

    def may_change(self, owner: str) -> bool:
        """Whether the caller may cancel jobs of an owner."""
        return self.owner in (NODE, owner) or owner in self.changed


NODE_ACCESS: Final = JobAccess(NODE, None)


def platform_access(name: str, readers: Mapping[str, Sequence[str]]) -> JobAccess:
    """Of a platform: its own jobs, and to see only those of the platforms that `readers` names with it."""
    owner = platform_owner(name)
    return JobAccess(owner, frozenset([owner, *map(platform_owner, readers.get(name, ()))]))


def person_access(person: Person, units: Iterable[str]) -> JobAccess:
    """Of a person: to see and cancel the jobs of the unit and of those below it, out of all `units`."""
    own = frozenset([person.owner, *(unit_owner(unit) for unit in units if covers(person.unit, unit))])
    return JobAccess(person.owner, own, own)
