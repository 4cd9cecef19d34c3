"""Grants of a peer: what they cover by the class of an item (design.md section 2, step 4)."""

from dataclasses import replace

import pytest

from node.domain import catalogue
from node.domain.peers import Grant, PeerRow, read_grants

ITEMS = {item.code: item for item in catalogue.load().items}
PEER = PeerRow("45", "广西", "localhost:1", bytes(32), False, read_grants(("45", "00", "C23:45", "C21:53")))


@pytest.mark.parametrize(
    ("text", "grant"),
    [("45", Grant("*", "45")), ("C23:45", Grant("C23", "45")), ("Z59b:00", Grant("Z59b", "00"))],
)
def test_written_and_read(text: str, grant: Grant) -> None:
    assert Grant.parse(text) == grant
    assert str(grant) == text


def test_each_once_and_in_order() -> None:
    granted = read_grants(("C23:45", "45", "00", "45", "C21:53"))
    assert [str(one) for one in granted] == ["00", "45", "C21:53", "C23:45"]


@pytest.mark.parametrize(
    ("code", "origins"),
    [
        ("C21", {"45", "00", "53"}),  # ordinary: by origin, and by name
        ("Z59b", {"45", "00"}),
        ("C23", {"45"}),  # financial: by name only
        ("D35", set()),  # medical, and not named
    ],
)
def test_origins_of_an_item(code: str, origins: set[str]) -> None:
    assert PEER.origins_of(ITEMS[code]) == origins


def test_an_item_that_becomes_sensitive_is_no_longer_granted_by_its_origin() -> None:
    assert PEER.origins_of(replace(ITEMS["C21"], sensitivity="SF")) == {"53"}
    assert PEER.origins_of(replace(ITEMS["D35"], sensitivity="SP")) == {"45", "00"}


def test_every_sensitive_item_needs_its_name() -> None:
    everywhere = replace(PEER, grants=read_grants(f"{code:02}" for code in range(100)))
    for item in ITEMS.values():
        assert bool(everywhere.origins_of(item)) == (item.sensitivity in ("P", "SP"))
