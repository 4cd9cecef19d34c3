"""A peer province in this node's database."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PeerRow:
    """A peer of this node; `grants` are the origins it may query."""

    code: str
    name: str
    address: str
    signing_key: bytes
    allow_platforms: bool
    grants: tuple[str, ...]
