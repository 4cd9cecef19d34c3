"""How notices leave the node: a folder of JSON files, and mail through a relay (docs/watch.md).

Mails hold codes, days and counts: who may read them is decided outside this program.
"""

import json
import smtplib
import ssl
from collections.abc import Mapping, Sequence
from email.message import EmailMessage
from typing import Final

from keys.pki.names import split_address
from keys.store.atomic_files import read_passphrase
from node.config.notices import NoticesSection
from node.domain.days import china_minute
from node.domain.notices import WORDS, NoticeRow
from node.errors import UnavailableError
from node.files import write_atomically

FOLDER: Final = "folder"
MAIL: Final = "mail"
TIMEOUT_S: Final = 20.0


def channels(settings: NoticesSection) -> tuple[str, ...]:
    """The channels that are set up."""
    found = {FOLDER: settings.folder is not None, MAIL: bool(settings.relay)}
    return tuple(name for name, used in found.items() if used)


def plain_notice(row: NoticeRow) -> Mapping[str, object]:
    """A notice for programs."""
    one = row.notice
    zh, en, hint = WORDS[one.kind]
    return {
        "seq": row.seq,
        "kind": one.kind.value,
        "level": one.level.value,
        "subject": one.subject,
        "owner": one.owner,
        "count": one.count,
        "due_on": None if one.due_on is None else one.due_on.isoformat(),
        "raised_at": row.raised_at.isoformat(),
        "cleared_at": None if row.cleared_at is None else row.cleared_at.isoformat(),
        "zh": zh,
        "en": en,
        "hint": hint,
    }


def write_file(settings: NoticesSection, code: str, row: NoticeRow) -> None:
    """Write one notice as a file, whole or not at all; the same again is the same file.

    A program that takes files away never sees half of one: they are written beside and renamed. Raises
    UnavailableError.
    """
    if settings.folder is None:
        return
    text = json.dumps({"node": code, **plain_notice(row)}, ensure_ascii=False, indent=2) + "\n"
    name = f"{row.seq:010}-{row.notice.kind.value}.json"
    write_atomically(settings.folder / name, (text.encode(),))


def send_mail(settings: NoticesSection, code: str, rows: Sequence[NoticeRow], subject: str = "") -> None:
    """Send some notices as one mail, over TLS or not at all. Raises UnavailableError.

    The same notices again are the same Message-ID: a mail that was sent, and could not be noted as such, is
    sent again, and a relay or a reader can tell.
    """
    message = EmailMessage()
    message["From"], message["To"] = settings.sender, ", ".join(settings.recipients)
    message["Subject"] = subject or f"Heqiao {code}: {len(rows)} notice(s) 核桥节点提示"
    numbers = f"{rows[0].seq}-{rows[-1].seq}" if rows else "test"
    message["Message-ID"] = f"<heqiao-{code}-{numbers}@{settings.sender.rpartition('@')[2]}>"
    message.set_content("\n".join(map(_line, rows)) or "This is a test of the mail relay. 邮件中继测试。\n")
    try:
        _send(settings, message)
    except (OSError, ValueError, smtplib.SMTPException) as error:
        # Its text may be the relay's: only its kind is shown.
        raise UnavailableError(
            f"the mail relay did not take the notices ({type(error).__name__})",
            "check [notices] relay, relay_ca, user and password_file",
        ) from None


def _send(settings: NoticesSection, message: EmailMessage) -> None:
    host, port = split_address(settings.relay)
    # Of a relay inside the province's network, by its own CA if one is named; never without a check.
    trusted = ssl.create_default_context(cafile=None if settings.relay_ca is None else str(settings.relay_ca))
    relay = smtplib.SMTP(host, port, timeout=TIMEOUT_S)
    try:
        relay.starttls(context=trusted)
        if settings.user and settings.password_file is not None:
            relay.login(settings.user, read_passphrase(settings.password_file).decode())
        relay.send_message(message)
    finally:
        relay.close()  # without QUIT, which would wait where the handshake failed


def _line(row: NoticeRow) -> str:
    one = row.notice
    zh, en, hint = WORDS[one.kind]
    about = f" {one.subject}" if one.subject else ""
    due = f", {one.due_on.isoformat()}" if one.due_on else ""
    return (
        f"[{one.level.value}] {one.kind.value}{about}: {one.count}{due}\n"
        f"    {zh}; {en}\n    {hint}\n    {china_minute(row.raised_at)}\n"
    )
