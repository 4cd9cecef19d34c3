"""Names in certificates: federations, province codes, hosts, and the URI of an identity."""

import contextlib
import ipaddress
import re
from typing import Final, Literal
from urllib.parse import quote, unquote

from matcher.identity import PROVINCES

Role = Literal["node", "platform"]

# The 兵团 (Xinjiang Production and Construction Corps) is a peer of its own inside 65 (domain.md
# sections 2 and 6) and has no code in GB/T 2260; 66 is free there.
BINGTUAN: Final = "66"
PROVINCE_CODES: Final = PROVINCES | {BINGTUAN}
NODE_DOMAIN: Final = "node.heqiao"
_FEDERATION: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_URI: Final = re.compile(
    r"heqiao://(?P<federation>[a-z0-9-]{1,63})/(?P<role>node|platform)/(?P<code>[0-9]{2})"
    r"(?:/(?P<name>[A-Za-z0-9._~%-]{1,600}))?"
)
_HOST_LABEL: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")


def check_federation(name: str) -> str:
    """A federation's name: 1 to 63 of a-z, 0-9 and inner hyphens, since it is part of a URI.

    Raises:
        ValueError: it is not.
    """
    if not _FEDERATION.fullmatch(name):
        raise ValueError("a federation's name is 1 to 63 of a-z, 0-9 and inner hyphens")
    return name


def check_code(code: str) -> str:
    """A province code: two digits of GB/T 2260, or 66 for the 兵团.

    Raises:
        ValueError: it is not.
    """
    if code not in PROVINCE_CODES:
        raise ValueError("a code is two digits of GB/T 2260 (45 for 广西), or 66 for the 兵团")
    return code


def check_name(name: str) -> str:
    """A name of a node or platform: 1 to 64 printable characters, no blank at either end.

    Raises:
        ValueError: it is not.
    """
    if not 1 <= len(name) <= 64 or not name.isprintable() or name != name.strip():
        raise ValueError("a name is 1 to 64 printable characters without blanks at its ends")
    return name


def check_host(host: str) -> str:
    """A DNS name or IP address that a certificate may carry. No wildcard, and no name under
    `heqiao`, which would let one node impersonate another.

    Raises:
        ValueError: it is not acceptable.
    """
    if "%" not in host:  # an IPv6 zone (fe80::1%eth0) is valid on one machine only
        with contextlib.suppress(ValueError):
            return ipaddress.ip_address(host).compressed
    labels = host.split(".")
    if len(host) > 253 or labels[-1].isdigit() or not all(map(_HOST_LABEL.fullmatch, labels)):
        raise ValueError("a host is a lower-case DNS name without wildcard, or an IP address")
    if labels[-1] == "heqiao":
        raise ValueError("names under .heqiao belong to nodes and are granted by code only")
    return host


def target_name(code: str) -> str:
    """The DNS name of a node in TLS, wherever it runs."""
    return f"{check_code(code)}.{NODE_DOMAIN}"


def identity_uri(federation: str, role: Role, code: str, name: str = "") -> str:
    """The URI that names a node, or a platform (which has a name too)."""
    uri = f"heqiao://{check_federation(federation)}/{role}/{check_code(code)}"
    return uri if role == "node" else f"{uri}/{quote(check_name(name), safe='')}"


def parse_uri(uri: str) -> tuple[str, Role, str, str]:
    """Federation, role, code and name of an identity URI; the opposite of `identity_uri`.

    Raises:
        ValueError: it is not one, or not written as `identity_uri` writes it.
    """
    match = _URI.fullmatch(uri)
    if match is None:
        raise ValueError("not the URI of a node or platform")
    role: Role = "node" if match["role"] == "node" else "platform"
    name = unquote(match["name"] or "")
    if identity_uri(match["federation"], role, match["code"], name) != uri:
        raise ValueError("not the URI of a node or platform")
    return match["federation"], role, match["code"], name


def split_address(address: str) -> tuple[str, int]:
    """Host and port of `host:port` or `[ipv6]:port`; the port may be 0 (any free one, for listening).

    Raises:
        ValueError: it is not of that form.
    """
    host, colon, port = address.rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    if not colon or not port.isascii() or not port.isdigit() or int(port) > 65_535 or len(port) > 5:
        raise ValueError("an address is host:port, as in 10.45.0.1:7443")
    if (":" in host) != bracketed:
        raise ValueError("an IPv6 address with a port is written as [::1]:7443")
    return check_host(host[1:-1] if bracketed else host), int(port)


def check_address(address: str) -> str:
    """An address that others can call: `host:port`, not 0.0.0.0 or ::, and a port.

    Raises:
        ValueError: it is not.
    """
    host, port = split_address(address)
    if host in ("0.0.0.0", "::") or port == 0:  # noqa: S104  compared, not listened on
        raise ValueError("others cannot call this address: name a host and a port of this node")
    return address
