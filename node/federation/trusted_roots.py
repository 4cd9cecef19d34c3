"""The roots that a home trusts: checks and audit records for their changes."""

from keys.errors import KeyringError
from keys.pki.certificates import Root, roots_pem
from keys.pki.enrolment import ca_fingerprint
from keys.pki.revocation import load_list
from node.clock import utc_now
from node.config import Config
from node.database import audit_log as audit_rows
from node.database import database_url, open_store
from node.errors import PreconditionError


def require_readable_list(config: Config, left: tuple[Root, ...]) -> None:
    """The revocation list of the home must be signed by a remaining root: else the node could not read it.

    Raises PreconditionError.
    """
    if not config.tls.revocations.exists():
        return
    try:
        load_list(config.tls.revocations.read_bytes(), roots_pem(left))
    except KeyringError:
        raise PreconditionError(
            "the revocation list of this home is signed by the old root only",
            "take the newest list first: `heqiao peers revocations`",
        ) from None


def record_change(config: Config, before: tuple[Root, ...], after: tuple[Root, ...]) -> None:
    """Write the newly trusted and the dropped roots to the audit chain."""
    with open_store(database_url(config)).transaction("audit roots", write=True) as tx:
        for event, changed in (
            ("root_trusted", [root for root in after if root not in before]),
            ("root_dropped", [root for root in before if root not in after]),
        ):
            for root in changed:
                audit_rows.append(tx, event, {"fingerprint": ca_fingerprint(roots_pem([root]))}, utc_now())
