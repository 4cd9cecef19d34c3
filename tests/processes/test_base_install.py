"""An install without any extra: a platform's client works, and `heqiao` says which extra a command needs."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from keys import ca_fingerprint, issue_bundle, load_request
from node.cli import COMMANDS
from node.client import Platform
from node.errors import UnreachableError
from node.registers.importer import import_item
from tests.support.base_install import base_distributions, listed, modules_by_base, without_extras
from tests.support.cluster import (
    Province,
    World,
    findings_of,
    open_home,
    read_verification,
    run_job,
    serve_all,
)
from tests.support.federation import set_config
from tests.support.paths import ROOT
from tests.support.several_commands import PROGRAM, run_several
from tests.support.single_node import number
from tests.support.worlds import world  # noqa: F401  fixture

SCRIPT = """
import json, sys
from pathlib import Path

from matcher import Identity
from node.client import Platform
from node.domain.summation import Summation, in_cohort
from node.domain.verification import Verification
from node.errors import JobConflictError, NotFoundError
from node.tabular.person_lists import read_households, read_mandates

home, data = map(Path, sys.argv[1:3])
subjects, mandates = read_households(data / "households.csv")[0], read_mandates(data / "mandates.csv")[0]
some = tuple(subjects[:40])
asked = Verification(("C21", "C23"), ("44", "33"), "new_application", "SA-2026-41", some, mandates)
cohort = in_cohort([subject.identities for subject in subjects])
printed = {}
with Platform.open(home) as platform:
    job = platform.submit(asked, "base-verification")
    printed["states"] = [len(state.parts) for state in platform.watch(job)][-1]
    report = platform.report(job)
    printed["findings"] = [[f.subject, f.item, f.peer, f.outcome.value, f.value] for f in report.findings]
    totals = platform.sum(Summation(("B11",), ("44", "33"), "SA-2026-41", cohort), "base-sum")
    printed["sums"] = [[f.item, f.peer, f.outcome.value, f.count, f.total] for f in totals.findings]
    printed["jobs"] = sorted(one.job_id for one in platform.jobs().jobs if one.job_id.startswith("base-"))
    printed["peers"] = [peer.code for peer in platform.peers()]
    printed["items"] = len(platform.catalogue().items)
    printed["refused"] = []
    other = Verification(("C21",), ("44",), "review", "SA-2026-41", tuple(subjects[:1]), mandates)
    for call, kind in (
        (lambda: platform.report("nobody"), NotFoundError),
        (lambda: platform.submit(other, job), JobConflictError),
    ):
        try:
            call()
        except kind as error:
            printed["refused"].append(error.code)
print(json.dumps(printed))
"""


HINT = "heqiao: hint: install Heqiao with the extra `node`: pip install 'heqiao[node]'"

MISSING = r"heqiao: error: this command needs the Python package \w+, which is not installed here\n"


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name != "HEQIAO_HOME"}
    environment["PYTHONPATH"] = os.pathsep.join((str(ROOT), str(ROOT / "proto" / "gen")))
    command = (sys.executable, *arguments)
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=180, check=False)


@pytest.fixture(scope="module")
def served(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Province]]:
    """Three provinces at work; 44 also holds wages of the first hundred people of 45's list, and of
    others.
    """
    homes = world.copy(tmp_path_factory.mktemp("base"))
    people = read_verification(world.data, ("C21",)).subjects[:100]
    wages = homes["44"].parent / "wages.csv"
    rows = [f"{one.identities[0].value},{at * 100}" for at, one in enumerate(people, 1)]
    area = people[0].identities[0].value[:6]
    rows += [f"{number(at, area)},{at}" for at in range(200)]  # nobody asks about these
    wages.write_text("\n".join(("id_no,amount_fen", *rows)) + "\n", encoding="utf-8")
    node = open_home(homes["44"])
    import_item(node, "B11", [wages], workers=0)
    node.store.dispose()
    with serve_all(homes) as provinces:
        yield provinces


@pytest.fixture(scope="module")
def home(world: World, served, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of a platform of 45, whose configuration names the served node."""
    made = world.federation.make_home(tmp_path_factory.mktemp("office") / "home", "45", "platform")
    set_config(made, "platform", listen=f"127.0.0.1:{served['45'].platform_port}")
    return made


def test_the_others_are_really_others() -> None:
    base, others = modules_by_base()
    assert {"grpc", "google", "grpc_status", "cryptography", "blake3", "numpy", "pydantic", "click"} <= base
    server = {"sqlalchemy", "alembic", "opendp", "gmpy2", "nacl", "structlog", "tenacity", "rich"}
    assert server | {"shamir_mnemonic", "grpc_health", "grpc_reflection"} <= others
    assert not listed("node") & base_distributions()


def test_a_client_talks_to_its_node(world: World, served, home: Path, tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT, encoding="utf-8")
    done = run(*without_extras(str(script), home, world.data / "45"))
    assert done.returncode == 0, done.stderr
    printed = json.loads(done.stdout)
    report = run_job(served["45"], "with-extras", read_verification(world.data, ("C21", "C23"), most=40))
    expected = {key: (outcome, value) for key, (outcome, value, _) in findings_of(report).items()}
    assert {tuple(key): (outcome, value) for *key, outcome, value in printed["findings"]} == expected
    assert len(expected) == len(printed["findings"]) > 80
    assert sorted(printed["sums"]) == [
        ["B11", "33", "NOT_CONNECTED", None, None],
        ["B11", "44", "RELEASED", 100, sum(range(100, 10_100, 100))],
    ]
    assert printed["states"] == 2
    assert printed["jobs"] == ["base-sum", "base-verification"]
    assert printed["peers"] == ["33", "44"]
    assert printed["items"] == len(served["45"].node.catalogue.items)
    assert printed["refused"] == ["not_found", "job_conflict"]


def test_the_script_of_the_documents(world: World, home: Path) -> None:
    lists = (world.data / "45" / name for name in ("households.csv", "mandates.csv"))
    done = run(*without_extras(str(ROOT / "docs" / "platform-script.py"), home, *lists))
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1].startswith("C22: ")


def test_every_command_works_or_names_the_extra(tmp_path: Path) -> None:
    script = tmp_path / "several.py"
    script.write_text(PROGRAM, encoding="utf-8")
    commands = [(command, "--help") for command in COMMANDS]
    wrong, works = {}, 0
    for command, ended in zip(
        COMMANDS, run_several(commands, start=without_extras(str(script))), strict=True
    ):
        out, err = ended.out.decode(), ended.err.decode()
        if (ended.code, err) == (0, "") and out.startswith("Usage: heqiao"):
            works += 1
        elif (ended.code, out) != (1, "") or not re.fullmatch(MISSING + re.escape(HINT) + "\n", err):
            wrong[command] = ended
    assert wrong == {}
    assert 0 < works < len(COMMANDS)


def test_a_node_is_not_served_without_its_extra() -> None:
    done = run(*without_extras("-", "serve", "--home", "nowhere"))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines()[1] == HINT


def test_a_platform_makes_its_own_home(world: World, tmp_path: Path) -> None:
    """The private key never leaves the machine on which it is used: that needs no node's packages."""
    home = tmp_path / "office"
    done = run(
        *without_extras("-", "init", "--home", home, "--code", "45", "--name", "x", "--role", "platform")
    )
    assert (done.returncode, done.stderr) == (0, "")
    request = load_request(home / "request.json")
    bundle = issue_bundle(world.federation.authority, request, world.federation.salt, 1, datetime.now(UTC))
    (tmp_path / "bundle.json").write_bytes(bundle.to_json())
    named = ("--ca-fingerprint", ca_fingerprint(world.federation.authority.pem))
    done = run(*without_extras("-", "join", "--home", home, tmp_path / "bundle.json", *named))
    assert done.returncode == 0, done.stderr
    with Platform.open(home, "127.0.0.1:1") as platform, pytest.raises(UnreachableError):
        platform.jobs()


def test_a_node_makes_no_home_without_its_extra(tmp_path: Path) -> None:
    home = tmp_path / "node"
    done = run(*without_extras("-", "init", "--home", home, "--code", "45", "--name", "x"))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines()[1:] == [HINT]
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("words", [["--help"], ["--version"]])
def test_heqiao_itself_answers(words: list[str]) -> None:
    done = run(*without_extras("-", *words))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout


def test_a_fault_of_our_own_is_no_missing_extra() -> None:
    """A module of ours that is not there is a bug, and its traceback is wanted."""
    program = "import node.cli, sys; node.cli.COMMANDS['serve'] = 'node.cli.gone'; sys.argv[1:] = ['serve']; "
    done = run("-c", program + "node.cli.main()")
    assert done.returncode == 1
    assert "ModuleNotFoundError: No module named 'node.cli.gone'" in done.stderr
    assert HINT not in done.stderr
