"""`heqiao corrections`: requests to correct a record, of other provinces and to other provinces."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from node.cli.due_days import ESTIMATED, due_day
from node.cli.node_link import open_platform
from node.cli.options import address_option, count, home_option, json_option, show
from node.cli.terminal import print_table
from node.client.cases import Cases
from node.clock import utc_now
from node.domain.corrections import REASONS, Basis, Fault, ReceivedCorrection, SentCorrection, State
from node.domain.days import china_day, china_minute
from node.domain.mandate import CODE
from node.errors import InputError, PreconditionError
from node.tabular.person_lists import read_cohort
from node.wire.common import day_of

_AT_ONCE = 5_000  # people in one look-up
_NOTICE = (
    "This request shows province {peer} WHO THE PERSON IS: it names the person's record there.\n"
    "本请求将使 {peer} 省知道当事人身份（指明该省登记的该人记录）。只可凭当事人授权书或本人申请发送。"
)


@click.group()
def corrections() -> None:
    """Ask provinces for corrections, and answer them."""


# ---- what this province asks for


@corrections.command()
@home_option
@json_option
@address_option
@click.argument("job")
@click.option("--person", metavar="REF", required=True, help="The person: household/member of the list.")
@click.option("--peer", metavar="CODE", required=True, help="The province whose record is wrong.")
@click.option("--item", metavar="CODE", required=True, help="The item.")
@click.option("--fault", type=click.Choice([one.value for one in Fault]), required=True, metavar="CODE",
              help=f"What is wrong: {', '.join(Fault)}.")  # fmt: skip
@click.option("--basis", type=click.Choice([one.value for one in Basis]), required=True, metavar="CODE",
              help="Why the person may be disclosed: mandate (it must cover the item and province today), or "
              "person_request (the person asks for the correction).")  # fmt: skip
@click.option("--reference", metavar="CODE", required=True,
              help="Your reference of the case, which the other province quotes.")  # fmt: skip
@click.option("--disclose-person", is_flag=True,
              help="Needed: that the other province learns who the person is.")  # fmt: skip
def send(
    home: Path,
    as_json: bool,
    address: str | None,
    job: str,
    person: str,
    peer: str,
    item: str,
    fault: str,
    basis: str,
    reference: str,
    disclose_person: bool,
) -> None:
    """Ask a province to correct what it answered in a JOB.

    The other province is told which of its records is meant, and so learns who the person is, that your
    province asked, and the codes given here: nothing else. It has 10 working days to answer. Without
    --disclose-person nothing is sent.

    \b
    heqiao corrections send --home 45 v-0123456789abcdef --person H1/01 --peer 44 --item C21 \\
        --fault not_mine --basis person_request --reference 2026-0017 --disclose-person
    """  # noqa: D301 - click wants the real \b character
    if not CODE.fullmatch(reference):
        raise InputError(
            "a reference is 1 to 64 of letters, digits, dot, underscore and hyphen",
            "use the number of the case",
        )
    if not as_json:
        click.echo(_NOTICE.format(peer=peer), err=True)
    if not disclose_person:
        raise PreconditionError(
            "nothing was sent: the other province would learn who the person is",
            "if that is known and wanted, add --disclose-person",
        )
    with open_platform(home, address) as platform:
        found = Cases(platform).send_correction(
            job, person, peer, item, Fault(fault), Basis(basis), reference, discloses_person=True
        )
    _show_sent(found, as_json)


@corrections.command()
@home_option
@json_option
@address_option
def sync(home: Path, as_json: bool, address: str | None) -> None:
    """Send what could not be delivered, and fetch answers.

    A running node does it every six hours by itself.
    """
    with open_platform(home, address) as platform:
        found = Cases(platform).sync_corrections()
    _show_sent(found, as_json)


@corrections.command("list")
@home_option
@json_option
@address_option
@click.option("--received", "which", flag_value="received", help="Only those of other provinces.")
@click.option("--sent", "which", flag_value="sent", help="Only those to other provinces.")
@click.option("--waiting", is_flag=True, help="Only those without an answer.")
def list_(home: Path, as_json: bool, address: str | None, which: str | None, waiting: bool) -> None:
    """List requests of other provinces, and those to them."""
    with open_platform(home, address) as platform:
        cases = Cases(platform)
        received = cases.received_corrections(waiting=waiting) if which != "sent" else None
        sent = cases.sent_corrections() if which != "received" else None
    if sent is not None and waiting:
        sent = [one for one in sent if one.state in (State.SENT, State.RECEIVED)]
    if as_json:
        plain: dict[str, object] = {}
        if received is not None:
            plain["received"] = [_plain_received(one) for one in received]
        if sent is not None:
            plain["sent"] = [_plain_sent(one) for one in sent]
        show(plain, "", as_json=True)
        return
    if received is not None:
        columns = ("number", "from", "item", "fault", "basis", "reference", "received", "due", "state")
        print_table(columns, map(_received_row, received))
    if sent is not None:
        _show_sent(sent, as_json)


def _show_sent(found: Sequence[SentCorrection], as_json: bool) -> None:
    if as_json:
        show({"sent": [_plain_sent(one) for one in found]}, "", as_json=True)
        return
    columns = ("correction", "to", "item", "fault", "reference", "sent", "due", "state")
    rows = [
        (
            one.id.hex()[:8],
            one.peer,
            one.item,
            one.fault.value,
            one.reference,
            str(china_day(one.created_at)),
            due_day(one.due_at, estimated=one.due_estimated),
            _state(one),
        )
        for one in found
    ]
    print_table(columns, rows)


def _received_row(one: ReceivedCorrection) -> tuple[str, ...]:
    codes = (str(one.number), one.peer, one.item, one.fault.value, one.basis.value, one.reference)
    return (
        *codes,
        str(china_day(one.received_at)),
        due_day(one.due_at, estimated=one.due_estimated),
        _state(one),
    )


def _state(one: SentCorrection | ReceivedCorrection) -> str:
    text = one.state.value + (f": {one.reason.replace('_', ' ')}" if one.reason else "")
    return text + (" OVERDUE" if one.is_overdue(utc_now()) else "")


def _plain_sent(one: SentCorrection) -> dict[str, Any]:
    return {
        "id": one.id.hex(),
        "job": one.job,
        "created_at": one.created_at.isoformat(),
        "received_at": one.received_at.isoformat() if one.received_at else None,
        **_plain(one),
    }


def _plain_received(one: ReceivedCorrection) -> dict[str, Any]:
    return {
        "number": one.number,
        "id": one.id.hex(),
        "received_at": one.received_at.isoformat(),
        **_plain(one),
    }


def _plain(one: SentCorrection | ReceivedCorrection) -> dict[str, Any]:
    return {
        "peer": one.peer,
        "item": one.item,
        "fault": one.fault.value,
        "basis": one.basis.value,
        "reference": one.reference,
        "state": one.state.value,
        "reason": one.reason,
        "due_at": one.due_at.isoformat(),
        "due_estimated": one.due_estimated,
        "answered_at": one.answered_at.isoformat() if one.answered_at else None,
        "overdue": one.is_overdue(utc_now()),
    }


# ---- what other provinces ask for


@corrections.command("show")
@home_option
@json_option
@address_option
@click.argument("number", type=click.IntRange(1))
def show_(home: Path, as_json: bool, address: str | None, number: int) -> None:
    """Show a request of another province.

    NUMBER is the one that this node gave it; `heqiao corrections list` shows it.
    """
    with open_platform(home, address) as platform:
        one, value, day = Cases(platform).received_correction(number)
    lines = (
        f"correction {one.number}: {one.item}, {one.fault.value} (basis {one.basis.value})",
        f"from province {one.peer}, its reference {one.reference}",
        f"disclosed: {value} (as the item's level says), as of {day_of(day)}",
        f"received {china_minute(one.received_at)}, due {china_minute(one.due_at)}"
        + (f" {ESTIMATED}" if one.due_estimated else ""),
        f"state: {_state(one)}",
        "who it is about: heqiao corrections find, with an extract of the register",
    )
    plain = {**_plain_received(one), "value": value, "as_of": day_of(day).isoformat()}
    show(plain, "\n".join(lines), as_json=as_json)


@corrections.command()
@home_option
@json_option
@address_option
@click.argument("number", type=click.IntRange(1))
@click.option("--list", "source", type=click.Path(path_type=Path, exists=True, dir_okay=False), required=True,
              help="People with id_no, and former_id_no (CSV): an extract of the register.")  # fmt: skip
def find(home: Path, as_json: bool, address: str | None, number: int, source: Path) -> None:
    """Find whom a request is about.

    The index holds no identity number, so the node cannot name the person behind request NUMBER. Give it a
    list of people, such as an extract of the register of the item, or one number in a file: it says which
    row it is, counted without rows that cannot be read. Audited, with counts.
    """
    people, rejects = read_cohort(source)
    if not people:
        raise InputError(f"{source}: no usable row", "a list has one person a row, with id_no")
    found: list[int] = []
    with open_platform(home, address) as platform:
        cases = Cases(platform)
        for at in range(0, len(people), _AT_ONCE):
            found += [at + place for place in cases.find_person(number, people[at : at + _AT_ONCE])]
    rows = [place + 1 for place in found]
    plain = {"number": number, "people": len(people), "rejected_rows": len(rejects), "rows": rows}
    text = f"person {', '.join(map(str, rows))} of {count(len(people), 'person', 'people')}"
    show(plain, text if rows else f"none of {count(len(people), 'person', 'people')}", as_json=as_json)


@corrections.command()
@home_option
@json_option
@address_option
@click.argument("number", type=click.IntRange(1))
@click.option("--corrected", "corrected", type=click.Choice(REASONS[State.CORRECTED]), metavar="CODE",
              help=f"The record is corrected: {', '.join(REASONS[State.CORRECTED])}.")  # fmt: skip
@click.option("--upheld", "upheld", type=click.Choice(REASONS[State.UPHELD]), metavar="CODE",
              help=f"The record stays as it is: {', '.join(REASONS[State.UPHELD])}.")  # fmt: skip
def answer(
    home: Path, as_json: bool, address: str | None, number: int, corrected: str | None, upheld: str | None
) -> None:
    """Answer request NUMBER of another province, for good.

    Correct the register first and import it: the answer only tells the other province that it was done.
    """
    if (corrected is None) == (upheld is None):
        raise click.UsageError("give either --corrected or --upheld, with its reason")
    state = State.CORRECTED if corrected else State.UPHELD
    with open_platform(home, address) as platform:
        one = Cases(platform).answer_correction(number, state, corrected or upheld or "")
    show(_plain_received(one), f"correction {number}: {_state(one)}", as_json=as_json)
