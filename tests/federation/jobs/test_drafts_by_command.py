"""Verifications, sums and watch lists prepared and approved at a command line: `heqiao --as ACCOUNT`."""

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from keys import target_name
from matcher import identity
from node.cli import cli
from node.client.drafts import Drafts
from node.client.platform import Platform
from node.client.records import HouseholdChoice, Records
from node.clock import utc_now
from node.database import users as rows
from node.domain.days import china_day
from node.domain.jobs import SUM
from node.domain.users import NewUser
from node.errors import NodeError, NotFoundError, PreconditionError, RefusedError
from node.governance import users
from node.jobs import watches
from node.jobs.acting import people_of
from node.jobs.lookup import require_job
from tests.support.cluster import Province, World, channel, serve_all, wait_report
from tests.support.desk import COUNTY, PASSWORD, WHO, Desk
from tests.support.federation import set_config
from tests.support.mandate_lists import household, household_rows, write_rows

Run = Callable[..., Result]


@pytest.fixture(scope="module")
def node(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Province]:
    homes = world.copy(tmp_path_factory.mktemp("commands"))
    set_config(homes["45"], "users", required=True)
    with serve_all({"45": homes["45"]}) as provinces:
        yield provinces["45"]


@pytest.fixture(scope="module")
def desks(world: World, node: Province) -> Iterator[dict[str, Desk]]:
    people, now = people_of(node.node), utc_now()
    found = {}
    with channel(node.platform_port, target_name("45"), world.federation.client("45")) as line:
        for account in ("prep", "appr", "both", "away", "eyes"):
            unit, roles = WHO[account]
            new = NewUser(account, "李华", unit, frozenset(roles), now.date() - timedelta(days=1))
            found[account] = Desk(line, account, users.add(people, new, None, now))
        yield found


@pytest.fixture(scope="module")
def run(node: Province, desks: dict[str, Desk], tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A command of a person, with the codes of now and of the next half minute."""
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

    return run


@pytest.fixture
def people(node: Province, desks: dict[str, Desk]) -> Iterator[dict[str, Platform]]:
    """The node as each of them calls it."""
    with Platform.open(node.home, f"127.0.0.1:{node.platform_port}") as platform:
        yield {account: platform.as_person(desk.token) for account, desk in desks.items()}


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


def verify_words(data: Path, folder: Path, job: str) -> tuple[object, ...]:
    return (
        "verify", "--items", "C21", "--peers", "44", "--out", folder, "--job", job, "--json",
        "--households", data / "households.csv",
    )  # fmt: skip


def test_a_verification_of_a_list(node: Province, run: Run, world: World, tmp_path: Path) -> None:
    """Another person approves it; who prepared it does not, and nobody is asked before."""
    words = verify_words(world.data / "45", tmp_path / "out", "v-by-command")
    alone = run("prep", *words)
    assert alone.exception.details["rule"] == "approval"
    draft = prepared(run("prep", *words, "--for-approval"))
    assert (draft["kind"], draft["state"], draft["preparer"]) == ("verification", "waiting", "prep")
    name = str(draft["draft"])
    for other in ("prep", "away", "eyes"):
        assert run(other, "drafts", "approve", name, "--yes").exit_code == 1
    with pytest.raises(NotFoundError):
        require_job(node.node, "v-by-command")
    done = run("appr", "drafts", "approve", name, "--yes")
    assert done.exit_code == 0, done.output
    job = require_job(node.node, "v-by-command")
    assert (job.owner, job.subjects) == (f"unit/{COUNTY}", draft["people"])


@pytest.fixture(scope="module")
def on_record(run: Run, tmp_path_factory: pytest.TempPathFactory) -> None:
    """The household H1."""
    listed = write_rows(tmp_path_factory.mktemp("record") / "h.csv", household_rows(household()))
    assert run("prep", "households", "add", listed).exit_code == 0


@pytest.mark.usefixtures("on_record")
def test_a_verification_of_households_on_record(node: Province, run: Run, tmp_path: Path) -> None:
    """The node puts in the people; what it refuses leaves no draft."""

    def words(household: str) -> tuple[object, ...]:
        return (
            "verify", "--household", household, "--items", "C21", "--peers", "44", "--purpose", "review",
            "--out", tmp_path / "out", "--job", "v-on-record", "--json",
        )  # fmt: skip

    assert run("prep", *words("H1")).exception.details["rule"] == "approval"
    refused = run("prep", *words("H2"), "--for-approval")
    assert isinstance(refused.exception, NotFoundError)
    done = run("prep", *words("H1"), "--for-approval")
    assert "4 people not asked about" in done.stderr
    draft = prepared(done)
    assert (draft["kind"], draft["people"], draft["state"]) == ("verification", 4, "waiting")
    with pytest.raises(NotFoundError):
        require_job(node.node, "v-on-record")
    assert run("appr", "drafts", "approve", draft["draft"], "--yes").exit_code == 0
    assert require_job(node.node, "v-on-record").subjects == 4
    kept = json.loads(run("prep", "drafts", "list", "--state", "draft", "--json").stdout)
    assert kept == {"drafts": []}


@pytest.mark.usefixtures("on_record")
def test_households_are_sent_with_an_own_verification_alone(
    node: Province, people: dict[str, Platform]
) -> None:
    """A draft lifts the rule `approval` for nothing but what another person will approve."""
    choice = HouseholdChoice(("C21",), ("44",), "review", "SA-2026-41", numbers=("H1",))
    others = Drafts(people["both"]).save(b"")
    of_sum = Drafts(people["prep"]).save(b"", kind=SUM)
    for draft, error in ((others, RefusedError), (of_sum, PreconditionError)):
        with pytest.raises(error):
            Records(people["prep"]).verify(choice, "v-of-another", draft.draft_id, draft.version)
    with Platform.open(node.home, f"127.0.0.1:{node.platform_port}") as own, pytest.raises(NodeError):
        Records(own).verify(choice, "v-of-another", others.draft_id, others.version)
    with pytest.raises(NotFoundError):
        require_job(node.node, "v-of-another")


def test_a_recheck(node: Province, run: Run, world: World, tmp_path: Path) -> None:
    """Of a verification that was approved."""
    asked = verify_words(world.data / "45", tmp_path / "out", "v-objected")
    waiting = prepared(run("prep", *asked, "--for-approval"))
    assert run("appr", "drafts", "approve", waiting["draft"], "--yes").exit_code == 0
    wait_report(node.node, "v-objected")
    statement = tmp_path / "statement.txt"
    statement.write_text("张三\n车辆已转让", encoding="utf-8")
    day = china_day(utc_now())
    added = run(
        "prep", "objections", "add", "v-objected", "--item", "C21", "--received", day, "--statement",
        statement, "--json",
    )  # fmt: skip
    words = ("objections", "recheck", prepared(added)["id"], "--job", "r-by-command", "--json")
    assert run("prep", *words).exception.details["rule"] == "approval"
    draft = prepared(run("prep", *words, "--for-approval"))
    assert (draft["job"], draft["state"]) == ("r-by-command", "waiting")
    assert run("appr", "drafts", "approve", draft["draft"], "--yes").exit_code == 0
    assert require_job(node.node, "r-by-command").owner == f"unit/{COUNTY}"


def test_a_draft_needs_a_person(node: Province, cohort: Path, tmp_path: Path) -> None:
    words = [*map(str, sum_words(cohort, tmp_path / "out", "s-nobody")), "--for-approval"]
    done = CliRunner().invoke(cli, [*words, "--home", str(node.home)])
    assert "drafts are of people" in str(done.exception or done.output)
    assert not (tmp_path / "out").exists()
