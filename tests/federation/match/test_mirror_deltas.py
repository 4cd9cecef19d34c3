"""Full exports in which one row in a hundred changed, fetched as deltas: bytes, charges, full disks."""

import resource
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.message import Message
from sqlalchemy import func, select

from matcher import identity
from node.clock import utc_now
from node.context import Node
from node.database import index_tables, tables
from node.domain.days import china_day
from node.domain.subjects import Subject
from node.domain.verification import Verification
from node.errors import UnavailableError
from node.registers import publish
from node.registers.importer import import_item
from node.services.peer import PeerServicer
from synth import bulk
from tests.support.cluster import Province, findings_of, know, open_home, run_job, serve_all
from tests.support.examples import mandate_for
from tests.support.federation import Federation
from tests.support.mirrors import mirror_files, mirrored_bytes, served_bytes, sync, whole_fetches
from tests.support.single_node import cramped

ENTRIES = 20_000
ASKED = [0, 1, 50, 100, 200, 1_050, ENTRIES + 1]  # changed, left and unknown people among them
TODAY = china_day(utc_now())
ALLOWED = {".hqm", ".manifest", ""}  # and the lock; nothing that is half written


@pytest.fixture(scope="module")
def homes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """44 holds a register with one date (C21) and one with a date a row (C22); buckets as in operation."""
    federation, folder = Federation.create(), tmp_path_factory.mktemp("deltas")
    limits = {"k_anonymity": 1_024, "planted_per_partition": 16}
    found = {code: federation.make_home(folder / code, code, limits=limits) for code in ("44", "45")}
    nodes = {code: open_home(home) for code, home in found.items()}
    know(nodes["44"], found["45"], 0, ("44",))
    know(nodes["45"], found["44"], 0)
    for item in ("C21", "C22"):
        bring(nodes["44"], folder, item)
    for node in nodes.values():
        node.store.dispose()
    return found


@pytest.fixture
def served(homes: dict[str, Path], tmp_path: Path) -> Iterator[dict[str, Province]]:
    copies = {code: Path(shutil.copytree(home, tmp_path / code)) for code, home in homes.items()}
    with serve_all(copies) as provinces:
        know(provinces["45"].node, copies["44"], provinces["44"].port)
        yield provinces


def bring(node: Node, folder: Path, item: str, *, later: bool = False) -> None:
    """A full export of a register; the next one is of another day."""
    path, dated = folder / f"{item}.csv", item == "C22"
    bulk.write_register(path, ENTRIES, "44", later=later, dated=dated)
    as_of = None if dated else TODAY - timedelta(days=0 if later else 30)
    import_item(node, item, [path], default_as_of=as_of, workers=0)


def changes_of_a_day(node: Node, folder: Path, item: str = "C21") -> None:
    path = folder / "changes.csv"
    bulk.write_changes(path, ENTRIES, "44")
    import_item(node, item, [path], mode="upsert", workers=0)


def ask(served: dict[str, Province], name: str) -> dict[int, tuple[str, int | None]]:
    """Outcome and value of some people, by their place in the register."""
    numbers = [row.tobytes().decode() for row in bulk.identity_numbers(bulk.people(ENTRIES + 2)[ASKED], "44")]
    subjects = tuple(
        Subject(str(place), "", "", (identity.parse(number),), "M")
        for place, number in zip(ASKED, numbers, strict=True)
    )
    mandates = {"M": mandate_for(*numbers)}
    asked = Verification(("C21",), ("44",), "new_application", "SA-2026-41", subjects, mandates)
    report = run_job(served["45"], name, asked)
    assert report.state == "done"
    return {int(ref): answer[:2] for (ref, _, _), answer in findings_of(report).items()}


def due(*, later: bool) -> dict[int, tuple[str, int | None]]:
    """What a plain look into the register says."""
    rows = bulk.people(ENTRIES)
    who, counts = bulk.later_rows(rows) if later else (rows, bulk.values(rows))
    held = dict(zip(who.tolist(), counts.tolist(), strict=True))
    return {place: ("FOUND", held[place]) if place in held else ("NOT_FOUND", None) for place in ASKED}


def is_equal(served: dict[str, Province]) -> bool:
    return mirrored_bytes(served["45"].node) == served_bytes(served["44"].node, "45")


@pytest.mark.parametrize("item", ["C21", "C22"], ids=["one date", "a date a row"])
def test_a_full_export_in_which_a_hundredth_changed_is_a_delta_of_three_hundredths(
    served, tmp_path, item
) -> None:
    requester, responder = served["45"].node, served["44"].node
    sync(requester)
    size = sum(map(len, served_bytes(responder, "45")[item, "44"]))
    assert size >= 38 * ENTRIES
    manifest = sync(requester).bytes_down
    bring(responder, tmp_path, item, later=True)
    with whole_fetches() as whole:
        fetched = sync(requester).bytes_down - manifest
    assert whole == []
    assert is_equal(served)
    assert 0.005 * size < fetched <= 0.03 * size
    assert ask(served, "asked") == due(later=item == "C21")


def test_a_days_changes_cost_what_changed(served, tmp_path) -> None:
    requester, responder = served["45"].node, served["44"].node
    sync(requester)
    manifest = sync(requester).bytes_down
    changes_of_a_day(responder, tmp_path)
    with whole_fetches() as whole:
        fetched = sync(requester).bytes_down - manifest
    assert whole == []
    assert is_equal(served)
    assert 20 * 38 <= fetched <= 20 * 100  # 1 MB for the 10,000 of ten million


def test_a_mirror_that_slept_follows_several_exports_at_once(served, tmp_path) -> None:
    requester, responder = served["45"].node, served["44"].node
    sync(requester)
    bring(responder, tmp_path, "C21", later=True)
    changes_of_a_day(responder, tmp_path)
    bring(responder, tmp_path, "C22", later=True)
    bring(responder, tmp_path, "C21")
    with whole_fetches() as whole:
        sync(requester)
    assert whole == []
    assert is_equal(served)
    assert ask(served, "asked") == due(later=False)


# ---- charged to


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """Bytes of the messages that responders of this process send, by call. To be made before they serve."""
    found: dict[str, int] = {}

    def add(name: str, message: Message) -> Message:
        found[name] = found.get(name, 0) + message.ByteSize()
        return message

    def counted(name: str) -> Callable[..., Any]:
        honest = getattr(PeerServicer, name)

        def one(self, request, call):
            return add(name, honest(self, request, call))

        def stream(self, request, call):
            return (add(name, message) for message in honest(self, request, call))

        return one if name == "GetManifest" else stream

    for name in ("GetManifest", "Evaluate", "FetchPartition", "FetchDelta", "FetchBuckets"):
        monkeypatch.setattr(PeerServicer, name, counted(name))
    return found


@pytest.fixture
def named(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The query that each fetch of a partition names. To be made before responders serve."""
    found: list[bytes] = []
    honest = PeerServicer.FetchPartition

    def noted(self, request, call):
        found.append(request.query_id)
        return honest(self, request, call)

    monkeypatch.setattr(PeerServicer, "FetchPartition", noted)
    return found


def received(served: dict[str, Province], name: str) -> int:
    with served["45"].node.store.transaction("look") as tx:
        parts = tables.parts
        return int(tx.scalar(select(parts.c.bytes_down).where(parts.c.job == name)))


def test_bytes_of_a_sync_are_those_of_the_job_that_needed_it(sent, served, tmp_path) -> None:
    ask(served, "first")
    assert set(sent) == {"GetManifest", "FetchPartition", "Evaluate"}
    assert sent["FetchPartition"] > 38 * ENTRIES
    first = sum(sent.values())
    assert received(served, "first") == first
    bring(served["44"].node, tmp_path, "C21", later=True)
    sent.clear()
    ask(served, "second")  # under the manifest of the mirror
    assert set(sent) == {"Evaluate"}
    second = sum(sent.values())
    assert received(served, "second") == second
    sent.clear()
    done = sync(served["45"].node)
    assert set(sent) == {"GetManifest", "FetchDelta", "FetchPartition"}  # C22 was not asked about by a job
    assert done.bytes_down == sum(sent.values())
    assert (received(served, "first"), received(served, "second")) == (first, second)


def test_no_fetch_of_a_mirror_names_a_query(named, served) -> None:
    """A fetch belongs to a query or to a mirror; what a job brings up to date is the mirror's."""
    ask(served, "asked")
    sync(served["45"].node)
    assert named == [b"", b""]


# ---- full disks


def test_a_full_disk_while_the_responder_writes_a_delta(served, tmp_path, monkeypatch) -> None:
    """The import is told so and changes nothing; the next one is a delta again."""
    requester, responder = served["45"].node, served["44"].node
    sync(requester)
    before, honest, left = served_bytes(responder, "45"), publish.write_deltas, []

    def on_a_full_disk(node: Node, prepared) -> None:
        with cramped(node, 0) as full:
            try:
                honest(full, prepared)
            finally:
                left.append("tried")

    with monkeypatch.context() as patch:
        patch.setattr(publish, "write_deltas", on_a_full_disk)
        with pytest.raises(UnavailableError, match="did not answer"):
            bring(responder, tmp_path, "C21", later=True)
    assert left == ["tried"]
    assert served_bytes(responder, "45") == before
    with whole_fetches() as whole:
        sync(requester)
        bring(responder, tmp_path, "C21", later=True)
        sync(requester)
    assert whole == []
    assert is_equal(served)
    with responder.store.transaction("look") as tx:
        assert tx.scalar(select(func.count()).select_from(index_tables.deltas)) == 1


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """No file of this process grows beyond some bytes, as on a disk that has no more room."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("how", ["delta", "whole"])
def test_a_full_disk_while_a_mirror_is_written(served, tmp_path, how) -> None:
    """The version before stays and answers; with room again the mirror is brought up to date."""
    requester, responder = served["45"].node, served["44"].node
    if how == "delta":
        sync(requester)
        bring(responder, tmp_path, "C21", later=True)
    with responder.store.session("make the log of SQLite short") as session:
        session.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")  # the peer's own disk is not full
    with files_of_at_most(400_000):
        done = sync(requester)
    assert ("C21/44", "disk") in done.left
    assert not [
        path for path in (served["45"].home / "mirror" / "44").iterdir() if path.suffix not in ALLOWED
    ]
    if how == "delta":
        assert ask(served, "full") == due(later=False)
    with whole_fetches() as whole:
        assert sync(requester).left == ()
    assert sorted(whole) == ([] if how == "delta" else ["C21/44", "C22/44"])
    assert is_equal(served)
    assert len(mirror_files(served["45"].home)) == 2
    assert ask(served, "room") == due(later=how == "delta")
