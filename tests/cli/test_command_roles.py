"""Every command of the table of rights, where people are required: it asks who, and refuses another role."""

import io
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import click
import pyotp
import pytest

from node.cli import cli
from node.clock import utc_now
from node.database import users as rows
from node.domain.rights import COMMANDS
from node.domain.users import NewUser, Role
from node.governance import sign_in, users
from node.services.rights import people_of
from tests.support.cli_runner import heqiao
from tests.support.cluster import open_home, silence_log
from tests.support.federation import Federation, set_config

PASSWORD, PROVINCE = "correct horse battery", "450000000000"
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
ROLES = {"wu": Role.SECURITY, "sun": Role.SYSTEM, "book": Role.AUDIT, "prep": Role.PREPARER}


# What some commands want besides, before they ask.
MORE = {
    "import": ["C21", "FILE"],
    "keys backup": ["--split", "2/3", "--shares-dir", "FOLDER"],
    "keys rewrap": ["--new-passphrase-file", "FILE"],
    "users add": ["--name", "x"],
    "users confirm": ["--all"],
}
BY_NAME = {"unit": PROVINCE, "items": "C21", "item": "C21", "code": "44", "grants": "45", "amount": "1",
           "account": "someone", "roles": "audit"}  # fmt: skip
BY_A_KEY = {"approve", "approvals withdraw"}  # it asks an administrator for the key that signs, which is more


def command_of(words: str) -> tuple[str, click.Command]:
    """A command of the table; of a group its first command."""
    found: click.Command = cli
    for word in words.split():
        found = found.get_command(None, word)
    while isinstance(found, click.Group):
        word = found.list_commands(None)[0]
        words, found = f"{words} {word}", found.get_command(None, word)
    return words, found


def arguments(command: click.Command, file: Path) -> list[str]:
    """Something for all that a command must be given."""
    found: list[str] = []
    for one in command.params:
        if not one.required or one.name == "home":
            continue
        value = value_of(one, file)
        found += [value] if isinstance(one, click.Argument) else [one.opts[0], value]
    return found


def value_of(one: click.Parameter, file: Path) -> str:
    if isinstance(one.type, click.Choice):
        return str(one.type.choices[0])
    if isinstance(one.type, click.Path):
        return str(file.parent / "folder") if not one.type.file_okay else str(file)
    if isinstance(one.type, click.types.IntParamType | click.types.FloatParamType):
        return str(getattr(one.type, "min", None) or 1)
    return BY_NAME.get(str(one.name), "x")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("commands")
    silence_log(folder)
    home = Federation.create().make_home(folder / "45", "45")
    node, now = open_home(home), utc_now()
    people = people_of(node)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pyotp, "random_base32", lambda: SECRET)
        for account, role in ROLES.items():
            first = now.date() - timedelta(days=1)
            initial = users.add(
                people, NewUser(account, "吴敏", PROVINCE, frozenset({role}), first), None, now
            )
            ready(people, account, initial)
    set_config(home, "users", required=True)
    yield home
    node.store.dispose()


def ready(people: object, account: str, initial: str) -> None:
    now = utc_now()
    begun = sign_in.begin(people, account, initial, now)
    secret, _ = sign_in.begin_totp(people, begun.token, now)
    done = sign_in.finish(people, begun.token, pyotp.TOTP(secret).at(now), now)
    sign_in.change_password(people, done.token, initial, PASSWORD, now)
    person = sign_in.read_session(people, done.token, now)
    sign_in.sign_record(people, person, people.settings.record_version, now)


@pytest.fixture(scope="module")
def password(home: Path) -> Path:
    file = home.parent / "password"
    file.write_text(PASSWORD, encoding="utf-8")
    file.chmod(0o600)
    (home.parent / "folder").mkdir()
    return file


@pytest.mark.parametrize("words", sorted(COMMANDS.keys() - BY_A_KEY))
def test_every_command_asks_who(
    home: Path, password: Path, monkeypatch: pytest.MonkeyPatch, words: str
) -> None:
    full, command = command_of(words)
    places = {"FILE": str(password), "FOLDER": str(password.parent / "folder")}
    more = [places.get(one, one) for one in MORE.get(words, [])]
    given = (*full.split(), *arguments(command, password), *more, "--home", home)
    code, _, err = heqiao(*given)
    assert (code, "wants to know who runs the command" in err) == (1, True), err
    other = next(account for account, role in ROLES.items() if role not in COMMANDS[words])
    node = open_home(home)
    with node.store.transaction("fresh codes", write=True) as tx:
        rows.change_user(tx, other, {"totp_step": 0})
    node.store.dispose()
    monkeypatch.setattr(sys, "stdin", io.StringIO(pyotp.TOTP(SECRET).at(utc_now()) + "\n"))
    code, _, err = heqiao("--as", other, "--password-file", password, *given)
    assert (code, "your roles do not permit this" in err) == (1, True), err
