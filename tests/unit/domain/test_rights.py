"""The table of rights names every method of the platform port and every command that changes something."""

import importlib

import click
import pytest

from node.cli import cli
from node.domain.rights import COMMANDS, EVERYBODY, RPCS, Right, command_roles, refusal
from node.domain.users import ADMINISTRATORS, OFFICERS, Need, Person, Role
from tests.support.paths import ROOT

GENERATED = ROOT / "proto" / "gen"
# Every generated module of the two packages that the platform port serves.
FILES = [
    importlib.import_module(".".join(path.relative_to(GENERATED).with_suffix("").parts)).DESCRIPTOR
    for package in ("platform", "admin")
    for path in sorted((GENERATED / "heqiao" / package).rglob("*_pb2.py"))
]
METHODS = {
    f"/{service.full_name}/{method.name}"
    for file in FILES
    for service in file.services_by_name.values()
    for method in service.methods
}
# Commands that change nothing in a home that has accounts, make new folders, or ask the running node.
WITHOUT = set(
    """
    admins key
    admins list
    approvals list
    audit list
    audit verify
    card
    catalogue check
    catalogue diff
    catalogue publish
    catalogue show
    codes check
    codes list
    console
    corrections answer
    corrections find
    corrections list
    corrections send
    corrections show
    corrections sync
    counties
    doctor
    fingerprint
    health
    households add
    households change
    households list
    households remove
    households show
    init
    drafts approve
    drafts delete
    drafts list
    drafts return
    drafts show
    jobs cancel
    jobs deadlines
    jobs list
    jobs retry
    jobs show
    jobs statistics
    jobs watch
    join
    keys policy
    keys recipient
    keys restore
    keys share
    keys status
    keys verify
    mandates add
    mandates check
    mandates list
    mandates number
    mandates revoke
    mandates show
    migrate
    notices list
    objections add
    objections close
    objections list
    objections recheck
    objections show
    offices key
    offices list
    offices request
    offices sign
    peers list
    peers show
    quotas alerts
    quotas show
    report
    serve
    sources list
    subject report
    sum
    synth
    users enrol
    users init
    verify
    watch add
    watch alerts acknowledge
    watch alerts list
    watch alerts show
    watch list
    watch remove
    watch run
    watch show
    watch thresholds show
    """.strip().split("\n    ")
)


PROVINCE = "450000000000"


def person(*roles: Role, need: Need | None = None, unit: str = PROVINCE) -> Person:
    return Person("li", unit, frozenset(roles), need)


def named_commands():
    def walk(group, words):
        for name in group.list_commands(None):
            found = group.get_command(None, name)
            if isinstance(found, click.Group) and name not in ("ca", "rotate"):
                yield from walk(found, (*words, name))
            elif name != "ca":
                yield " ".join((*words, name))

    return set(walk(cli, ()))


def test_every_method_has_a_line_and_no_line_is_left():
    assert set(RPCS) == METHODS


def test_every_command_has_a_line_or_needs_none():
    listed = {name for name in named_commands() if command_roles(name) is not None}
    assert named_commands() - listed == WITHOUT
    assert all(any(name.startswith(line) for name in named_commands()) for line in COMMANDS)


@pytest.mark.parametrize("role", list(Role))
def test_each_role_and_method(role):
    """Only the line decides, and only a person who is ready is judged by roles."""
    for method, right in RPCS.items():
        assert (refusal(right, person(role)) == "") == (right.before or role in right.roles), method
        unready = refusal(right, person(role, need=Need.CONFIDENTIALITY))
        assert (unready == "need_confidentiality") == (not right.before and not right.unready), method


@pytest.mark.parametrize("unit", ["450100000000", "450124000000", "450124103000"])
def test_what_is_of_the_whole_province_is_for_its_own_unit(unit):
    """Keys, quotas, peers, imports and the audit chain: an administrator of a county may not."""
    for method, right in RPCS.items():
        whole = right.whole and not right.before
        for role in right.roles:
            assert (refusal(right, person(role, unit=unit)) == "unit") == whole, method
            assert refusal(right, person(role, unit="000000000000")) == "", method


def test_keys_quotas_peers_imports_their_sources_and_the_chain_need_the_whole_province():
    whole = {method.rsplit("/", 1)[1] for method, right in RPCS.items() if right.whole}
    admin = {method.rsplit("/", 1)[1] for method in RPCS if "/heqiao.admin.v1." in method}
    of_units = {"ListUsers", "AddUser", "SetRoles", "DisableUser", "ResetUser", "ConfirmUsers"}
    asked = {"ListReceivedCorrections", "GetReceivedCorrection", "FindCorrectionPerson", "AnswerCorrection"}
    asked |= {"ListQualityReports", "GetQualityReport"}
    assert whole == asked | (admin - of_units - {"GetHealth", "ListIncomingQueries"})


def test_without_a_session_only_signing_in_is_possible():
    possible = {method.rsplit("/", 1)[1] for method, right in RPCS.items() if refusal(right, None) == ""}
    assert possible == {"SignIn", "BeginSecondFactor", "FinishSignIn"}


def test_a_method_without_a_line_is_refused():
    assert refusal(None, person(*Role)) == "no_line"


def test_administrators_see_no_case():
    """Whatever shows subjects, findings or drafts is for officers only."""
    shown = ("SubmitVerification", "GetReport", "StreamReport", "GetSumReport", "WatchJob", "ListJobs")
    shown += ("Draft", "Approve", "Return", "SubmitSum")
    for method, right in RPCS.items():
        if "/heqiao.platform.v1." in method and any(word in method.rsplit("/", 1)[1] for word in shown):
            assert right.roles <= OFFICERS, method
            assert not right.roles & ADMINISTRATORS, method


@pytest.mark.parametrize(
    ("words", "roles"),
    [
        ("keys rotate oprf", {Role.SECURITY}),
        ("import C21", {Role.SYSTEM}),
        ("keys status", None),
        ("nothing", None),
    ],
)
def test_the_roles_of_a_command(words, roles):
    found = command_roles(words)
    assert found == (None if roles is None else frozenset(roles))


def test_a_right_names_people_only_by_default():
    assert Right(EVERYBODY) == Right(EVERYBODY, platform=False, before=False, unready=False)
