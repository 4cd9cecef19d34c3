"""`heqiao keys recipient`, `backup` and `restore`: the keys of a home in a file."""

import contextlib
import os
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import click

from keys import KeyStore, read_passphrase
from keys.pki.names import check_name
from keys.store.atomic_files import MAX_BYTES, PUBLIC, read_private, write_new
from keys.store.backup import (
    Backup,
    Contents,
    Recipient,
    load_backup,
    make_backup,
    open_for,
    open_with_shares,
)
from keys.store.key_pairs import enrol_key
from keys.store.kinds import generate_secret
from node.cli.approvals import guard
from node.cli.fingerprint_check import compare
from node.cli.folders import KEEP_APART, prepare_passphrase
from node.cli.options import admin_option, checked, count, home_option, json_option, load_config, show
from node.clock import utc_now
from node.config import FILE, PASSPHRASE, Config, Home, open_key_store
from node.errors import InputError, PreconditionError
from node.files import disk_errors, new_folder
from node.governance import audit

KEYS: Final = "keys"
CARD: Final = "recipient.json"
CERTIFICATE: Final = "tls/node.pem"
CA: Final = "tls/ca.pem"
REVOKED: Final = "tls/revoked.pem"
_FILES: Final = (FILE, CERTIFICATE, CA, REVOKED)
file_type = click.Path(path_type=Path, dir_okay=False)
folder_type = click.Path(path_type=Path, file_okay=False)


@click.command()
@click.option("--dir", "folder", type=folder_type, required=True, help="Folder to make; it must not exist.")
@click.option("--name", required=True, callback=checked(check_name), help="Name of the person or office.")
@click.option("--passphrase-file", type=file_type,
              help="File with its passphrase; without it a random one is made.")  # fmt: skip
@json_option
def recipient(folder: Path, name: str, passphrase_file: Path | None, *, as_json: bool) -> None:
    """Make a key that can open backups, in a folder.

    Run it on the machine of the person who is to be able to restore, and give recipient.json to the
    administrator of the node, for `heqiao keys backup --recipient`. Compare the fingerprint by telephone:
    anyone who can replace that file can read the backup.
    """
    with new_folder(folder) as partial:
        store = KeyStore.create(partial / KEYS, prepare_passphrase(partial, passphrase_file))
        store.add("enrol.1", generate_secret("enrol"))
        made = Recipient(name=name, key=enrol_key(store).public_key().public_bytes_raw())
        write_new(partial / CARD, made.to_json(), PUBLIC)
    lines = [f"Recipient {name}: {folder / CARD}", f"Its fingerprint: {made.fingerprint()}"]
    if passphrase_file is None:
        lines.append(KEEP_APART.format(path=folder / PASSPHRASE, how="name it with --passphrase-file"))
    result = {"dir": str(folder), "recipient": str(folder / CARD), "fingerprint": made.fingerprint()}
    show(result, "\n".join(lines), as_json=as_json)


@click.command()
@home_option
@json_option
@click.option("--out", type=file_type, required=True, help="File to write; it must not exist.")
@click.option("--recipient", "recipients", type=file_type, multiple=True,
              help="The recipient.json of a person who may restore alone; may be repeated.")  # fmt: skip
@click.option("--split", metavar="K/N", callback=lambda _ctx, _param, text: _parse_split(text),
              help="Also let any K of N people restore, such as 2/3; needs --shares-dir.")  # fmt: skip
@click.option("--shares-dir", type=folder_type,
              help="Folder to make for the N shares, one file each; hand them out at once.")  # fmt: skip
@admin_option
def backup(
    home: Path,
    as_json: bool,
    out: Path,
    recipients: tuple[Path, ...],
    split: tuple[int, int] | None,
    shares_dir: Path | None,
    admin: Path | None,
) -> None:
    """Back up the keys, node.toml and certificates, encrypted.

    The revocation list is included. Each --recipient can open the backup alone, and any K of the N people of
    --split together; neither the node's passphrase nor its token is needed. The database is not included:
    back it up separately. Note the fingerprint, and give it to `heqiao keys restore`. Under dual control it
    needs a second administrator, who sees that the shares go to different people, and takes no --recipient.

    \b
    heqiao keys backup --home 45 --out 45.backup --recipient officer.json
    heqiao keys backup --home 45 --out 45.backup --split 2/3 --shares-dir shares
    """  # noqa: D301 - click wants the real \b character
    context = click.get_current_context()
    if not recipients and split is None:
        raise click.UsageError("give --recipient or --split, or nobody could open the backup", context)
    if (split is None) != (shares_dir is None):
        raise click.UsageError("--split and --shares-dir go together", context)
    config, now = load_config(home), utc_now()
    if config.approvals.required and (split is None or recipients):
        raise InputError(
            "under dual control a backup needs shares, and has no recipient: nobody restores it alone",
            "give --split and --shares-dir, and no --recipient",
        )
    guard(config, admin, "keys backup", {"shares": "{}/{}".format(*(split or (0, 0)))})
    known = [Recipient.load(path) for path in recipients]
    node, store = config.node, open_key_store(config)
    files = _collect(home, config)
    made, shares = make_backup(store, files, node.role, node.code, now, recipients=known, split=split)
    folder = contextlib.nullcontext() if shares_dir is None else new_folder(shares_dir)
    with disk_errors("name a file in a folder that exists and that you may write to"), folder as partial:
        if partial is not None:
            _write_shares(partial, shares, made)
        write_new(out, made.to_json())  # before the shares' folder gets its name: no shares without it
    _record(config, made)
    lines = [
        f"{out}: {count(len(store.names()), 'key')} of {node.role} {node.code}",
        f"Its fingerprint, to be noted for the restore: {made.fingerprint()}",
        *(f"opens for {one.name}, key {one.fingerprint()}" for one in known),
    ]
    if shares_dir is not None and split is not None:
        lines.append(
            f"opens for {split[0]} of the {split[1]} shares in {shares_dir}: hand them out now, one each"
        )
    result = {
        "backup": str(out),
        "fingerprint": made.fingerprint(),
        "keys": store.names(),
        "recipients": [one.name for one in known],
        "shares": [str(path) for path in sorted(shares_dir.iterdir())] if shares_dir else [],
    }
    show(result, "\n".join(lines), as_json=as_json)


def _parse_split(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    needed, slash, made = text.partition("/")
    if not (slash and needed.isdecimal() and made.isdecimal() and 2 <= int(needed) <= int(made) <= 16):
        raise click.BadParameter("write K/N with 2 <= K <= N <= 16, as in 2/3")
    return int(needed), int(made)


def _collect(home: Path, config: Config) -> dict[str, bytes]:
    path = Home.find(config=home).config if home.is_file() else Home.find(home).config
    tls = config.tls
    found = {FILE: path, CERTIFICATE: tls.certificate, CA: tls.ca, REVOKED: tls.revocations}
    with disk_errors("run as the account that owns the home"):
        return {name: path.read_bytes() for name, path in found.items() if path.exists()}


def _write_shares(folder: Path, shares: Sequence[str], made: Backup) -> None:
    for number, words in enumerate(shares, 1):
        head = f"# Share {number} of {made.shares_made}, {made.shares_needed} are needed: backup of "
        text = f"{head}{made.role} {made.code}, {made.made_at}\n{words}\n"
        write_new(folder / f"share-{number:02}.txt", text.encode())


def _record(config: Config, made: Backup) -> None:
    details: dict[str, str | int | list[str]] = {
        "fingerprint": made.fingerprint(),
        "recipients": len(made.recipients),
        "shares": f"{made.shares_needed}/{made.shares_made}",
    }
    audit.record(config, "key_store_backed_up", details)


@click.command()
@click.argument("backup", type=file_type)
@click.option("--home", type=folder_type, required=True, help="Folder to make; it must not exist.")
@click.option("--recipient-dir", type=folder_type, help="Folder of a recipient that the backup is sealed to.")
@click.option("--recipient-passphrase-file", type=file_type,
              help="File with that folder's passphrase.  [default: the one in it]")  # fmt: skip
@click.option("--share", "shares", type=file_type, multiple=True,
              help="File with a share; repeat it for each share that is needed.")  # fmt: skip
@click.option(
    "--fingerprint",
    "expected_fingerprint",
    help="Fingerprint noted when the backup was made; others are refused.",
)
@click.option("--passphrase-file", type=file_type,
              help="File with the new passphrase; without it a random one is made.")  # fmt: skip
@json_option
def restore(
    backup: Path,
    home: Path,
    recipient_dir: Path | None,
    recipient_passphrase_file: Path | None,
    shares: tuple[Path, ...],
    expected_fingerprint: str | None,
    passphrase_file: Path | None,
    *,
    as_json: bool,
) -> None:
    """Make a new home from a backup of its keys.

    Nothing is overwritten: the home must not exist, and appears only when all of it is written. Then copy
    the backup of the database into it, and run `heqiao keys verify` and `heqiao doctor`.

    \b
    heqiao keys restore 45.backup --home 45 --recipient-dir officer
    heqiao keys restore 45.backup --home 45 --share share-01.txt --share share-03.txt
    """  # noqa: D301 - click wants the real \b character
    if (recipient_dir is None) == (not shares):
        raise click.UsageError("give --recipient-dir or --share", click.get_current_context())
    with disk_errors("give the backup file"):
        found = load_backup(backup.read_bytes()[: 4 * MAX_BYTES], str(backup))
    if expected_fingerprint is not None:
        compare(f"the backup of {found.role} {found.code}", found.fingerprint(), expected_fingerprint)
    if recipient_dir is not None:
        file = recipient_passphrase_file or recipient_dir / PASSPHRASE
        contents = open_for(found, KeyStore.open(recipient_dir / KEYS, read_passphrase(file)))
    else:
        contents = open_with_shares(found, [_read_share(path) for path in shares])
    if not shares:
        _require_one_is_enough(contents)
    with new_folder(home) as partial:
        store = KeyStore.create(partial / KEYS, prepare_passphrase(partial, passphrase_file))
        _write_contents(partial, store, contents)
    result = {
        "home": str(home),
        "role": found.role,
        "code": found.code,
        "made_at": found.made_at,
        "fingerprint": found.fingerprint(),
        "keys": sorted(contents.secrets),
    }
    lines = [
        f"{home}: {count(len(contents.secrets), 'key')} of {found.role} {found.code}, as of {found.made_at}",
        f"Fingerprint of the backup: {found.fingerprint()}",
        f"Key store in {home / KEYS}, passphrase in {passphrase_file or home / PASSPHRASE}: check [keys] "
        "in node.toml",
        "Next: the backup of the database, `heqiao keys verify`, `heqiao doctor`",
    ]
    show(result, "\n".join(lines), as_json=as_json)


def _require_one_is_enough(contents: Contents) -> None:
    """Under dual control several holders of shares restore, who are two people at least."""
    if FILE not in contents.files:
        return
    # Only the one section: a setting of a later release must not prevent a restore.
    section = tomllib.loads(contents.files[FILE].decode("utf-8-sig")).get("approvals", {})
    if isinstance(section, dict) and section.get("required", False):
        raise PreconditionError(
            "the home of this backup is under dual control: nobody restores it alone",
            "restore with --share, by as many holders of shares as it needs",
        )


def _read_share(path: Path) -> str:
    try:
        content = read_private(path, 65_536).decode("utf-8-sig")
    except (FileNotFoundError, UnicodeDecodeError):
        raise InputError(f"{path}: not a share", "give the file with the words of a share") from None
    return " ".join(line for line in content.splitlines() if not line.startswith("#"))


def _write_contents(folder: Path, store: KeyStore, contents: Contents) -> None:
    for name, secret in contents.secrets.items():
        store.add(name, secret)
        os.utime(store.path_of(name), (contents.made_at[name],) * 2)  # the age of a key is that of its file
    (folder / "tls").mkdir(mode=0o755)
    _write_files(folder, contents.files)


def _write_files(folder: Path, files: Mapping[str, bytes]) -> None:
    for name in _FILES:  # no other name in a backup becomes a path
        if name in files:
            write_new(folder / name, files[name], PUBLIC)
