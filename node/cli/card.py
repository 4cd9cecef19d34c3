"""`heqiao card`: the card of this node for its peers."""

from pathlib import Path

import click

from keys.pki.enrolment import make_card
from keys.pki.names import check_address
from node.cli.options import home_option, json_option, read_config, show, write_output
from node.config import open_key_store
from node.errors import InputError
from node.rotation.signing import read_signer


@click.command()
@home_option
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), help="File to write.  [default: the terminal]"
)
@json_option
def card(home: Path, out: Path | None, *, as_json: bool) -> None:
    """Print this node's card for its peers.

    The card holds the node's address and the key that signs its manifests, and after `heqiao keys rotate
    signing` the statements that lead from older keys to it. Give it to the administrators of peers for
    `heqiao peers add CARD`, and tell them the fingerprint over another channel.
    """
    config = read_config(home)
    if config.node.role != "node":
        raise InputError("a platform has no card: nobody calls it", "make the card of its province's node")
    try:
        check_address(config.address)
    except ValueError as error:
        raise InputError(f"{config.address}: {error}", "set [peer] advertise in node.toml") from None
    store = open_key_store(config)
    signer = read_signer(config, store)
    made = make_card(
        store,
        config.node.code,
        config.node.name,
        config.address,
        signing_epoch=signer.epoch,
        successions=signer.successions,
    )
    if out is None:
        click.echo(made.to_json().decode(), nl=False)
        click.echo(f"fingerprint {made.fingerprint()}", err=True)  # the card alone is the output
        return
    write_output(out, made.to_json())
    result = {"card": str(out), "code": made.code, "fingerprint": made.fingerprint()}
    show(result, f"{out}: card of node {made.code}, fingerprint {made.fingerprint()}", as_json=as_json)
