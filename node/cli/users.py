"""`heqiao users`: accounts of the people who use a node (docs/users.md)."""

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from node.cli.node_link import ask_code, ask_password
from node.cli.options import checked, home_option, json_option, load_config, read_config, show
from node.cli.persons import people_of
from node.cli.terminal import print_table
from node.clock import utc_now
from node.domain.confidentiality import RECORD
from node.domain.days import china_day, written_day
from node.domain.units import check_unit
from node.domain.users import NewUser, Role, User, check_account, check_name, ending
from node.errors import InputError
from node.governance import sign_in
from node.governance import users as accounts

_HAND_OVER = "hand it over in person; it is good for a week, and replaced at the first sign-in"


def _read_roles(_context: click.Context, _option: click.Parameter, text: str) -> frozenset[Role]:
    try:
        return frozenset(Role(part.strip()) for part in text.split(",") if part.strip())
    except ValueError:
        raise click.BadParameter(f"roles are {', '.join(Role)}, separated by commas") from None


def _account_options(command: Callable[..., Any]) -> Callable[..., Any]:
    account = click.argument("account", callback=checked(check_account))
    name = click.option(
        "--name",
        prompt="Name of the person",
        callback=checked(check_name),
        help="Name of the person; kept sealed.  [default: asked]",
    )
    unit = click.option(
        "--unit",
        required=True,
        callback=checked(check_unit),
        help="Body code of 12 digits: 450124000000 is a county, 450000000000 a province.",
    )
    return account(name(unit(command)))


@click.group()
def users() -> None:
    """Manage the accounts of the people who use this node.

    A security administrator adds and disables accounts. Roles: preparer, approver, system, security, audit,
    observer; the three administrators exclude one another and see no cases.
    """


@users.command("init")
@home_option
@json_option
@_account_options
def init_users(home: Path, as_json: bool, account: str, name: str, unit: str) -> None:
    """Add the first account, a security administrator.

    Prints its initial password once. Set [users] required in node.toml when everybody has an account.
    """
    now = utc_now()
    new = NewUser(account, name, unit, frozenset({Role.SECURITY}), china_day(now))
    _show_initial(account, accounts.add_first(people_of(load_config(home)), new, now), as_json=as_json)


@users.command("enrol")
@home_option
@click.argument("account")
def enrol(home: Path, account: str) -> None:
    """Make your own new account ready.

    Second factor, password, confidentiality record: you run it with your initial password. The console
    does the same in a browser.
    """
    people = people_of(read_config(home))
    begun = sign_in.begin(people, account, ask_password(None), utc_now())
    if not begun.has_totp:
        secret, uri = sign_in.begin_totp(people, begun.token, utc_now())
        click.echo(f"Enter this key in your authenticator: {secret}\n{uri}")
    done = sign_in.finish(people, begun.token, ask_code(), utc_now())
    if not accounts.is_password_own(people, account):
        old = click.prompt("Initial password", hide_input=True, err=True)
        new = click.prompt("New password", hide_input=True, confirmation_prompt=True, err=True)
        sign_in.change_password(people, done.token, old, new, utc_now())
    click.echo(f"{RECORD['zh']}\n\n{RECORD['en']}")
    click.confirm("I sign this record", abort=True, err=True)
    person = sign_in.read_session(people, done.token, utc_now())
    sign_in.sign_record(people, person, people.settings.record_version, utc_now())
    sign_in.sign_out(people, done.token, utc_now())
    click.echo(f"{account} is ready")


@users.command("add")
@home_option
@json_option
@_account_options
@click.option("--roles", required=True, callback=_read_roles, help="Roles, separated by commas.")
@click.option("--from", "valid_from", type=click.DateTime(["%Y-%m-%d"]), help="First day.  [default: today]")
@click.option("--to", "valid_to", type=click.DateTime(["%Y-%m-%d"]), help="Last day.  [default: no end]")
def add(
    home: Path,
    as_json: bool,
    account: str,
    name: str,
    unit: str,
    roles: frozenset[Role],
    valid_from: datetime | None,
    valid_to: datetime | None,
) -> None:
    """Add an account; prints its initial password once."""
    now = utc_now()
    first = written_day(valid_from) if valid_from else china_day(now)
    last = written_day(valid_to) if valid_to else None
    new = NewUser(account, name, unit, roles, first, last)
    _show_initial(account, accounts.add(people_of(load_config(home)), new, None, now), as_json=as_json)


@users.command("roles")
@home_option
@json_option
@click.argument("account")
@click.argument("roles", callback=_read_roles)
def set_roles(home: Path, as_json: bool, account: str, roles: frozenset[Role]) -> None:
    """Replace the roles of an account; its sessions end."""
    accounts.set_roles(people_of(load_config(home)), account, roles, None, utc_now())
    text = f"{account}: {', '.join(sorted(roles))}"
    show({"account": account, "roles": sorted(roles)}, text, as_json=as_json)


@users.command("disable")
@home_option
@json_option
@click.argument("account")
def disable(home: Path, as_json: bool, account: str) -> None:
    """Disable an account at once: its sessions and streams end."""
    accounts.disable(people_of(load_config(home)), account, None, utc_now())
    show({"disabled": account}, f"{account} is disabled", as_json=as_json)


@users.command("reset")
@home_option
@json_option
@click.argument("account")
def reset(home: Path, as_json: bool, account: str) -> None:
    """Reset the password and second factor of an account.

    It gets a new initial password, shown once, and is unlocked.
    """
    initial = accounts.reset(people_of(load_config(home)), account, None, utc_now())
    _show_initial(account, initial, as_json=as_json)


@users.command("confirm")
@home_option
@json_option
@click.argument("account", nargs=-1, metavar="[ACCOUNTS]")
@click.option("--all", "every", is_flag=True, help="All accounts that are not disabled.")
def confirm(home: Path, as_json: bool, account: tuple[str, ...], every: bool) -> None:
    """Confirm accounts for another year."""
    if bool(account) == every:
        raise InputError("name accounts, or give --all")
    people, now = people_of(load_config(home)), utc_now()
    known = [one.account for one in accounts.list_users(people) if one.disabled_at is None]
    chosen = known if every else account
    accounts.confirm(people, chosen, None, now)
    show({"confirmed": list(chosen)}, f"confirmed: {', '.join(chosen)}", as_json=as_json)


@users.command("list")
@home_option
@json_option
def list_users(home: Path, as_json: bool) -> None:
    """List accounts: unit, roles, validity, state, last sign-in."""
    found, now = accounts.list_users(people_of(load_config(home))), utc_now()
    if as_json:
        show({"users": [_plain(one, now) for one in found]}, "", as_json=True)
        return
    print_table(("account", "name", "unit", "roles", "state", "until", "last sign-in"), _table(found, now))


def _table(found: Sequence[User], now: datetime) -> list[tuple[str, ...]]:
    return [
        (
            one.account,
            one.name,
            one.unit,
            ", ".join(sorted(one.roles)),
            _state(one, now),
            str(one.valid_to or ""),
            str(china_day(one.last_sign_in)) if one.last_sign_in else "never",
        )
        for one in found
    ]


def _plain(one: User, now: datetime) -> dict[str, object]:
    return {
        "account": one.account,
        "name": one.name,
        "unit": one.unit,
        "roles": sorted(one.roles),
        "state": _state(one, now),
        "valid_from": one.valid_from.isoformat(),
        "valid_to": one.valid_to.isoformat() if one.valid_to else None,
        "confirmed_at": one.confirmed_at.isoformat(),
        "last_sign_in": one.last_sign_in.isoformat() if one.last_sign_in else None,
        "second_factor": one.has_totp,
    }


def _state(one: User, now: datetime) -> str:
    return str(ending(one, china_day(now), now) or "active")


def _show_initial(account: str, initial: str, *, as_json: bool) -> None:
    text = f"{account}: initial password {initial}\n{_HAND_OVER}"
    show({"account": account, "initial_password": initial}, text, as_json=as_json)
