"""`heqiao health`: whether the node of a home serves, for a container's health check or a monitor."""

from pathlib import Path

import click
from heqiao.peer.v1 import service_pb2
from heqiao.platform.v1 import platform_pb2

from keys import target_name
from node.cli.options import home_option, json_option, load_config, show
from node.client.platform import own_address
from node.credentials.tls_identity import load_tls_identity
from node.errors import NodeError
from node.transport.health import check_health

PEER_SERVICE = service_pb2.DESCRIPTOR.services_by_name["PeerService"].full_name
PLATFORM_SERVICE = platform_pb2.DESCRIPTOR.services_by_name["PlatformService"].full_name


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
    config = load_config(home)
    identity = load_tls_identity(config)
    ports = (
        ("peer", config.peer.listen, PEER_SERVICE),
        ("platform", config.platform.listen, PLATFORM_SERVICE),
    )
    found: dict[str, str] = {}
    for port, listen, service in ports:
        address, name = own_address(listen), target_name(config.node.code)
        try:
            serving = check_health(address, name, identity, service, timeout)
            found[port] = "serving" if serving else "not serving"
        except NodeError as error:
            found[port] = error.code
    good = set(found.values()) == {"serving"}
    lines = (f"{port} port {listen}: {found[port]}" for port, listen, _ in ports)
    show({"good": good, **found}, "\n".join(lines), as_json=as_json)
    if not good:
        raise click.exceptions.Exit(1)
