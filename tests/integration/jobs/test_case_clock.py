"""The clocks of objections and corrections: estimated days are marked, never overdue, and counted anew."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from node.database import corrections, objections
from node.jobs import calendar
from node.jobs.case_clock import count_anew, due_after
from tests.support.case_rows import add_cases
from tests.support.single_node import make_node

BEGUN = datetime(2199, 1, 4, 4, tzinfo=UTC)  # a Friday of a year that no library knows


@pytest.fixture
def node(tmp_path):
    found = replace(make_node(tmp_path / "44"), clock=lambda: BEGUN)
    add_cases(found, "job", due=due_after(found, BEGUN, 10))
    yield found
    found.store.dispose()


def cases(node):
    with node.store.transaction("list") as tx:
        return [*objections.list_(tx, None), *corrections.list_sent(tx), *corrections.list_received(tx)]


def test_an_estimated_day_makes_nothing_overdue(node):
    assert [one.due_estimated for one in cases(node)] == [True] * 3
    assert not any(one.is_overdue(BEGUN + timedelta(days=100)) for one in cases(node))
    assert count_anew(node) == 0


def test_it_is_counted_anew_when_the_table_is_there(node):
    table = node.config.folder / "days.toml"
    # 2199-01-04 is a Friday
    table.write_text("years = [2199]\noff = [2199-01-07]", encoding="utf-8")
    section = node.config.calendar.model_copy(update={"path": table})
    told = replace(node, config=node.config.model_copy(update={"calendar": section}))
    assert calendar.working_days(told).knows(2199)
    assert count_anew(told) == 3
    for one in cases(told):
        assert (one.due_estimated, one.due_at) == (False, BEGUN + timedelta(days=17))
        assert one.is_overdue(BEGUN + timedelta(days=18))
    assert count_anew(told) == 0


def test_the_days_are_settings(node):
    assert (node.config.deadlines.correction_days, node.config.deadlines.recheck_days) == (10, 10)
    section = node.config.deadlines.model_copy(update={"correction_days": 3})
    told = replace(node, config=node.config.model_copy(update={"deadlines": section}))
    assert due_after(told, BEGUN, told.config.deadlines.correction_days).at == BEGUN + timedelta(days=5)
