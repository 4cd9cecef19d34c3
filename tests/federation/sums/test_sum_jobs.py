"""Sums as jobs of the requester's node: several peers at once, kills, other keys, and what is left behind."""

import json
import random
import threading
from statistics import pvariance

import pytest
from click.testing import CliRunner

from matcher import identity
from node.cli import cli
from node.client.platform import Platform
from node.domain.quotas import Measure, Window
from node.domain.sum_findings import SumOutcome
from node.domain.summation import Summation, in_cohort
from node.errors import EpochError, InvalidRequestError, JobConflictError, RefusedError
from node.governance import quota_settings
from node.jobs import engine
from node.jobs.lookup import require_job
from node.jobs.sum_results import build_sum_report
from node.registers import importer
from node.transport.peer_client import PeerClient
from tests.support.cluster import Process, Province, know, move_peer, open_home, query_database, wait_for
from tests.support.federation import QUICK_LEASES, Federation, allow_sums, set_config

LAW = "SA-2026-41"


def number(order: int, area: str = "459999") -> str:
    body = f"{area}1985{1 + order // 1000 % 12:02}{1 + order // 12000 % 28:02}{order % 1000:03}"
    return body + identity.check_digit(body)


DRAW = random.Random(7)
PEOPLE = [number(at) for at in range(800)]
WAGES = {
    "44": {person: DRAW.randrange(0, 15_000_000) for person in PEOPLE[:600]},
    "33": {person: DRAW.randrange(0, 15_000_000) for person in [*PEOPLE[:200], *PEOPLE[450:600]]},
}
ASKED = PEOPLE[200:750]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The homes of a requester and two responders; wages in both."""
    folder = tmp_path_factory.mktemp("jobs")
    federation = Federation.create()
    limits = {"k_anonymity": 64, "chunk_points": 128}
    homes = {code: federation.make_home(folder / code, code, limits=limits) for code in ("45", "44", "33")}
    allow_sums(homes.values())
    own = open_home(homes["45"])
    for code, rows in WAGES.items():
        node = open_home(homes[code])
        path = folder / f"{code}.csv"
        path.write_text(
            "id_no,amount_fen\n" + "\n".join(f"{k},{v}" for k, v in rows.items()), encoding="utf-8"
        )
        importer.import_item(node, "B11", [path], workers=0)
        know(node, homes["45"], 0, ("45", "D35:45"))
        node.store.dispose()
        know(own, homes[code], 0)
    own.store.dispose()
    return homes


@pytest.fixture
def served(made):
    """Both responders and the requester served in this process."""
    provinces = {code: Province(home).start() for code, home in made.items()}
    for code in WAGES:
        move_peer(provinces["45"].node, code, provinces[code].port)
        forget_queries(provinces[code].node)
    forget_queries(provinces["45"].node)
    yield provinces
    for province in provinces.values():
        province.stop()


def forget_queries(node):
    """Nothing was opened yet."""
    with node.store.transaction("forget", write=True) as tx:
        tx.exec_driver_sql("DELETE FROM sum_queries")
        tx.exec_driver_sql("DELETE FROM sum_exposures")


def summation(items=("B11",), peers=("44", "33"), people=ASKED, law=LAW):
    cohort = in_cohort((identity.parse(person),) for person in people)
    return Summation(tuple(items), tuple(peers), law, cohort)


def run(province, job, asked, seconds=180):
    if engine.submit(province.node, job, asked):
        province.server.start_job(job, asked)
    wait_for(
        lambda: require_job(province.node, job).state not in ("queued", "running"),
        seconds,
        "no end",
        0.02,
    )
    return build_sum_report(province.node, job)


def require_plain(report, peer):
    found = report.finding("B11", peer)
    due = [fen for person, fen in WAGES[peer].items() if person in set(ASKED)]
    assert (found.outcome, found.reason, found.count, found.total) == (
        SumOutcome.RELEASED,
        "",
        len(due),
        sum(due),
    )
    assert abs(found.variance - pvariance(due)) <= 1
    assert found.mean == round(sum(due) / len(due))
    assert found.asked == len(ASKED)


def queries(home):
    return query_database(home, "SELECT DISTINCT query_id FROM sum_queries")


def require_nothing_left(home, job):
    """The blind, the cohort's tokens and the unopened sums are erased."""
    assert query_database(home, "SELECT count(*) FROM tokens") == [(0,)]
    assert query_database(home, "SELECT count(*) FROM sum_products") == [(0,)]
    assert query_database(home, "SELECT session_sealed FROM parts WHERE job = ?", job) == [(None,), (None,)]


def test_two_peers_at_once(served, made):
    report = run(served["45"], "both", summation(("B11", "D35")))
    for peer in WAGES:
        require_plain(report, peer)
        assert report.finding("D35", peer).outcome is SumOutcome.NOT_CONNECTED
    assert [part.state for part in report.peers] == ["done", "done"]
    assert all(part.bytes_down > 100_000 and part.epoch == 1 and part.points >= 550 for part in report.peers)
    require_nothing_left(made["45"], "both")


def test_a_peer_that_is_down_is_its_own_part_only(served):
    served["33"].stop()
    report = run(served["45"], "down", summation())
    require_plain(report, "44")
    found = report.finding("B11", "33")
    assert (found.outcome, found.count, report.state) == (SumOutcome.UNAVAILABLE, None, "done")


def test_a_refusal_names_the_rule(served):
    first = run(served["45"], "one", summation(peers=("44",)))
    require_plain(first, "44")
    again = run(served["45"], "two", summation(peers=("44",)))
    found = again.finding("B11", "44")
    assert (found.outcome, found.reason, found.count, found.total) == (
        SumOutcome.SUPPRESSED,
        "differencing",
        None,
        None,
    )


def test_a_quota_that_lasts_longer_than_the_job_ends_the_part(served):
    """The part is not kept waiting for weeks: its job is due before."""
    config = served["44"].node.config
    quota_settings.set_limit(config, "45", Measure.SUM_POINTS, Window.DAYS_30, 600)
    run(served["45"], "first", summation(peers=("44",), people=ASKED[:100]))
    spent = run(served["45"], "spent", summation(peers=("44",)))
    quota_settings.set_limit(config, "45", Measure.SUM_POINTS, Window.DAYS_30, None)
    found = spent.finding("B11", "44")
    assert (found.outcome, found.reason) == (SumOutcome.REFUSED, "quota.sum_points.30_days")


def test_keys_that_change_under_way_begin_the_part_anew(served, made, monkeypatch):
    """Whether the peer's epoch changes before the cohort, while rows come, or before the opening."""
    for name in ("evaluate_cohort", "fetch_rows", "open_sums"):
        forget_queries(served["44"].node)
        real, raised = getattr(PeerClient, name), []

        def changed(self, *given, real=real, raised=raised):
            if not raised:
                raised.append(True)
                raise EpochError("this epoch is not current", details={"epoch": "2"})
            return real(self, *given)

        monkeypatch.setattr(PeerClient, name, changed)
        report = run(served["45"], f"anew-{name}", summation(peers=("44",)))
        monkeypatch.setattr(PeerClient, name, real)
        require_plain(report, "44")
        assert len(queries(made["44"])) == (1 if name == "evaluate_cohort" else 2)


def test_a_cheat_is_used_for_nothing(served, monkeypatch):
    monkeypatch.setattr(PeerClient, "evaluate_cohort", lambda *_: iter([(1, bytes(32))]))
    report = run(served["45"], "cheat", summation(peers=("44",)))
    found = report.finding("B11", "44")
    assert (report.state, found.outcome, found.total) == ("failed", SumOutcome.UNAVAILABLE, None)
    assert found.reason == "peer_answer_wrong:sequence"


@pytest.mark.parametrize(
    ("changes", "error", "text"),
    [
        ({"people": ASKED[:9]}, RefusedError, "at least 10 people"),
        ({"people": ASKED[:29]}, RefusedError, "at least 30 people"),
        ({"items": ("C21",)}, InvalidRequestError, "cannot|not an item that can be summed"),
        ({"items": ("B11", "B11")}, InvalidRequestError, "given twice"),
        ({"items": ()}, InvalidRequestError, "at least one item"),
        ({"law": ""}, InvalidRequestError, "legal basis"),
        ({"law": "459999198503120012"}, InvalidRequestError, "legal basis"),
    ],
)
def test_what_is_refused_before_anybody_is_asked(served, changes, error, text):
    with pytest.raises(error, match=text):
        engine.submit(served["45"].node, "never", summation(**changes))


def test_the_same_job_is_the_same(served):
    asked = summation()
    run(served["45"], "same", asked)
    assert not engine.submit(served["45"].node, "same", summation(people=list(reversed(ASKED))))
    with pytest.raises(JobConflictError):
        engine.submit(served["45"].node, "same", summation(people=ASKED[1:]))


@pytest.mark.parametrize("point", ["before_rows", "in_rows", "before_opening"])
def test_a_killed_requester_goes_on_and_pays_once(made, monkeypatch, point):
    """kill -9 of the requester's process; the next one sends the same query, and the answer is right."""
    province = Province(made["44"]).start()
    forget_queries(province.node)
    reached, go_on = threading.Event(), threading.Event()
    hold(monkeypatch, point, reached, go_on)
    own = open_home(made["45"])
    forget_queries(own)
    move_peer(own, "44", province.port)
    job = f"killed-{point}"
    assert engine.submit(own, job, summation(peers=("44",)))
    set_config(made["45"], "jobs", **QUICK_LEASES)
    process = Process(made["45"]).start()
    try:
        assert reached.wait(120)
        process.kill()
        go_on.set()
        assert query_database(made["45"], "SELECT state FROM jobs WHERE id = ?", job) == [("running",)]
        process.start()
        wait_for(lambda: require_job(own, job).state == "done", 120, "the job does not end", 0.05)
        require_plain(build_sum_report(own, job), "44")
        assert len(queries(made["44"])) == 1
    finally:
        process.stop()
        province.stop()
        own.store.dispose()


def hold(monkeypatch, point, reached, go_on):
    """Let the responder stop at some point until it may go on; later calls pass."""
    import node.services.peer as service

    if point == "before_opening":
        real = service.open_sums

        def opening(*given):
            answer = real(*given)  # opened, and the answer is lost
            if not reached.is_set():
                reached.set()
                go_on.wait(120)
            return answer

        monkeypatch.setattr(service, "open_sums", opening)
        return
    real_rows = service.serve_rows

    def serving(*given):
        for turn, part in enumerate(real_rows(*given)):
            if not reached.is_set() and (turn == 1 or point == "before_rows"):
                reached.set()
                go_on.wait(120)
            yield part

    monkeypatch.setattr(service, "serve_rows", serving)


def test_the_command(served, made, tmp_path):
    """A list with unusable rows, JSON for a program, tables, a picture; and the report once more."""
    listed = tmp_path / "cohort.csv"
    rows = [f"P{at},{person}" for at, person in enumerate(ASKED)]
    rows[7:7] = ["X1,459999198503120013", f"X2,{ASKED[0]}", "X3,"]
    listed.write_text("worker,id_no\n" + "\n".join(rows) + "\n", encoding="utf-8")
    node = f"127.0.0.1:{served['45'].platform_port}"
    common = ["--home", str(made["45"]), "--node", node]
    asked = ["--cohort", str(listed), "--items", "B11,D35", "--peers", "44,33", "--legal-basis", LAW]
    out = tmp_path / "sums"
    done = CliRunner().invoke(cli, ["sum", *common, *asked, "--out", str(out), "--job", "cli", "--json"])
    assert done.exit_code == 0, done.output
    plain = json.loads(done.stdout)
    assert (plain["rejected_rows"], plain["people"], plain["state"]) == (3, 550, "done")
    rejects = (out / "rejects.csv").read_text(encoding="utf-8-sig").splitlines()
    assert [line.split(",")[1] for line in rejects[1:]] == ["9", "10", "11"]
    assert [
        reason for reason in ("bad_check_digit", "duplicate_person", "empty") if reason in str(rejects)
    ] == [
        "bad_check_digit",
        "duplicate_person",
        "empty",
    ]
    text = (out / "summary.txt").read_text(encoding="utf-8")
    assert "未接入" in text
    assert "not connected" in text
    shown = CliRunner().invoke(
        cli, ["report", "--home", str(made["45"]), str(out), "--lang", "en", "--png", str(tmp_path / "a.png")]
    )
    assert shown.exit_code == 0, shown.output
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    again = CliRunner().invoke(cli, ["report", *common, "cli", "--svg", str(tmp_path / "a.svg")])
    assert again.exit_code == 0, again.output
    assert "<svg" in (tmp_path / "a.svg").read_text(encoding="utf-8")
    with Platform.open(made["45"], node) as platform:
        assert platform.sum_report("cli").finding("B11", "44").count == 400
        with pytest.raises(InvalidRequestError):
            platform.report("cli")


def test_no_number_is_on_any_disk(made):
    """After all of the above: neither in a database nor in an audit row, asked or held."""
    for home in made.values():
        content = b"".join(path.read_bytes() for path in home.glob("heqiao.db*"))
        assert len(content) > 100_000
        assert not [person for person in PEOPLE if person.encode() in content]
    events = [event for (event,) in query_database(made["45"], "SELECT event FROM audit")]
    assert {"sum_submitted", "sum_ended"} <= set(events)
