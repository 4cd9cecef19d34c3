"""Points on the way between the two sides, one type for each step, and the blinds of a batch."""

from dataclasses import dataclass, field
from typing import Self

from matcher.errors import CountError
from matcher.vectorised import Bytes


@dataclass(frozen=True, slots=True)
class Blinded:
    """Points B, as sent to a responder."""

    points: bytes = field(repr=False)
    size: int

    @property
    def count(self) -> int:
        """The number of points."""
        return len(self.points) // self.size

    def part(self, first: int, last: int) -> Self:
        """The points from place `first` to before `last`."""
        return type(self)(self.points[first * self.size : last * self.size], self.size)


@dataclass(frozen=True, slots=True)
class Blinds:
    """A blind r_i for each point of a batch and its inverse, (n, scalar) each."""

    scalars: Bytes = field(repr=False)
    inverses: Bytes = field(repr=False)

    def part(self, first: int, last: int) -> Self:
        """Those from place `first` to before `last`."""
        return type(self)(self.scalars[first:last], self.inverses[first:last])


@dataclass(frozen=True, slots=True)
class Evaluated:
    """Points E, as a responder returns them."""

    points: bytes = field(repr=False)
    size: int

    @property
    def count(self) -> int:
        """The number of points."""
        return len(self.points) // self.size

    def require_as_many(self, sent: Blinded) -> None:
        """Raises CountError unless as many points came back as were sent."""
        if len(self.points) != len(sent.points):
            raise CountError("a different number of points was returned than was sent")
