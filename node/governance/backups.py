"""Backups of the key store: made, written, on record; and which keys none of them holds.

A command writes shares into a folder of its own. A running node never does: it seals each share to the holder
that node.toml names (docs/adr/0045).
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from keys import KeyStore
from keys.store.atomic_files import write_new
from keys.store.backup import Backup, Recipient, make_backup
from keys.store.inventory import KeyFacts, inspect
from node.config import FILE, Config
from node.database import Connection, Store, audit_log, audit_pages
from node.domain.audit_chain import AuditEvent, Detail
from node.domain.days import china_day
from node.errors import PreconditionError
from node.files import disk_errors
from node.governance.stores import opened

EVENT: Final = "key_store_backed_up"
ACTION: Final = "keys backup"
CERTIFICATE: Final = "tls/node.pem"
CA: Final = "tls/ca.pem"
REVOKED: Final = "tls/revoked.pem"
FILES: Final = (FILE, CERTIFICATE, CA, REVOKED)
MOST_KEPT: Final = 50  # files in the folder of a node: who asks again and again does not fill its disk
_USED: Final = "approval_used"
_MOST_EVENTS: Final = 10_000


@dataclass(frozen=True, slots=True)
class BackupRecord:
    """A backup on record. `recipients` can each open it alone; `needed` of `made` shares open it together,
    which `holders` have where each was sealed to one; `keys` are the keys in it, with their fingerprints;
    `file` is set where the node wrote it; `who` asked for it and `approver` approved, as far as known.
    """

    at: datetime
    fingerprint: str
    recipients: int
    needed: int
    made: int
    holders: tuple[str, ...]
    keys: frozenset[str]
    file: str
    who: str
    approver: str


def collect_files(config: Config, file: Path) -> dict[str, bytes]:
    """What of a home goes into a backup beside the keys; `file` is its node.toml. Raises InputError."""
    tls = config.tls
    found = {FILE: file, CERTIFICATE: tls.certificate, CA: tls.ca, REVOKED: tls.revocations}
    with disk_errors("run as the account that owns the home"):
        return {name: path.read_bytes() for name, path in found.items() if path.exists()}


def write_shares(folder: Path, shares: Sequence[str], made: Backup) -> None:
    """A file for each share."""
    for number, words in enumerate(shares, 1):
        write_new(folder / f"share-{number:02}.txt", share_text(words, number, made).encode())


def share_text(words: str, number: int, made: Backup) -> str:
    """A share as it is kept: the line of words under one that says of which backup it is."""
    head = f"# Share {number} of {made.shares_made}, {made.shares_needed} are needed: backup of "
    return f"{head}{made.role} {made.code}, {made.made_at}\n{words}\n"


def name_held(keys: KeyStore, now: datetime) -> list[str]:
    """The keys of a store with their fingerprints: asked before a backup, so that it holds all of them."""
    return sorted(map(_name, inspect(keys, now)))


def record(
    config: Config,
    made: Backup,
    held: list[str],
    now: datetime,
    store: Store | None = None,
    file: str = "",
) -> None:
    """Put a backup on record, with the keys that are in it (`name_held`)."""
    details: dict[str, Detail] = {
        "fingerprint": made.fingerprint(),
        "recipients": len(made.recipients),
        "shares": f"{made.shares_needed}/{made.shares_made}",
        "holders": [one.name for one in made.holders],
        "keys": held,
    }
    if file:
        details["file"] = file

    def write(tx: Connection) -> None:
        audit_log.append(tx, EVENT, details, now)

    opened(config, store).retry_write("audit a backup", write)


def read_holders(config: Config) -> tuple[Recipient, ...]:
    """The holders of shares that node.toml names. Raises EnrolmentError for what is no recipient.json."""
    return tuple(Recipient.load(path) for path in config.backups.holders)


def asked(split: tuple[int, int], holders: Iterable[Recipient]) -> dict[str, Detail]:
    """What a second administrator approves."""
    details: dict[str, Detail] = {"shares": "{}/{}".format(*split)}
    named: list[str] = [f"{one.name} {one.fingerprint()}" for one in holders]
    return {**details, "holders": named} if named else details


def split_of(config: Config, holders: Sequence[Recipient]) -> tuple[int, int]:
    """Shares that are needed and made, where each has a holder. Raises PreconditionError without holders."""
    if not holders:
        raise PreconditionError(
            "node.toml names no holders of shares",
            "set [backups] holders, or run `heqiao keys backup --split` at the node",
            {"rule": "backup_holders"},
        )
    return config.backups.needed, len(holders)


def write_backup(
    config: Config,
    keys: KeyStore,
    holders: Sequence[Recipient],
    split: tuple[int, int],
    now: datetime,
    store: Store,
) -> tuple[Path, Backup]:
    """A backup for the holders (`split_of`) in the folder of the node (`require_room`), and on record.

    Raises PreconditionError without node.toml, InputError for a disk that fails.
    """
    file = config.folder / FILE
    if not file.exists():  # a configuration of another name is known to commands only
        raise PreconditionError("this home has no node.toml", "run `heqiao keys backup` at the node", {})
    files, held = collect_files(config, file), name_held(keys, now)
    made, _ = make_backup(keys, files, config.node.role, config.node.code, now, split=split, holders=holders)
    named = f"{config.node.code}-{china_day(now).isoformat()}-{made.fingerprint()[:9]}.backup"
    path = config.backups.folder / named
    with disk_errors("make room, and see that the account of the node may write to [backups] folder"):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_new(path, made.to_json())
    record(config, made, held, now, store, path.name)
    return path, made


def require_room(config: Config) -> None:
    """Raises PreconditionError (rule `backups_many`) where the node's folder has many already."""
    folder = config.backups.folder
    if folder.is_dir() and sum(path.suffix == ".backup" for path in folder.iterdir()) >= MOST_KEPT:
        raise PreconditionError(
            f"{folder} has {MOST_KEPT} backups", "move them to another machine", {"rule": "backups_many"}
        )


def read_backups(tx: Connection) -> list[BackupRecord]:
    """Backups on record, newest first."""
    found: list[BackupRecord] = []
    used: Mapping[str, Any] = {}
    for event in audit_pages.of_kinds(tx, (EVENT, _USED), _MOST_EVENTS):
        details = json.loads(event.details)
        if event.event == EVENT:
            found.append(_record_of(event, details, used))
            used = {}
        elif details.get("action") == ACTION:
            used = details
    return found[::-1]


def unsaved(facts: Iterable[KeyFacts], known: Iterable[BackupRecord]) -> list[str]:
    """Names of keys that no backup on record holds."""
    held = {name for one in known for name in one.keys}
    return [one.name for one in facts if _name(one) not in held]


def _name(one: KeyFacts) -> str:
    return f"{one.name} {one.fingerprint}"


def _record_of(event: AuditEvent, details: Mapping[str, Any], used: Mapping[str, Any]) -> BackupRecord:
    needed, _, made = details["shares"].partition("/")
    return BackupRecord(
        at=event.at,
        fingerprint=details["fingerprint"],
        recipients=details["recipients"],
        needed=int(needed),
        made=int(made),
        holders=tuple(details.get("holders", ())),
        keys=frozenset(details.get("keys", ())),
        file=details.get("file", ""),
        who=details.get("user") or used.get("requester", ""),
        approver=used.get("approver", ""),
    )
