"""The keys in a key store and their problems, without showing a key.

`inspect` opens every key and lists the problems of each, instead of stopping at the first.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from keys.errors import KeyringError
from keys.store.atomic_files import check_private
from keys.store.key_store import HEADER, KeyStore, split_name
from keys.store.kinds import check_secret, fingerprint

# Clocks of machines that a store is copied between differ a little.
_SKEW: Final = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class KeyFacts:
    """One key of a store. `made` is when its file was written, aware, in UTC; `fingerprint` is empty where
    the key does not open; `problems` is empty for a sound key.
    """

    name: str
    purpose: str
    epoch: int
    made: datetime
    fingerprint: str
    problems: tuple[str, ...] = ()


def inspect(store: KeyStore, now: datetime) -> list[KeyFacts]:
    """Every key of a store, by purpose and epoch."""
    return [_inspect_key(store, name, now) for name in store.names()]


def _inspect_key(store: KeyStore, name: str, now: datetime) -> KeyFacts:
    purpose, epoch = split_name(name)
    made = datetime.fromtimestamp(store.path_of(name).stat().st_mtime, UTC)
    found, problems = "", []
    try:
        secret = store.get(name)
        check_secret(purpose, secret)
        found = fingerprint(purpose, secret)
    except KeyringError as error:
        problems.append(str(error))
    if made > now + _SKEW:
        problems.append(
            f"{name}: written in the future, at {made:%Y-%m-%d %H:%M} UTC: was the clock set back?"
        )
    return KeyFacts(name, purpose, epoch, made, found, tuple(problems))


def check_files(store: KeyStore) -> list[str]:
    """Problems of the files of a store: open to others, no plain files, or not of the store."""
    known = {HEADER, *(store.path_of(name).name for name in store.names())}
    problems = []
    for path in sorted(store.folder.iterdir()):
        if path.name not in known:
            problems.append(_describe_stray(path))
        elif path.is_symlink() or not path.is_file():
            problems.append(f"{path}: not a plain file")
        else:
            problems += _check_mode(path)
    return _check_mode(store.folder) + problems


def _check_mode(path: Path) -> list[str]:
    try:
        check_private(path, path.stat().st_mode)
    except KeyringError as error:
        return [str(error)]
    return []


def _describe_stray(path: Path) -> str:
    if path.name.startswith(".") and path.name.endswith(".part"):
        return f"{path}: left by a command that was killed; delete it when no other runs"
    return f"{path}: not a file of the key store"
