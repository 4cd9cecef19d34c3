"""Commands run as root in the home of another account, and as that account, in real processes."""

import hashlib
from concurrent.futures import ThreadPoolExecutor

import click
import pytest

from node.cli import COMMANDS, cli
from tests.support.accounts import OTHER, others_home, owners, run_as  # noqa: F401  a fixture

# Commands that only read the home. They may run under any account that can read its files.
READING = (
    ("health",),
    ("console",),
    ("doctor",),
    ("catalogue", "show"),
    ("catalogue", "check", "FILE"),
    ("catalogue", "diff", "33"),
    ("card",),
    ("keys", "status"),
    ("keys", "verify"),
    ("keys", "policy"),
    ("audit", "list"),
    ("audit", "verify"),
    ("peers", "list"),
    ("peers", "show", "33"),
    ("quotas", "show"),
    ("quotas", "alerts"),
    ("admins", "list"),
    ("approvals", "list"),
    ("users", "list"),
    ("users", "enrol", "li"),
    ("sources", "list"),
    ("sources", "check", "C21"),
    ("sources", "reports"),
    ("drafts", "list"),
    ("drafts", "show", "D"),
    ("drafts", "approve", "D"),
    ("drafts", "return", "D", "--reason", "X"),
    ("drafts", "delete", "D"),
    ("jobs", "list"),
    ("jobs", "show", "JOB"),
    ("jobs", "retry", "JOB", "--peer", "33"),
    ("jobs", "deadlines"),
    ("jobs", "statistics"),
    ("jobs", "watch", "JOB"),
    ("jobs", "cancel", "JOB"),
    ("report", "JOB"),
    ("mandates", "revoke", "1"),
    ("mandates", "add", "FILE"),
    ("mandates", "list"),
    ("mandates", "show", "1"),
    ("mandates", "check", "--household", "1", "--items", "C21", "--peers", "33"),
    ("households", "add", "FILE"),
    ("households", "change", "FILE"),
    ("households", "list"),
    ("households", "show", "1"),
    ("households", "remove", "1", "--confirm"),
    ("subject", "report", "--number-file", "FILE"),
    ("offices", "list"),
    ("watch", "add", "L", "--households", "FILE", "--items", "C21", "--peers", "33"),
    ("watch", "run", "L"),
    ("watch", "list"),
    ("watch", "show", "L"),
    ("watch", "remove", "L"),
    ("watch", "alerts", "list"),
    ("watch", "alerts", "show", "A"),
    ("watch", "alerts", "acknowledge", "A"),
    ("watch", "thresholds", "show"),
    ("objections", "add", "JOB", "--received", "2026-07-01", "--statement", "FILE"),
    ("objections", "list"),
    ("objections", "show", "o-1"),
    ("objections", "recheck", "o-1"),
    ("objections", "close", "o-1", "--result", "changed"),
    ("corrections", "list"),
    ("corrections", "show", "1"),
    ("corrections", "find", "1", "--list", "FILE"),
    ("corrections", "answer", "1", "--upheld", "record_confirmed"),
    ("corrections", "sync"),
    ("corrections", "send", "JOB", "--person", "1/1", "--peer", "33", "--item", "C21", "--fault", "other",
     "--basis", "mandate", "--reference", "1", "--disclose-person"),
    ("verify", "--households", "FILE", "--items", "C21", "--peers", "33", "--out", "HOME/report"),
    ("sum", "--cohort", "FILE", "--items", "D35", "--peers", "33", "--legal-basis", "X", "--out", "HOME/r"),
)  # fmt: skip
WRITING = (
    ("serve",),
    ("migrate",),
    ("import", "--clean"),
    ("import", "C21", "FILE"),
    ("sources", "add", "FILE"),
    ("sources", "import", "C21"),
    ("sources", "remove", "C21"),
    ("join", "FILE"),
    ("keys", "rotate", "oprf"),
    ("keys", "rotate", "paillier"),
    ("keys", "rotate", "signing"),
    ("keys", "rotate", "salt"),
    ("keys", "rotate", "tls"),
    ("keys", "rotate", "--due"),
    ("keys", "retire", "oprf"),
    ("keys", "destroy", "oprf", "1"),
    ("keys", "rewrap", "--new-passphrase-file", "FILE"),
    ("keys", "backup", "--recipient", "FILE", "--out", "OUT"),
    ("peers", "add", "FILE"),
    ("peers", "pause", "45"),
    ("peers", "resume", "45"),
    ("peers", "remove", "33"),
    ("peers", "grant", "33", "44"),
    ("peers", "revocations", "FILE"),
    ("peers", "roots", "FILE"),
    ("quotas", "set", "33", "points.hour", "5"),
    ("quotas", "lift", "33", "sums"),
    ("users", "init", "wu", "--name", "x", "--unit", "450000000000"),
    ("users", "add", "li", "--name", "x", "--unit", "450000000000", "--roles", "audit"),
    ("users", "roles", "li", "audit"),
    ("users", "disable", "li"),
    ("users", "reset", "li"),
    ("users", "confirm", "li"),
    ("admins", "add", "FILE"),
    ("admins", "remove", "name"),
    ("approve", "request", "--as", "OUT"),
    ("approvals", "withdraw", "request", "--as", "OUT"),
    ("offices", "request", "--out", "OUT"),
    ("offices", "accept", "FILE"),
    ("offices", "issue", "FILE", "--out", "OUT"),
    ("offices", "revoke", "0123456789abcdef"),
    ("index", "republish"),
    ("index", "verify"),
    ("retention", "show"),
    ("retention", "run"),
    ("mirror", "sync"),
    ("mirror", "status"),
    ("mirror", "verify"),
    ("mirror", "drop", "33"),
    ("watch", "thresholds", "set", "FILE"),
    ("notices", "list"),
    ("notices", "send"),
)
QUICK = (("serve",), ("import", "--clean"), ("keys", "rotate", "oprf"), ("peers", "remove", "33"))
APART = {
    "init",
    "synth",
    "ca",
    "fingerprint",
    "codes list",
    "codes check",
    "counties",
    "keys recipient",
    "keys restore",
    "keys share",
    "admins key",
    "offices key",
    "offices sign",
    "mandates number",
    "catalogue publish",
}  # they make new folders, or need none


def named_commands():
    """Every command there is, by its words."""

    def walk(group, words):
        for name in group.list_commands(None):
            found = group.get_command(None, name)
            if isinstance(found, click.Group) and name not in ("ca", "rotate"):
                yield from walk(found, (*words, name))
            else:
                yield " ".join((*words, name))

    return set(walk(cli, ()))


def contents(home):
    return {
        path.relative_to(home): hashlib.sha256(path.read_bytes()).digest()
        for path in home.rglob("*")
        if path.is_file() and not path.name.endswith(("-wal", "-shm"))
    }


def test_the_lists_of_this_test_name_every_command():
    listed = {" ".join(words) for words in (*READING, *WRITING)} | APART
    missing = {
        name for name in named_commands() if not any(f"{one} ".startswith(f"{name} ") for one in listed)
    }
    assert COMMANDS
    assert missing == set()


def filled(home, words):
    file = home.parent / "file"
    file.write_text("x\n", encoding="utf-8")
    names = {"FILE": str(file), "OUT": str(home.parent / "out")}
    given = [names.get(word, word.replace("HOME/", f"{home}/")) for word in words]
    at = next(
        (n for n, word in enumerate(given) if word.startswith("--") or word in names.values()), len(given)
    )
    return [*given[:at], "--home", str(home), *given[at:]]


def run_all(home, commands):
    """Each command as root, with how it ended."""
    with ThreadPoolExecutor(2) as pool:
        ended = pool.map(lambda words: run_as("root", *filled(home, words)), commands)
        return list(zip(commands, ended, strict=True))


@pytest.mark.parametrize(
    "commands",
    [
        pytest.param(QUICK, id="some"),
        pytest.param([words for words in WRITING if words not in QUICK], id="others", marks=pytest.mark.long),
    ],
)
def test_root_changes_nothing_in_the_home_of_another_account(others_home, commands):
    _, home = others_home
    before = contents(home)
    for words, done in run_all(home, commands):
        assert (done.returncode, done.stdout) == (1, ""), (words, done)
        assert f"belongs to the account {OTHER}" in done.stderr, (words, done.stderr)
        assert f"sudo -u {OTHER} heqiao" in done.stderr
    assert contents(home) == before
    assert set(owners(home).values()) == {OTHER}


@pytest.mark.long
def test_what_root_reads_changes_nothing_in_the_home_of_another_account(others_home):
    _, home = others_home
    before = contents(home)
    for words, done in run_all(home, READING):
        assert "Traceback" not in done.stderr, (words, done.stderr)
    assert contents(home) == before
    assert set(owners(home).values()) == {OTHER}


@pytest.mark.parametrize("missing", [False, True])
def test_root_makes_no_database_for_another_account(others_home, missing):
    _, home = others_home
    if missing:
        (home / "heqiao.db").unlink()
    else:
        (home / "heqiao.db").write_bytes(b"")
    done = run_as("root", "audit", "list", "--home", home)
    assert (done.returncode, f"belongs to the account {OTHER}" in done.stderr) == (1, True), done.stderr
    assert set(owners(home).values()) == {OTHER}


def test_the_account_of_the_home_does_all_of_it_and_owns_what_it_makes(others_home):
    _, home = others_home
    for words in (("migrate",), ("keys", "rotate", "oprf"), ("import", "--clean"), ("audit", "verify")):
        done = run_as(OTHER, *filled(home, words))
        assert done.returncode == 0, (words, done.stderr)
    assert (home / "keys/oprf.2.key").exists()
    assert set(owners(home).values()) == {OTHER}


def test_an_account_that_may_not_enter_is_told_so(others_home):
    _, home = others_home
    for words in (("audit", "list"), ("keys", "rotate", "oprf"), ("health",)):
        done = run_as("daemon", *filled(home, words))
        assert done.returncode == 1
        assert "Traceback" not in done.stderr
        assert "heqiao: hint:" in done.stderr
