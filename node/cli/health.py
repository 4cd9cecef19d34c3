"""`heqiao health`: whether the node of a home serves, for a container's health check or a monitor."""

from pathlib import Path

import click
from heqiao.peer.v1 import service_pb2
from heqiao.platform.v1 import platform_pb2

from keys import target_name
from keys.names import split_address
from node.cli.options import home_option, json_option, load_config, show
from node.errors import ConfigError, NodeError
from node.link import check_health
from node.node import load_keys

PEER_SERVICE = service_pb2.DESCRIPTOR.services_by_name["PeerService"].full_name
PLATFORM_SERVICE = platform_pb2.DESCRIPTOR.services_by_name["PlatformService"].full_name
EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  compared, not listened on


@click.command()
@home_option
@json_option
@click.option("--timeout", type=click.FloatRange(0.1, 60), default=5.0, show_default=True,
              help="Seconds to wait for each port.")  # fmt: skip
def health(home: Path, timeout: float, *, as_json: bool) -> None:
    """Ask the running node of this home, over mutual TLS on both ports, whether it serves.

    A standard grpc.health.v1 check with the node's own certificate. Exits 0 if both ports serve, else 1.
    """
    config = load_config(home)
    keys = load_keys(config)
    ports = (
        ("peer", config.peer.listen, PEER_SERVICE),
        ("platform", config.platform.listen, PLATFORM_SERVICE),
    )
    found: dict[str, str] = {}
    for port, listen, service in ports:
        address, name = _own_address(listen), target_name(config.node.code)
        try:
            serving = check_health(address, name, (keys.ca, keys.tls_key, keys.certificate), service, timeout)
            found[port] = "serving" if serving else "not serving"
        except NodeError as error:
            found[port] = error.code
    good = set(found.values()) == {"serving"}
    lines = (f"{port} port {listen}: {found[port]}" for port, listen, _ in ports)
    show({"good": good, **found}, "\n".join(lines), as_json=as_json)
    if not good:
        raise click.exceptions.Exit(1)


def _own_address(listen: str) -> str:
    """Where this machine reaches an address that is listened on. Raises ConfigError for port 0."""
    host, port = split_address(listen)
    if port == 0:
        raise ConfigError(
            f"{listen}: a port chosen at the start of the node is not known here",
            "give [peer] listen and [platform] listen fixed ports in node.toml",
        )
    host = EVERYWHERE.get(host, host)
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
