"""What is kept of a watch list, opened and sealed: its people, tokens, last answers, alerts."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from matcher.types import TokenClass
from node.context import Node
from node.database import Connection
from node.database import alerts as alert_rows
from node.database import watches as rows
from node.database.leases import Lease
from node.database.watches import TokensRow
from node.domain.alerts import Alert, AlertRow, Change, pack_change, unpack_change
from node.domain.days import FIRST_DAY, china_day
from node.domain.sealed_names import of_alert, of_watch
from node.domain.thresholds import Said, Thresholds, parse_thresholds
from node.domain.verification import Verification, unpack_verification
from node.domain.watches import LookRow, WatchRow
from node.errors import InputError, NotFoundError, PreconditionError
from node.requester.checkpoint import pack_answers, unpack_answers
from node.requester.kept_tokens import KeptTokens, pack_tokens, unpack_tokens
from node.requester.match_query import Answer

ALERT_ID_BYTES = 8


@dataclass(frozen=True, slots=True)
class OpenWatch:
    """A list with its people, and what is known of one peer: the last look, the answers of then."""

    row: WatchRow
    request: Verification = field(repr=False)
    last: LookRow
    base: Mapping[str, list[Said]] = field(repr=False)


def open_watch(node: Node, watch: str, peer: str) -> OpenWatch:
    """Read a list and one peer's state in one transaction. Raises NotFoundError."""
    with node.store.transaction("read watch list") as tx:
        row, sealed = rows.find_watch(tx, watch), rows.read_request(tx, watch)
        last, answers = rows.find_look(tx, watch, peer), rows.read_answers(tx, watch, peer)
    if row is None or sealed is None:
        raise NotFoundError("there is no such watch list", "see `heqiao watch list`")
    base = {item: unseal_answers(node, watch, peer, item, content) for item, content in answers.items()}
    return OpenWatch(row, unseal_request(node, watch, sealed), last, base)


def unseal_request(node: Node, watch: str, sealed: bytes) -> Verification:
    """The people and mandates of a list."""
    return unpack_verification(node.keys.vault.unseal(of_watch(watch, "request"), sealed))


def seal_answers(node: Node, watch: str, peer: str, item: str, said: Sequence[Said]) -> bytes:
    """The last answers about an item, one for each person of the list."""
    packed = pack_answers([Answer(one.outcome, one.value, one.as_of) for one in said])
    return node.keys.vault.seal(of_watch(watch, f"answers {peer} {item}"), packed)


def unseal_answers(node: Node, watch: str, peer: str, item: str, sealed: bytes) -> list[Said]:
    """What `seal_answers` sealed."""
    packed = node.keys.vault.unseal(of_watch(watch, f"answers {peer} {item}"), sealed)
    return [Said(one.outcome, one.value, one.as_of) for one in unpack_answers(packed)]


def seal_tokens(node: Node, row: TokensRow, kept: KeptTokens) -> TokensRow:
    """A row with other tokens."""
    place = of_watch(row.watch, f"tokens {row.peer} {row.token_class}")
    sealed = node.keys.vault.seal(place, pack_tokens(kept))
    return TokensRow(row.watch, row.peer, row.token_class, kept.epoch, row.until, kept.people, sealed)


def unseal_tokens(node: Node, row: TokensRow) -> KeptTokens:
    """The tokens of a row."""
    place = of_watch(row.watch, f"tokens {row.peer} {row.token_class}")
    return unpack_tokens(node.keys.vault.unseal(place, row.sealed))


class StoredTokens:
    """The tokens of one list and peer, as `node.requester.watch.TokenShelf` says, under a job's lease.

    `seen` is the list as the look found it: tokens are not kept for a list that people have left since.
    """

    def __init__(
        self, node: Node, lease: Lease, seen: WatchRow, peer: str, until: Mapping[TokenClass, int]
    ) -> None:
        self._node, self._lease, self._seen, self._peer, self._until = node, lease, seen, peer, until

    def read(self, token_class: TokenClass) -> KeptTokens | None:
        """See TokenShelf."""
        with self._node.store.transaction("read watch tokens") as tx:
            found = rows.list_tokens(tx, self._seen.id, self._peer)
        today = (china_day(self._node.clock()) - FIRST_DAY).days
        for one in found:
            if one.token_class == token_class and one.until >= today:
                return unseal_tokens(self._node, one)
        return None

    def keep(self, token_class: TokenClass, kept: KeptTokens) -> None:
        """See TokenShelf."""
        until = self._until.get(token_class, 0)
        row = TokensRow(self._seen.id, self._peer, token_class, kept.epoch, until, kept.people, b"")
        sealed = seal_tokens(self._node, row, kept)

        def write(tx: Connection) -> None:
            now = rows.lock_watch(tx, self._seen.id)
            if until and now is not None and now.revision == self._seen.revision:
                rows.put_tokens(tx, sealed)

        self._lease.write("keep watch tokens", write)

    def erase(self, token_class: TokenClass) -> None:
        """See TokenShelf."""
        with self._node.store.transaction("look for watch tokens") as tx:
            held = any(
                one.token_class == token_class for one in rows.list_tokens(tx, self._seen.id, self._peer)
            )
        if held:
            mine = (self._seen.id, self._peer, token_class)
            self._lease.write("erase watch tokens", lambda tx: rows.erase_tokens(tx, *mine))


def add_alerts(
    node: Node, tx: Connection, row: WatchRow, look: LookRow, version: str, changes: Sequence[Change]
) -> None:
    """Store changes as alerts of a look."""
    first, now = alert_rows.next_seq(tx), node.clock()
    for seq, change in enumerate(changes, first):
        alert = f"a-{secrets.token_hex(ALERT_ID_BYTES)}"
        content = node.keys.vault.seal(of_alert(alert, "content"), pack_change(change))
        alert_rows.add_alert(
            tx,
            AlertRow(
                seq, alert, row.id, row.owner, look.peer, change.item, look.look, version, now,
                None, "", content, None,
            ),
        )  # fmt: skip


def open_alert(node: Node, row: AlertRow) -> Alert:
    """An alert as its reader sees it."""
    vault = node.keys.vault
    change = unpack_change(vault.unseal(of_alert(row.id, "content"), row.content_sealed), row.item)
    note = b"" if row.note_sealed is None else vault.unseal(of_alert(row.id, "note"), row.note_sealed)
    rule = change.rule
    return Alert(
        row.seq, row.id, row.watch, row.owner, row.peer, row.item, row.thresholds, row.at, change.ref,
        rule.when, rule.zh, rule.en, change.before, change.now, row.acknowledged_at, row.acknowledged_by,
        note.decode(),
    )  # fmt: skip


def current_thresholds(node: Node, today: date) -> Thresholds | None:
    """The version that is valid on a day of China: of those that have begun the newest, the one set last.

    Raises PreconditionError where the catalogue has changed so that it cannot be used any more: changes would
    be missed silently.
    """
    with node.store.transaction("read thresholds") as tx:
        known = alert_rows.list_thresholds(tx)
    begun = [one for one in known if FIRST_DAY + timedelta(days=one.valid_from) <= today]
    if not begun:
        return None
    newest = max(begun, key=lambda one: (one.valid_from, one.number))
    try:
        return parse_thresholds(newest.content.encode(), node.catalogue)
    except InputError as error:
        raise PreconditionError(
            f"version {newest.version} of the thresholds does not fit the catalogue: {error}",
            "set a new version with `heqiao watch thresholds set`",
            {"rule": "thresholds_unusable"},
        ) from None
