"""Commands around midnight in China, as processes on machines in New York and in Shanghai."""

import csv
import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from keys import KeyStore, issue_bundle, make_request
from node.domain.working_days import WorkingDays
from tests.support.cluster import free_port, know, open_home, wait_for
from tests.support.command_server import command_server
from tests.support.federation import PASSPHRASE, Federation
from tests.support.single_node import number
from tests.support.zones import SECOND, SHANGHAI, next_midnight

# The command at a moment: everything else is as a person runs it. What has imported the clock has it by then.
AT_A_MOMENT = """
import sys
from datetime import datetime
import node.clock
node.clock.MOMENT = datetime.fromisoformat(sys.argv.pop(1))
def at_the_moment():
    return MOMENT
node.clock.utc_now.__code__ = at_the_moment.__code__
from node.cli import main
main()
"""
NEW_YORK, IN_CHINA = "America/New_York", "Asia/Shanghai"
DAY = timedelta(days=1)
NIGHT = next_midnight(datetime.now(UTC) + DAY)
TODAY = NIGHT.astimezone(SHANGHAI).date()
MOMENTS = {
    "before": (NIGHT - SECOND, TODAY - DAY),
    "00:30": (NIGHT + timedelta(minutes=30), TODAY),
    "07:52": (NIGHT + timedelta(hours=7, minutes=52), TODAY),
}
PERSON = number(1, "459999")


# Half an hour after midnight a machine in New York has the day before, at 07:52 one on UTC still has. The
# days themselves are shown for all zones and moments without processes, in tests of this name elsewhere.
CASES = [(NEW_YORK, "before"), (NEW_YORK, "00:30"), ("UTC", "07:52"), (IN_CHINA, "00:30")]


@pytest.fixture(params=CASES, ids="-".join)
def case(request) -> tuple[str, str]:
    """A machine's zone and the name of a moment."""
    return request.param


@pytest.fixture
def machine(case) -> str:
    return case[0]


@pytest.fixture
def moment(case):
    return MOMENTS[case[1]]


@pytest.fixture(scope="module")
def federation() -> Federation:
    return Federation.create()


@pytest.fixture
def home(federation: Federation, tmp_path: Path) -> Path:
    return federation.make_home(tmp_path / "45", "45")


def environment(machine: str) -> dict[str, str]:
    return {**os.environ, "TZ": machine, "COLUMNS": "200"}


def run(machine: str, at: datetime, *words: object) -> subprocess.CompletedProcess[str]:
    return command_server().run((at.isoformat(), *words), env=environment(machine), program=AT_A_MOMENT)


def ok(machine: str, at: datetime, *words: object) -> str:
    done = run(machine, at, *words)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_an_import(home: Path, machine: str, moment, tmp_path: Path) -> None:
    at, today = moment
    days = (today - DAY, today, today + DAY, "")
    rows = [f"{number(n, '459999')},{day}" for n, day in enumerate(days)]
    register = tmp_path / "cars.csv"
    register.write_text("\n".join(["id_no,as_of", *rows]) + "\n", encoding="utf-8")
    told = json.loads(ok(machine, at, "import", "--home", home, "C21", register, "--as-of", today, "--json"))
    assert (told["read"], told["accepted"]) == (4, 3)
    with (tmp_path / "C21-rejects.csv").open(encoding="utf-8-sig") as rejects:
        assert [(row["line"], row["reason"]) for row in csv.DictReader(rejects)] == [("4", "future_as_of")]
    refused = run(machine, at, "import", "--home", home, "C21", register, "--as-of", today + DAY)
    assert refused.returncode == 1
    assert f"to today, {today} in China" in refused.stderr


def test_a_synthetic_federation(machine: str, moment, tmp_path: Path) -> None:
    at, today = moment
    told = ok(machine, at, "synth", "--scenario", "small", "--out", tmp_path / "data", "--json")
    assert json.loads(told)["today"] == today.isoformat()


@pytest.mark.parametrize(
    ("machine", "late"), [(NEW_YORK, -SECOND), (NEW_YORK, timedelta(0)), (IN_CHINA, -SECOND)]
)
def test_the_last_day_of_a_certificate(
    federation: Federation, home: Path, machine: str, late: timedelta
) -> None:
    """Of one that was issued, and so ends, around midnight in China."""
    issued = NIGHT - 9 * DAY + late
    keys = KeyStore.open(home / "keys", PASSPHRASE)
    request = make_request(keys, "node", "45", "province 45", ["127.0.0.1"])
    bundle = issue_bundle(federation.authority, request, federation.salt, 1, issued)
    (home / "tls/node.pem").write_text(bundle.certificate)
    known = x509.load_pem_x509_certificate((home / "tls/node.pem").read_bytes())
    last = known.not_valid_after_utc.astimezone(SHANGHAI)
    assert (last.hour, last.second) == ((0, 0) if not late else (23, 59))
    told = ok(machine, NIGHT, "keys", "status", "--home", home)
    assert f"certificate valid until {last.date()}" in told
    # Keys that are due at an instant: the day of it in China.
    lines = json.loads(ok(machine, NIGHT, "keys", "status", "--home", home, "--json"))["keys"]
    due = {datetime.fromisoformat(one["due"]).astimezone(SHANGHAI) for one in lines if one["due"]}
    assert due
    assert all(f"{one:%Y-%m-%d} " in told for one in due)


LISTS = {
    "households.csv": ["household_no,member_no,id_no,name,mandate_no"],
    "mandates.csv": [
        "mandate_no,office,people,programme,scope_items,scope_regions,valid_from,valid_to,revoked_at,signers,doc_hash"
    ],
}
MANDATES = {  # valid_from, valid_to, revoked_at
    "ended yesterday": (TODAY - 9 * DAY, TODAY - DAY, ""),
    "revoked today": (TODAY - 9 * DAY, TODAY, TODAY),
    "from today": (TODAY, "programme_exit", ""),
}
SAID = {  # 44 does not answer: UNAVAILABLE where it may be asked
    "before": {"ended yesterday": "", "revoked today": "", "from today": "not_yet_valid"},
    "00:30": {"ended yesterday": "expired", "revoked today": "revoked", "from today": ""},
    "07:52": {"ended yesterday": "expired", "revoked today": "revoked", "from today": ""},
}


def write_lists(folder: Path) -> None:
    households, mandates = (list(lines) for lines in LISTS.values())
    for at, (name, (first, last, revoked)) in enumerate(MANDATES.items()):
        households.append(f"{at},1,{PERSON},,{name.replace(' ', '-')}")
        mandates.append(f"{name.replace(' ', '-')},o,{PERSON},*,*,*,{first},{last},{revoked},x,{'ab' * 32}")
    for name, lines in zip(LISTS, (households, mandates), strict=True):
        (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")


@contextmanager
def serving(home: Path, machine: str, at: datetime) -> Iterator[str]:
    """`heqiao serve` at a moment; the address of its platform port."""
    ready = home / "ready"
    with (home.parent / "stderr").open("wb") as errors:
        served = command_server().start(
            (at.isoformat(), "serve", "--home", home, "--ready-file", ready),
            stdout=errors.fileno(), stderr=errors.fileno(), env=environment(machine), program=AT_A_MOMENT,
        )  # fmt: skip
        try:
            wait_for(ready.exists, 120, "the node did not start")
            yield f"127.0.0.1:{ready.read_text().split()[1]}"
        finally:
            served.terminate()
            served.wait(120)


def test_a_verification(federation: Federation, home: Path, case: tuple[str, str], tmp_path: Path) -> None:
    machine, name = case
    at, today = MOMENTS[name]
    node = open_home(home)
    know(node, federation.make_home(tmp_path / "44", "44"), free_port())
    node.store.dispose()
    write_lists(tmp_path)
    with serving(home, machine, at) as address:
        common = ("--home", home, "--node", address)
        lists = ("--households", tmp_path / "households.csv", "--mandates", tmp_path / "mandates.csv")
        asked = ("--items", "C21", "--peers", "44", "--out", tmp_path / "found", "--lang", "en")
        shown = ok(machine, at, "verify", *common, *lists, *asked)
        listed = ok(machine, at, "jobs", "list", *common)
    report = json.loads((tmp_path / "found/report.json").read_text(encoding="utf-8"))
    numbers = dict(enumerate(MANDATES))
    said = {
        numbers[int(found["subject"].split("/")[0])]: found["reason"] * (found["outcome"] == "NOT_MANDATED")
        for found in report["findings"]
    }
    assert said == SAID[name]
    assert datetime.fromisoformat(report["created_at"]) == at
    clock = at.astimezone(SHANGHAI)
    due = datetime.fromisoformat(report["due_at"]).astimezone(SHANGHAI)
    assert WorkingDays().is_working(due.date())
    for words in (f"{clock:%Y-%m-%d %H:%M}+08:00", f"{due:%Y-%m-%d %H:%M}+08:00"):
        assert words in shown
        assert words in (tmp_path / "found/summary.txt").read_text(encoding="utf-8")
    assert f"{today} {clock:%H:%M} " in listed
    assert "submitted (China)" in listed
    again = run(machine, at, "report", "--home", home, tmp_path / "found", "--lang", "en").stdout
    assert again.strip()
    assert again.strip() in shown
