"""`heqiao keys recipient`, `backup`, `share` and `restore`: the keys of a home in a file."""

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
    open_share,
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
from node.governance.backups import (
    ACTION,
    FILES,
    asked,
    collect_files,
    name_held,
    read_holders,
    record,
    share_text,
    split_of,
    write_shares,
)

KEYS: Final = "keys"
CARD: Final = "recipient.json"
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
    --split together; neither the node's passphrase nor its token is needed. With neither, the shares are
    sealed to the holders that node.toml names in [backups], and each opens theirs with `heqiao keys share`.
    The database is not included: back it up separately. Note the fingerprint, and give it to `heqiao keys
    restore`. Under dual control it needs a second administrator, who sees that the shares go to different
    people, and takes no --recipient.

    \b
    heqiao keys backup --home 45 --out 45.backup --recipient officer.json
    heqiao keys backup --home 45 --out 45.backup --split 2/3 --shares-dir shares
    """  # noqa: D301 - click wants the real \b character
    config, now = load_config(home), utc_now()
    _check_ways(config, recipients, split, shares_dir)
    holders = () if recipients or split else read_holders(config)
    split = split_of(config, holders) if holders else split
    guard(config, admin, ACTION, asked(split or (0, 0), holders))
    known = [Recipient.load(path) for path in recipients]
    node, store = config.node, open_key_store(config)
    files, held = collect_files(config, _file_of(home)), name_held(store, now)
    made, shares = make_backup(
        store, files, node.role, node.code, now, recipients=known, split=split, holders=holders
    )
    folder = contextlib.nullcontext() if shares_dir is None else new_folder(shares_dir)
    with disk_errors("name a file in a folder that exists and that you may write to"), folder as partial:
        if partial is not None:
            write_shares(partial, shares, made)
        write_new(out, made.to_json())  # before the shares' folder gets its name: no shares without it
    record(config, made, held, now)
    lines = [
        f"{out}: {count(len(store.names()), 'key')} of {node.role} {node.code}",
        f"Its fingerprint, to be noted for the restore: {made.fingerprint()}",
        *(f"opens for {one.name}, key {one.fingerprint()}" for one in known),
    ]
    if split is not None:
        lines += _describe_shares(split, shares_dir, holders)
    result = {
        "backup": str(out),
        "fingerprint": made.fingerprint(),
        "keys": store.names(),
        "recipients": [one.name for one in known],
        "holders": [one.name for one in holders],
        "shares": [str(path) for path in sorted(shares_dir.iterdir())] if shares_dir else [],
    }
    show(result, "\n".join(lines), as_json=as_json)


def _check_ways(
    config: Config, recipients: Sequence[Path], split: tuple[int, int] | None, shares_dir: Path | None
) -> None:
    """Refuse a backup that nobody could open, or that one person could under dual control."""
    context = click.get_current_context()
    if (split is None) != (shares_dir is None):
        raise click.UsageError("--split and --shares-dir go together", context)
    if not recipients and split is None and not config.backups.holders:
        raise click.UsageError(
            "give --recipient or --split, or name holders in node.toml: nobody could open the backup", context
        )
    if config.approvals.required and recipients:
        raise InputError(
            "under dual control a backup needs shares, and has no recipient: nobody restores it alone",
            "give --split and --shares-dir, and no --recipient",
        )


def _file_of(home: Path) -> Path:
    return Home.find(config=home).config if home.is_file() else Home.find(home).config


def _describe_shares(
    split: tuple[int, int], shares_dir: Path | None, holders: Sequence[Recipient]
) -> list[str]:
    if shares_dir is not None:
        return [f"opens for {split[0]} of the {split[1]} shares in {shares_dir}: hand them out now, one each"]
    named = [f"holds a share: {one.name}, key {one.fingerprint()}" for one in holders]
    return [f"opens for {split[0]} of {split[1]} holders, each by `heqiao keys share`", *named]


def _parse_split(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    needed, slash, made = text.partition("/")
    if not (slash and needed.isdecimal() and made.isdecimal() and 2 <= int(needed) <= int(made) <= 16):
        raise click.BadParameter("write K/N with 2 <= K <= N <= 16, as in 2/3")
    return int(needed), int(made)


@click.command()
@click.argument("backup", type=file_type)
@click.option(
    "--recipient-dir", type=folder_type, required=True, help="Your folder, of `heqiao keys recipient`."
)
@click.option("--recipient-passphrase-file", type=file_type,
              help="File with that folder's passphrase.  [default: the one in it]")  # fmt: skip
@click.option("--out", type=file_type, required=True, help="File to write; it must not exist.")
@json_option
def share(
    backup: Path, recipient_dir: Path, recipient_passphrase_file: Path | None, out: Path, *, as_json: bool
) -> None:
    """Open the share of a backup that is sealed to you.

    Run it on your own machine, with the folder that `heqiao keys recipient` made, when a home is to be
    restored; take the file to `heqiao keys restore --share`, and delete it afterwards.

    \b
    heqiao keys share 45.backup --recipient-dir officer --out share.txt
    """  # noqa: D301 - click wants the real \b character
    found = _load(backup)
    number, words = open_share(found, _open_folder(recipient_dir, recipient_passphrase_file))
    with disk_errors("name a file in a folder that exists and that you may write to"):
        write_new(out, share_text(words, number, found).encode())
    text = f"{out}: a share of the backup of {found.role} {found.code}, {found.shares_needed} are needed"
    show({"share": str(out), "needed": found.shares_needed, "fingerprint": found.fingerprint()}, text,
         as_json=as_json)  # fmt: skip


def _load(path: Path) -> Backup:
    with disk_errors("give the backup file"):
        return load_backup(path.read_bytes()[: 4 * MAX_BYTES], str(path))


def _open_folder(folder: Path, passphrase_file: Path | None) -> KeyStore:
    return KeyStore.open(folder / KEYS, read_passphrase(passphrase_file or folder / PASSPHRASE))


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
    found = _load(backup)
    if expected_fingerprint is not None:
        compare(f"the backup of {found.role} {found.code}", found.fingerprint(), expected_fingerprint)
    if recipient_dir is not None:
        contents = open_for(found, _open_folder(recipient_dir, recipient_passphrase_file))
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
    for name in FILES:  # no other name in a backup becomes a path
        if name in files:
            write_new(folder / name, files[name], PUBLIC)
