"""`heqiao peers`: the provinces this node asks and answers, and what they are granted."""

from datetime import datetime
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from keys.errors import SuccessionError
from keys.pki.enrolment import NodeCard, load_card
from keys.pki.names import PROVINCE_CODES, check_address
from keys.pki.revocation import serial_of
from keys.signing_chain import follow
from keys.store.kinds import fingerprint_of
from matcher.identity import NO_ORIGIN, PROVINCES
from node.cli import roots
from node.cli.approvals import admin_option, guard
from node.cli.options import checked, home_option, json_option, load_config, read_config, show, write_output
from node.clock import utc_now
from node.domain.audit_chain import Detail
from node.domain.peers import PeerRow
from node.errors import InputError
from node.federation.revocations import check_newer
from node.files import disk_errors
from node.governance import audit
from node.governance.peers import list_peers, put_peer, remove_peer


@click.group()
def peers() -> None:
    """Manage the provinces that this node asks and answers."""


peers.add_command(roots.roots)


@peers.command()
@home_option
@json_option
@click.argument("card", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--grant",
    "grants",
    metavar="ORIGINS",
    callback=lambda _ctx, _param, text: None if text is None else _parse_grants(text),
    help="Origins of the people whom the peer may ask about: first two digits of their identity numbers, "
    "such as 45,00; `none` grants nothing, to ask this peer only.  [default: its own province]",
)
@click.option("--address", metavar="HOST:PORT", callback=checked(check_address),
              help="Address to call, if different from that on the card.")  # fmt: skip
@click.option("--allow-platforms", is_flag=True, help="Also answer the peer's platforms, not only its node.")
@admin_option
def add(
    home: Path,
    as_json: bool,
    card: Path,
    grants: tuple[str, ...] | None,
    address: str | None,
    allow_platforms: bool,
    admin: Path | None,
) -> None:
    """Add or replace a peer by its card.

    CARD is the file that `heqiao card` wrote on the peer's node. It holds the key that signs the peer's
    answers: check its fingerprint by telephone.
    """
    config = load_config(home)
    found = load_card(card)
    if found.code == config.node.code:
        raise InputError(f"{card}: this is this province's own card", "give the card of the peer")
    origins = _own_origin(found.code) if grants is None else grants
    peer = PeerRow(
        found.code, found.name, address or found.address, found.signing_key, allow_platforms, origins
    )
    asked: dict[str, Detail] = {"peer": peer.code, "address": peer.address, "grants": list(peer.grants)}
    asked |= {"platforms": int(allow_platforms), "card": found.fingerprint()}
    guard(config, admin, "peers add", asked)
    now = utc_now()
    known = put_peer(config, peer, now)
    text = f"peer {peer.code} {peer.name} at {peer.address}, grants: {', '.join(peer.grants) or 'none'}"
    if known is not None and known.signing_key != peer.signing_key:
        text += f"\n{_judge_key(found, known.signing_key, now)}"
    show(_plain(peer), text, as_json=as_json)


def _judge_key(card: NodeCard, known: bytes, now: datetime) -> str:
    """How the key on a card came after the one that was known."""
    keys = f"its key {fingerprint_of(card.signing_key)} replaces {fingerprint_of(known)}"
    try:
        rest = follow(card.code, known, card.successions, now)
    except SuccessionError as error:
        return f"{keys}; {error}: compare the card's fingerprint by telephone"
    if rest and rest[-1].new_key == card.signing_key:
        return f"{keys}, which has signed it"
    return f"{keys}, which has NOT signed it: compare the card's fingerprint by telephone"


@peers.command("list")
@home_option
@json_option
def list_(home: Path, as_json: bool) -> None:
    """List peers with their addresses and grants."""
    known = list_peers(read_config(home))
    if as_json:
        show({"peers": [_plain(peer) for peer in known]}, "", as_json=True)
        return
    table = Table("code", "name", "address", "granted origins", "platforms")
    for peer in known:
        table.add_row(
            peer.code,
            peer.name,
            peer.address,
            ", ".join(peer.grants),
            "yes" if peer.allow_platforms else "no",
        )
    Console().print(table)


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
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
def revocations(home: Path, as_json: bool, file: Path) -> None:
    """Take the federation's list of revoked certificates.

    FILE is the list that the CA's administrator wrote with `heqiao ca revoke`. A running node applies
    it from the next call on, also to open connections, both as a server and as a client. A list older than
    the current one is refused.
    """
    config = load_config(home)
    with disk_errors("correct [tls] in node.toml; `heqiao join` writes the CA's certificate"):
        content = file.read_bytes()
        own = config.tls.certificate.read_bytes() if config.tls.certificate.exists() else None
    found = check_newer(config, content, file)
    write_output(config.tls.revocations, content)
    audit.record(config, "revocations_taken", {"list": found.number, "revoked": len(found.serials)})
    us = own is not None and serial_of(own) in found.serials
    text = f"list {found.number} of {found.made_at:%Y-%m-%d %H:%M} UTC: {len(found.serials)} revoked"
    if us:
        text += (
            "\nTHIS NODE'S certificate is revoked: peers refuse this node until `heqiao join` with a new one"
        )
    show({"list": found.number, "revoked": len(found.serials), "own_revoked": us}, text, as_json=as_json)


def _own_origin(code: str) -> tuple[str, ...]:
    # The 兵团 (66) has no numbers of its own: what it may ask is agreed and given with --grant.
    return (code,) if code in PROVINCES else ()


def _parse_grants(text: str) -> tuple[str, ...]:
    if text.strip().lower() == "none":
        return ()
    origins = tuple(sorted({part.strip() for part in text.split(",")}))
    known = {*PROVINCES, *PROVINCE_CODES, NO_ORIGIN, "83"}
    for origin in origins:
        if origin not in known:
            raise click.BadParameter(f"{origin!r} is no origin: two digits of a province, or 00")
    return origins


def _plain(peer: PeerRow) -> dict[str, object]:
    return {
        "code": peer.code,
        "name": peer.name,
        "address": peer.address,
        "grants": list(peer.grants),
        "allow_platforms": peer.allow_platforms,
    }
