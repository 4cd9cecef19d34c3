"""`heqiao peers`: the provinces this node asks and answers, and what they are granted."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import click

from keys.errors import SuccessionError
from keys.pki.enrolment import NodeCard, load_card
from keys.pki.fingerprints import fingerprint_of as digest_of
from keys.pki.names import check_address
from keys.pki.revocation import serial_of
from keys.signing_chain import follow
from keys.store.kinds import fingerprint_of
from matcher.identity import PROVINCES
from node.cli import roots
from node.cli.approvals import guard
from node.cli.fingerprint_check import compare, fingerprint_option
from node.cli.options import (
    admin_option,
    checked,
    home_option,
    json_option,
    load_config,
    read_config,
    show,
    write_output,
)
from node.cli.peer_show import show_peer
from node.cli.terminal import print_table
from node.clock import utc_now
from node.config import Config
from node.credentials.validity import ends_soon
from node.domain.audit_chain import Detail
from node.domain.days import china_day
from node.domain.peers import Grant, PeerRow, Registration, read_grants
from node.errors import InputError
from node.federation.catalogue_file import load_catalogue
from node.federation.revocations import check_newer
from node.files import disk_errors
from node.governance import audit
from node.governance.grants import parse_grants, require_items
from node.governance.peers import (
    list_peers,
    pause_peer,
    put_peer,
    read_registrations,
    remove_peer,
    set_grants,
)

GRANTS = (
    "Origins of the people whom the peer may ask about: first two digits of their identity numbers, "
    "such as 45,00, for all ordinary items. A financial or medical item must be named: C23:45. "
    "`none` grants nothing, to ask this peer only."
)


def _parse_grants(_ctx: object, _param: object, text: str | None) -> tuple[Grant, ...] | None:
    if text is None:
        return None
    if text.strip().lower() == "none":
        return ()
    try:
        return parse_grants(text.split(","))
    except InputError as error:
        raise click.BadParameter(str(error)) from None


@click.group()
def peers() -> None:
    """Manage the provinces that this node asks and answers."""


peers.add_command(roots.roots)
peers.add_command(show_peer)


@peers.command()
@home_option
@json_option
@click.argument("card", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--grant",
    "grants",
    metavar="GRANTS",
    callback=_parse_grants,
    help=f"{GRANTS}  [default: its own province]",
)
@click.option("--address", metavar="HOST:PORT", callback=checked(check_address),
              help="Address to call, if different from that on the card.")  # fmt: skip
@click.option("--allow-platforms", is_flag=True, help="Also answer the peer's platforms, not only its node.")
@click.option("--no-monitoring", is_flag=True, help="Refuse its queries for monitoring, which keep tokens.")
@click.option("--own", is_flag=True,
              help="It is this province's own card: its registers stand in reports too.")  # fmt: skip
@fingerprint_option("the card")
@admin_option
def add(
    home: Path,
    as_json: bool,
    card: Path,
    grants: tuple[Grant, ...] | None,
    address: str | None,
    allow_platforms: bool,
    no_monitoring: bool,
    own: bool,
    fingerprint: str | None,
    admin: Path | None,
) -> None:
    """Add or replace a peer by its card.

    CARD is the file that `heqiao card` wrote on the peer's node. It holds the key that signs the peer's
    answers: its fingerprint must be given, or typed when it is asked for, as the peer's administrator reads
    it out by telephone.
    """
    config = load_config(home)
    found = load_card(card)
    if found.code == config.node.code and not own:
        raise InputError(
            f"{card}: this is this province's own card",
            "give the card of the peer, or --own to ask your own registers too",
        )
    if own and found.code != config.node.code:
        raise InputError(f"{card}: this is not this province's own card", "leave out --own")
    compare(f"the card of {found.code} {found.name}", found.fingerprint(), fingerprint)
    granted = _own_origin(found.code) if grants is None else grants
    _require_items(config, granted)
    peer = PeerRow(
        found.code,
        found.name,
        address or found.address,
        found.signing_key,
        allow_platforms,
        granted,
        allow_monitoring=not no_monitoring,
    )
    asked: dict[str, Detail] = {"peer": peer.code, "address": peer.address, "grants": peer.granted}
    asked |= {
        "platforms": int(allow_platforms),
        "monitoring": int(not no_monitoring),
        "card": found.fingerprint(),
    }
    guard(config, admin, "peers add", asked)
    now = utc_now()
    known = put_peer(config, peer, now)
    text = f"peer {peer.code} {peer.name} at {peer.address}, grants: {', '.join(peer.granted) or 'none'}"
    if known is not None and known.signing_key != peer.signing_key:
        text += f"\n{_judge_key(found, known.signing_key, now)}"
    show(_plain(peer), text, as_json=as_json)


@peers.command(
    help=f"""Replace what a peer is granted.

CODE is the peer's province code, GRANTS a list such as 45,00,C23:45. {GRANTS}

What is not in the list is no longer granted, from the peer's next call on.
"""
)
@home_option
@json_option
@click.argument("code")
@click.argument("grants", callback=_parse_grants)
@click.option(
    "--monitoring/--no-monitoring",
    default=None,
    help="Whether it may ask for monitoring and keep tokens for it.  [default: as before]",
)
@admin_option
def grant(  # noqa: D103 - its help is above
    home: Path,
    as_json: bool,
    code: str,
    grants: tuple[Grant, ...],
    monitoring: bool | None,
    admin: Path | None,
) -> None:
    config = load_config(home)
    _require_items(config, grants)
    asked: dict[str, Detail] = {"peer": code, "grants": [str(each) for each in grants]}
    if monitoring is not None:
        asked["monitoring"] = int(monitoring)
    guard(config, admin, "peers grant", asked)
    peer = set_grants(config, code, grants, utc_now(), monitoring)
    text = f"peer {peer.code} {peer.name}, grants: {', '.join(peer.granted) or 'none'}"
    text += "" if peer.allow_monitoring else "; no monitoring"
    show(_plain(peer), text, as_json=as_json)


def _judge_key(card: NodeCard, known: bytes, now: datetime) -> str:
    """How the key on a card came after the one that was known."""
    keys = f"its key {fingerprint_of(card.signing_key)} replaces {fingerprint_of(known)}"
    try:
        rest = follow(card.code, known, card.successions, now)
    except SuccessionError as error:
        return f"{keys}; {error}"
    if rest and rest[-1].new_key == card.signing_key:
        return f"{keys}, which has signed it"
    return f"{keys}, which has NOT signed it: ask the peer's administrator why"


@peers.command("list")
@home_option
@json_option
def list_(home: Path, as_json: bool) -> None:
    """List peers with their addresses and grants."""
    config = read_config(home)
    known, registered = list_peers(config), read_registrations(config)
    if as_json:
        plain = [{**_plain(peer), **_registration(registered.get(peer.code))} for peer in known]
        show({"peers": plain}, "", as_json=True)
        return
    rows = [
        (
            peer.code,
            f"{peer.name}, paused" if peer.paused else peer.name,
            peer.address,
            ", ".join(peer.granted),
            "yes" if peer.allow_platforms else "no",
            _until(registered.get(peer.code)),
        )
        for peer in known
    ]
    print_table(("code", "name", "address", "grants", "platforms", "certificate"), rows)


def _until(found: Registration | None) -> str:
    """Until when the certificate that a peer showed last is valid."""
    if found is None or found.certificate is None:
        return "not seen"
    until = found.certificate.valid_until
    return f"until {china_day(until)}" + (", soon" if ends_soon(until, utc_now()) else "")


def _registration(found: Registration | None) -> dict[str, object]:
    if found is None:  # it was removed meanwhile
        return {}
    shown = found.certificate
    plain: dict[str, object] = {"registered_at": found.added_at.isoformat(), "certificate": None}
    if shown is not None:
        plain["certificate"] = {
            "fingerprint": shown.fingerprint,
            "valid_from": shown.valid_from.isoformat(),
            "valid_until": shown.valid_until.isoformat(),
        }
    return plain


@peers.command()
@home_option
@json_option
@click.argument("code")
@admin_option
def remove(home: Path, as_json: bool, code: str, admin: Path | None) -> None:
    """Forget a peer: it is refused from now on.

    CODE is the peer's province code, such as 44.
    """
    config = load_config(home)
    guard(config, admin, "peers remove", {"peer": code})
    remove_peer(config, code)
    show({"removed": code}, f"peer {code} is removed", as_json=as_json)


@peers.command()
@home_option
@json_option
@click.argument("code")
def pause(home: Path, as_json: bool, code: str) -> None:
    """Neither ask nor answer a peer until `heqiao peers resume`.

    CODE is the peer's province code. Its card, grants and quotas stay; open calls of it end, jobs wait for it
    as for one that cannot be reached.
    """
    pause_peer(load_config(home), code, paused=True)
    show({"paused": code}, f"peer {code} is paused", as_json=as_json)


@peers.command()
@home_option
@json_option
@click.argument("code")
@admin_option
def resume(home: Path, as_json: bool, code: str, admin: Path | None) -> None:
    """Ask and answer a peer again that was paused.

    CODE is the peer's province code. Under dual control it needs an approval.
    """
    config = load_config(home)
    guard(config, admin, "peers resume", {"peer": code})
    pause_peer(config, code, paused=False)
    show({"resumed": code}, f"peer {code} is asked and answered again", as_json=as_json)


@peers.command()
@home_option
@json_option
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@admin_option
def revocations(home: Path, as_json: bool, file: Path, admin: Path | None) -> None:
    """Take the federation's list of revoked certificates.

    FILE is the list that the CA's administrator wrote with `heqiao ca revoke` or `ca publish`, every 30 days.
    A running node applies it from the next call on, also to open connections, as a server and as a client.
    A list older than the current one is refused. A node whose list is older than 95 days serves nobody.
    """
    config = load_config(home)
    with disk_errors("correct [tls] in node.toml; `heqiao join` writes the CA's certificate"):
        content = file.read_bytes()
        own = config.tls.certificate.read_bytes() if config.tls.certificate.exists() else None
    found = check_newer(config, content, file)
    digest = digest_of(content)
    guard(config, admin, "peers revocations", {"list": found.number, "digest": digest})
    write_output(config.tls.revocations, content)
    audit.record(config, "revocations_taken", {"list": found.number, "revoked": len(found.serials)})
    us = own is not None and serial_of(own) in found.serials
    text = (
        f"list {found.number} of {found.made_at:%Y-%m-%d %H:%M} UTC: {len(found.serials)} revoked; "
        f"the next one is due on {china_day(found.next_at)}"
    )
    if us:
        text += (
            "\nTHIS NODE'S certificate is revoked: peers refuse this node until `heqiao join` with a new one"
        )
    show(
        {
            "list": found.number,
            "revoked": len(found.serials),
            "next": china_day(found.next_at).isoformat(),
            "own_revoked": us,
        },
        text,
        as_json=as_json,
    )


def _own_origin(code: str) -> tuple[Grant, ...]:
    # The 兵团 (66) has no numbers of its own: what it may ask is agreed and given with --grant.
    return read_grants([code]) if code in PROVINCES else ()


def _require_items(config: Config, granted: Sequence[Grant]) -> None:
    require_items(granted, load_catalogue(config).codes)


def _plain(peer: PeerRow) -> dict[str, object]:
    return {
        "code": peer.code,
        "name": peer.name,
        "address": peer.address,
        "grants": peer.granted,
        "allow_platforms": peer.allow_platforms,
        "paused": peer.paused,
        "allow_monitoring": peer.allow_monitoring,
    }
