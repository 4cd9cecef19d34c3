"""A verification as a platform hands it over, and its packed form (which is sealed before it is stored)."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from node.domain.mandate import Mandate
from node.domain.subjects import Subject


@dataclass(frozen=True, slots=True)
class Verification:
    """Who is asked about, what, whom and why. `mandates` are by number."""

    items: tuple[str, ...]
    peers: tuple[str, ...]
    purpose: str
    legal_basis: str
    subjects: tuple[Subject, ...] = field(repr=False)
    mandates: Mapping[str, Mandate] = field(repr=False)
