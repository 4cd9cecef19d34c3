"""Sums and watch lists prepared and approved at a command line: `heqiao --as ACCOUNT`."""

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from keys import target_name
from matcher import identity
from node.cli import cli
from node.clock import utc_now
from node.database import users as rows
from node.domain.users import NewUser
from node.errors import NotFoundError
from node.governance import users
from node.jobs import watches
from node.jobs.acting import people_of
from node.jobs.lookup import require_job
from tests.support.cluster import Province, World, channel, serve_all
from tests.support.desk import COUNTY, PASSWORD, WHO, Desk
from tests.support.federation import set_config

Run = Callable[..., Result]


@pytest.fixture(scope="module")
def node(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Province]:
    homes = world.copy(tmp_path_factory.mktemp("commands"))
    set_config(homes["45"], "users", required=True)
    with serve_all({"45": homes["45"]}) as provinces:
        yield provinces["45"]


@pytest.fixture(scope="module")
def run(world: World, node: Province, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """A command of a person, with the codes of now and of the next half minute."""
    people, now = people_of(node.node), utc_now()
    desks = {}
    with channel(node.platform_port, target_name("45"), world.federation.client("45")) as line:
        for account in ("prep", "appr", "both", "away", "eyes"):
            unit, roles = WHO[account]
            new = NewUser(account, "李华", unit, frozenset(roles), now.date() - timedelta(days=1))
            desks[account] = Desk(line, account, users.add(people, new, None, now))
        password = tmp_path_factory.mktemp("password") / "password"
        password.touch(0o600)
        password.write_text(PASSWORD + "\n", encoding="utf-8")

        def run(account: str, *words: object) -> Result:
            with node.node.store.transaction("fresh codes", write=True) as tx:
                rows.change_user(tx, account, {"totp_step": 0})
            codes = [desks[account].totp.at(utc_now() + timedelta(seconds=30 * at)) for at in range(2)]
            named = ["--as", account, "--password-file", str(password)]
            own = ["--home", str(node.home), "--node", f"127.0.0.1:{node.platform_port}"]
            given = [*named, *map(str, words), *own]
            return CliRunner().invoke(cli, given, input="\n".join(codes) + "\n")

        yield run


def number(order: int) -> str:
    body = f"459999{1950 + order // 300}0101{order % 300:03}"
    return body + identity.check_digit(body)


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("cohort") / "cohort.csv"
    path.write_text("id_no\n" + "\n".join(map(number, range(600))), encoding="utf-8")
    return path


def prepared(done: Result) -> dict[str, object]:
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout.splitlines()[-1])


def sum_words(cohort: Path, folder: Path, job: str) -> tuple[object, ...]:
    return (
        "sum", "--cohort", cohort, "--items", "B11", "--peers", "44", "--legal-basis", "SA-2026-41",
        "--out", folder, "--job", job, "--json",
    )  # fmt: skip


def test_a_sum(node: Province, run: Run, cohort: Path, tmp_path: Path) -> None:
    words = sum_words(cohort, tmp_path / "out", "s-by-command")
    alone = run("prep", *words)
    assert alone.exit_code == 1
    assert alone.exception.details["rule"] == "approval"
    draft = prepared(run("prep", *words, "--for-approval"))
    assert (draft["kind"], draft["people"], draft["state"]) == ("sum", 600, "waiting")
    name = str(draft["draft"])
    assert name in run("appr", "drafts", "list").output
    shown = run("appr", "drafts", "show", name)
    assert "SA-2026-41" in shown.output
    assert not any(number(at) in shown.output for at in range(600))
    for other in ("prep", "away", "eyes"):
        assert run(other, "drafts", "approve", name, "--yes").exit_code == 1
    with pytest.raises(NotFoundError):
        require_job(node.node, "s-by-command")
    done = run("appr", "drafts", "approve", name, "--yes")
    assert done.exit_code == 0, done.output
    assert require_job(node.node, "s-by-command").owner == f"unit/{COUNTY}"


def test_a_watch_list_is_returned_and_deleted(node: Province, run: Run, world: World) -> None:
    data = world.data / "45"
    words = (
        "watch", "add", "w-by-command", "--households", data / "households.csv", "--items", "C21",
        "--peers", "44", "--legal-basis", "SA-2026-46", "--json",
    )  # fmt: skip
    name = str(prepared(run("prep", *words, "--for-approval"))["draft"])
    returned = run("both", "drafts", "return", name, "--reason", "授权书不含动态监测")
    assert returned.exit_code == 0, returned.output
    assert run("both", "drafts", "approve", name, "--yes").exit_code == 1  # what was returned does not wait
    assert run("prep", "drafts", "delete", name).exit_code == 0
    with pytest.raises(NotFoundError):
        watches.require_watch(node.node, "w-by-command")


def test_a_draft_needs_a_person(node: Province, cohort: Path, tmp_path: Path) -> None:
    words = [*map(str, sum_words(cohort, tmp_path / "out", "s-nobody")), "--for-approval"]
    done = CliRunner().invoke(cli, [*words, "--home", str(node.home)])
    assert "drafts are of people" in str(done.exception or done.output)
    assert not (tmp_path / "out").exists()
