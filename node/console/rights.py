"""What a person is offered, by the one table of rights; the node alone judges what is done."""

from collections.abc import Iterable
from typing import Final

from node.client.people import Person
from node.domain.rights import RPCS, refusal
from node.domain.users import ROLE_NAMES, Role
from node.domain.users import Person as Acting

_ADMIN: Final = "/heqiao.admin.v1."


def may(person: Person, method: str) -> bool:
    """Whether the table lets a person call `Service/Method` of heqiao.admin.v1."""
    acting = Acting(person.account, person.unit, frozenset(map(Role, person.roles)), None)
    return not refusal(RPCS[_ADMIN + method], acting)


def who_may(method: str, lang: str) -> str:
    """The roles that may call it, in words."""
    roles = RPCS[_ADMIN + method].roles
    return role_words((role for role in Role if role in roles), lang)


def role_words(roles: Iterable[str], lang: str) -> str:
    """Names of roles, for people."""
    return ("、" if lang == "zh" else ", ").join(ROLE_NAMES[Role(role)][lang == "en"] for role in roles)
