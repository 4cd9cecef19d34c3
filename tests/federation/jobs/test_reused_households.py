"""Households on record asked about again with `reuse`.

On a home of its own: where a check ran on a clock that was then set back, later parts of that peer end as
distrusted, so there is nothing to use again.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from node.client.platform import Platform
from node.client.records import HouseholdChoice, Records
from tests.support.cluster import FakeClock, Province, World, serve_all, wait_report
from tests.support.mandate_lists import consent, household, mandate

ASKED = HouseholdChoice(("C21",), ("44",), "review", "SA-2026-46", numbers=("R1",))


@pytest.fixture(scope="module")
def clock() -> FakeClock:
    return FakeClock(datetime.now(UTC))


@pytest.fixture(scope="module")
def node(small: World, tmp_path_factory: pytest.TempPathFactory, clock: FakeClock) -> Iterator[Province]:
    homes = small.copy(tmp_path_factory.mktemp("reused"), "45", "44")
    with serve_all(homes, clock) as provinces:
        yield provinces["45"]


@pytest.fixture(scope="module")
def records(node: Province) -> Iterator[Records]:
    with Platform.open(node.home, f"127.0.0.1:{node.platform_port}") as platform:
        records = Records(platform)
        records.put_households([household("R1")])
        records.add_mandates([mandate(no="MR", household_no="R1"), consent("MR-9", household_no="R1")])
        yield records


def sources(node: Province, job: str) -> set[str | None]:
    """The earlier jobs whose answers a job used."""
    report = wait_report(node.node, job)
    assert {peer.state for peer in report.peers} == {"done"}
    return {one.reused_from and one.reused_from.job for one in report.findings}


def test_an_answer_of_a_recorded_household_is_used_again_while_it_is_fresh(
    node: Province, records: Records, clock: FakeClock
) -> None:
    again = replace(ASKED, reuse=True)
    records.verify(again, "first")
    assert sources(node, "first") == {None}, "nothing was asked before"
    clock.now += timedelta(days=1)
    records.verify(again, "second")
    assert sources(node, "second") == {"first"}
    records.verify(ASKED, "plain")
    assert sources(node, "plain") == {None}
