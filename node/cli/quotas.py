"""`heqiao quotas`: how much each peer may ask, what it used, and alerts."""

from pathlib import Path

import click

from node.cli.approvals import guard
from node.cli.options import admin_option, home_option, json_option, load_config, read_config, show
from node.cli.terminal import print_table
from node.domain.days import china_minute
from node.domain.quotas import Measure
from node.governance import quota_settings as settings
from node.governance.quota_settings import PeerAlert, QuotaState
from node.governance.quotas import QUOTAS

_NAMES = {f"{measure}.{window}": (measure, window) for measure, window in QUOTAS}
_MOST = 10**15


def _parse_amount(_context: click.Context, _argument: click.Parameter, text: str) -> int | None:
    """A number, or None for `default`. Raises click.BadParameter."""
    if text == "default":
        return None
    if not text.isascii() or not text.isdigit() or int(text) > _MOST:
        raise click.BadParameter("write a number from 0 on, or the word default")
    return int(text)


@click.group()
def quotas() -> None:
    """Manage how much each peer may ask.

    Quotas count in a clock hour, a day of China, or that day with the 29 before: points of verifications,
    points about financial and medical items among them, sums and their points for each item, and bytes
    fetched. Their defaults are in [quotas] of node.toml. A peer that has used one up is refused until a
    time that it is told.
    """


@quotas.command("show")
@home_option
@json_option
@click.argument("code", required=False)
def show_(home: Path, as_json: bool, code: str | None) -> None:
    """Show quotas and what is used of them.

    CODE is a peer's province code; without it, all peers are shown.
    """
    states = settings.read_states(read_config(home), code)
    if as_json:
        show({"quotas": [_plain(state) for state in states]}, "", as_json=True)
        return
    print_table(("peer", "quota", "item", "used", "limit", ""), [_row(state) for state in states])


@quotas.command("set")
@home_option
@json_option
@click.argument("code")
@click.argument("quota", type=click.Choice(list(_NAMES)), metavar="QUOTA")
@click.argument("amount", callback=_parse_amount)
@admin_option
def set_(home: Path, as_json: bool, code: str, quota: str, amount: int | None, admin: Path | None) -> None:
    """Set a quota of a peer.

    CODE is the peer's province code, QUOTA a name that `heqiao quotas show` prints, such as points.hour, and
    AMOUNT a number, or the word default for that of node.toml. It applies from the peer's next query on.
    Under dual control a higher quota needs an approval.
    """
    config, (measure, window) = load_config(home), _NAMES[quota]
    now = settings.effective_limit(config, code, measure, window)
    new = settings.default_limit(config, measure, window) if amount is None else amount
    if new > now:
        guard(config, admin, "quotas set", {"peer": code, "quota": quota, "amount": new})
    settings.set_limit(config, code, measure, window, amount)
    result = {"peer": code, "quota": quota, "limit": new, "is_set": amount is not None}
    show(result, f"peer {code}: {quota} is {new:,}", as_json=as_json)


@quotas.command()
@home_option
@json_option
@click.argument("code")
@click.argument("measure", type=click.Choice([measure.value for measure in Measure]), metavar="MEASURE")
@admin_option
def lift(home: Path, as_json: bool, code: str, measure: str, admin: Path | None) -> None:
    """End the suspension of a peer.

    CODE is the peer's province code, MEASURE what is suspended, such as sums. This node suspends a peer whose
    queries look like an attack; find out why first. Its alerts about sums stay listed and count no more.
    Under dual control it needs an approval.
    """
    config = load_config(home)
    guard(config, admin, "quotas lift", {"peer": code, "measure": measure})
    settings.lift(config, code, Measure(measure))
    result = {"peer": code, "lifted": measure}
    show(result, f"peer {code}: {measure} are no longer suspended", as_json=as_json)


@quotas.command()
@home_option
@json_option
@click.argument("code", required=False)
@click.option(
    "--limit", type=click.IntRange(1, 1_000), default=50, show_default=True, help="How many, newest first."
)
def alerts(home: Path, as_json: bool, code: str | None, limit: int) -> None:
    """List quotas nearly used up, and sums that attack.

    CODE is a peer's province code; without it, those of all peers are shown. An alert is raised when 50, 80
    and 100 percent of a quota are used, once in each hour, day or 30 days. At 100 percent the peer was
    refused, or is by its next query. A sum in which single people were counted several times is an alert too:
    no honest node asks for one. Three within a year suspend the peer's sums until `heqiao quotas lift`.
    """
    found = settings.list_alerts(read_config(home), code, limit)
    if as_json:
        show({"alerts": [_plain_alert(one) for one in found]}, "", as_json=True)
        return
    print_table(("at", "peer", "quota", "item", "alert"), [_alert_row(one) for one in found])


def _plain_alert(one: PeerAlert) -> dict[str, object]:
    found: dict[str, object] = {"peer": one.peer, "quota": one.quota, "item": one.item}
    if one.rule:
        found |= {"rule": one.rule, "query": one.query_id.hex()}
        found["lifted_at"] = one.lifted_at and one.lifted_at.isoformat()
    else:
        found["percent"] = one.percent
    return {**found, "at": one.at.isoformat()}


def _alert_row(one: PeerAlert) -> tuple[str, ...]:
    told = one.rule or f"{one.percent} %"
    if one.lifted_at:
        told += f", lifted {china_minute(one.lifted_at)}"
    return china_minute(one.at), one.peer, one.quota, one.item, told


def _plain(state: QuotaState) -> dict[str, object]:
    found: dict[str, object] = {"peer": state.peer, "quota": f"{state.measure}.{state.window}"}
    if state.reason:
        return {**found, "suspended": True, "reason": state.reason}
    return {**found, "item": state.item, "used": state.used, "limit": state.limit, "is_set": state.is_set}


def _row(state: QuotaState) -> tuple[str, ...]:
    name = f"{state.measure}.{state.window}"
    if state.reason:
        return state.peer, name, "", "", "", f"suspended: {state.reason}"
    set_for = "set for this peer" if state.is_set else ""
    return state.peer, name, state.item, f"{state.used:,}", f"{state.limit:,}", set_for
