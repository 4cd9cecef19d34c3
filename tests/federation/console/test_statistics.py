"""The page of statistics: what the node counted, as tables, a picture and files, for each role and unit."""

import csv
import io
import re
import zipfile

import pytest
from sqlalchemy import insert

from node.clock import utc_now
from node.console.pages.statistics import _bars
from node.database.query_tables import queries
from node.domain.days import china_day
from node.domain.job_statistics import Statistics, StatisticsRow, last_months
from node.domain.small_counts import SMALL
from node.domain.users import Role
from testbed.many_jobs import add_many
from tests.support.console import Browser, add_accounts, sign_in_all
from tests.support.console_site import Site

COUNT = 60


@pytest.fixture(scope="module")
def there(site: Site) -> dict[str, Browser]:
    """Sixty jobs of a unit of its own, and people of that unit and of another one."""
    unit = "450131000000"
    add_many(site.node.node.store, COUNT, [f"unit/{unit}"], ("44", "33"), utc_now())
    who = {
        "tong": (unit, Role.PREPARER),
        "bian": ("450132000000", Role.PREPARER),
        "guan": (unit, Role.OBSERVER),
    }
    return sign_in_all(site.app, add_accounts(site.node.node, who))


def test_tables_a_picture_and_files_say_the_same(there: dict[str, Browser]) -> None:
    page = there["tong"].get("/statistics")
    assert "项目查询" in page
    month = f"{last_months(china_day(utc_now()))[-1]:%Y-%m}"
    assert "按省份" in page
    assert '<svg class="hq-chart" role="img"' in page
    answer = there["tong"].client.get(f"/statistics/csv?month={month}")
    assert answer.headers["content-type"].startswith("text/csv")
    assert f'filename="statistics-{month}.csv"' in answer.headers["content-disposition"]
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    jobs = sum(
        int(row[1]) for row in rows if row and re.fullmatch(r"\d{4}-\d{2}", row[0]) and row[1].isdigit()
    )
    assert 0 < jobs <= COUNT
    workbook = there["tong"].client.get(f"/statistics/xlsx?month={month}").content
    with zipfile.ZipFile(io.BytesIO(workbook)) as packed:
        text = b"".join(packed.read(name) for name in packed.namelist()).decode(errors="replace")
    assert "按省份" in text
    assert "<f>" not in text
    english = there["tong"].client.get("/statistics?lang=en")
    assert english.status_code == 200


def test_what_peers_asked_is_shown_to_who_may_list_it(site: Site, there: dict[str, Browser]) -> None:
    """An observer may list incoming queries, a preparer may not."""
    digest, now = bytes(32), utc_now()
    with site.node.node.store.transaction("a query", write=True) as tx:
        for number in range(12):
            row = {
                "peer": "33", "query_id": number.to_bytes(16), "token_class": "identity", "epoch": 1,
                "items": "[]", "purpose": "review", "legal_basis": "", "manifest_digest": digest,
                "mandate_root": digest, "tokens_until": 0, "points": 4_099, "charged": 4_099,
                "granules": 0, "state": "done", "opened_at": now,
            }  # fmt: skip
            tx.execute(insert(queries), [row])
    assert "外省委托本省的查询" not in there["tong"].get("/statistics")
    page = there["guan"].get("/statistics")
    assert "外省委托本省的查询" in page
    assert f"{12 * 4_099:,}" in page


def test_another_unit_and_a_role_without_cases(there: dict[str, Browser]) -> None:
    """A unit that has no job sees none of the other's; an observer of the unit sees its counts."""
    assert "450131000000" not in there["bian"].get("/statistics").partition("<main")[2]
    assert "按省份" in there["guan"].get("/statistics")


@pytest.mark.parametrize("month", ["", "1999-01", "2026-13", "../x", "2026-01&x=1", "=1+1"])
def test_a_month_that_is_none_is_the_running_one(there: dict[str, Browser], month: str) -> None:
    answer = there["tong"].client.get("/statistics", params={"month": month})
    assert answer.status_code == 200
    assert f"按省份 {last_months(china_day(utc_now()))[-1]:%Y-%m}" in re.sub(r"\s+", " ", answer.text)


def test_a_kind_of_file_that_is_not_offered(there: dict[str, Browser]) -> None:
    assert there["tong"].client.get("/statistics/pdf").status_code == 404


def test_a_hidden_count_has_no_bar() -> None:
    """The length of a bar would tell it."""
    months = [StatisticsRow("2026-02", (40, 1, 1, 1)), StatisticsRow("2026-01", (SMALL, "-", "-", "-"))]
    assert _bars(Statistics("2026-02", 7, tuple(months))) == [("2026-01", SMALL, 0), ("2026-02", 40, 100)]
