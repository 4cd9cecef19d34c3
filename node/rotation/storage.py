"""Rotation of the storage key: what a node stores is sealed again under the next one.

The switch only says under which key new values are sealed; both open. Then every value under an older key is
sealed again, some at a time, in the background of `heqiao serve` and at the latest by `heqiao keys retire
storage`, which excludes imports: a process that had the old keys may not write under them any more. Only when
nothing is left under a key is it retired. A run that is killed has moved some values; the next one finds the
others, since each begins with the epoch of its key.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from keys import KeyStore
from keys.errors import KeyStateError, StoreDamagedError
from keys.store.kinds import generate_secret
from node.context import Node
from node.credentials.active_keys import STORAGE
from node.database import sealed_rows
from node.database.sealed_rows import SEALED, SealedColumn
from node.domain import sealed_names as names
from node.errors import UnavailableError
from node.index.sum_blocks import place_of
from node.index.update_lock import open_workspace
from node.rotation.epochs import make_epoch, read_keyring
from node.rotation.run import Amount, Home, Keyring, Rotation, Run, require_node

BATCH: Final = 32  # values at once: a bucket's are up to some hundred KiB

# How the place of each sealed column follows from its row (node/domain/sealed_names.py).
_PLACES: Final[dict[str, Callable[[Any], str]]] = {
    "jobs.request_sealed": lambda row: names.of_request(row.id),
    "parts.session_sealed": lambda row: names.of_part(row.job, row.peer, "session"),
    "parts.refusals_sealed": lambda row: names.of_part(row.job, row.peer, "refusals"),
    "parts.reused_sealed": lambda row: names.of_part(row.job, row.peer, "reused"),
    "tokens.sealed": lambda row: names.of_part(row.job, row.peer, f"tokens {row.first_point}"),
    "answers.sealed": lambda row: names.of_answers(row.job, row.peer, row.item),
    "sum_products.sealed": lambda row: names.of_part(row.job, row.peer, f"product {row.item}"),
    "sum_queries.answer_sealed": lambda row: names.of_opened_sum(row.peer, bytes(row.query_id), row.item),
    "sum_queries.guards_sealed": lambda row: names.of_guards(row.peer, bytes(row.query_id), row.item),
    "sum_exposures.rows_sealed": lambda row: names.of_exposure(row.peer, bytes(row.query_id), row.item),
    "sum_blocks.values_sealed": lambda row: place_of(
        row, row.number, bytes(row.points), bytes(row.days), bytes(row.ciphertexts)
    ),
    "sum_aliases.sealed": lambda row: names.of_alias(row.item, row.epoch, bytes(row.tag)),
    "households.sealed": lambda row: names.of_household(row.owner, bytes(row.digest)),
    "mandates.sealed": lambda row: names.of_mandate(row.owner, bytes(row.digest)),
    "mandates.form_sealed": lambda row: names.of_mandate(row.owner, bytes(row.digest), "form"),
    "urgent_checks.sealed": lambda row: names.of_urgent(row.job, row.place),
    "buckets.kept_sealed": lambda row: _bucket("kept", row),
    "buckets.links_sealed": lambda row: _bucket("links", row),
    "users.name_sealed": lambda row: names.of_user(row.account, "name"),
    "users.secrets_sealed": lambda row: names.of_user(row.account, "secrets"),
    "drafts.form_sealed": lambda row: names.of_draft(row.id, "form"),
    "drafts.request_sealed": lambda row: names.of_draft(row.id, "request"),
    "drafts.reason_sealed": lambda row: names.of_draft(row.id, "reason"),
    "token_blocks.sealed": lambda row: names.of_tokens(row[0], row.epoch, row.prefix, row.version),
    "watches.request_sealed": lambda row: names.of_watch(row.id, "request"),
    "watch_tokens.sealed": lambda row: names.of_watch(row.watch, f"tokens {row.peer} {row.token_class}"),
    "watch_answers.sealed": lambda row: names.of_watch(row.watch, f"answers {row.peer} {row.item}"),
    "alerts.content_sealed": lambda row: names.of_alert(row.id, "content"),
    "alerts.note_sealed": lambda row: names.of_alert(row.id, "note"),
    "matched_entries.sealed": lambda row: names.of_matched_entries(row.job, row.peer, row.item),
    "objections.content_sealed": lambda row: names.of_objection(row.id),
    "sent_corrections.content_sealed": lambda row: names.of_sent_correction(bytes(row.id)),
    "received_corrections.content_sealed": lambda row: names.of_received_correction(row.peer, bytes(row.id)),
}


def _bucket(kind: str, row: Any) -> str:
    return names.of_bucket(kind, row.item, int(row.origin), row.epoch, row.number)


@dataclass
class Resealed:
    """What a run did: values that it moved, and values by column that do not open."""

    moved: int = 0
    damaged: dict[str, int] = field(default_factory=dict)


class StorageRotation(Rotation):
    """Of the key that seals what is in the database; imports go on."""

    purposes = (STORAGE,)
    is_exclusive = False

    def read(self, home: Home, keys: KeyStore) -> Keyring:
        """All epochs; before the first rotation the only key."""
        return read_keyring(home, keys, self.purposes)

    def make(self, run: Run) -> None:
        """A key."""
        require_node(run.home)
        make_epoch(run, self.purposes, lambda one: generate_secret(one, run.home.random_bytes))

    def settle(self, home: Home, _keys: KeyStore) -> Amount:
        """Seal all that is left again. Raises ConflictError while an import or another rotation runs,
        UnavailableError where values do not open.
        """
        node = require_node(home)
        node.ring.refresh()
        with open_workspace(node):
            found = reseal(node)
        if found.damaged:
            listed = ", ".join(f"{count} of {name}" for name, count in found.damaged.items())
            raise UnavailableError(
                f"stored values do not open, and cannot be sealed again: {listed}",
                "import the items in full (`heqiao index verify` names them), which replaces what belongs to "
                "registers, or restore database and key store from one backup; the old key is kept",
            )
        return Amount(entries=found.moved)

    def require_unused(self, home: Home, epoch: int) -> None:
        """Raises KeyStateError while anything is sealed under an epoch, as in an older database."""
        with home.store.transaction("count sealed values") as tx:
            left = [str(one) for one in SEALED if sealed_rows.count_under(tx, one, epoch)]
        if left:
            raise KeyStateError(
                f"{STORAGE}.{epoch} still seals values of {', '.join(left)}",
                "was an older database restored? restore the key store of the same time",
            )


def reseal(node: Node, stopping: Callable[[], bool] = lambda: False) -> Resealed:
    """Seal again what is under another storage key than the active one, until all is done or `stopping`."""
    found = Resealed()
    for epoch in _older(node):
        for one in SEALED:
            after: tuple[Any, ...] = ()
            while not stopping():
                with node.store.transaction("read sealed values") as tx:
                    rows = sealed_rows.read_under(tx, one, epoch, after, BATCH)
                if not rows:
                    break
                _move(node, one, rows, found)
                after = tuple(rows[-1][: len(one.keys)])
    return found


def has_older(node: Node) -> bool:
    """Whether an earlier storage key may still seal something."""
    return bool(_older(node))


def _older(node: Node) -> list[int]:
    return [epoch for epoch in node.keys.vault.epochs if epoch < node.keys.vault.active]


def _move(node: Node, one: SealedColumn, rows: list[Any], found: Resealed) -> None:
    vault, place = node.keys.vault, _PLACES[str(one)]
    moved = []
    for row in rows:
        try:
            name = place(row)
            moved.append((row, vault.seal(name, vault.unseal(name, bytes(row.content)))))
        except StoreDamagedError:
            found.damaged[str(one)] = found.damaged.get(str(one), 0) + 1

    def write(tx: Any) -> int:
        # One that has changed meanwhile was written under a key of that moment: the next pass looks again.
        return sum(sealed_rows.replace_sealed(tx, one, row, content) for row, content in moved)

    if moved:
        found.moved += node.store.retry_write("seal again", write)
