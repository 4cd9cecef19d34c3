"""The drill's own judgement: what counts as wrong, lost or refused, and what its sums are held against."""

import csv
import sqlite3
from contextlib import closing
from dataclasses import replace
from itertools import islice, pairwise
from pathlib import Path

import pytest
from rich.console import Console

from matcher import identity
from node.config.default import render_default
from node.config.loading import load
from node.domain import catalogue
from node.domain.subjects import Subject
from node.domain.verification import Verification
from node.errors import LimitError, UnknownCallerError
from testbed import homes
from testbed.drill import clients, steps, sums, tally
from testbed.drill.__main__ import choose, read_ban
from testbed.drill.clients import Ask, Lost, Request
from testbed.drill.tally import Ban, Period
from testbed.processes import ChildError
from tests.support.examples import mandate_for

BAN = Ban("46", began=10, known=12, ends=20, over=22)
PERIODS = [Period("one", 0, 3, 10), Period("revoke", 10, 2, 15), Period("back", 20, 2, 30)]


def ended(at: float, verdict: str = "right", code: str = "45", kind: str = "check", took: float = 0.5):
    return Request(kind, code, at - took, at, verdict, "why")


# what a request counts as


@pytest.mark.parametrize(
    ("request_", "verdict"),
    [
        (ended(5, "refused", "46"), "lost"),  # nobody had revoked it yet
        (ended(11, "refused", "46"), "refused"),
        (ended(11, "right", "46"), "right"),  # some nodes have the list, some do not
        (ended(15, "refused", "46"), "refused"),
        (ended(15, "right", "46"), "wrong"),  # answered, though all have it
        (ended(12.2, "right", "46"), "right"),  # begun before all had it
        (ended(15, "refused", "45"), "lost"),  # another peer's
        (ended(15, "right", "45"), "right"),
        (ended(21, "right", "46"), "right"),
        (ended(22.2, "refused", "46"), "refused"),  # begun before the new certificate
        (ended(25, "refused", "46"), "lost"),
        (ended(15, "wrong", "46"), "wrong"),
        (ended(15, "lost", "46"), "lost"),
    ],
)
def test_verdicts_around_a_revocation(request_: Request, verdict: str) -> None:
    assert BAN.judge(request_) == verdict


def test_everything_is_counted_once_where_it_ended() -> None:
    requests = [
        ended(1), ended(9.9, kind="job"), ended(10.1, kind="sum", took=9), ended(15, "refused", "46"),
        ended(14, kind="sum job"), ended(29, "lost"), ended(99, kind="job"),
    ]  # fmt: skip
    found = tally.count(requests, PERIODS, BAN)
    assert [one.requests for one in found.steps] == [2, 2, 3]
    assert found.last_line == "drill: 7 requests, 0 wrong, 1 lost"
    assert not found.good
    assert found.examples == ["back: check of 45 lost: why"]
    assert found.kinds["sum", "45"].seconds == [9]
    assert tally.count([*requests[:5], ended(14, kind="sync")], PERIODS, BAN).good
    assert not tally.count(requests[:5], PERIODS, BAN).good  # a kind of request was never made
    console = Console(width=100, record=True)
    tally.show(console, found, PERIODS)
    assert "revoke" in console.export_text()


def test_without_a_revocation_nobody_is_refused() -> None:
    chosen = choose("quiet,rotate oprf")
    ban = read_ban(chosen, PERIODS[:2])
    assert ban.judge(ended(15, "refused", "46")) == "lost"
    assert ban.judge(ended(15, "right", "46")) == "right"
    forever = read_ban(choose("revoke 46"), PERIODS[1:2])
    assert forever.judge(ended(1e9, "right", "46")) == "wrong"
    both = read_ban(choose("let 46 back in,revoke 46"), PERIODS[1:])
    assert (both.began, both.known, both.ends, both.over) == (10, 12, 20, 22)
    with pytest.raises(ChildError, match="no step tea"):
        choose("quiet,tea")


# what an answer is held against

SUBJECT = Subject("H1/1", "H1", "甲", (identity.planted("x", "45", "a"),), "M1")
ASKED = Verification(("C21",), ("44",), "new_application", "SA-2026-41", (SUBJECT,), {})
KEY = ("H1/1", "C21", "44")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ([(KEY, ("FOUND", 2))], ""),
        ([(KEY, ("FOUND", 3))], "due ('FOUND', 2)"),
        ([(KEY, ("NOT_FOUND", None))], "due"),
        ([(KEY, ("UNAVAILABLE", None))], "due"),
        ([], "1 answers are missing"),
        ([(KEY, ("FOUND", 2))] * 2, "answered twice"),
        ([(("H2/1", "C21", "44"), ("FOUND", 2))], "not asked"),
    ],
)
def test_answers_are_held_against_the_plain_join(given: list, said: str) -> None:
    found = clients.differences(given, ASKED, ("44",), {KEY: ("FOUND", 2)})
    assert (found == "") if said == "" else (said in found)


def test_what_became_of_an_attempt(tmp_path: Path) -> None:
    ask, closed = Ask("check", "45", str(tmp_path), str(tmp_path / "log"), 0), []

    def failing(error: Exception):
        def call() -> str:
            raise error

        return clients.attempt(ask, call, lambda: closed.append(1))

    made = [
        clients.attempt(ask, lambda: ""),
        clients.attempt(ask, lambda: "H1/1 differs"),
        failing(Lost("x")),
        failing(LimitError("x", details={"rule": "quota.sums.30_days"})),
        failing(UnknownCallerError("x")),
    ]
    assert [one.verdict for one in made] == ["right", "wrong", "lost", "lost", "refused"]
    assert len(closed) == 3
    assert "quota.sums.30_days" in made[3].why
    with pytest.raises(ZeroDivisionError):  # a fault of the drill is no verdict
        failing(ZeroDivisionError())
    with (tmp_path / "log").open("w", encoding="utf-8") as log:
        for one in made:
            clients.write(log, one)
    assert clients.read(tmp_path / "log") == made


def test_only_the_mandates_of_those_asked() -> None:
    other = replace(SUBJECT, ref="H2/1", mandate="M2")
    whole = replace(
        ASKED, subjects=(SUBJECT, other), mandates={name: mandate_for(number=name) for name in ("M1", "M2")}
    )
    assert set(clients.only(whole, [other]).mandates) == {"M2"}


# sums


def test_cohorts_have_the_figures_of_the_registers(tmp_path: Path) -> None:
    paths = sums.write_registers(tmp_path, "44")
    registers = {("44", path.stem): path for path in paths}
    base = sqlite3.connect(":memory:")
    base.execute("CREATE TABLE held (item TEXT, id_no TEXT, fen INTEGER)")
    for path in paths:
        with path.open(encoding="utf-8", newline="") as file:
            base.executemany("INSERT INTO held VALUES (?, ?, ?)",
                             [(path.stem, *row) for row in list(csv.reader(file))[1:]])  # fmt: skip
    every = sums.choose_cohorts(registers)
    found, later = list(islice(every, 200)), next(every)
    with closing(base):
        for cohort in found[::37]:
            assert len(set(cohort.people)) == cohort.count + sums.UNKNOWN_PEOPLE
            marks = ", ".join("?" * len(cohort.people))
            figures = base.execute(
                "SELECT count(*), sum(fen), avg(1.0 * fen * fen) - avg(fen) * avg(fen) FROM held "
                f"WHERE item = ? AND id_no IN ({marks})",
                (cohort.item, *cohort.people),
            ).fetchone()
            assert figures[:2] == (cohort.count, cohort.total)
            assert figures[2] == pytest.approx(cohort.variance)
    for item in sums.ITEMS:
        counts = [cohort.count for cohort in found if cohort.item == item]
        assert len(counts) == 100
        assert min(b - a for a, b in pairwise(counts)) >= sums.STEP
    first = found[0]
    figures = (first.count, first.total, first.variance)
    assert sums.is_right(first, "", first.count, first.total, first.variance + 0.5)
    assert not sums.is_right(first, "", first.count, first.total + 1, first.variance)
    assert not sums.is_right(first, "", first.count - 1, first.total, first.variance)
    assert not sums.is_right(first, "", first.count, first.total, first.variance + 2)
    assert not sums.is_right(first, "differencing", *figures)
    assert sums.is_right(replace(first, near=sums.FAR - 1), "differencing", 0, 0, 0)
    assert later.again
    assert sums.is_right(later, "differencing", 0, 0, 0)
    assert not sums.is_right(later, "min_cohort", 0, 0, 0)
    for number in first.people:
        assert identity.parse(number).value == number


def test_the_drill_s_catalogue_only_allows_smaller_exact_sums(tmp_path: Path) -> None:
    sums.write_catalogue(catalogue.BUILT_IN, tmp_path / "catalogue.toml")
    published, ours = catalogue.load(None), catalogue.load(tmp_path / "catalogue.toml")
    assert ours.codes == published.codes
    for code in published.codes:
        before, after = published.item(code), ours.item(code)
        if code not in sums.ITEMS:
            assert after == before
            continue
        assert before.sum is not None
        room = {"mode": "exact", "min_cohort": sums.STEP}
        plain = {"max_contribution": 0, "epsilon_milli": 500}
        assert after == replace(before, sum=replace(before.sum, **room, **plain))


def test_sets_that_are_near_by_the_plain_sets() -> None:
    """A set and a multiple of it with one more; two that have nothing in common."""
    one, other = frozenset("abcdef"), frozenset("uvwxyz")
    assert sums.difference(one, one | {"g"}) == 1
    assert sums.difference(one, one) == 0
    assert sums.difference(one, other) == 12 / 9
    assert sums.difference(one, frozenset("uvwxyz1")) == (6 + 9 * 7) / 9


# steps


def test_a_database_is_copied_while_it_is_written(tmp_path: Path) -> None:
    source, target = tmp_path / "live.db", tmp_path / "copy.db"
    with closing(sqlite3.connect(source)) as live:
        live.execute("PRAGMA journal_mode = WAL")
        live.execute("CREATE TABLE pairs (a INTEGER, b INTEGER)")
        live.execute("INSERT INTO pairs VALUES (1, 1)")
        live.commit()
        live.execute("INSERT INTO pairs VALUES (2, 2)")  # not committed
        steps.copy_database(source, target)
    with closing(sqlite3.connect(target)) as copy:
        assert copy.execute("SELECT * FROM pairs").fetchall() == [(1, 1)]


def test_settings_are_set_where_node_toml_shows_them(tmp_path: Path) -> None:
    (tmp_path / "node.toml").write_text("[a]\n# why\n#x = 1\n[b]\nx = 2\n#xy = 3\n", encoding="utf-8")
    homes.configure(tmp_path, {"x": '"new"'})
    text = (tmp_path / "node.toml").read_text(encoding="utf-8")
    assert text == '[a]\n# why\nx = "new"\n[b]\nx = "new"\n#xy = 3\n'
    homes.configure(tmp_path, {"b.x": "9"})
    text = (tmp_path / "node.toml").read_text(encoding="utf-8")
    assert text == '[a]\n# why\nx = "new"\n[b]\nx = 9\n#xy = 3\n'
    for name in ("z", "a.xy"):
        with pytest.raises(ChildError, match=f"no key {name}"):
            homes.configure(tmp_path, {name: "1"})


def test_the_settings_of_the_drill_are_a_configuration(tmp_path: Path) -> None:
    """A key that two sections have would be set in both."""
    (tmp_path / "node.toml").write_text(render_default("45", "广西"), encoding="utf-8")
    homes.configure(tmp_path, steps.settings(tmp_path, "catalogue.toml"))
    loaded = load(tmp_path / "node.toml")
    assert loaded.catalogue.path == tmp_path / "catalogue.toml"
    assert loaded.calendar.path is None


def test_steps_have_names_of_their_own() -> None:
    names = [step.name for step in steps.STEPS]
    assert len(set(names)) == len(names)
    assert choose(None) == steps.STEPS
    assert [one.name for one in choose("wipe 44, quiet")] == ["quiet", "wipe 44"]
