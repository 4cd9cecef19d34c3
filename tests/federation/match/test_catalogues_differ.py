"""Two provinces whose catalogues differ: 44 defines two items otherwise, lacks one, and has one of its own.

Everything else is answered; what is not comparable is named, on both sides, and never asked.
"""

import json
from dataclasses import replace

import pytest
from click.testing import CliRunner

from matcher import identity
from node.cli.catalogue_diff import diff
from node.client.catalogue import CatalogueClient
from node.client.peer import Peer
from node.client.platform import Platform
from node.database import peers as peer_rows
from node.domain.catalogue import BUILT_IN
from node.domain.findings import Outcome
from node.domain.subjects import Subject
from node.domain.sum_findings import SumOutcome
from node.domain.verification import Verification
from node.errors import CatalogueMismatchError, DishonestPeerError
from node.jobs import engine
from node.jobs.catalogue_comparison import ComparisonState, compare_peer, compare_peers
from node.jobs.match_results import build_report
from node.jobs.sum_results import finding_of
from node.registers import importer
from node.reports.wording import value_text
from node.responder import catalogue as describing
from node.services.checks import check_home
from tests.support.cluster import Province, know, move_peer, open_home, run_job, wait_report
from tests.support.examples import mandate_for
from tests.support.federation import Federation, allow_sums, set_config


def person(order: int) -> str:
    body = f"4599991985{1 + order % 12:02}{1 + order % 28:02}{order:03}"
    return body + identity.check_digit(body)


PEOPLE = [person(at) for at in range(60)]
# What 44's registers say: the oracle.
STATUS = {one: ("10", "20", "已婚", "40")[at % 4] for at, one in enumerate(PEOPLE[:40])}
WORDS = {"10": "未婚（10）", "20": "已婚（20）", "已婚": "已婚（20）", "40": "离婚（40）"}
CARS = {one: 1 + at % 3 for at, one in enumerate(PEOPLE[10:50])}
OWN = {one: at % 5 for at, one in enumerate(PEOPLE[20:30])}
ASKED = ("C21", "C22", "D34", "Z63", "X44D01")
OWN_ITEM = """
[[items]]
code = "X44D01"
name = { zh = "本省技能证书", en = "skill certificates of the province" }
format = { zh = "非负整数", en = "non-negative integer" }
measure = { zh = "本人持有的证书数量", en = "number of certificates that the person holds" }
unit = { zh = "件", en = "certificate" }
definition = { zh = "数据时点有效", en = "valid at the as-of date" }
holder = { zh = "人力资源和社会保障部门", en = "human resources" }
time = "instant"
sensitivity = "P"
level = "value"
value_kind = "count"
combine = "sum"
freshness_days = 185
frequency = "monthly"
share = "conditional"
example = 1
"""


def of_44() -> str:
    """The federation's catalogue as 44 has it."""
    text = BUILT_IN.read_text(encoding="utf-8") + OWN_ITEM
    blocks = text.split("[[items]]\n")
    kept = [one for one in blocks if not one.startswith('code = "C22"\n')]  # it lacks an item
    text = "[[items]]\n".join(kept)
    text = text.replace("含封存账户；只反馈档次", "不含封存账户；只反馈档次")  # D34 says something else
    return text.replace('sum = { table = "B-B11-2026" }', 'sum = { table = "B-B11-2026", min_cohort = 20 }')


@pytest.fixture(scope="module")
def provinces(tmp_path_factory):
    """45 asks, 44 answers; both serve."""
    folder = tmp_path_factory.mktemp("catalogues")
    federation = Federation.create()
    homes = {code: federation.make_home(folder / code, code) for code in ("45", "44")}
    allow_sums(homes.values())
    (homes["44"] / "own.toml").write_text(of_44(), encoding="utf-8")
    (homes["45"] / "with.toml").write_text(BUILT_IN.read_text("utf-8") + OWN_ITEM, encoding="utf-8")
    set_config(homes["44"], "catalogue", path="own.toml")
    set_config(homes["45"], "catalogue", path="with.toml")
    node = open_home(homes["44"])
    registers = {
        "Z63": ("value", STATUS),
        "C21": ("value", CARS),
        "X44D01": ("value", OWN),
        "D34": ("amount_yuan", dict.fromkeys(PEOPLE, 7)),
        "B11": ("amount_yuan", dict.fromkeys(PEOPLE, 50_000)),
    }
    for item, (field, rows) in registers.items():
        path = folder / f"{item}.csv"
        lines = [f"{one},{said}" for one, said in rows.items()]
        path.write_text("\n".join((f"id_no,{field}", *lines)), encoding="utf-8")
        importer.import_item(node, item, [path], workers=0)
    know(node, homes["45"], 0, ("45", "D35:45"))
    node.store.dispose()
    answering = Province(homes["44"]).start()
    asking = Province(homes["45"])
    know(asking.node, homes["44"], answering.port)
    asking.stop()
    asking.start()
    move_peer(answering.node, "45", asking.port)
    yield {"45": asking, "44": answering}
    asking.stop()
    answering.stop()


def verification(*items: str) -> Verification:
    mandate = mandate_for(*PEOPLE)
    subjects = tuple(
        Subject(f"H1/{at:02}", "H1", "", (identity.parse(one),), mandate.number)
        for at, one in enumerate(PEOPLE)
    )
    return Verification(items, ("44",), "review", "SA-2026-41", subjects, {mandate.number: mandate})


@pytest.fixture(scope="module")
def report(provinces):
    return run_job(provinces["45"], "differ", verification(*ASKED))


def answers(report, item):
    return {PEOPLE[int(one.subject[3:])]: one for one in report.findings if one.item == item}


def test_what_differs_is_not_comparable_and_all_else_is_answered(report):
    assert report.state == "done"
    assert {one.outcome for one in answers(report, "D34").values()} == {Outcome.NOT_COMPARABLE}
    assert {one.outcome for one in answers(report, "C22").values()} == {Outcome.NOT_CONNECTED}
    assert {one: found.value for one, found in answers(report, "C21").items() if found.value} == CARS


def test_an_own_item_is_answered_to_who_defines_it_alike(report):
    found = answers(report, "X44D01")
    assert {one: said.value for one, said in found.items() if said.outcome is Outcome.FOUND} == OWN


def test_codes_arrive_as_the_words_of_the_list(report, provinces):
    item = provinces["45"].node.catalogue.item("Z63")
    for one, said in answers(report, "Z63").items():
        if one in STATUS:
            assert value_text(item, said.value, "zh") == WORDS[STATUS[one]]
        else:
            assert said.outcome is Outcome.NOT_FOUND


def test_sums_under_another_rule_are_not_comparable(provinces):
    cohort = [frozenset({identity.parse(one)}) for one in PEOPLE]
    with Peer.open(provinces["45"].home, "44") as peer:
        wages, months = peer.sum(cohort, ("B11", "D32m"), "SA-2026-41")
    assert finding_of("44", "B11", wages).outcome is SumOutcome.NOT_COMPARABLE
    assert finding_of("44", "D32m", months).outcome is SumOutcome.NOT_CONNECTED


def test_both_administrators_see_both_sides(provinces):
    for here, there in (("45", "44"), ("44", "45")):
        node = provinces[here].node
        with node.store.transaction("find peer") as tx:
            peer = peer_rows.find_peer(tx, there)
        found = compare_peer(node, peer)
        assert (found.state, found.conflicts) == (ComparisonState.DIFFERS, ("B11", "D34"))
        kinds = {one.item: one.kind.value for one in found.items}
        assert kinds["C22"] == ("only_here" if here == "45" else "only_there")
        differ = {one.item: {each.attribute: each for each in one.attributes} for one in found.items}
        assert set(differ["D34"]) == {"definition_zh"}
        shown = differ["D34"]["definition_zh"]
        own = node.catalogue.item("D34").definition_zh
        assert shown.here == own
        assert shown.there.startswith("#")
        assert len(shown.there) == 9  # eight digits of a digest, and nothing of the peer's text
        assert {differ["B11"]["sum_min_cohort"].here, differ["B11"]["sum_min_cohort"].there} == {"10", "20"}


def test_the_command_the_doctor_and_a_platform_say_the_same(provinces):
    home = provinces["45"].home
    done = CliRunner().invoke(diff, ["44", "--home", str(home), "--json"])
    assert done.exit_code == 1
    said = json.loads(done.output)
    assert {one["item"]: one["kind"] for one in said["items"]} == {
        "B11": "conflict", "D34": "conflict", "C22": "only_here",
    }  # fmt: skip
    checks = {one.check: one for one in check_home(provinces["45"].node.config)}
    assert "B11, D34" in checks["catalogue of 44"].text
    assert "heqiao catalogue diff 44" in checks["catalogue of 44"].hint
    with Platform.open(home, f"127.0.0.1:{provinces['45'].platform_port}") as platform:
        (listed,) = CatalogueClient(platform).differences()
        whole = CatalogueClient(platform).describe()
    assert [one.item for one in listed.items] == ["B11", "C22", "D34"]
    assert not listed.is_same_document
    status = next(one for one in whole.items if one.code == "Z63")
    assert [one.zh for one in status.codes][:2] == ["未婚", "已婚"]
    assert status.example_zh == "已婚（20）"
    assert {one.code for one in whole.tables} >= {"L-Z63-2026", "T-C23-2026"}


def test_a_peer_that_describes_another_definition_than_it_signed_is_not_believed(provinces, monkeypatch):
    """Attack: the digest of the manifest with a harmless definition, or with text for a terminal."""
    node = provinces["45"].node
    with node.store.transaction("find peer") as tx:
        peer = peer_rows.find_peer(tx, "44")
    real = describing.described
    for lie in (
        lambda item: b"",
        lambda item: real(item).replace(b"D34", b"\x1b[2J"),
        lambda item: b"{" * 9_000,
    ):
        monkeypatch.setattr(describing, "described", lie)
        with pytest.raises(DishonestPeerError) as caught:
            compare_peer(node, peer)
        assert caught.value.details == {"check": "catalogue_definition"}
    monkeypatch.setattr(describing, "described", lambda item: b" " * 20_000)
    (found,) = compare_peers(node, [peer])
    assert (found.state, found.reason) == (ComparisonState.UNAVAILABLE, "peer_answer_wrong")


def test_another_major_version_is_refused_by_name_and_nothing_is_asked(provinces):
    node, answering = provinces["45"].node, provinces["44"].node
    before = answering.catalogue
    object.__setattr__(answering, "catalogue", replace(before, version="2.0"))
    try:
        found = run_job(provinces["45"], "major", verification("C22", "Z51"))
        with node.store.transaction("find peer") as tx:
            compared = compare_peer(node, peer_rows.find_peer(tx, "44"))
        with Peer.open(provinces["45"].home, "44") as peer, pytest.raises(CatalogueMismatchError):
            peer.sum([frozenset({identity.parse(one)}) for one in PEOPLE], ("B11",), "SA-2026-41")
    finally:
        object.__setattr__(answering, "catalogue", before)
    assert (compared.state, compared.version) == (ComparisonState.OTHER_MAJOR, "2.0")
    assert {(one.outcome, one.reason) for one in found.findings} == {(Outcome.REFUSED, "catalogue_major")}
    assert found.peers[0].points == 0


def test_a_job_is_answered_under_one_catalogue(provinces, report):
    """The node is restarted with another definition of a band between submission and asking."""
    node = provinces["45"].node
    before = node.catalogue
    assert engine.submit(node, "changes", verification("C21", "D38"))
    items = tuple(replace(one, bands=(1, 2, 3)) if one.code == "D38" else one for one in before.items)
    object.__setattr__(node, "catalogue", replace(before, items=items))
    try:
        provinces["45"].server.start_job("changes")
        found = wait_report(node, "changes")
        again = build_report(node, "differ")
    finally:
        object.__setattr__(node, "catalogue", before)
    assert {(one.outcome, one.reason) for one in found.findings} == {(Outcome.REFUSED, "catalogue_changed")}
    assert again.catalogue_digest == report.catalogue_digest == before.digest.hex()
