"""Registers of a few people, and responders that change in the middle of a sync."""

from collections.abc import Callable, Iterator
from pathlib import Path

from node.clock import utc_now
from node.context import Node
from node.registers.importer import import_item
from node.rotation import driver
from node.rotation.kinds import OPRF
from tests.support.cheating_responder import Cheat
from tests.support.cluster import World, open_home
from tests.support.mirrors import mirrored_bytes, served_bytes
from tests.support.renumbered import renumbered
from tests.support.rotations import opened, rotate


def register_of(world: World, item: str) -> Path:
    return next(p for p in (world.data / "44" / "registers").iterdir() if f"_{item}_" in p.name)


def few_rows(world: World, folder: Path, first: int, count: int = 3) -> Path:
    """A register that names a few people of origin 45 of the one of C21."""
    head, *rows = register_of(world, "C21").read_bytes().splitlines(keepends=True)
    of_45 = [row for row in rows if b"45" in row[:4]]
    found = folder / f"few-{first}.csv"
    found.write_bytes(b"".join([head, *of_45[first : first + count]]))
    return found


def upsert(node: Node, rows: Path, turn: int) -> None:
    """The same facts in other bytes, each turn in others."""
    import_item(renumbered(node, turn + 1), "C21", [rows], mode="upsert")


def assert_equal(requester: Node, home: Path) -> None:
    """The mirror of 44 is what 44 serves."""
    node = open_home(home)
    assert mirrored_bytes(requester) == served_bytes(node, "45")
    node.store.dispose()


def end_epoch(home: Path) -> None:
    """Rotate the OPRF key, and refuse the key before it at once."""
    rotate(home, "oprf", utc_now)
    node, store = opened(home, utc_now)
    driver.retire(OPRF, node, store, early=True)
    node.store.dispose()


def meddling(act: Callable[[Node], None], times: int = 1) -> Cheat:
    """The responder's partitions change while a partition is sent, after its leaves."""
    left = [times]

    def alter(node: Node, responses: Iterator) -> Iterator:
        for number, message in enumerate(responses):
            yield message
            if number == 2 and left[0]:
                left[0] -= 1
                act(node)

    return Cheat(partition=alter)


def meddling_delta(act: Callable[[Node], None]) -> Cheat:
    """The responder's partitions change before the first message of a delta is sent, and after it."""
    done: list[bool] = []

    def alter(node: Node, responses: Iterator) -> Iterator:
        for message in responses:
            if not done:
                done.append(True)
                act(node)
            yield message

    return Cheat(delta=alter)
