"""The head of every request of a query: suite and query id."""

from matcher import SUITE
from matcher.suites.suite import SUITES
from node.errors import UnknownSuiteError
from node.wire.common import QUERY_ID_SIZE, require


def require_suite(suite: str) -> None:
    """Raises UnknownSuiteError unless this node knows the suite."""
    if suite not in SUITES:
        raise UnknownSuiteError("this node does not know this suite", f"use {SUITE}", {"suite": SUITE})


def require_query_id(query_id: bytes) -> None:
    """Raises InvalidRequestError unless it is as long as the id of a query."""
    require(len(query_id) == QUERY_ID_SIZE, f"query_id must be {QUERY_ID_SIZE} bytes")


def require_head(suite: str, query_id: bytes) -> None:
    """Check suite and query id of a request. Raises InvalidRequestError or UnknownSuiteError."""
    require_suite(suite)
    require_query_id(query_id)
