"""A peer province as this node knows it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PeerRow:
    """A peer this node knows; `grants` are the origins it may ask about."""

    code: str
    name: str
    address: str
    signing_key: bytes
    allow_platforms: bool
    grants: tuple[str, ...]
