"""Messages about notices, as both sides send them (proto/heqiao/platform/v1/notices.proto)."""

from datetime import UTC, date

from heqiao.platform.v1 import notices_pb2

from node.domain.notices import Level, Notice, NoticeKind, NoticeRow
from node.wire.common import timestamp

KINDS = {one: getattr(notices_pb2, f"NOTICE_KIND_{one.name}") for one in NoticeKind}
KIND_NAMES: dict[int, NoticeKind] = {number: one for one, number in KINDS.items()}
LEVELS = {one: getattr(notices_pb2, f"NOTICE_LEVEL_{one.name}") for one in Level}
LEVEL_NAMES: dict[int, Level] = {number: one for one, number in LEVELS.items()}


def notice_message(row: NoticeRow) -> notices_pb2.Notice:
    """A notice."""
    one = row.notice
    return notices_pb2.Notice(
        seq=row.seq,
        kind=KINDS[one.kind],
        level=LEVELS[one.level],
        subject=one.subject,
        count=one.count,
        due_on="" if one.due_on is None else one.due_on.isoformat(),
        raised_at=timestamp(row.raised_at),
        cleared_at=None if row.cleared_at is None else timestamp(row.cleared_at),
    )


def read_notice(message: notices_pb2.Notice) -> NoticeRow:
    """A notice as a client sees it; whose it is stays with the node."""
    due = date.fromisoformat(message.due_on) if message.due_on else None
    found = Notice(
        KIND_NAMES[message.kind], LEVEL_NAMES[message.level], message.subject, "", message.count, due
    )
    cleared = message.cleared_at.ToDatetime(tzinfo=UTC) if message.HasField("cleared_at") else None
    return NoticeRow(message.seq, found, message.raised_at.ToDatetime(tzinfo=UTC), cleared)
