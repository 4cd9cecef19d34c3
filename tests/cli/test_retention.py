"""`heqiao retention` on a home."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from matcher import identity
from node.database.tables import jobs
from node.domain.subjects import Subject
from node.domain.verification import Verification
from node.jobs import engine
from tests.support.cli_runner import heqiao, ok
from tests.support.cluster import know, open_home, silence_log
from tests.support.examples import mandate_for
from tests.support.federation import Federation, set_config
from tests.support.single_node import number

ONE = identity.parse(number(1))
ASKED = Verification(
    ("C21",),
    ("44",),
    "review",
    "SA-2026-41",
    (Subject("1/1", "1", "", (ONE,), "M"),),
    {"M": mandate_for(ONE.value)},
)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home with a job that waits and one that ended half a year ago."""
    silence_log(tmp_path)
    federation = Federation.create()
    homes = {code: federation.make_home(tmp_path / code, code) for code in ("45", "44")}
    node = open_home(homes["45"])
    know(node, homes["44"], 0)
    for job in ("waits", "old"):
        assert engine.submit(node, job, ASKED)
    ended = {"state": "done", "finished_at": datetime.now(UTC) - timedelta(days=181)}
    with node.store.transaction("end", write=True) as tx:
        tx.execute(update(jobs).where(jobs.c.id == "old").values(**ended))
    node.store.dispose()
    return homes["45"]


def plain(*words: object) -> dict:
    return json.loads(ok("retention", *words, "--json"))


def test_what_is_due_is_shown_counted_and_erased(home: Path) -> None:
    none = dict.fromkeys(("answers", "secrets", "records", "alerts", "notices", "drafts", "cases"), 0)
    due = {"jobs": 1, **none}
    periods = {"fetched_days": 90, "kept_days": 180, "records_days": 1096}
    assert plain("show", "--home", home) == {"periods": periods, "due": due}
    table = ok("retention", "show", "--home", home)
    assert "1 job" in table
    assert "3 years" in table
    assert "400 days" in table
    assert plain("run", "--home", home, "--dry-run") == {**due, "dry_run": True, "cleared": True}
    text = ok("retention", "run", "--home", home, "--dry-run")
    assert text == "due: 1 job with 0 sealed answers, 0 secrets of ended queries\n"
    assert plain("run", "--home", home) == {**due, "dry_run": False, "cleared": True}
    assert plain("show", "--home", home)["due"] == {**due, "jobs": 0}
    assert "retention_erased" in ok("audit", "list", "--home", home)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"fetched_days": 29}, "greater than or equal to 30"),
        ({"fetched_days": 91}, "less than or equal to 90"),
        ({"kept_days": 181}, "less than or equal to 180"),
        ({"kept_days": 29}, "greater than or equal to 30"),
        ({"kept_days": 60}, "fetched_days is longer than kept_days"),
    ],
)
def test_periods_that_are_refused(home: Path, settings: dict[str, int], words: str) -> None:
    set_config(home, "retention", **settings)
    code, _, err = heqiao("retention", "show", "--home", home)
    assert code == 1
    assert words in err
