"""`heqiao drafts`: what one person prepared and another one approves; and how a command hands it over."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import cast

import click

from node.cli.node_link import ask_code, ask_password, named_account, open_platform
from node.cli.options import address_option, count, home_option, json_option, show
from node.cli.terminal import print_table
from node.client.drafts import Draft, Drafts, Request
from node.client.platform import Platform
from node.domain.jobs import SUM
from node.domain.subjects import Subjects
from node.domain.verification import Verification
from node.errors import InputError, PreconditionError

_COLUMNS = ("id", "kind", "state", "prepared by", "unit", "people", "items", "peers", "job or list")


def require_person(*, needed: bool = True) -> None:
    """Raises InputError where one is `needed` and no person is named: nobody else has drafts."""
    if needed and not named_account(click.get_current_context())[0]:
        raise InputError("drafts are of people", "say who you are: `heqiao --as ACCOUNT ...`")


def hand_over(platform: Platform, kind: str, name: str, request: Request, *, as_json: bool) -> None:
    """Keep a request as a draft that waits for another person's approval, and say so."""
    drafts = Drafts(platform)
    hand_over_by(
        platform,
        kind,
        lambda saved: drafts.send(saved.draft_id, saved.version, name, request, kind),
        as_json=as_json,
    )


def hand_over_by(platform: Platform, kind: str, send: Callable[[Draft], object], *, as_json: bool) -> None:
    """The same where `send` sends the new draft: the node makes the request itself."""
    drafts = Drafts(platform)
    saved = drafts.save(b"", kind=kind)
    try:
        send(saved)
    except Exception:
        drafts.delete(saved.draft_id)  # nothing is left of what was refused
        raise
    sent = drafts.get(saved.draft_id).draft
    text = (
        f"draft {sent.draft_id}: {count(sent.subjects, 'person', 'people')}, waits for another person\n"
        f"`heqiao --as APPROVER drafts approve {sent.draft_id}` approves it"
    )
    show(_plain(sent), text, as_json=as_json)


@click.group()
def drafts() -> None:
    """Approve or return what another person prepared."""


@drafts.command("list")
@home_option
@json_option
@address_option
@click.option("--state", type=click.Choice(["draft", "waiting", "returned", "sent"]), default="waiting",
              show_default=True, help="Which drafts.")  # fmt: skip
def list_(home: Path, as_json: bool, address: str | None, state: str) -> None:
    """List the drafts of your unit and of those below it."""
    require_person()
    with open_platform(home, address) as platform:
        found = list(Drafts(platform).every(state))
    if as_json:
        show({"drafts": [_plain(one) for one in found]}, "", as_json=True)
        return
    print_table(_COLUMNS, [tuple(map(str, _row(one))) for one in found])


@drafts.command("show")
@home_option
@json_option
@address_option
@click.argument("draft", metavar="ID")
def show_(home: Path, as_json: bool, address: str | None, draft: str) -> None:
    """Show what a draft that waits asks, without numbers."""
    require_person()
    with open_platform(home, address) as platform:
        found = Drafts(platform).get(draft).draft
        asked = Drafts(platform).content(draft)
    show({**_plain(found), **_content(found, asked)}, _describe(found, asked), as_json=as_json)


@drafts.command()
@home_option
@json_option
@address_option
@click.argument("draft", metavar="ID")
@click.option("--yes", is_flag=True, help="Do not ask whether what is shown is right.")
def approve(home: Path, as_json: bool, address: str | None, draft: str, yes: bool) -> None:
    """Approve what another person prepared: it begins at once.

    Shows what it asks, then takes your password and a code of your second factor again. The code that signed
    you in is used up: wait for the next one, at most half a minute. Exactly what was shown is approved; a
    draft that was changed meanwhile is not.
    """
    require_person()
    file = named_account(click.get_current_context())[1]
    with open_platform(home, address) as platform:
        mine = Drafts(platform)
        found = mine.get(draft).draft
        if found.state != "waiting":
            raise PreconditionError("this draft does not wait for an approval", "see `heqiao drafts list`")
        click.echo(_describe(found, mine.content(draft)), err=True)
        if not yes:
            click.confirm("Approve this?", abort=True, err=True)
        sent = mine.approve(draft, found.version, found.digest, ask_password(file), ask_code())
    show(_plain(sent), f"approved: {sent.kind} {sent.job_id}", as_json=as_json)


@drafts.command("return")
@home_option
@json_option
@address_option
@click.argument("draft", metavar="ID")
@click.option("--reason", required=True, help="Why: at most 500 characters, without names and numbers.")
def return_(home: Path, as_json: bool, address: str | None, draft: str, reason: str) -> None:
    """Return what another person prepared, with a reason."""
    require_person()
    with open_platform(home, address) as platform:
        mine = Drafts(platform)
        found = mine.give_back(draft, mine.get(draft).draft.version, reason)
    show(_plain(found), f"returned to {found.preparer}", as_json=as_json)


@drafts.command()
@home_option
@json_option
@address_option
@click.argument("draft", metavar="ID")
def delete(home: Path, as_json: bool, address: str | None, draft: str) -> None:
    """Delete a draft of your own that was not sent to others."""
    require_person()
    with open_platform(home, address) as platform:
        Drafts(platform).delete(draft)
    show({"deleted": draft}, f"draft {draft} is deleted", as_json=as_json)


def _row(one: Draft) -> tuple[object, ...]:
    items, peers = ",".join(one.items), ",".join(one.peers)
    return (
        one.draft_id, one.kind, one.state, one.preparer, one.unit, one.subjects, items, peers, one.job_id
    )  # fmt: skip


def _plain(one: Draft) -> dict[str, object]:
    return {
        "draft": one.draft_id,
        "kind": one.kind,
        "state": one.state,
        "version": one.version,
        "preparer": one.preparer,
        "approver": one.approver,
        "unit": one.unit,
        "people": one.subjects,
        "items": list(one.items),
        "peers": list(one.peers),
        "job": one.job_id,
    }


def _content(one: Draft, asked: Request) -> dict[str, object]:
    plain: dict[str, object] = {"legal_basis": asked.legal_basis, "purpose": asked.purpose}
    if one.kind != SUM:
        plain["subjects"] = [{"ref": ref, "mandate": mandate} for ref, mandate in _people(asked)]
    return plain


def _describe(one: Draft, asked: Request) -> str:
    lines = [
        f"{one.kind} {one.job_id}, prepared by {one.preparer} of {one.unit}",
        f"items {', '.join(one.items)}; provinces {', '.join(one.peers)}; legal basis {asked.legal_basis}",
        count(one.subjects, "person", "people"),
    ]
    if one.kind != SUM:
        lines += [f"  {ref}, mandate {mandate or 'none'}" for ref, mandate in _people(asked)]
    return "\n".join(lines)


def _people(asked: Request) -> Iterator[tuple[str, str]]:
    # Of a verification or a watch list: a sum has no references.
    people = Subjects.of(cast(Verification, asked).subjects)
    return zip(people.refs, people.mandates, strict=True)
