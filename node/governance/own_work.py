"""Commands that the node starts by itself, where [users] are required and no person is there to sign in.

The serving process hands such a command a ticket through a pipe, so it is in no list of processes, file or
environment. It is keyed with a secret of the home, names the command, and is good only as long as that
process holds the lease of the work. No command makes tickets for anybody: a person cannot pass for the node.
"""

import hmac
from typing import Final

from blake3 import blake3

from node.database import Store
from node.database import leases as lease_rows
from node.database.leases import Lease
from node.errors import RefusedError

LONGEST: Final = 200  # characters of a ticket
NAME: Final = "node:{}"  # in audit events, with the lease's name: no account has a colon
_CONTEXT: Final = "heqiao v1 own work"


def make_ticket(digest_key: bytes, lease: Lease, command: str) -> str:
    """What shows that the holder of a lease starts a command, such as `sources import C21`."""
    return f"{lease.name}:{lease.number}:{_sign(digest_key, lease.name, lease.number, command)}"


def check_ticket(store: Store, digest_key: bytes, ticket: str, command: str) -> str:
    """Name under which the node does this. Raises RefusedError unless it has started this command now."""
    name, _, rest = ticket.strip().partition(":")
    text, _, code = rest.partition(":")
    if not (text.isascii() and text.isdecimal() and name.isascii() and code.isascii()):
        raise _not_ours()
    if not hmac.compare_digest(code, _sign(digest_key, name, int(text), command)):
        raise _not_ours()
    with store.transaction("look at lease") as tx:
        if not lease_rows.holds(tx, name, int(text)):
            raise _not_ours()
    return NAME.format(name)


def _sign(digest_key: bytes, name: str, number: int, command: str) -> str:
    key = blake3(digest_key, derive_key_context=_CONTEXT).digest()
    return blake3(f"{name}\n{number}\n{command}".encode(), key=key).hexdigest()


def _not_ours() -> RefusedError:
    return RefusedError(
        "the node did not start this command",
        "name your account: `heqiao --as ACCOUNT ...`",
        {"rule": "right"},
    )
