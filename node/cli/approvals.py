"""`heqiao admins`, `approve` and `approvals`; and what guards the commands that need a second person."""

import json
from collections.abc import Mapping
from pathlib import Path

import click

from keys import KeyStore
from keys.pki.administrators import load_card, make_card
from keys.pki.names import check_name
from keys.store.atomic_files import PUBLIC, read_passphrase, write_new
from keys.store.kinds import generate_secret
from node.acting import acting_person
from node.cli.folders import KEEP_APART, prepare_passphrase
from node.cli.options import (
    admin_option,
    checked,
    home_option,
    json_option,
    load_config,
    read_config,
    show,
)
from node.cli.terminal import print_table
from node.config import PASSPHRASE, Config
from node.domain.audit_chain import Detail
from node.domain.days import china_day
from node.errors import InputError, PreconditionError
from node.files import new_folder
from node.governance import administrators, approvals
from node.governance.administrators import NEEDED
from node.governance.approvals import ApprovalRequest

KEYS = "keys"
CARD = "admin.json"
file_type = click.Path(path_type=Path, dir_okay=False)


def guard(config: Config, admin: Path | None, action: str, details: Mapping[str, Detail]) -> None:
    """Where node.toml requires it, go on only with the approval of another administrator, for exactly this.

    Raises InputError without `--as`, and what approvals.require does.
    """
    if not config.approvals.required:
        return
    if admin is None:
        raise InputError("this home is under dual control", "name your administrator's folder with `--as`")
    approvals.require_of(config, ApprovalRequest(action, details), _open_admin(admin))


def _open_admin(folder: Path) -> KeyStore:
    return KeyStore.open(folder / KEYS, read_passphrase(folder / PASSPHRASE))


@click.group()
def admins() -> None:
    """Manage the administrators of a home.

    With [approvals] required in node.toml (dual control), what one administrator asks for, another one has
    to approve. Each has a key in a private folder, under a personal account and passphrase.
    """


@admins.command("key")
@click.option("--dir", "folder", type=click.Path(path_type=Path), required=True, help="Folder to make.")
@click.option("--name", required=True, callback=checked(check_name), help="Name that the audit shows.")
@click.option("--passphrase-file", type=file_type,
              help="File with its passphrase; without it a random one is made.")  # fmt: skip
@json_option
def make_key(folder: Path, name: str, passphrase_file: Path | None, *, as_json: bool) -> None:
    """Make an administrator's key.

    Run it under that person's own account. admin.json in the folder is public: enrol it in the homes with
    `heqiao admins add`.
    """
    with new_folder(folder) as partial:
        given = read_passphrase(passphrase_file) if passphrase_file else None
        if given is not None:
            write_new(partial / PASSPHRASE, given + b"\n")
        store = KeyStore.create(partial / KEYS, prepare_passphrase(partial, None) if given is None else given)
        store.add("signing.1", generate_secret("signing"))
        card = make_card(store, name)
        write_new(partial / CARD, card.to_json(), PUBLIC)
    lines = [f"{folder / CARD}: {name}, fingerprint {card.fingerprint()}"]
    if passphrase_file is None:
        lines.append(KEEP_APART.format(path=folder / PASSPHRASE, how="put it back to approve"))
    show({"admin": str(folder / CARD), "name": name, "fingerprint": card.fingerprint()}, "\n".join(lines),
         as_json=as_json)  # fmt: skip


@admins.command("add")
@home_option
@json_option
@click.argument("card", type=file_type)
@admin_option
def add(home: Path, as_json: bool, card: Path, admin: Path | None) -> None:
    """Enrol an administrator by admin.json.

    The first two need no approval: enrol both, with both people present, before [approvals] required is set.
    Later ones need an approval.
    """
    config, found = load_config(home), load_card(card)
    if administrators.has_enough(config):
        guard(config, admin, "admins add", {"name": found.name, "fingerprint": found.fingerprint()})
    administrators.enrol(config, found)
    text = f"administrator {found.name}, fingerprint {found.fingerprint()}"
    show({"name": found.name, "fingerprint": found.fingerprint()}, text, as_json=as_json)


@admins.command("remove")
@home_option
@json_option
@click.argument("name")
@admin_option
def remove(home: Path, as_json: bool, name: str, admin: Path | None) -> None:
    """Remove an administrator.

    What they requested or approved is no longer valid.
    """
    config = load_config(home)
    if config.approvals.required and len(administrators.list_administrators(config)) <= NEEDED:
        raise PreconditionError("dual control needs two administrators", "enrol another one first")
    guard(config, admin, "admins remove", {"name": name})
    administrators.remove(config, name)
    show({"removed": name}, f"{name} is no longer an administrator", as_json=as_json)


@admins.command("list")
@home_option
@json_option
def list_admins(home: Path, as_json: bool) -> None:
    """List the administrators of a home."""
    known = administrators.list_administrators(read_config(home))
    plain = [{"name": one.name, "added_at": one.added_at.isoformat()} for one in known]
    text = "\n".join(f"{one.name}, since {china_day(one.added_at)}" for one in known)
    show({"admins": plain}, text or "none", as_json=as_json)


@click.command()
@home_option
@json_option
@click.argument("request")
@admin_option
def approve(home: Path, as_json: bool, request: str, admin: Path | None) -> None:
    """Approve the request of another administrator.

    REQUEST is the id that the first command printed; `heqiao approvals list` shows what was requested. The
    approval is valid once, for exactly that request, until it expires.
    """
    if admin is None:
        raise InputError("no administrator is named", "name your administrator's folder with `--as`")
    row = approvals.approve_in(load_config(home), request, _open_admin(admin))
    plain = {"approved": row.id, "action": row.action, "details": json.loads(row.details),
             "requester": row.requester}  # fmt: skip
    show(plain, f"approved: {row.action} {row.details}, asked by {row.requester}", as_json=as_json)


@click.group("approvals")
def approvals_() -> None:
    """List and withdraw requests for a second administrator."""


@approvals_.command("withdraw")
@home_option
@json_option
@click.argument("request")
@admin_option
def withdraw(home: Path, as_json: bool, request: str, admin: Path | None) -> None:
    """Withdraw a request that you made and that is not used.

    Yours is what your key signed, and what was made in the name of your account, here or in the console. An
    approval of it is gone too; the audit chain keeps both.
    """
    if admin is None:
        raise InputError("no administrator is named", "name your administrator's folder with `--as`")
    config = load_config(home)
    account = acting_person().get("user", "")  # who has shown who they are, where [users] are required
    approvals.withdraw_in(config, request, _open_admin(admin), account)
    show({"withdrawn": request}, f"request {request} is withdrawn", as_json=as_json)


@approvals_.command("list")
@home_option
@json_option
@click.option("--all", "every", is_flag=True, help="Also show requests that were used or have expired.")
def list_approvals(home: Path, as_json: bool, every: bool) -> None:
    """List requests: what, by whom, approved by whom, until when."""
    found = approvals.list_states(read_config(home))
    shown = [(row, state) for row, state in found if every or state in ("waiting", "approved")]
    if as_json:
        plain = [
            {
                "id": row.id,
                "state": state,
                "action": row.action,
                "details": json.loads(row.details),
                "requester": row.requester,
                "approver": row.approver,
                "expires_at": row.expires_at,
            }
            for row, state in shown
        ]
        show({"approvals": plain}, "", as_json=True)
        return
    print_table(
        ("id", "state", "what", "asked by", "approved by", "until"),
        (
            (row.id, state, f"{row.action} {row.details}", row.requester, row.approver or "", row.expires_at)
            for row, state in shown
        ),
    )
