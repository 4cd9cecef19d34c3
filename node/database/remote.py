"""Whether the connection to a database can be listened to, or answered by somebody else.

A node keeps its peers, jobs, answers and audit chain there. Without `sslmode=verify-full` libpq takes any
server that answers, and by default goes on without encryption where that refuses it.
"""

import ipaddress
import os
from collections.abc import Iterator, Mapping
from typing import Final

from sqlalchemy import URL

from node.errors import ConfigError

VERIFIED: Final = "verify-full"
# What decides where libpq connects, and is not in the URL.
_REDIRECTING: Final = ("PGHOST", "PGHOSTADDR", "PGSERVICE", "PGSERVICEFILE")


def require_verified(url: URL, *, allowed: bool, environ: Mapping[str, str] = os.environ) -> None:
    """Refuse a database elsewhere whose server is not verified by its certificate, unless that is allowed.

    Raises ConfigError.
    """
    if not allowed and not is_verified(url, environ):
        raise ConfigError(
            "[store] url: the database is on another machine, and its certificate is not verified",
            "write the URL as postgresql+psycopg://user@host/db?sslmode=verify-full&sslrootcert=/ca.pem; "
            "or, where the network between is trusted, set allow_unverified = true",
        )


def is_verified(url: URL, environ: Mapping[str, str] = os.environ) -> bool:
    """Whether nobody else can answer: a file, this machine's server, or one with a verified certificate."""
    if url.get_backend_name() == "sqlite" or is_local(url, environ):
        return True
    return url.query.get("sslmode") == VERIFIED


def is_local(url: URL, environ: Mapping[str, str] = os.environ) -> bool:
    """Whether a server is reached by a socket or by loopback only, whatever the environment says."""
    if "service" in url.query or any(environ.get(name) for name in _REDIRECTING):
        return False
    return all(_is_own(host) for host in _hosts(url))


def _hosts(url: URL) -> Iterator[str]:
    """Every host that libpq may try; none means the socket."""
    named = [url.host or ""]
    for key in ("host", "hostaddr"):
        value = url.query.get(key, ())
        named += [value] if isinstance(value, str) else value
    for part in ",".join(named).split(","):
        if part:
            yield part.strip()


def _is_own(host: str) -> bool:
    if host.startswith(("/", "%2f", "%2F", "@")):  # a folder with the socket, or an abstract one
        return True
    name, _, port = host.rpartition(":")  # SQLAlchemy takes host:port in its query
    plain = name if port.isdecimal() and ":" not in name else host
    try:
        return ipaddress.ip_address(plain.strip("[]")).is_loopback
    except ValueError:
        return plain.lower() == "localhost"
