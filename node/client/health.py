"""Whether the node of a home serves: asked over its two ports with its own certificate."""

from heqiao.peer.v1 import service_pb2
from heqiao.platform.v1 import platform_pb2

from keys import target_name
from node.client.platform import own_address
from node.config import Config
from node.credentials.tls_identity import load_tls_identity
from node.errors import NodeError
from node.transport.health import check_health

PEER_SERVICE = service_pb2.DESCRIPTOR.services_by_name["PeerService"].full_name
PLATFORM_SERVICE = platform_pb2.DESCRIPTOR.services_by_name["PlatformService"].full_name
SERVING = "serving"


def ask_ports(config: Config, timeout_s: float) -> dict[str, str]:
    """`serving`, `not serving` or the code of an error, for the ports `peer` and `platform`."""
    identity = load_tls_identity(config)
    ports = (
        ("peer", config.peer.listen, PEER_SERVICE),
        ("platform", config.platform.listen, PLATFORM_SERVICE),
    )
    found: dict[str, str] = {}
    for port, listen, service in ports:
        address, name = own_address(listen), target_name(config.node.code)
        try:
            good = check_health(address, name, identity, service, timeout_s)
            found[port] = SERVING if good else "not serving"
        except NodeError as error:
            found[port] = error.code
    return found
