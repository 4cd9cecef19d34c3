"""`heqiao health`: whether the node of a home serves, for a container's health check or a monitor."""

from pathlib import Path

import click

from node.cli.options import home_option, json_option, read_config, show
from node.client.health import SERVING, ask_ports


@click.command()
@home_option
@json_option
@click.option("--timeout", type=click.FloatRange(0.1, 60), default=5.0, show_default=True,
              help="Seconds to wait for each port.")  # fmt: skip
def health(home: Path, timeout: float, *, as_json: bool) -> None:
    """Check that this home's node is running and serving.

    Asks both ports over mutual TLS: a standard grpc.health.v1 check with the node's own certificate.
    Exits 1 unless both serve.
    """
    config = read_config(home)
    found = ask_ports(config, timeout)
    good = set(found.values()) == {SERVING}
    listen = {"peer": config.peer.listen, "platform": config.platform.listen}
    lines = (f"{port} port {listen[port]}: {state}" for port, state in found.items())
    show({"good": good, **found}, "\n".join(lines), as_json=as_json)
    if not good:
        raise click.exceptions.Exit(1)
