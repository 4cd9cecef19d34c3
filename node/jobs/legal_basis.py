"""No question without a legal basis: a code of the published list or of the province's own (S5)."""

from typing import Final

from node.context import Node
from node.domain.days import china_day
from node.errors import InvalidRequestError

_HINT: Final = "`heqiao codes list` lists the codes; [code_tables] path names the province's own"


def require_basis(node: Node, code: str, *, again: bool = False) -> None:
    """Raise InvalidRequestError unless a question of today may be based on `code`.

    `again`: it looks again at what was asked before, under the law of that day.
    """
    if not code:
        raise InvalidRequestError("a question needs a legal basis", _HINT)
    found = node.code_tables.basis(code)
    if found is None:
        raise InvalidRequestError("the legal basis is on no list of this node", _HINT)
    if not again and not found.is_in_force(china_day(node.clock())):
        raise InvalidRequestError("the legal basis is not in force today", _HINT)
