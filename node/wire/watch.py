"""Messages about watch lists and alerts, as both sides send them (proto/heqiao/platform/v1/watch.proto)."""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, timedelta

from heqiao.platform.v1 import platform_pb2, watch_pb2

from node.domain.alerts import MOST_NOTE, Alert
from node.domain.days import FIRST_DAY
from node.domain.mandate import CODE
from node.domain.thresholds import Said, When
from node.domain.verification import Verification
from node.domain.watches import LookRow, Watch, WatchRow
from node.wire.common import require, timestamp
from node.wire.platform import OUTCOME_NAMES, OUTCOMES, submission

CHANGES = {one: getattr(watch_pb2, f"ALERT_CHANGE_{one.name}") for one in When}
CHANGE_NAMES: dict[int, When] = {number: one for one, number in CHANGES.items()}
MOST_LISTED = 1_000
DEFAULT_LISTED = 100
MOST_REFS = 100_000
_MAX_SEQ = 2**63 - 1


def add_messages(watch: str, request: Verification) -> Iterator[watch_pb2.AddWatchRequest]:
    """The messages that add a list. Raises InvalidRequestError for an unknown document type."""
    for message in submission(watch, request):
        yield watch_pb2.AddWatchRequest(list=message)


def read_chunks(
    requests: Iterable[watch_pb2.AddWatchRequest],
) -> Iterator[platform_pb2.SubmitVerificationRequest]:
    """The messages of a list, for `platform_requests.read_verification`, which checks them."""
    for message in requests:
        yield message.list


def read_removed(request: watch_pb2.RemoveWatchRequest) -> tuple[str, ...]:
    """The references of people who leave a list. Raises InvalidRequestError."""
    refs = tuple(request.refs)
    require(len(refs) <= MOST_REFS and all(0 < len(ref) <= 200 for ref in refs), "a reference is malformed")
    return refs


def read_page(request: watch_pb2.ListAlertsRequest) -> tuple[int, int, str | None]:
    """After which number, how many, of which list. Raises InvalidRequestError."""
    watch = request.watch_id
    require(not watch or CODE.fullmatch(watch) is not None, "the list's id is malformed")
    return read_after(request.after), min(request.limit or DEFAULT_LISTED, MOST_LISTED), watch or None


def read_after(after: int) -> int:
    """A number behind which a caller resumes. Raises InvalidRequestError."""
    require(after <= _MAX_SEQ, "the number is too large")
    return after


def read_acknowledged(request: watch_pb2.AcknowledgeAlertsRequest) -> tuple[tuple[str, ...], str]:
    """Alerts and the note. Raises InvalidRequestError."""
    alerts, note = tuple(request.alert_ids), request.note
    require(0 < len(alerts) <= MOST_LISTED, f"a call acknowledges 1 to {MOST_LISTED:,} alerts")
    require(all(CODE.fullmatch(one) is not None for one in alerts), "an alert's id is malformed")
    plain = all(letter.isprintable() or letter == "\n" for letter in note)
    require(len(note) <= MOST_NOTE and plain, f"a note is text of at most {MOST_NOTE} characters")
    return alerts, note


def watch_message(found: Watch) -> watch_pb2.Watch:
    """A list with its looks."""
    row = found.row
    return watch_pb2.Watch(
        watch_id=row.id,
        owner=row.owner,
        items=row.items,
        peers=row.peers,
        legal_basis=row.legal_basis,
        people=row.people,
        added_at=timestamp(row.added_at),
        looks=[_look_message(found, one) for one in found.looks],
        open_alerts=found.open_alerts,
    )


def _look_message(found: Watch, one: LookRow) -> watch_pb2.WatchLook:
    kept = [
        watch_pb2.KeptTokens(token_class=name, epoch=epoch, until=until.isoformat(), people=people)
        for peer, name, epoch, until, people in found.tokens
        if peer == one.peer
    ]
    return watch_pb2.WatchLook(
        peer=one.peer,
        look=one.look,
        epoch=one.epoch,
        issued_at=None if one.issued_at is None else timestamp(one.issued_at),
        looked_at=None if one.looked_at is None else timestamp(one.looked_at),
        plan=one.plan,
        reason=one.reason,
        tokens=kept,
    )


def read_watch(message: watch_pb2.Watch) -> Watch:
    """A list as a client sees it; its digest and revision stay with the node."""
    row = WatchRow(
        message.watch_id,
        message.owner,
        tuple(message.items),
        tuple(message.peers),
        message.legal_basis,
        message.people,
        0,
        b"",
        message.added_at.ToDatetime(tzinfo=UTC),
    )
    tokens = tuple(
        (look.peer, one.token_class, one.epoch, date.fromisoformat(one.until), one.people)
        for look in message.looks
        for one in look.tokens
    )
    looks = tuple(_read_look(message.watch_id, one) for one in message.looks)
    return Watch(row, looks, tokens, message.open_alerts)


def _read_look(watch: str, one: watch_pb2.WatchLook) -> LookRow:
    return LookRow(
        watch=watch,
        peer=one.peer,
        look=one.look,
        epoch=one.epoch,
        issued_at=one.issued_at.ToDatetime(tzinfo=UTC) if one.HasField("issued_at") else None,
        looked_at=one.looked_at.ToDatetime(tzinfo=UTC) if one.HasField("looked_at") else None,
        plan=one.plan,
        reason=one.reason,
    )


def alert_message(one: Alert) -> watch_pb2.Alert:
    """An alert."""
    message = watch_pb2.Alert(
        seq=one.seq,
        alert_id=one.id,
        watch_id=one.watch,
        owner=one.owner,
        ref=one.ref,
        item=one.item,
        peer=one.peer,
        change=CHANGES[one.when],
        before=_said_message(one.before),
        now=_said_message(one.now),
        thresholds=one.thresholds,
        cause_zh=one.zh,
        cause_en=one.en,
        at=timestamp(one.at),
        acknowledged_by=one.acknowledged_by,
        note=one.note,
    )
    if one.acknowledged_at is not None:
        message.acknowledged_at.CopyFrom(timestamp(one.acknowledged_at))
    return message


def read_alert(message: watch_pb2.Alert) -> Alert:
    """An alert as a client sees it."""
    return Alert(
        seq=message.seq,
        id=message.alert_id,
        watch=message.watch_id,
        owner=message.owner,
        peer=message.peer,
        item=message.item,
        thresholds=message.thresholds,
        at=message.at.ToDatetime(tzinfo=UTC),
        ref=message.ref,
        when=CHANGE_NAMES[message.change],
        zh=message.cause_zh,
        en=message.cause_en,
        before=_read_said(message.before),
        now=_read_said(message.now),
        acknowledged_at=(
            message.acknowledged_at.ToDatetime(tzinfo=UTC) if message.HasField("acknowledged_at") else None
        ),
        acknowledged_by=message.acknowledged_by,
        note=message.note,
    )


def _said_message(said: Said) -> watch_pb2.AlertAnswer:
    as_of = "" if said.as_of is None else (FIRST_DAY + timedelta(days=said.as_of)).isoformat()
    return watch_pb2.AlertAnswer(outcome=OUTCOMES[said.outcome], value=said.value, as_of=as_of)


def _read_said(message: watch_pb2.AlertAnswer) -> Said:
    as_of = (date.fromisoformat(message.as_of) - FIRST_DAY).days if message.as_of else None
    return Said(OUTCOME_NAMES[message.outcome], message.value if message.HasField("value") else None, as_of)
