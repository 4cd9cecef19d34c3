"""The words of an error that crosses between peers, by its code: what its receiver says, and what is sent.

A peer's text could carry anything to a terminal, a log or a report: escape sequences, markup, advice in our
name, a person's number; and ours could name this node's files and database. Only codes, rules and numbers
cross (design.md section 8, docs/protocol.md).
"""

import re
from collections.abc import Mapping
from typing import Final

_ADMINISTRATOR: Final = "its administrator finds the reason in its log"
_BY_ITSELF: Final = "this is done by itself; where it stays so, compare the versions of both nodes"
WORDS: Final[Mapping[str, tuple[str, str]]] = {
    "internal": ("the peer had an internal error", _ADMINISTRATOR),
    "bad_config": ("the peer cannot use its configuration", _ADMINISTRATOR),
    "bad_input": ("the peer cannot use what it was sent", "compare the versions of both nodes"),
    "invalid_request": (
        "the peer finds the request malformed, late or beyond its limits",
        "compare the versions and the [limits] of both nodes",
    ),
    "invalid_points": ("the peer refused the points of the query", "compare the versions of both nodes"),
    "unknown_suite": ("the peer does not know the suite of this node", "update the older node"),
    "unknown_peer": (
        "the peer does not serve this node",
        "the administrators of both nodes exchange cards and run `heqiao peers add`; a certificate that was "
        "revoked is replaced by the federation's CA",
    ),
    "session_ended": ("the peer wants a person to sign in", "compare the versions of both nodes"),
    "sign_in": ("the peer refused a password", "compare the versions of both nodes"),
    "refused": (
        "the peer refuses this by a rule",
        "the administrators of both nodes agree on grants; `heqiao peers grant` there changes them",
    ),
    "not_found": ("the peer does not have what was asked for", "compare the versions of both nodes"),
    "item_not_offered": ("the peer does not hold the item", "ask without it, or ask another province"),
    "job_conflict": ("the peer knows this id with another content", "begin again"),
    "precondition": ("the peer needs another step first", "`heqiao doctor` compares both nodes"),
    "epoch_not_current": ("the peer's epoch has changed", _BY_ITSELF),
    "manifest_unknown": ("the peer does not know the manifest of the query", _BY_ITSELF),
    "query_unknown": ("the peer does not know the query", _BY_ITSELF),
    "salt_not_current": (
        "the peer uses another salt version",
        "the federation's administrator issues the current salt",
    ),
    "catalogue_mismatch": ("the peer has another catalogue", "both administrators compare their catalogues"),
    "partition_changed": ("the peer has published newer data", _BY_ITSELF),
    "revocation_list_old": (
        "the peer has had no new revocation list for too long, and serves nobody",
        "its administrator takes the CA's newest list with `heqiao peers revocations`",
    ),
    "delta_gone": ("the peer has no delta from the version here", _BY_ITSELF),
    "conflict": ("the peer is writing the same data", "try again"),
    "limit": ("the peer serves as much as it can or may", "try again later"),
    "unavailable": ("the peer cannot answer now", f"try again later; {_ADMINISTRATOR}"),
}
_FACTS: Final = {
    "rule": re.compile(r"[a-z_]+(\.[a-z_0-9]+)*"),
    "limit": re.compile(r"[a-z_]+"),
    "epoch": re.compile(r"\d{1,10}"),
    "salt_version": re.compile(r"\d{1,10}"),
    "version": re.compile(r"\d{1,14}"),  # shorter than any identity number
    "catalogue": re.compile(r"[0-9A-Za-z.-]{1,14}"),
    "suite": re.compile(r"(?!.*\d{9})[A-Z][A-Z0-9-]*"),
    "incident": re.compile(r"[0-9a-f]{12}"),
}
_LONGEST: Final = 40


def describe(code: str, details: Mapping[str, str]) -> tuple[str, str, dict[str, str]]:
    """Message, hint and the facts that may be kept, of an error with a peer's code and details."""
    facts = {
        name: value
        for name, value in details.items()
        if name in _FACTS and len(value) <= _LONGEST and _FACTS[name].fullmatch(value)
    }
    message, hint = WORDS.get(code, WORDS["internal"])
    shown = [f"{name} {facts[name]}" for name in ("rule", "limit", "incident") if name in facts]
    return message + (f" ({', '.join(shown)})" if shown else ""), hint, facts
