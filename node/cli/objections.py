"""`heqiao objections`: objections to reports, and the jobs that look again."""

from datetime import date, datetime
from pathlib import Path
from typing import Any

import click

from node.cli.asking import wait_for_job
from node.cli.drafts import hand_over_by, require_person
from node.cli.due_days import ESTIMATED, due_day
from node.cli.node_link import open_platform
from node.cli.options import address_option, approval_option, home_option, json_option, show
from node.cli.terminal import print_table
from node.client.cases import Cases
from node.clock import utc_now
from node.domain.days import china_day, china_minute
from node.domain.jobs import VERIFICATION
from node.domain.objections import MOST_GROUNDS, MOST_NAME, RESULTS, NewObjection, Target
from node.errors import InputError
from node.wire.cases import plain_objection

_MOST_BYTES = 4 * (MOST_GROUNDS + MOST_NAME) + 100


@click.group()
def objections() -> None:
    """Record objections to reports, and look again."""


def _read_day(_context: click.Context, _option: click.Parameter, text: str | None) -> date | None:
    try:
        return None if text is None else date.fromisoformat(text)
    except ValueError:
        raise click.BadParameter("write the day as 2026-06-30") from None


@objections.command()
@home_option
@json_option
@address_option
@click.argument("job")
@click.option("--report", "number", metavar="NUMBER", default="",
              help="Number of the report.  [default: that of the household, or of the job]")  # fmt: skip
@click.option("--household", metavar="NUMBER", default="", help="Only this household.")
@click.option("--person", metavar="REF", default="", help="Only this person: household/member of the list.")
@click.option("--item", metavar="CODE", default="", help="Only this item.")
@click.option("--peer", metavar="CODE", default="", help="Only the answers of this province.")
@click.option("--received", metavar="DAY", callback=_read_day, required=True,
              help="When the report was received, as 2026-06-30.")  # fmt: skip
@click.option("--raised", metavar="DAY", callback=_read_day,
              help="When the objection was raised.  [default: today]")  # fmt: skip
@click.option("--statement", type=click.Path(path_type=Path, exists=True, dir_okay=False), required=True,
              help="A text file (UTF-8): who objects on the first line, the grounds below.")  # fmt: skip
def add(
    home: Path,
    as_json: bool,
    address: str | None,
    job: str,
    number: str,
    household: str,
    person: str,
    item: str,
    peer: str,
    received: date,
    raised: date | None,
    statement: Path,
) -> None:
    """Record an objection to the report of a JOB.

    It may be about one household, person, item or province. The days of the clock are shown: an objection is
    in time within 5 days after the report was received; a late one is recorded as well, and shown as late.
    Who objects and why is stored sealed, and shown in the report of the re-check.

    \b
    heqiao objections add --home 45 v-0123456789abcdef --person H1/01 --item C21 --peer 44 \\
        --received 2026-07-02 --statement objection.txt
    """  # noqa: D301 - click wants the real \b character
    raised_by, grounds = _read_statement(statement)
    day = raised or china_day(utc_now())
    new = NewObjection(job, number, Target(household, person, item, peer), raised_by, grounds, received, day)
    with open_platform(home, address) as platform:
        found = plain_objection(Cases(platform).add_objection(new))
    show(found, f"objection {found['id']}\n{_clock(found)}", as_json=as_json)


def _read_statement(path: Path) -> tuple[str, str]:
    try:
        content = path.read_bytes()
        if len(content) > _MOST_BYTES:
            raise InputError(f"{path}: too long", f"grounds have at most {MOST_GROUNDS} characters")
        first, _, rest = content.decode("utf-8-sig").strip().partition("\n")
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}", "check the path") from None
    except UnicodeDecodeError:
        raise InputError(f"{path}: is not UTF-8", "save it as UTF-8") from None
    if not first.strip() or not rest.strip():
        raise InputError(
            f"{path}: needs who objects on the first line, and the grounds below",
            "write both, then try again",
        )
    return first.strip(), rest.strip()


@objections.command("list")
@home_option
@json_option
@address_option
@click.option("--job", metavar="ID", default="", help="Only objections to the report of this job.")
@click.option("--waiting", is_flag=True, help="Only those that are not closed, the most urgent first.")
def list_(home: Path, as_json: bool, address: str | None, job: str, waiting: bool) -> None:
    """List objections, newest first."""
    with open_platform(home, address) as platform:
        found = [plain_objection(one) for one in Cases(platform).objections(job, waiting=waiting)]
    if as_json:
        sealed = ("household", "person", "raised_by", "grounds")
        plain = [{key: value for key, value in one.items() if key not in sealed} for one in found]
        show({"objections": plain}, "", as_json=True)
        return
    columns = ("objection", "item", "peer", "raised", "due", "state", "re-check")
    print_table(columns, map(_row, found))


def _row(one: dict[str, Any]) -> tuple[str, ...]:
    state = one["state"] + (f": {one['result']}" if one["result"] else "")
    state += " (late)" if _is_late(one) else ""
    state += " (OVERDUE)" if _is_overdue(one) else ""
    shown = (one["id"], one["item"] or "all", one["peer"] or "all", one["raised_on"])
    due = due_day(datetime.fromisoformat(one["due_at"]), estimated=one["due_estimated"])
    return (*shown, due, state, one["recheck_job"])


@objections.command("show")
@home_option
@json_option
@address_option
@click.argument("objection")
def show_(home: Path, as_json: bool, address: str | None, objection: str) -> None:
    """Show one OBJECTION with who objects, why, and its clocks."""
    with open_platform(home, address) as platform:
        found = plain_objection(Cases(platform).objection(objection))
    target = ", ".join(
        one for one in (found["person"] or found["household"], found["item"], found["peer"]) if one
    )
    lines = (
        f"objection {found['id']} to report {found['report_number']} (job {found['job_id']})",
        f"about: {target or 'all of it'}",
        f"raised by: {found['raised_by']}",
        f"grounds: {found['grounds']}",
        _clock(found),
        f"state: {found['state']} {found['result']}".rstrip(),
        *((f"re-check: {found['recheck_job']}",) if found["recheck_job"] else ()),
    )
    show(found, "\n".join(lines), as_json=as_json)


def _clock(one: dict[str, Any]) -> str:
    late = "LATE" if _is_late(one) else "in time"
    return (
        f"report received {one['received_on']}, raised {one['raised_on']}: {late} (until {one['last_day']}); "
        f"result due {_minute(one['due_at'])}"
        + (f" {ESTIMATED}" if one["due_estimated"] else "")
        + (" OVERDUE" if _is_overdue(one) else "")
    )


def _is_late(one: dict[str, Any]) -> bool:
    return bool(one["raised_on"] > one["last_day"])  # days as 2026-06-30 sort as text


def _is_overdue(one: dict[str, Any]) -> bool:
    return (
        one["state"] != "closed"
        and not one["due_estimated"]
        and datetime.fromisoformat(one["due_at"]) < utc_now()
    )


def _minute(moment: str) -> str:
    return china_minute(datetime.fromisoformat(moment))


@objections.command()
@home_option
@json_option
@address_option
@click.option("--job", metavar="ID", help="Id for the new job.  [default: a random one]")
@click.option("--detach", is_flag=True, help="Print the job's id and exit.")
@approval_option
@click.argument("objection")
def recheck(
    home: Path,
    as_json: bool,
    address: str | None,
    job: str | None,
    detach: bool,
    for_approval: bool,
    objection: str,
) -> None:
    """Look again at what an OBJECTION is about.

    Submits a new job, linked to the first, which asks only what was objected to, of the same people under
    the same mandates: they are looked at anew, so one that was revoked or has ended says NOT_MANDATED. The
    purpose is `review`. `heqiao report` writes its report, with the old and new answers beside each other.
    """
    if for_approval:
        require_person()
    with open_platform(home, address) as platform:
        cases = Cases(platform)
        if for_approval:
            hand_over_by(
                platform,
                VERIFICATION,
                lambda saved: cases.recheck(objection, job, saved.draft_id, saved.version),
                as_json=as_json,
            )
            return
        found = cases.recheck(objection, job)
        people = next(iter(platform.watch(found))).subjects
        if wait_for_job(platform, found, people, 0, detach=detach, as_json=as_json):
            text = f"re-check {found} has ended: heqiao report {found} --out FOLDER"
            show({"job": found, "objection": objection}, text, as_json=as_json)


@objections.command()
@home_option
@json_option
@address_option
@click.argument("objection")
@click.option("--result", type=click.Choice(RESULTS), required=True, metavar="CODE",
              help=f"What came of it: {', '.join(RESULTS)}.")  # fmt: skip
def close(home: Path, as_json: bool, address: str | None, objection: str, result: str) -> None:
    """Close an OBJECTION with its result, for good."""
    with open_platform(home, address) as platform:
        found = plain_objection(Cases(platform).close_objection(objection, result))
    show(found, f"objection {objection} is closed: {result}", as_json=as_json)
