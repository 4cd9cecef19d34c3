"""More drafts than a page holds: each is reached, whoever else prepares some, and counts are whole."""

import re
from collections.abc import Iterator
from datetime import timedelta
from itertools import chain

import pytest

from node.clock import utc_now
from node.database import drafts as rows
from node.domain.users import Role
from tests.support.cluster import Province
from tests.support.console import Browser, add_accounts, sign_in_all

UNIT = "450126000000"
WHO = {"many": (UNIT, Role.PREPARER), "few": (UNIT, Role.PREPARER), "judge": (UNIT, Role.APPROVER)}
OF_MANY, WAITING = 220, 60


def name_of(at: int) -> str:
    return f"d-{at:016x}"


@pytest.fixture(scope="module")
def own(node: Province) -> Iterator[list[str]]:
    """Of few: a draft older than all of many; then 220 of many, 60 of which wait; two share a time."""
    begun = utc_now().replace(microsecond=123456) - timedelta(days=3)
    added = []
    with node.node.store.transaction("many drafts", write=True) as tx:
        for at in range(OF_MANY + 1):
            account, state = ("few", "draft") if not at else ("many", "waiting" if at <= WAITING else "draft")
            then = begun + timedelta(seconds=at // 2)
            row = rows.DraftRow(
                name_of(at), UNIT, account, "verification", state, 1, None, (), (), "", 0, "", "", then, then
            )
            rows.add_draft(tx, row, b"sealed")
            added.append(row.id)
    yield added[:1]
    with node.node.store.transaction("clear", write=True) as tx:
        for name in added:
            rows.delete_draft(tx, name)


@pytest.fixture(scope="module")
def people(app: object, node: Province, own: list[str]) -> dict[str, Browser]:
    return sign_in_all(app, add_accounts(node.node, WHO))


def pages_of(browser: Browser, path: str) -> list[list[str]]:
    """The drafts of each page, in the order in which they are shown."""
    found = []
    while path:
        page = browser.get(path)
        found.append(re.findall(r"<th scope=\"row\"[^>]*>(?:<a [^>]*>)?(d-[0-9a-f]{16})", page))
        onward = re.search(r'href="([^"]*)" rel="next"', page)
        path = onward[1].replace("&amp;", "&") if onward else ""
    return found


def test_an_own_draft_is_not_lost_behind_those_of_others(people: dict[str, Browser], own: list[str]) -> None:
    assert pages_of(people["few"], "/checks") == [own]
    assert pages_of(people["few"], "/checks?state=waiting") == [[]]


def test_every_own_draft_is_on_one_page_newest_first(people: dict[str, Browser]) -> None:
    pages = pages_of(people["many"], "/checks")
    assert [len(page) for page in pages] == [50, 50, 50, 50, 20]
    assert list(chain(*pages)) == [name_of(at) for at in range(OF_MANY, 0, -1)]
    kept = pages_of(people["many"], "/checks?state=draft")
    assert list(chain(*kept)) == [name_of(at) for at in range(OF_MANY, WAITING, -1)]


def test_an_approver_sees_first_what_waits_longest(people: dict[str, Browser]) -> None:
    pages = pages_of(people["judge"], "/approvals")
    assert [len(page) for page in pages] == [50, 10]
    assert list(chain(*pages)) == [name_of(at) for at in range(1, WAITING + 1)]
    assert 'href="/approvals"' in people["judge"].page
    assert "回到第一页" in people["judge"].page


def test_the_first_page_counts_all_of_them(people: dict[str, Browser]) -> None:
    for account, words, count in (
        ("judge", "待我复核的核对", WAITING),
        ("many", "未完成的核对草稿", OF_MANY - WAITING),
        ("many", "已提交、待他人复核的核对", WAITING),
        ("few", "未完成的核对草稿", 1),
        ("few", "已提交、待他人复核的核对", 0),
    ):
        line = people[account].get("/").split(words)[1].split("</li>")[0]
        assert re.search(r">(\d+)</strong>", line)[1] == str(count), (account, words)


@pytest.mark.parametrize("after", ["x", "1.a b", "-1.d", "1", f"1.{'a' * 65}", "%00"])
def test_a_mark_that_is_none_is_refused(people: dict[str, Browser], after: str) -> None:
    people["few"].get(f"/checks?after={after}", status=400)
    people["judge"].get(f"/approvals?after={after}", status=400)


def test_a_page_of_another_unit_is_not_reached_by_its_mark(
    people: dict[str, Browser], browsers: dict[str, Browser]
) -> None:
    people["judge"].get("/approvals")
    onward = re.search(r'href="(/approvals\?[^"]*)" rel="next"', people["judge"].page)[1]
    assert name_of(WAITING) not in browsers["away"].get(onward.replace("&amp;", "&"))
