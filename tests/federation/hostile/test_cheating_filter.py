"""A responder that cheats with its filter, met by a requester whose planner chose the filter plan."""

from collections.abc import Callable

import pytest
from heqiao.peer.v1 import match_pb2

from matcher.retrieval_plan import Plan
from tests.support.cheating_responder import Cheat, Responses, serve_cheat
from tests.support.cluster import (
    World,
    findings_of,
    move_peer,
    part_of,
    read_verification,
    run_job,
    serve_all,
)
from tests.support.plans import force

Change = Callable[[list[match_pb2.FetchFilterResponse]], list[match_pb2.FetchFilterResponse]]


def served(change: Change) -> Cheat:
    def alter(_node: object, responses: Responses) -> Responses:
        yield from change(list(responses))

    return Cheat(filter=alter)


def part(offset: int, data: bytes) -> match_pb2.FetchFilterResponse:
    return match_pb2.FetchFilterResponse(offset=offset, data=data)


def whole(parts: list[match_pb2.FetchFilterResponse]) -> bytes:
    return b"".join(piece.data for piece in parts)


def flipped(parts: list[match_pb2.FetchFilterResponse]) -> list[match_pb2.FetchFilterResponse]:
    data = bytearray(whole(parts))
    data[-1] ^= 1
    return [part(0, bytes(data))]


CHEATS: dict[str, tuple[Cheat, str, str]] = {
    "one bit flipped": (served(flipped), "distrusted", "filter_digest"),
    "another start": (served(lambda parts: [part(8, whole(parts)[8:])]), "distrusted", "filter_size"),
    "an empty part": (served(lambda parts: [part(0, b""), *parts]), "distrusted", "filter_size"),
    "longer than signed": (
        served(lambda parts: [*parts, part(len(whole(parts)), b"more")]),
        "distrusted",
        "filter_size",
    ),
    "cut short": (served(lambda parts: [part(0, whole(parts)[:-4])]), "unavailable", "unavailable"),
    "nothing at all": (served(lambda _parts: []), "unavailable", "unavailable"),
}


@pytest.mark.parametrize("name", CHEATS)
def test_cheating_with_a_filter(name: str, world: World, tmp_path, monkeypatch) -> None:
    cheat, state, reason = CHEATS[name]
    force(monkeypatch, Plan.FILTER)
    homes = world.copy(tmp_path)
    asked = read_verification(world.data, ("C21",), most=40)
    with (
        serve_all({code: homes[code] for code in ("45", "33")}) as provinces,
        serve_cheat(homes["44"], cheat, world) as port,
    ):
        move_peer(provinces["45"].node, "44", port)
        report = run_job(provinces["45"], "cheated", asked)
    assert part_of(report, "33") == ("done", "")
    assert part_of(report, "44") == (
        state,
        f"peer_answer_wrong:{reason}" if state == "distrusted" else reason,
    )
    assert {value for _, value, _ in findings_of(report, "44").values()} == {None}
    kept = homes["45"] / "cache" / "filters"
    assert [path.name[:2] for path in kept.iterdir()] == ["33"]
