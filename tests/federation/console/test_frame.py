"""What stands around every page: banners, the end of the session, versions; and one's own sessions."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from node.clock import utc_now
from node.console.words import english
from node.database import audit_pages
from node.database import notices as rows
from node.database import users as user_rows
from node.domain.days import china_time
from node.domain.notices import Level, Notice, NoticeKind
from tests.support.cluster import Province
from tests.support.console import Browser

NOTICES = (
    Notice(NoticeKind.CERTIFICATE_ENDS, Level.WARNING, due_on=(utc_now() + timedelta(days=20)).date()),
    Notice(NoticeKind.HOLIDAY_TABLE_MISSING, Level.WARNING, "2031"),
    Notice(NoticeKind.PEER_DISTRUSTED, Level.URGENT, "44"),
    Notice(NoticeKind.KEYS_UNSAVED, Level.WARNING, count=3),
    Notice(NoticeKind.ALERTS_OPEN, Level.WARNING, "w", owner="somebody"),
)
CERTIFICATE, HOLIDAYS, DISTRUSTED = "节点证书即将到期：", "缺2031年节假日表", "44的答复未通过校验"
UNSAVED = "有3把密钥不在任何备份中"


@pytest.fixture(scope="module")
def warned(node: Province) -> Iterator[None]:
    store = node.node.store
    with store.transaction("warn", write=True) as tx:
        made = [rows.add_notice(tx, one, (), utc_now()) for one in NOTICES]
    yield
    with store.transaction("clear", write=True) as tx:
        rows.clear_notices(tx, made, utc_now())


@pytest.mark.usefixtures("warned")
@pytest.mark.parametrize(
    ("who", "pages"),
    [
        (
            "boss",
            {CERTIFICATE: "/keys", HOLIDAYS: "/health", DISTRUSTED: "/peers", UNSAVED: "/keys/backups"},
        ),
        (
            "tech",
            {CERTIFICATE: "/health", HOLIDAYS: "/health", DISTRUSTED: "/peers", UNSAVED: "/health"},
        ),
        ("near", {CERTIFICATE: "/health", HOLIDAYS: "/health", DISTRUSTED: "/health"}),
        ("eyes", {CERTIFICATE: "/health", HOLIDAYS: "/health", DISTRUSTED: "/health"}),
        ("prep", {}),
        ("appr", {}),
    ],
)
def test_banners_lead_to_a_page_that_the_person_may_read(
    browsers: dict[str, Browser], who: str, pages: dict[str, str]
) -> None:
    page = browsers[who].get("/account")
    lines = [line for line in page.splitlines() if "查看并处理" in line]
    assert len(lines) == len(pages)
    for words, path in pages.items():
        line = next(line for line in lines if words in line)
        assert f'href="{path}"' in line
        browsers[who].get(path)


@pytest.mark.usefixtures("warned")
def test_pages_of_keys_say_themselves_which_have_no_backup(browsers: dict[str, Browser]) -> None:
    """The banner is older than they are, by up to 5 minutes."""
    for path in ("/keys", "/keys/backups", "/keys/epochs", "/keys/certificate"):
        assert UNSAVED not in browsers["boss"].get(path)
    assert UNSAVED in browsers["tech"].get("/health")


def test_the_foot_says_versions_and_when_the_session_ends(
    browsers: dict[str, Browser], node: Province
) -> None:
    page = browsers["prep"].get("/account")
    assert f"目录版本 {node.node.catalogue.version}" in page
    assert "节点版本 0." in page
    ends = utc_now() + timedelta(minutes=node.node.config.users.idle_minutes)
    likely = {f"{china_time(ends - timedelta(seconds=back)):%H:%M}" for back in range(0, 121, 30)}
    shown = page.partition('id="hq-until">')[2][:5]
    assert shown in likely
    answer = browsers["prep"].client.get("/session").json()
    assert 0 < answer["seconds"] <= node.node.config.users.idle_minutes * 60
    assert answer["until"] in likely


def test_one_session_of_several_is_ended_and_on_record(browsers: dict[str, Browser], node: Province) -> None:
    appr, store = browsers["appr"], node.node.store
    now = utc_now()
    made = [
        user_rows.SessionRow(bytes([at]) * 32, "appr", "full", now, now, now + timedelta(hours=1))
        for at in (1, 2)
    ]
    with store.transaction("sign in elsewhere", write=True) as tx:
        for one in made:
            user_rows.add_session(tx, one)
    assert appr.get("/account").count("结束此会话") == 2
    page = appr.send("/account/sessions", {"session": made[0].digest.hex()})
    assert "已结束1个其他会话" in page
    assert page.count("结束此会话") == 1
    with store.transaction("look") as tx:
        assert user_rows.find_session(tx, made[0].digest) is None
        assert user_rows.find_session(tx, made[1].digest) is not None
        assert audit_pages.last_at(tx, "sessions_ended") is not None
    # One that has ended, and one of somebody else.
    appr.send("/account/sessions", {"session": made[0].digest.hex()}, status=404)
    appr.get("/account")
    with store.transaction("look") as tx:
        theirs = user_rows.list_sessions(tx, "prep", utc_now())[0]
    appr.send("/account/sessions", {"session": theirs.digest.hex()}, status=404)
    browsers["prep"].get("/account")
    appr.get("/account")
    assert "结束此会话" not in appr.send("/account/sessions", {"session": ""})


def test_english_lists_and_words(browsers: dict[str, Browser]) -> None:
    tech = browsers["tech"]
    tech.get("/health")
    page = tech.send("/language", {"language": "en"})
    try:
        page = tech.get("/health")
        assert "✓ good" in page
        assert "SQLite, file " in page
        assert "、" not in page.replace("中文", "")
        assert english()["可登录"] == "active"
    finally:
        tech.send("/language", {"language": "zh"})
    assert "SQLite，文件" in tech.get("/health")
