"""Notices: raised once, told through a folder and a real mail relay, and lost nowhere."""

import json
import os
import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from keys.store.key_store import HEADER
from node.config import open_key_store
from node.context import Node
from node.credentials.validity import certificate_end
from node.database import jobs as job_rows
from node.database import notices as rows
from node.domain.job_access import NODE_ACCESS, platform_access
from node.domain.jobs import JobRow
from node.domain.notices import Level, Notice, NoticeKind, may_see
from node.errors import UnavailableError
from node.jobs.notice_channels import send_mail
from node.jobs.notices import LONGEST_WAIT, Source, collect, deliver
from node.services import opened_keys as opened_keys_module
from node.services.notice_sources import SOURCES, find_keys
from node.services.periodic import log_due_rotations
from tests.support.cli_runner import heqiao, ok
from tests.support.cluster import FakeClock, know, open_home
from tests.support.federation import Federation, set_config, without_holidays
from tests.support.kept_watch import keep_watch
from tests.support.mail_relay import PASSWORD, USER, Relay, relay
from tests.support.single_node import number
from tests.support.watched_request import request


@pytest.fixture(scope="module")
def posted(tmp_path_factory: pytest.TempPathFactory):
    with relay(tmp_path_factory.mktemp("relay")) as found:
        yield found


@pytest.fixture(scope="module")
def federation(tmp_path_factory: pytest.TempPathFactory):
    made, folder = Federation.create(), tmp_path_factory.mktemp("federation")
    return {code: made.make_home(folder / code, code) for code in ("45", "44")}


@pytest.fixture
def home(federation, tmp_path, posted: Relay) -> Path:
    found = Path(shutil.copytree(federation["45"], tmp_path / "45"))
    without_holidays(found, datetime.now(UTC).year)  # in December the next year's are unknown
    secret = found / "mail-password"
    secret.write_text(PASSWORD)
    secret.chmod(0o600)
    set_config(
        found,
        "notices",
        folder="notices",
        relay=f"127.0.0.1:{posted.port}",
        relay_ca=str(posted.ca),
        user=USER,
        password_file="mail-password",
        sender="node@example.gov.cn",
        recipients=["office@example.gov.cn"],
    )
    for path in posted.folder.glob("mail-*"):
        path.unlink()
    return found


@pytest.fixture
def node(home):
    found = open_home(home, FakeClock(datetime.now(UTC)))
    yield found
    found.store.dispose()


@pytest.mark.parametrize(
    ("day", "known"),
    [
        ("2028-11-30", []),
        ("2028-12-01", [("holiday_table_missing", "warning", 1)]),
        ("2029-01-02", [("holiday_table_missing", "urgent", 1)]),
    ],
)
def test_a_year_without_a_table_is_told_from_december_on(node, day, known):
    """With a table of 2028 alone."""
    table = node.config.folder / "days.toml"
    table.write_text("years = [2028]", encoding="utf-8")
    set_config(node.config.folder, "calendar", path="days.toml")
    later = open_home(node.config.folder, FakeClock(datetime.fromisoformat(f"{day}T04:00:00+00:00")))
    collect(later, [one for one in SOURCES if NoticeKind.HOLIDAY_TABLE_MISSING in one.kinds])
    assert found_in(later) == known
    later.store.dispose()


def found_in(node: Node, open_only: bool = True) -> list[tuple[str, str, int]]:
    with node.store.transaction("read") as tx:
        known = rows.list_notices(tx, open_only=open_only)
    return [(one.notice.kind.value, one.notice.level.value, one.notice.count) for one in known]


def source(*notices: Notice) -> Source:
    return Source((NoticeKind.PARTS_OVERDUE, NoticeKind.ALERTS_OPEN), lambda _node: notices)


ALERTS = Notice(NoticeKind.ALERTS_OPEN, Level.WARNING, "w", count=2)


def test_what_holds_is_told_once_and_again_when_it_grows(node) -> None:
    assert collect(node, [source(ALERTS)]) == [1]
    assert collect(node, [source(ALERTS)]) == []
    assert collect(node, [source(replace(ALERTS, count=1))]) == []
    assert collect(node, [source(replace(ALERTS, count=3))]) == [2]
    assert collect(node, [source(replace(ALERTS, level=Level.URGENT, count=1))]) == [3]
    assert found_in(node) == [("alerts_open", "urgent", 1)]
    assert collect(node, [source()]) == []
    assert found_in(node) == []
    assert collect(node, [source(ALERTS)]) == [4]
    assert len(found_in(node, open_only=False)) == 4


def test_a_province_whose_answer_failed_a_check_is_told_for_a_week(node) -> None:
    now = node.clock()
    job = JobRow("v-1", "done", bytes(32), 1, ("C21",), "review", "", now, now, None, False, "")
    with node.store.transaction("a job", write=True) as tx:
        job_rows.add_job(tx, job, b"", ["44"])
        job_rows.update_part(tx, "v-1", "44", {"state": "distrusted"})
    mine = [one for one in SOURCES if NoticeKind.PEER_DISTRUSTED in one.kinds]
    assert len(mine) == 1
    collect(node, mine)
    assert found_in(node) == [("peer_distrusted", "urgent", 1)]
    with node.store.transaction("it ended", write=True) as tx:
        job_rows.set_job_state(tx, "v-1", "done", now - timedelta(days=8))
    collect(node, mine)
    assert found_in(node) == []


def test_a_check_that_fails_clears_nothing(node) -> None:
    def broken(_node):
        raise UnavailableError("no")
        yield

    collect(node, [source(ALERTS)])
    assert collect(node, [Source((NoticeKind.ALERTS_OPEN,), broken)]) == []
    assert found_in(node) == [("alerts_open", "warning", 2)]


def test_checks_of_keys_open_the_store_once(node, monkeypatch) -> None:
    """A passphrase takes 64 MiB and a quarter of a second: every five minutes, beside large batches."""
    opened: list[object] = []

    def counted(config):
        opened.append(config)
        return open_key_store(config)

    monkeypatch.setattr(opened_keys_module, "open_key_store", counted)
    for _ in range(3):
        list(find_keys(node))
        log_due_rotations(node)
    assert len(opened) == 1
    header = node.config.keys.store / HEADER
    os.utime(header, ns=(1, 1))  # as after it was rewrapped
    list(find_keys(node))
    assert len(opened) == 2


def test_the_nodes_own_checks(node, federation) -> None:
    """Keys without a backup or due, a certificate near its end, alerts nobody has seen, and no thresholds."""
    assert collect(node, SOURCES) == [1]
    every = len(open_key_store(node.config).names())
    assert found_in(node) == [("keys_unsaved", "warning", every)]
    home = node.config.folder
    ok("keys", "backup", "--home", home, "--out", home / "45.backup", "--split", "2/3",
       "--shares-dir", home / "shares")  # fmt: skip
    assert collect(node, SOURCES) == []
    assert found_in(node) == []
    know(node, federation["44"], 0)
    keep_watch(node, "w", request([number(1, "459999")]), "44")
    assert len(collect(node, SOURCES)) == 2
    assert found_in(node) == [("alerts_open", "warning", 1), ("thresholds_missing", "warning", 1)]
    end = certificate_end(node.keys.certificate, node.keys.ca, node.clock())
    node.clock.now = end - timedelta(days=20)
    collect(node, SOURCES)
    kinds = {kind for kind, _, _ in found_in(node)}
    assert {"certificate_ends", "key_due", "revocation_list_old"} <= kinds
    node.clock.advance(days=30)  # it has ended
    collect(node, SOURCES)
    assert ("certificate_ends", "urgent", 1) in found_in(node)


def test_it_goes_through_the_folder_and_the_relay_without_people(node, posted) -> None:
    collect(node, [source(ALERTS, Notice(NoticeKind.PARTS_OVERDUE, Level.URGENT, "44", count=7))])
    assert deliver(node) == 4
    assert deliver(node) == 0
    files = sorted((node.config.folder / "notices").iterdir())
    assert [path.name for path in files] == ["0000000001-alerts_open.json", "0000000002-parts_overdue.json"]
    plain = json.loads(files[1].read_text(encoding="utf-8"))
    assert (plain["kind"], plain["subject"], plain["count"], plain["node"]) == (
        "parts_overdue",
        "44",
        7,
        "45",
    )
    (mail,) = posted.mails()
    assert (mail["From"], mail["To"]) == ("node@example.gov.cn", "office@example.gov.cn")
    assert "parts_overdue 44: 7" in mail.get_content()
    assert "外省逾期未复" in mail.get_content()
    assert mail["Message-ID"] == "<heqiao-45-1-2@example.gov.cn>"


def test_a_relay_that_is_down_gets_it_later_also_after_a_restart(node, home, posted) -> None:
    posted.stop()
    try:
        collect(node, [source(ALERTS)])
        assert deliver(node) == 1  # the folder is not held up
        assert deliver(node) == 0
        for _ in range(8):  # waits grow, up to an hour
            node.clock.advance(minutes=1)
            deliver(node)
    finally:
        posted.start()
    node.store.dispose()
    again = open_home(home, node.clock)
    assert found_in(again) == [("alerts_open", "warning", 2)]
    node.clock.advance(seconds=LONGEST_WAIT.total_seconds())
    assert deliver(again) == 1
    assert len(posted.mails()) == 1
    assert deliver(again) == 0
    again.store.dispose()


def test_a_relay_that_is_not_the_one_is_not_used(node, posted) -> None:
    """Neither by another CA nor with a wrong password; and what is told names neither."""
    settings = node.config.notices.model_copy(update={"relay_ca": None})
    with pytest.raises(UnavailableError, match=r"did not take the notices \(SSL"):
        send_mail(settings, "45", ())
    wrong = node.config.folder / "wrong"
    wrong.write_text("guess")
    wrong.chmod(0o600)
    settings = node.config.notices.model_copy(update={"password_file": wrong})
    with pytest.raises(UnavailableError, match="SMTPAuthenticationError") as refused:
        send_mail(settings, "45", ())
    assert "guess" not in f"{refused.value} {refused.value.hint}"
    assert posted.mails() == []


def test_the_commands(node, home, posted) -> None:
    collect(node, [source(ALERTS)])
    listed = json.loads(ok("notices", "list", "--home", home, "--json"))
    assert [one["kind"] for one in listed["notices"]] == ["alerts_open"]
    assert listed["waiting"] == {"folder": 1, "mail": 1}
    sent = json.loads(ok("notices", "send", "--home", home, "--test", "--json"))
    assert sent == {"channels": {"folder": "", "mail": ""}}
    assert "test" in posted.mails()[0]["Subject"]
    assert (home / "notices/0000000000-alerts_open.json").exists()
    assert "2 notices sent, 0 still waiting" in ok("notices", "send", "--home", home)
    set_config(home, "notices", relay="127.0.0.1:1")
    code, out, _ = heqiao("notices", "send", "--test", "--home", home)
    assert code == 1
    assert "mail: failed: the mail relay did not take the notices" in out


def test_who_sees_which(node) -> None:
    own = Notice(NoticeKind.ALERTS_OPEN, Level.WARNING, "w", "platform/intake")
    about_node = Notice(NoticeKind.KEY_DUE, Level.WARNING, "oprf")
    intake, other = platform_access("intake", {}), platform_access("other", {})
    seen = [
        (
            may_see(NODE_ACCESS, one, (), ""),
            may_see(intake, one, (), "intake"),
            may_see(other, one, (), "other"),
        )
        for one in (own, about_node)
    ]
    assert seen == [(True, True, False), (True, False, False)]
    assert may_see(intake, about_node, ("intake",), "intake")


def test_old_ones_are_erased_and_numbers_go_on(node) -> None:
    collect(node, [source(ALERTS)])
    collect(node, [source()])
    later = node.clock() + timedelta(days=400)
    with node.store.transaction("erase", write=True) as tx:
        assert rows.erase_old(tx, later) == 0  # the last one says which number comes next
    collect(node, [source(ALERTS)])
    with node.store.transaction("erase", write=True) as tx:
        assert rows.erase_old(tx, later) == 1
    collect(node, [source()])
    assert collect(node, [source(ALERTS)]) == [3]
